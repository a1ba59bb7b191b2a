"""What else goes when an object goes: its dependents, and the content of a namespace or a kind."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import tables
from .conditions import merge_conditions
from .errors import forbidden
from .kinds import CRD, NAMESPACE, Json, Kind
from .times import timestamp

if TYPE_CHECKING:
    from .transaction import Transaction

FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system", "kubeflow")
"""Namespaces that exist from the start and cannot be deleted."""

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"
"""Propagation policies: dependents go after their owner, before it, or stay."""

FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"


def release(transaction: Transaction, uid: str, *, orphan: bool) -> None:
    """Let go of the dependents of a removed owner.

    A dependent whose last owner it was is deleted in the same way as on request (background
    propagation); one with other owners, or any with `orphan`, only loses the reference.
    """
    for kind, dependent in dependents(transaction, uid):
        metadata = dependent["metadata"]
        others = [each for each in metadata["ownerReferences"] if each["uid"] != uid]
        if others or orphan:
            metadata["ownerReferences"] = others
            if not others:
                del metadata["ownerReferences"]
            transaction.update(dependent)
        else:
            transaction.delete(kind, metadata["name"], metadata.get("namespace"))


def dependents(transaction: Transaction, uid: str) -> Iterator[tuple[Kind, Json]]:
    """Yield what an owner owns now, each with its kind."""
    rows = transaction.db.execute(
        "SELECT kind, namespace, name FROM owners WHERE owner = ?", (uid,)
    ).fetchall()
    for resource, namespace, name in rows:
        kind = transaction.registry.of_resource(resource)
        found = None if kind is None else transaction.find(kind, name, namespace or None)
        # A cascade before may have taken it along.
        if kind is not None and found is not None:
            yield kind, found


def delete_dependents(transaction: Transaction, owner: Json) -> None:
    """Delete what an owner owns that is being deleted itself in the foreground.

    A dependent with another owner that stays only waits for its reference to go.
    """
    for kind, dependent in dependents(transaction, owner["metadata"]["uid"]):
        metadata = dependent["metadata"]
        if "deletionTimestamp" in metadata:
            continue
        if all(_leaves(transaction, dependent, each) for each in metadata["ownerReferences"]):
            owns = any(True for _ in dependents(transaction, metadata["uid"]))
            transaction.delete(
                kind,
                metadata["name"],
                metadata.get("namespace"),
                propagation=FOREGROUND if owns else BACKGROUND,
            )


def finish_owners(transaction: Transaction, gone: Json) -> None:
    """Remove owners that only waited for a removed dependent."""
    for reference in gone["metadata"].get("ownerReferences") or ():
        found = find_owner(transaction, gone, reference)
        if found is not None:
            finish_foreground(transaction, *found)


def finish_foreground(transaction: Transaction, kind: Kind, owner: Json) -> Json:
    """Remove an owner in foreground deletion that has no dependent left to wait for."""
    metadata = owner["metadata"]
    if FOREGROUND_FINALIZER not in (metadata.get("finalizers") or ()):
        return owner
    for _, dependent in dependents(transaction, metadata["uid"]):
        for reference in dependent["metadata"]["ownerReferences"]:
            if reference["uid"] == metadata["uid"] and reference.get("blockOwnerDeletion"):
                return owner
    free = copy.deepcopy(owner)
    free["metadata"]["finalizers"].remove(FOREGROUND_FINALIZER)
    if not free["metadata"]["finalizers"]:
        del free["metadata"]["finalizers"]
    return transaction.replace(kind, owner, free)


def is_orphaned(transaction: Transaction, obj: Json) -> bool:
    """Tell whether an object names owners, and none of them exists.

    An owner of a kind that is not served is taken to exist.
    """
    references = obj["metadata"].get("ownerReferences") or ()
    if not references:
        return False
    for reference in references:
        kind = transaction.registry.find_kind(reference["apiVersion"], reference["kind"])
        if kind is None or find_owner(transaction, obj, reference) is not None:
            return False
    return True


def find_owner(transaction: Transaction, obj: Json, reference: Json) -> tuple[Kind, Json] | None:
    """Return kind and object that an owner reference means, or None."""
    kind = transaction.registry.find_kind(reference["apiVersion"], reference["kind"])
    if kind is None:
        return None
    namespace = obj["metadata"].get("namespace")
    if kind.namespaced and not namespace:
        return None  # what has no namespace cannot be owned by what has one
    found = transaction.find(kind, reference["name"], namespace)
    if found is None or found["metadata"]["uid"] != reference["uid"]:
        return None
    return kind, found


def _leaves(transaction: Transaction, obj: Json, reference: Json) -> bool:
    """Tell whether an owner is gone, or is being deleted in the foreground."""
    found = find_owner(transaction, obj, reference)
    if found is None:
        return True
    metadata = found[1]["metadata"]
    return "deletionTimestamp" in metadata and FOREGROUND_FINALIZER in (
        metadata.get("finalizers") or ()
    )


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
    for kind in transaction.registry.stored():
        if kind.namespaced:
            _delete_all(transaction, kind, name)
    finish_namespace(transaction, name)
    left = transaction.find(NAMESPACE, name)
    return namespace if left is None else tell_remaining(transaction, left)


def tell_remaining(transaction: Transaction, namespace: Json) -> Json:
    """Say in the conditions of a namespace what it still waits for."""
    kinds: dict[str, int] = {}
    finalizers: dict[str, int] = {}
    for kind in transaction.registry.stored():
        if not kind.namespaced:
            continue
        for obj in transaction.list(kind, namespace["metadata"]["name"]):
            kinds[kind.resource] = kinds.get(kind.resource, 0) + 1
            for each in obj["metadata"].get("finalizers") or ():
                finalizers[each] = finalizers.get(each, 0) + 1
    content = ", ".join(f"{name} has {count} resource instances" for name, count in kinds.items())
    held = ", ".join(f"{name} in {count} resource instances" for name, count in finalizers.items())
    told = copy.deepcopy(namespace)
    told["status"]["conditions"] = [
        {key: value for key, value in each.items() if key != "lastProbeTime"}
        for each in merge_conditions(
            told["status"].get("conditions") or [],
            [
                _remaining("NamespaceContentRemaining", "SomeResourcesRemain", "ContentRemoved",
                           f"Some resources are remaining: {content}" if content else "",
                           "All content successfully removed"),
                _remaining("NamespaceFinalizersRemaining", "SomeFinalizersRemain",
                           "ContentHasNoFinalizers",
                           "Some content in the namespace has finalizers remaining: "
                           f"{held}" if held else "",
                           "All content-preserving finalizers finished"),
            ],
        )
    ]  # fmt: skip
    # Not by `replace`, which would remove what is being deleted and has no finalizers.
    return transaction.write(NAMESPACE, "MODIFIED", told, namespace)


def _remaining(type: str, reason: str, none: str, message: str, done: str) -> Json:
    return {
        "type": type,
        "status": "True" if message else "False",
        "reason": reason if message else none,
        "message": message or done,
    }


def finish_namespace(transaction: Transaction, name: str) -> None:
    """Remove a namespace that is being deleted and has no content left."""
    namespace = transaction.find(NAMESPACE, name)
    if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
        return
    for kind in transaction.registry.stored():
        if kind.namespaced and tables.list_bodies(transaction.db, kind, name).fetchone():
            return
    if not namespace["metadata"].get("finalizers"):
        transaction.remove(NAMESPACE, namespace)


def delete_definition(transaction: Transaction, definition: Json) -> Json:
    """Delete all objects of a custom kind; its definition goes with the last of them."""
    name = definition["metadata"]["name"]
    if "deletionTimestamp" not in definition["metadata"]:
        leaving = copy.deepcopy(definition)
        leaving["metadata"]["deletionTimestamp"] = timestamp()
        definition = transaction.write(CRD, "MODIFIED", leaving, definition)
    kind = transaction.registry.of_resource(name)
    if kind is not None and kind.custom:
        _delete_all(transaction, kind, None)
    finish_definition(transaction, name)
    return definition


def finish_definition(transaction: Transaction, name: str) -> None:
    """Remove a definition that is being deleted and of which no object is left."""
    definition = transaction.find(CRD, name)
    if definition is None or "deletionTimestamp" not in definition["metadata"]:
        return
    kind = transaction.registry.of_resource(name)
    if (
        kind is not None
        and kind.custom
        and tables.list_bodies(transaction.db, kind, None).fetchone()
    ):
        return
    if not definition["metadata"].get("finalizers"):
        transaction.remove(CRD, definition)


def _delete_all(transaction: Transaction, kind: Kind, namespace: str | None) -> None:
    for obj in transaction.list(kind, namespace):
        metadata = obj["metadata"]
        # A cascade before may have taken it along.
        if transaction.find(kind, metadata["name"], metadata.get("namespace")) is not None:
            transaction.delete(kind, metadata["name"], metadata.get("namespace"))
