"""What else goes when an object goes: its dependents, and the content of a namespace."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from . import tables
from .errors import forbidden
from .kinds import KINDS, NAMESPACE, Json, Kind
from .times import timestamp

if TYPE_CHECKING:
    from .transaction import Transaction

FIRST_NAMESPACES = ("default", "kubeflow", "kube-system")
"""Namespaces that exist from the start and cannot be deleted."""

_BY_RESOURCE: dict[str, Kind] = {kind.resource: kind for kind in KINDS}


def release(transaction: Transaction, uid: str, *, orphan: bool) -> None:
    """Let go of the dependents of a removed owner.

    A dependent whose last owner it was is deleted in the same way as on request (background
    propagation); one with other owners, or any with `orphan`, only loses the reference.
    """
    rows = transaction.db.execute(
        "SELECT kind, namespace, name FROM owners WHERE owner = ?", (uid,)
    ).fetchall()
    for resource, namespace, name in rows:
        kind = _BY_RESOURCE[resource]
        dependent = transaction.get(kind, name, namespace)
        others = [each for each in dependent["metadata"]["ownerReferences"] if each["uid"] != uid]
        if others or orphan:
            dependent["metadata"]["ownerReferences"] = others
            if not others:
                del dependent["metadata"]["ownerReferences"]
            transaction.update(dependent)
        else:
            transaction.delete(kind, name, namespace)


def delete_namespace(transaction: Transaction, namespace: Json) -> Json:
    """Delete all content of a namespace; the namespace itself goes with the last of it."""
    name = namespace["metadata"]["name"]
    if name in FIRST_NAMESPACES:
        raise forbidden(NAMESPACE, name, "this namespace may not be deleted")
    if "deletionTimestamp" not in namespace["metadata"]:
        leaving = copy.deepcopy(namespace)
        leaving["metadata"]["deletionTimestamp"] = timestamp()
        leaving["status"] = {"phase": "Terminating"}
        namespace = transaction.write(NAMESPACE, "MODIFIED", leaving, namespace)
    for kind in KINDS:
        if kind.namespaced:
            for obj in transaction.list(kind, name):
                # A cascade before may have taken it along.
                if transaction.find(kind, obj["metadata"]["name"], name) is not None:
                    transaction.delete(kind, obj["metadata"]["name"], name)
    finish_namespace(transaction, name)
    return namespace


def finish_namespace(transaction: Transaction, name: str) -> None:
    """Remove a namespace that is being deleted and has no content left."""
    namespace = transaction.find(NAMESPACE, name)
    if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
        return
    for kind in KINDS:
        if kind.namespaced and tables.list_bodies(transaction.db, kind, name).fetchone():
            return
    transaction.remove(NAMESPACE, namespace)
