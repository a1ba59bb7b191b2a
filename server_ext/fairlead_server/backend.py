"""The context in use on this server, and the clients of it."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.kube import EMBEDDED_CONTEXT, Context, KubeClient, load_context
from fairlead_server import seam

if TYPE_CHECKING:
    from fairlead_server.runs_service import RunsService


@dataclass(frozen=True)
class Choice:
    """A context that could be used.

    Attributes
    ----------
    source : str
        Where it is from, in words or as a kubeconfig's path.
    namespace : str
        Its own; empty where it names none.
    problem : str
        Why it cannot be used; empty where nothing is known against it.
    startable : bool
        Whether its server starts when it is needed.
    """

    name: str
    source: str
    server: str
    namespace: str
    problem: str
    startable: bool


class Connection:
    """One context and namespace. Blocking: handlers and topics use it in threads."""

    def __init__(self, context: Context, namespace: str | None = None) -> None:
        self.kube = KubeClient(context)
        own = context.namespace if context.ready() else "default"
        self.namespace = namespace or own
        self.server = next(
            (one.server for one in seam.list_contexts() if one.name == context.name), ""
        )

    @functools.cached_property
    def runs(self) -> RunsService:
        """The runs of this context; made when first asked for, with all that it imports."""
        from fairlead_server.runs_service import RunsService

        return RunsService(self.kube)

    def place(self) -> dict[str, str]:
        """Return the names of context and namespace."""
        return {"context": self.kube.context.name, "namespace": self.namespace}

    def version(self) -> str:
        """Ask for the version of the API server."""
        return seam.version(self.kube)

    def namespaces(self) -> list[str]:
        """List the names of all namespaces."""
        return seam.namespaces(self.kube)

    def missing(self, group: str, kind: str) -> str:
        """Tell why a kind is not there; empty where it is."""
        versions = {"": "v1", "argoproj.io": "v1alpha1", "serving.kserve.io": "v1beta1"}
        version = versions.get(group, "v1")
        return seam.missing(self.kube, f"{group}/{version}" if group else version, kind)

    def allowed(self, verb: str, group: str, resource: str, namespace: str) -> tuple[bool, str]:
        """Tell whether we may, and why not."""
        return seam.allowed(self.kube, verb, group, resource, namespace)


class Backend:
    """The connection in use. Made at its first use; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """Return the connection in use; at first the one that was last chosen on this machine."""
        with self._lock:
            if self._connection is None:
                self._connection = Connection(load_context())
            return self._connection

    def contexts(self) -> list[Choice]:
        """List what could be used."""
        return [
            Choice(*one, startable=one.name == EMBEDDED_CONTEXT) for one in seam.list_contexts()
        ]

    def switch(self, name: str, namespace: str | None) -> Connection:
        """Use another context or namespace, also after a restart of this server.

        Parameters
        ----------
        namespace : str, optional
            Default: the context's own.
        """
        connection = Connection(seam.use_context(name, namespace), namespace)
        with self._lock:
            self._connection = connection
        return connection
