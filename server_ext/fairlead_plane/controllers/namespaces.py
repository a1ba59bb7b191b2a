"""Namespace: the ServiceAccount and the certificate authority that every namespace has."""

from __future__ import annotations

from collections.abc import Iterable

from ..resources import (
    CONFIG_MAP,
    NAMESPACE,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    Transaction,
)
from .base import Controller, Key
from .pods import is_leaving

_CA = "kube-root-ca.crt"
_NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


class NamespaceController(Controller):
    """Makes them, and makes them again when they are deleted.

    Parameters
    ----------
    ca : str
        Certificate of the plane's own authority, as PEM.
    """

    kind = NAMESPACE
    watched = (SERVICE_ACCOUNT, CONFIG_MAP)

    def __init__(self, ca: str) -> None:
        self._ca = ca

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Return the namespace of what is made here, when that changes or is gone."""
        if kind == NAMESPACE:
            if not gone:
                yield "", obj["metadata"]["name"]
        elif (kind == SERVICE_ACCOUNT and gone and obj["metadata"]["name"] == "default") or (
            kind == CONFIG_MAP and obj["metadata"]["name"] == _CA
        ):
            yield "", obj["metadata"]["namespace"]

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Make what is missing."""
        if is_leaving(obj):
            return None
        namespace = obj["metadata"]["name"]
        if transaction.find(SERVICE_ACCOUNT, "default", namespace) is None:
            transaction.create(
                {
                    "apiVersion": "v1",
                    "kind": SERVICE_ACCOUNT.kind,
                    "metadata": {"name": "default", "namespace": namespace},
                }
            )
        data = {"ca.crt": self._ca}
        known = transaction.find(CONFIG_MAP, _CA, namespace)
        if known is None:
            metadata = {
                "name": _CA,
                "namespace": namespace,
                "annotations": {"kubernetes.io/description": _NOTE},
            }
            transaction.create(
                {"apiVersion": "v1", "kind": CONFIG_MAP.kind, "metadata": metadata, "data": data}
            )
        elif known.get("data") != data and not is_leaving(known):
            transaction.update({**known, "data": data})
        return None
