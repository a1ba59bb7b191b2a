"""What a pod acts as: its service account's token, kubeconfig and files."""

from __future__ import annotations

import time
from pathlib import Path

from fairlead.names import TASK_LABEL

from ..kubeconfig import Access, kubeconfig_text, write_private
from ..resources import SERVICE_ACCOUNT, Json, Resources
from ..tokens import ISSUER, Tokens, account_claims
from .problems import HoldError
from .variables import service_account
from .volumes.payload import File

_DEFAULT_S = 365 * 86_400
"""As the real API server extends the tokens that every pod gets: clients that never look again."""

_EXTENDED_S = 3607
"""Seconds that ask for an extended token, as the real admission writes them."""

_RENEWED_AFTER = 0.8
"""Part of its time after which a token is replaced, as by the kubelet."""


class Accounts:
    """Tokens for the pods of this node; each is bound to its pod, and ends with it.

    Parameters
    ----------
    resources : Resources
        Holds the service accounts.
    tokens : Tokens
        Signs.
    port : int
        Where the API server listens on loopback.
    ca : bytes
        Certificate of its authority, PEM.
    """

    def __init__(self, resources: Resources, tokens: Tokens, port: int, ca: bytes) -> None:
        self._resources = resources
        self._tokens = tokens
        self._port = port
        self.ca = ca
        self._issued: dict[tuple[str, str, int], tuple[str, float]] = {}

    async def find(self, pod: Json) -> Json:
        """Return the service account of a pod.

        Raises
        ------
        HoldError
            There is none of the name that the pod asks for.
        """
        name, namespace = service_account(pod), pod["metadata"]["namespace"]
        found = await self._resources.find(SERVICE_ACCOUNT, name, namespace)
        if found is None and name != "default":
            why = f'serviceaccounts "{name}" not found'
            message = f"failed to fetch token: {why}"
            raise HoldError("ContainerCreating", "", event=("FailedMount", message))
        return found or {"metadata": {"name": name, "namespace": namespace, "uid": ""}}

    def token(self, pod: Json, account: Json, audience: str = "", lasts_s: int = 0) -> str:
        """Return a token of a pod, the same one until most of its time is over.

        Parameters
        ----------
        pod, account : dict
            The pod, and what `find` gives for it.
        audience : str
            Whom it is for; empty: this API.
        lasts_s : int
            Seconds; 0 as for the token that every pod gets.
        """
        metadata = pod["metadata"]
        key = (metadata["uid"], audience, lasts_s)
        known = self._issued.get(key)
        now = time.time()
        if known is not None and now < known[1]:
            return known[0]
        extended = lasts_s in (0, _EXTENDED_S) and audience in ("", ISSUER)
        seconds = _DEFAULT_S if extended else lasts_s
        token = self._tokens.issue(
            account_claims(
                metadata["namespace"],
                account["metadata"]["name"],
                account["metadata"]["uid"],
                lasts_s=seconds,
                audiences=[audience] if audience else None,
                bound_to={"pod": {"name": metadata["name"], "uid": metadata["uid"]}},
            )
        )
        self._issued[key] = (token, now + seconds * _RENEWED_AFTER)
        return token

    def forget(self, uid: str) -> None:
        """Keep nothing of a pod that is gone."""
        for key in [key for key in self._issued if key[0] == uid]:
            del self._issued[key]

    def write_kubeconfig(self, path: Path, pod: Json, account: Json) -> None:
        """Write the kubeconfig of a pod: this API as its service account, in its namespace."""
        access = Access(self._port, self.token(pod, account))
        text = kubeconfig_text(access, self.ca, pod["metadata"]["namespace"])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, text.encode())

    def files(self, pod: Json, account: Json) -> dict[str, File]:
        """Return the files that a pod finds at the fixed place of a cluster."""
        return {
            "token": File(self.token(pod, account).encode(), 0o600),
            "ca.crt": File(self.ca, 0o644),
            "namespace": File(pod["metadata"]["namespace"].encode(), 0o644),
        }


def has_token(pod: Json, account: Json) -> bool:
    """Tell whether a pod gets a token at all (`automountServiceAccountToken`)."""
    for each in (pod["spec"], account):
        if each.get("automountServiceAccountToken") is not None:
            return bool(each["automountServiceAccountToken"])
    return True


def asks_for_files(pod: Json) -> bool:
    """Tell whether the token must lie at its fixed place even where that costs a namespace.

    Notes
    -----
    A mount namespace makes a container 3 ms slower, more where all cores are busy. That is nothing
    for a server, and a third of a short pipeline step: a task's pod gets the files with its other
    mounts, or when it names an account or asks for the token. It has the kubeconfig anyway.
    """
    spec = pod["spec"]
    return (
        TASK_LABEL not in (pod["metadata"].get("labels") or {})
        or service_account(pod) != "default"
        or bool(spec.get("automountServiceAccountToken"))
    )
