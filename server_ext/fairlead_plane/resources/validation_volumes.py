"""Validation of a pod's volumes, worded as the API server words it."""

from __future__ import annotations

from collections.abc import Iterator

from .causes import duplicate, forbidden_field, required, unsupported, wrong
from .errors import Cause
from .kinds import Json
from .schemas.names import LABEL, LABEL_TEXT
from .validation_containers import (
    check_config_key,
    check_field_ref,
    check_relative,
    check_resource_ref,
)

_HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
# The field that names what a source is of.
_NAMES = {
    "configMap": "name",
    "persistentVolumeClaim": "claimName",
    "secret": "secretName",
}
_PROJECTED = ("clusterTrustBundle", "configMap", "downwardAPI", "secret", "serviceAccountToken")
_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"


def check_volumes(path: str, volumes: list[Json]) -> Iterator[Cause]:
    """Yield what is wrong with the volumes of a pod."""
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        at = f"{path}[{index}]"
        name = volume.get("name")
        if not name:
            yield required(f"{at}.name")
        elif not LABEL.fullmatch(name) or len(name) > 63:
            yield wrong(f"{at}.name", name, LABEL_TEXT)
        elif name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name or "")
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        for key in sources[1:]:
            yield forbidden_field(f"{at}.{key}", "may not specify more than 1 volume type")
        if sources:
            yield from _source(f"{at}.{sources[0]}", sources[0], volume[sources[0]])


def _source(path: str, kind: str, source: Json) -> Iterator[Cause]:
    if kind in _NAMES and not source.get(_NAMES[kind]):
        yield required(f"{path}.{_NAMES[kind]}")
    if kind in ("configMap", "secret", "projected", "downwardAPI"):
        yield from _mode(f"{path}.defaultMode", source.get("defaultMode"))
    if kind in ("configMap", "secret"):
        yield from _items(path, source)
    elif kind == "hostPath":
        place = source.get("path", "")
        if not place:
            yield required(f"{path}.path")
        elif ".." in place.split("/"):
            yield wrong(f"{path}.path", place, "must not contain '..'")
        if source.get("type", "") not in _HOST_PATH_TYPES:
            yield unsupported(f"{path}.type", source["type"], _HOST_PATH_TYPES)
    elif kind == "downwardAPI":
        yield from _files(path, source)
    elif kind == "projected":
        for index, each in enumerate(source.get("sources") or ()):
            yield from _projected(f"{path}.sources[{index}]", each)


def _projected(path: str, source: Json) -> Iterator[Cause]:
    given = [name for name in _PROJECTED if source.get(name) is not None]
    for name in given:
        if name in ("configMap", "secret"):
            if not source[name].get("name"):
                yield required(f"{path}.{name}.name")
            yield from _items(f"{path}.{name}", source[name])
        elif name == "downwardAPI":
            yield from _files(f"{path}.downwardAPI", source[name])
        elif name == "serviceAccountToken":
            yield from _token(f"{path}.{name}", source[name])
    if len(given) > 1:
        yield forbidden_field(path, "may not specify more than 1 volume type")


def _token(path: str, token: Json) -> Iterator[Cause]:
    if token.get("expirationSeconds", 3600) < 600:
        text = "may not specify a duration less than 10 minutes"
        yield wrong(f"{path}.expirationSeconds", token["expirationSeconds"], text)
    if not token.get("path"):
        yield required(f"{path}.path")
    else:
        yield from check_relative(f"{path}.path", token["path"])


def _items(path: str, source: Json) -> Iterator[Cause]:
    for index, item in enumerate(source.get("items") or ()):
        at = f"{path}.items[{index}]"
        if not item.get("key"):
            yield required(f"{at}.key")
        else:
            yield from check_config_key(f"{at}.key", item["key"])
        yield from _file(at, item)


def _files(path: str, source: Json) -> Iterator[Cause]:
    for item in source.get("items") or ():
        yield from _file(path, item)
        if item.get("fieldRef") is not None:
            if item.get("resourceFieldRef") is not None:
                text = "fieldRef and resourceFieldRef can not be specified simultaneously"
                yield wrong(path, "resource", text)
            yield from check_field_ref(f"{path}.fieldRef", item["fieldRef"], volume=True)
        elif item.get("resourceFieldRef") is not None:
            at = f"{path}.resourceFieldRef"
            yield from check_resource_ref(at, item["resourceFieldRef"], volume=True)
        else:
            yield required(path, "one of fieldRef and resourceFieldRef is required")


def _file(path: str, item: Json) -> Iterator[Cause]:
    if not item.get("path"):
        yield required(f"{path}.path")
    else:
        yield from check_relative(f"{path}.path", item["path"])
    yield from _mode(f"{path}.mode", item.get("mode"))


def _mode(path: str, mode: int | None) -> Iterator[Cause]:
    if mode is not None and not 0 <= mode <= 0o777:
        yield wrong(path, mode, _MODE_TEXT)
