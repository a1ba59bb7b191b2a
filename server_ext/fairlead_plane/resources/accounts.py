"""Admission of a pod's service account: `default`, unless it names another one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import forbidden
from .kinds import POD, SERVICE_ACCOUNT, Json

if TYPE_CHECKING:
    from .transaction import Transaction

DEFAULT = "default"


def admit_account(transaction: Transaction, pod: Json) -> None:
    """Fill in the service account of a new pod, in place.

    That of the name `default` may come a moment after its namespace.

    Raises
    ------
    ApiError
        403 when there is none of the name.
    """
    spec, metadata = pod["spec"], pod["metadata"]
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT
    namespace = metadata["namespace"]
    if name != DEFAULT and transaction.find(SERVICE_ACCOUNT, name, namespace) is None:
        why = (
            f"error looking up service account {namespace}/{name}: "
            f'serviceaccount "{name}" not found'
        )
        raise forbidden(POD, metadata["name"], why)
    spec["serviceAccountName"] = spec["serviceAccount"] = name
