"""Contexts: which API server, as whom, in which namespace.

This is the one place that knows that a context can be started: `local` is the embedded control
plane, which is started when it is first needed and when a connection to it is refused.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fairlead.errors import NotFoundError
from fairlead.kube.choice import Choice, current_choice
from fairlead.kube.embedded import EMBEDDED_ENTRY, plane_pid, start_plane, stop_plane
from fairlead.kube.kubeconfig import Kubeconfig, load_kubeconfig, user_files
from fairlead.settings import data_dir

__all__ = [
    "EMBEDDED_CONTEXT",
    "IN_CLUSTER_CONTEXT",
    "Context",
    "list_contexts",
    "load_context",
    "plane_pid",
    "start_plane",
    "stop_plane",
]

EMBEDDED_CONTEXT = "local"
IN_CLUSTER_CONTEXT = "in-cluster"
_OWN_NAMES = (EMBEDDED_CONTEXT, IN_CLUSTER_CONTEXT)

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where every pod finds the token, the certificate authority and the namespace that it is given."""


@dataclass(frozen=True)
class Context:
    """An API server, as one user, in one namespace.

    Attributes
    ----------
    name : str
        What the user calls it. That of its kubeconfig; `local` and `in-cluster` are Fairlead's
        own, and a kubeconfig's context of such a name is called `kubeconfig/NAME` here.
    cluster, user : str
        Names of the kubeconfig's entries.
    namespace : str
        Where objects go that name no other one.
    startable : bool
        Whether `start` can bring its API server up.
    source : str
        `embedded`, `kubeconfig` or `in-cluster`.
    files : tuple of Path
        The kubeconfig files that hold it; for `in-cluster` the service account's folder.
    entry : str
        Name of the context in its kubeconfig.
    """

    name: str
    cluster: str
    user: str
    namespace: str
    startable: bool
    source: Literal["embedded", "kubeconfig", "in-cluster"]
    files: tuple[Path, ...]
    entry: str

    @property
    def kubeconfig(self) -> Path:
        """The first of its kubeconfig files."""
        return self.files[0]

    @property
    def server(self) -> str:
        """URL of the API server; empty where it is not known (yet)."""
        if self.source == "in-cluster":
            return pod_server()
        config = load_kubeconfig(*self.files)
        cluster = config.clusters.get(self.cluster)
        return str(cluster.values.get("server") or "") if cluster else ""

    def ready(self) -> bool:
        """Whether its credentials are there; the API server may still be down."""
        return not self.startable or self.kubeconfig.exists()

    def start(self) -> None:
        """Start the embedded control plane and wait until it serves; nothing if it does already.

        Raises
        ------
        ClusterError
            It did not start; the message holds what it printed.
        """
        start_plane()


def list_contexts() -> list[Context]:
    """Return `local`, the contexts of the user's kubeconfig, and `in-cluster` if it is there.

    Raises
    ------
    ClusterError
        A kubeconfig cannot be read.
    """
    found = [_local(), *_of_user()]
    inside = _in_cluster()
    return found if inside is None else [*found, inside]


def load_context(name: str | None = None) -> Context:
    """Return the context called `name`, or else the one in use.

    Parameters
    ----------
    name : str, optional
        As `list_contexts` calls it. Default: what `%fairlead use` chose in this process, else
        `FAIRLEAD_CONTEXT` (and `FAIRLEAD_NAMESPACE`), else what `fairlead use` or the panel
        stored, else `in-cluster` inside of a pod, else `local`.

    Raises
    ------
    NotFoundError
        There is no such context; the message lists those there are.
    """
    if name is not None:
        return _find(name)
    choice = current_choice()
    if choice is None:
        return _default()
    found = _default() if choice.context is None else _chosen(choice.context, choice)
    return replace(found, namespace=choice.namespace) if choice.namespace else found


def _chosen(name: str, choice: Choice) -> Context:
    try:
        return _find(name)
    except NotFoundError as error:
        raise NotFoundError(
            f"{error.what} The name is the choice of {choice.by}.",
            hint="`fairlead contexts` lists them; choose another one: fairlead use CONTEXT",
        ) from error


def _find(name: str) -> Context:
    if name == EMBEDDED_CONTEXT:
        return _local()
    if name == IN_CLUSTER_CONTEXT:
        inside = _in_cluster()
        if inside is None:
            raise NotFoundError(
                "No context 'in-cluster': this process does not run inside of a pod "
                f"(no service account in {SERVICE_ACCOUNT})."
            )
        return inside
    known = _of_user()
    for context in known:
        if context.name == name:
            return context
    names = ", ".join([EMBEDDED_CONTEXT, *(context.name for context in known)])
    where = ", ".join(map(str, user_files()))
    raise NotFoundError(f"No context '{name}' in {where}; it has: {names}.")


def _default() -> Context:
    if _plane_made_this_pod():
        return _local()
    return _in_cluster() or _local()


def _local() -> Context:
    """Return the embedded control plane: the one that made this pod, else the data directory's."""
    if _plane_made_this_pod():
        # The kubeconfig first: where nothing can be mounted, the folder may be another cluster's.
        inside = _current_of_user() or _in_cluster()
        if inside is not None:
            return replace(inside, name=EMBEDDED_CONTEXT)
    file = data_dir() / "kubeconfig"
    config = load_kubeconfig(file)
    # Before its first start there is no file; the names in it are fixed.
    values = config.contexts[EMBEDDED_ENTRY].values if EMBEDDED_ENTRY in config.contexts else {}
    return Context(
        EMBEDDED_CONTEXT,
        cluster=str(values.get("cluster") or "fairlead"),
        user=str(values.get("user") or "fairlead"),
        namespace=str(values.get("namespace") or "default"),
        startable=True,
        source="embedded",
        files=(file,),
        entry=EMBEDDED_ENTRY,
    )


def _of_user() -> list[Context]:
    config = load_kubeconfig(*user_files())
    own = (data_dir() / "kubeconfig").absolute()
    embedded = config.current_context if _plane_made_this_pod() else None
    return [
        _from_entry(config, name)
        for name, entry in config.contexts.items()
        # `export KUBECONFIG=$(fairlead kubeconfig)` names the embedded one a second time, and so
        # does the kubeconfig of its pods.
        if (name, entry.file) != (EMBEDDED_ENTRY, own) and name != embedded
    ]


def _current_of_user() -> Context | None:
    config = load_kubeconfig(*user_files())
    found = config.current_context in config.contexts
    return _from_entry(config, config.current_context) if found else None


def _from_entry(config: Kubeconfig, name: str) -> Context:
    values = config.contexts[name].values
    return Context(
        f"kubeconfig/{name}" if name in _OWN_NAMES else name,
        cluster=str(values.get("cluster") or ""),
        user=str(values.get("user") or ""),
        namespace=str(values.get("namespace") or "default"),
        startable=False,
        source="kubeconfig",
        files=config.files,
        entry=name,
    )


def _in_cluster() -> Context | None:
    """Return what Kubernetes gives a pod, `None` where this is none."""
    folder = SERVICE_ACCOUNT
    token = folder / "token"
    if not os.environ.get("KUBERNETES_SERVICE_HOST") or not token.exists():
        return None
    namespace = folder / "namespace"
    return Context(
        IN_CLUSTER_CONTEXT,
        cluster="kubernetes.default.svc",
        user=_subject_of(token.read_text()) or "service account",
        namespace=(namespace.read_text().strip() if namespace.exists() else "") or "default",
        startable=False,
        source="in-cluster",
        files=(folder,),
        entry="",
    )


def pod_server() -> str:
    """Return the URL of the API server that every pod is told."""
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    port = os.environ.get("KUBERNETES_SERVICE_PORT") or "443"
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _plane_made_this_pod() -> bool:
    """Whether this is a pod of an embedded control plane: only there, the server is on loopback."""
    try:
        return ipaddress.ip_address(os.environ.get("KUBERNETES_SERVICE_HOST", "")).is_loopback
    except ValueError:
        return False


def _subject_of(token: str) -> str:
    """Name of the service account, which its token (a JWT) says; empty where it cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return ""
