"""OpenAPI v2 in protobuf: the only form in which `kubectl` reads that version.

The schemas of kinds are written, which is what clients validate and explain by; the paths are not.

Notes
-----
Messages: gnostic, `openapiv2/OpenAPIv2.proto`; checked against what a real API server sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from ..resources import Json

MEDIA_TYPES = (
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
)

# Numbers of the fields of a Schema that are plain text.
_TEXTS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}


def encode(document: Json) -> bytes:
    """Return a document of OpenAPI v2, as `OpenApi.v2` builds it, in protobuf."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    definitions = b"".join(
        _bytes(1, _text(1, name) + _bytes(2, _schema(schema)))
        for name, schema in document["definitions"].items()
    )
    return b"".join(
        (_text(1, document["swagger"]), _bytes(2, info), _bytes(8, b""), _bytes(9, definitions))
    )


def _schema(schema: Json) -> bytes:
    return b"".join(_fields(schema))


def _fields(schema: Json) -> Iterator[bytes]:
    for key, value in schema.items():
        if key in _TEXTS:
            yield _text(_TEXTS[key], value)
        elif key == "default":
            yield _bytes(5, _any(value))
        elif key == "required":
            yield from (_text(19, name) for name in value)
        elif key == "enum":
            yield from (_bytes(20, _any(each)) for each in value)
        elif key == "additionalProperties":
            inner = _number(2, int(value)) if isinstance(value, bool) else _bytes(1, _schema(value))
            yield _bytes(21, inner)
        elif key == "type":
            yield _bytes(22, _text(1, value))
        elif key == "items":
            yield _bytes(23, _bytes(1, _schema(value)))
        elif key == "properties":
            named = (_text(1, name) + _bytes(2, _schema(each)) for name, each in value.items())
            yield _bytes(25, b"".join(_bytes(1, each) for each in named))
        elif key.startswith("x-"):
            yield _bytes(31, _text(1, key) + _bytes(2, _any(value)))
        # Bounds and lengths are the server's to check.


def _any(value: Any) -> bytes:
    return _bytes(2, orjson.dumps(value))  # JSON is YAML


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
