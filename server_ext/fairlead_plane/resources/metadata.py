"""Metadata of objects: names, and what the server alone sets."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from uuid import uuid4

import orjson

from .errors import Cause, bad_request, invalid
from .kinds import Json, Kind
from .times import timestamp

# Letters that make no words and no lookalikes, as in k8s.io/apimachinery/pkg/util/rand.
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_NOT_GIVEN = (
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
    "managedFields",
)
_KEPT = (
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "generateName",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
)


def copy_object(obj: Json) -> Json:
    """Return a copy of an object, a tenth as dear as `copy.deepcopy`.

    Raises
    ------
    ApiError
        400 for an object that is nested too deeply to be written.
    """
    try:
        copied: Json = orjson.loads(orjson.dumps(obj))
    except orjson.JSONEncodeError as error:
        raise bad_request(f"the object cannot be written as JSON: {error}") from error
    return copied


def read_metadata(obj: Json) -> Json:
    """Return the metadata of an object, made when missing; ApiError 400 when it is none."""
    metadata = obj.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    return metadata


def begin_metadata(kind: Kind, metadata: Json) -> None:
    """Set what the server sets when it creates an object, in place."""
    for field in _NOT_GIVEN:
        metadata.pop(field, None)
    metadata["uid"] = str(uuid4())
    metadata["creationTimestamp"] = timestamp()
    metadata.pop("generation", None)
    if kind.generation:
        metadata["generation"] = 1


def keep_metadata(metadata: Json, stored: Json) -> None:
    """Set back what an update cannot change, in place."""
    for field in _KEPT:
        if field in stored:
            metadata[field] = stored[field]
        else:
            metadata.pop(field, None)


def check_finalizers(kind: Kind, metadata: Json, stored: Json) -> None:
    """Refuse finalizers that come when an object is being deleted already."""
    if "deletionTimestamp" not in stored:
        return
    before = stored.get("finalizers") or ()
    new = [each for each in metadata.get("finalizers") or () if each not in before]
    if new:
        shown = ", ".join(f'"{each}"' for each in new)
        message = (
            "Forbidden: no new finalizers can be added if the object is being deleted, "
            f"found new finalizers []string{{{shown}}}"
        )
        cause = Cause("metadata.finalizers", "FieldValueForbidden", message)
        raise invalid(kind, metadata["name"], [cause])


def count_generation(kind: Kind, new: Json, existing: Json) -> None:
    """Count up `generation` where what is wanted has changed, in place."""
    if not kind.generation:
        return
    if kind.custom:
        ignored = ("metadata", "apiVersion", *(("status",) if kind.status_subresource else ()))
        changed = _without(new, ignored) != _without(existing, ignored)
    else:
        changed = new.get("spec") != existing.get("spec")
    if changed:
        new["metadata"]["generation"] = existing["metadata"].get("generation", 0) + 1


def choose_name(kind: Kind, metadata: Json, is_taken: Callable[[str], bool]) -> None:
    """Make a name from `generateName` where there is none, in place.

    Raises
    ------
    ApiError
        422 when neither is given.
    """
    if metadata.get("name"):
        return
    prefix = metadata.get("generateName")
    if not prefix or not isinstance(prefix, str):
        text = "Required value: name or generateName is required"
        raise invalid(kind, "", [Cause("metadata.name", "FieldValueRequired", text)])
    while True:
        suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(5))
        metadata["name"] = f"{prefix[:58]}{suffix}"
        if not is_taken(metadata["name"]):
            return


def _without(obj: Json, fields: tuple[str, ...]) -> Json:
    return {key: value for key, value in obj.items() if key not in fields}
