"""Objects in protobuf, as some commands of `kubectl` send them; read only, answers are JSON.

Notes
-----
Envelope: k8s.io/apimachinery, `runtime/serializer/protobuf`. Wire format: protobuf.dev, "Encoding".
The numbers of fields stand in `protobuf.tsv`, read a message at a time when first needed.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ..kinds import Json
from .builtin import find_kind

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_TABLE = Path(__file__).with_name("protobuf.tsv")
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


class ProtobufError(ValueError):
    """A body is no object in protobuf, or has fields that are not known here."""


class _Field(NamedTuple):
    name: str
    type: str
    """A letter, or the name of a message."""
    shape: str
    """`[]` a list, `{}` a map, `~` part of the parent, or empty."""
    optional: bool
    """Nothing and zero differ."""


def decode_protobuf(body: bytes) -> Json:
    """Read one object of a built-in kind.

    Raises
    ------
    ProtobufError
        The body is none, or of a kind or with a field that cannot be read.
    """
    if not body.startswith(_MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message")
    try:
        return _envelope(body[len(_MAGIC) :])
    except (IndexError, struct.error, UnicodeDecodeError, AttributeError, TypeError) as error:
        raise ProtobufError(f"the protobuf message is broken: {error}") from error


def _envelope(data: bytes) -> Json:
    parts = dict(_fields(data))
    type_meta = {number: value.decode() for number, value in _fields(parts.get(1, b""))}
    api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
    name = _DELETE_OPTIONS if kind == "DeleteOptions" else find_kind(api_version, kind)
    if name is None or not _message(name):
        raise ProtobufError(f"no {kind} in {api_version} is read in protobuf; send JSON")
    return {"apiVersion": api_version, "kind": kind, **_read(name, parts.get(2, b""))}


@cache
def _message(name: str) -> dict[int, _Field]:
    """Return the fields of a message by number; empty for an unknown one."""
    for line in _TABLE.read_text().splitlines():
        found, _, fields = line.partition("\t")
        if found == name:
            return dict(_parse(each) for each in fields.split(" "))
    return {}


def _parse(text: str) -> tuple[int, _Field]:
    name, number, type_ = text.split(":", 2)
    shape = type_[:2] if type_[:2] in ("[]", "{}") else "~" if type_[0] == "~" else ""
    type_ = type_[len(shape) :]
    optional = type_.startswith("*")
    return int(number), _Field(name, type_.removeprefix("*"), shape, optional)


def _read(name: str, data: bytes) -> Json:
    known = _message(name)
    obj: Json = {}
    if not known:
        raise ProtobufError(f"the message {name} is not known here; send JSON")
    for number, value in _fields(data):
        field = known.get(number)
        if field is None:
            raise ProtobufError(f"field {number} of {name} is not known here; send JSON")
        if field.shape == "[]":
            obj.setdefault(field.name, []).append(_value(field.type, value))
        elif field.shape == "{}":
            entry = dict(_fields(value))
            key = entry.get(1, b"").decode()
            obj.setdefault(field.name, {})[key] = _value(field.type, entry.get(2, b""))
        elif field.shape == "~":
            obj.update(_value(field.type, value))
        else:
            found = _value(field.type, value)
            # A Go type without a pointer is sent when it is zero, and then means nothing.
            if field.optional or found not in ("", 0, False, {}, None):
                obj[field.name] = found
    return obj


def _value(type_: str, value: Any) -> Any:
    read = _LETTERS.get(type_)
    return _read(type_, value) if read is None else read(value)


def _integer(value: Any) -> int:
    if isinstance(value, bytes):
        return 0
    return int(value) - (1 << 64) if value >= 1 << 63 else int(value)


def _time(value: bytes) -> str | None:
    parts = dict(_fields(value))
    if not parts:
        return None
    return datetime.fromtimestamp(_integer(parts.get(1, 0)), timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def _micro_time(value: bytes) -> str | None:
    parts = dict(_fields(value))
    seconds = _time(value)
    if seconds is None:
        return None
    return f"{seconds[:-1]}.{parts.get(2, 0) // 1000:06d}Z"


def _quantity(value: bytes) -> str:
    text: str = dict(_fields(value)).get(1, b"0").decode()
    return text


def _int_or_string(value: bytes) -> int | str:
    parts = dict(_fields(value))
    if parts.get(1):
        text: str = parts.get(3, b"").decode()
        return text
    return _integer(parts.get(2, 0))


def _raw(value: bytes) -> Any:
    raw = dict(_fields(value)).get(1, b"")
    return orjson.loads(raw) if raw else None


def _strings(value: bytes) -> list[str]:
    return [each.decode() for _, each in _fields(value)]


_LETTERS: dict[str, Callable[[Any], Any]] = {
    "s": lambda value: value.decode(),
    "b": bool,
    "i": _integer,
    "y": lambda value: base64.b64encode(value).decode(),
    "t": _time,
    "u": _micro_time,
    "q": _quantity,
    "x": _int_or_string,
    "r": _raw,
    "e": _strings,
}


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field: a number, or bytes."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, value
        elif wire == _BYTES:
            size, position = _varint(data, position)
            if position + size > len(data):
                raise ProtobufError("the protobuf message is cut off")
            yield number, data[position : position + size]
            position += size
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
            yield number, struct.unpack_from("<q" if size == 8 else "<i", data, position)[0]
            position += size
        else:
            raise ProtobufError(f"the protobuf message has the wire type {wire}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
        if shift > 63:
            raise ProtobufError("the protobuf message has a number that is too long")
