"""Messages between plane, shim and warm interpreter: a JSON header and an opaque body.

The shim reads headers only; a body, which may hold the whole source of a step, passes through.
"""

from __future__ import annotations

import json
import struct
from typing import Any

Header = dict[str, Any]

_SIZES = struct.Struct("!II")
SIZES_BYTES = _SIZES.size


def pack(header: Header, body: bytes = b"") -> bytes:
    """Return one message as bytes."""
    head = json.dumps(header, separators=(",", ":")).encode()
    return _SIZES.pack(len(head), len(body)) + head + body


def unpack_sizes(data: bytes) -> tuple[int, int]:
    """Return the sizes of header and body from the first `SIZES_BYTES`."""
    head, body = _SIZES.unpack(data)
    return head, body


class Unpacker:
    """Takes bytes as they come and gives whole messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[tuple[Header, bytes]]:
        """Add bytes and return the messages that are now whole."""
        self._data += data
        found = []
        while len(self._data) >= SIZES_BYTES:
            head, body = unpack_sizes(bytes(self._data[:SIZES_BYTES]))
            end = SIZES_BYTES + head + body
            if len(self._data) < end:
                break
            header = json.loads(self._data[SIZES_BYTES : SIZES_BYTES + head])
            found.append((header, bytes(self._data[SIZES_BYTES + head : end])))
            del self._data[:end]
        return found
