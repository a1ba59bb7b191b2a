"""Validation of what all objects have in common, worded as the API server words it."""

from __future__ import annotations

from collections.abc import Iterator

from .causes import wrong
from .errors import Cause
from .kinds import Json, Kind
from .schemas.names import (
    KEY_NAME,
    KEY_NAME_TEXT,
    LABEL,
    LABEL_1035,
    LABEL_1035_TEXT,
    LABEL_TEXT,
    LABEL_VALUE_TEXT,
    QUALIFIED_TEXT,
    SUBDOMAIN,
    SUBDOMAIN_TEXT,
)

# Most bytes of all annotations of an object.
_ANNOTATIONS_BYTES = 256 << 10
_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
# Names of these are segments of a path and nothing more.
_ANY_NAME = "rbac.authorization.k8s.io"


def check_metadata(kind: Kind, metadata: Json) -> Iterator[Cause]:
    """Yield what is wrong with the metadata of an object."""
    yield from _name(kind, metadata["name"])
    yield from check_labels("metadata.labels", metadata.get("labels") or {})
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        yield from check_key("metadata.annotations", key, lower=True)
    if annotations:
        size = sum(len(key) + len(value.encode()) for key, value in annotations.items())
        if size > _ANNOTATIONS_BYTES:
            text = f"Too long: may not be more than {_ANNOTATIONS_BYTES} bytes"
            yield Cause("metadata.annotations", "FieldValueTooLong", text)
    yield from _owners(metadata.get("ownerReferences") or [])
    for index, name in enumerate(metadata.get("finalizers") or ()):
        if "/" in name:
            yield from check_key("metadata.finalizers", name)
        elif name not in _STANDARD_FINALIZERS:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            yield wrong(f"metadata.finalizers[{index}]", name, text)


def check_labels(path: str, labels: Json) -> Iterator[Cause]:
    """Yield what is wrong with labels, or with a selector of them."""
    for key, value in labels.items():
        yield from check_key(path, key)
        if value and len(value) > 63:
            yield wrong(path, value, "must be no more than 63 bytes")
        if value and not KEY_NAME.fullmatch(value):
            yield wrong(path, value, LABEL_VALUE_TEXT)


def _name(kind: Kind, name: str) -> Iterator[Cause]:
    at = "metadata.name"
    if kind.group == _ANY_NAME:
        if name in (".", "..") or "/" in name or "%" in name:
            yield wrong(at, name, "may not contain '/', '%' or be '.' or '..'")
        return
    short = not kind.group and kind.kind in ("Namespace", "Service")
    if len(name) > (63 if short else 253):
        yield wrong(at, name, f"must be no more than {63 if short else 253} bytes")
    if not kind.group and kind.kind == "Service":
        if not LABEL_1035.fullmatch(name):
            yield wrong(at, name, LABEL_1035_TEXT)
    elif short:
        if not LABEL.fullmatch(name):
            yield wrong(at, name, LABEL_TEXT)
    elif not SUBDOMAIN.fullmatch(name):
        yield wrong(at, name, SUBDOMAIN_TEXT)


def check_key(path: str, key: str, *, lower: bool = False) -> Iterator[Cause]:
    """Yield what is wrong with the key of a label or annotation, or a name like one."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        yield wrong(path, key, QUALIFIED_TEXT)
        return
    if slash and not SUBDOMAIN.fullmatch(prefix.lower() if lower else prefix):
        yield wrong(path, key, f"prefix part {SUBDOMAIN_TEXT}")
    if not name:
        yield wrong(path, key, "name part must be non-empty")
    elif len(name) > 63:
        yield wrong(path, key, "name part must be no more than 63 bytes")
    if not KEY_NAME.fullmatch(name):
        yield wrong(path, key, KEY_NAME_TEXT)


def _owners(owners: list[Json]) -> Iterator[Cause]:
    at = "metadata.ownerReferences"
    controllers = []
    for owner in owners:
        for field, text in (("apiVersion", "version"), ("kind",) * 2, ("name",) * 2, ("uid",) * 2):
            if not owner.get(field):
                yield wrong(f"{at}.{field}", "", f"{text} must not be empty")
        if owner.get("kind") == "Event" and owner.get("apiVersion") == "v1":
            yield wrong(at, owner, "/v1, Kind=Event is disallowed from being an owner")
        if owner.get("controller"):
            controllers.append(owner.get("name", ""))
    if len(controllers) > 1:
        text = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{controllers[0]} and {controllers[1]}"
        )
        yield wrong(at, owners, text)
