"""What controllers that own pods have in common."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ..resources import (
    POD,
    ApiError,
    Json,
    Kind,
    Transaction,
    controller_uid,
    parse_timestamp,
    timestamp,
)

MOST_AT_ONCE = 500
"""Pods that one look creates, so that others can write in between; as the real controllers."""

HASH_LABEL = "pod-template-hash"

# Letters that make no words, as the real controllers name their hashes.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_TERMINAL = ("Succeeded", "Failed")


def is_terminal(pod: Json) -> bool:
    """Tell whether a pod has ended."""
    return pod["status"].get("phase") in _TERMINAL


def is_leaving(obj: Json) -> bool:
    """Tell whether an object has been asked to go."""
    return "deletionTimestamp" in obj["metadata"]


def is_active(pod: Json) -> bool:
    """Tell whether a pod runs, or will, and was not asked to end."""
    return not is_terminal(pod) and not is_leaving(pod)


def condition(obj: Json, type: str) -> Json | None:
    """Return a condition of an object's status, or None."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return next((each for each in found if each["type"] == type), None)


def is_ready(pod: Json) -> bool:
    """Tell whether a pod's condition Ready is true."""
    ready = condition(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def available_in_s(pod: Json, min_ready_seconds: int) -> float:
    """Return the seconds until a ready pod counts as available; 0 when it does, or infinity."""
    ready = condition(pod, "Ready")
    if ready is None or ready["status"] != "True":
        return float("inf")
    if not min_ready_seconds:
        return 0.0
    since = parse_timestamp(ready["lastTransitionTime"])
    return max(0.0, since + min_ready_seconds - time.time())


def owner_reference(owner: Json) -> Json:
    """Return the reference that makes `owner` the controller of another object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def build_pod(owner: Json, template: Json, labels: Mapping[str, str] | None = None) -> Json:
    """Build a pod from a template; its name is made from its owner's unless it is given later."""
    given = template.get("metadata") or {}
    metadata: dict[str, Any] = {
        "generateName": f"{owner['metadata']['name']}-",
        "namespace": owner["metadata"]["namespace"],
        "labels": {**(given.get("labels") or {}), **(labels or {})},
        "ownerReferences": [owner_reference(owner)],
    }
    for field in ("annotations", "finalizers"):
        if given.get(field):
            metadata[field] = copy.deepcopy(given[field])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": copy.deepcopy(template["spec"]),
    }


def create_pod(transaction: Transaction, owner: Json, pod: Json, component: str) -> ApiError | None:
    """Create a pod and tell of it; returns the error when the API refuses it."""
    try:
        made = transaction.create(pod)
    except ApiError as error:
        transaction.record_event(
            owner, "FailedCreate", f"Error creating: {error.message}",
            type="Warning", component=component,
        )  # fmt: skip
        return error
    name = made["metadata"]["name"]
    transaction.record_event(owner, "SuccessfulCreate", f"Created pod: {name}", component=component)
    return None


def delete_pod(transaction: Transaction, owner: Json, pod: Json, component: str) -> None:
    """Delete a pod and tell of it."""
    metadata = pod["metadata"]
    transaction.delete(POD, metadata["name"], metadata["namespace"])
    transaction.record_event(
        owner, "SuccessfulDelete", f"Deleted pod: {metadata['name']}", component=component
    )


def adopt(transaction: Transaction, owner: Json, kind: Kind) -> list[Json]:
    """Return what an owner controls; takes in those that match its selector and have nobody.

    Those that do not match any more are let go. Orphans are looked for when the owner is new or
    has changed: they can only be there because another owner left them.
    """
    metadata, selector = owner["metadata"], owner["spec"].get("selector") or {}
    mine = transaction.owned(kind, metadata["uid"])
    observed = (owner.get("status") or {}).get("observedGeneration")
    if observed == metadata["generation"] or is_leaving(owner):
        return mine
    kept = []
    for obj in mine:
        if selects(selector, obj["metadata"].get("labels") or {}):
            kept.append(obj)
        elif not is_leaving(obj):
            references = obj["metadata"]["ownerReferences"]
            obj["metadata"]["ownerReferences"] = [
                each for each in references if each["uid"] != metadata["uid"]
            ]
            transaction.update(obj)
    for obj in transaction.list(kind, metadata["namespace"]):
        if (
            controller_uid(obj) is None
            and not is_leaving(obj)
            and not (kind is POD and is_terminal(obj))
            and selects(selector, obj["metadata"].get("labels") or {})
        ):
            references = obj["metadata"].setdefault("ownerReferences", [])
            references.append(owner_reference(owner))
            kept.append(transaction.update(obj))
    return kept


def selects(selector: Json, labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector matches labels; an empty one matches everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for term in selector.get("matchExpressions") or ():
        value, wanted = labels.get(term["key"]), term.get("values") or ()
        operator = term["operator"]
        if not {
            "In": value in wanted,
            "NotIn": value not in wanted,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[operator]:
            return False
    return True


def template_hash(value: Any) -> str:
    """Return ten letters that stand for a template."""
    digest = hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:10])


def save_status(transaction: Transaction, obj: Json, status: Json) -> Json:
    """Write a status if it has changed."""
    if status == obj.get("status"):
        return obj
    return transaction.update_status({**obj, "status": status})


def set_condition(conditions: Iterable[Json], new: Json, *time_fields: str) -> list[Json]:
    """Return conditions with one replaced or added; its transition time follows its status.

    Parameters
    ----------
    conditions : iterable of dict
        Those before.
    new : dict
        `type`, `status`, `reason`, `message`.
    *time_fields : str
        Further fields that say when it was last written: unchanged when nothing else is.
    """
    result, now, done = [], timestamp(), False
    for old in conditions:
        if old["type"] != new["type"]:
            result.append(old)
            continue
        done = True
        if all(old.get(key) == value for key, value in new.items()):
            result.append(old)
            continue
        since = old["lastTransitionTime"] if old["status"] == new["status"] else now
        result.append({**new, "lastTransitionTime": since, **dict.fromkeys(time_fields, now)})
    if not done:
        result.append({**new, "lastTransitionTime": now, **dict.fromkeys(time_fields, now)})
    return result
