"""Reads the definitions of the built-in kinds, one at a time."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import orjson

from ..kinds import Json

_TABLE = Path(__file__).with_name("builtin.tsv")
_DESCRIPTIONS = Path(__file__).with_name("descriptions.json.gz")


def _line(key: str) -> bytes | None:
    """Return what the table holds for a key. The file is small and not kept in memory."""
    table = b"\n" + _TABLE.read_bytes()
    start = table.find(f"\n{key}\t".encode())
    if start < 0:
        return None
    start += len(key) + 2
    return table[start : table.index(b"\n", start)]


def find_kind(api_version: str, kind: str) -> str | None:
    """Return the name of a built-in kind's definition, or None for other kinds."""
    found = _line(f"{api_version}/{kind}")
    return None if found is None else found.decode()


_DEFINITIONS: dict[str, Json] = {}


def find_definition(name: str) -> Json | None:
    """Return one definition, references in it by name; None when there is none."""
    found = _DEFINITIONS.get(name)
    if found is None and (line := _line(name)) is not None:
        found = _DEFINITIONS[name] = orjson.loads(line)
    return found


def data_digest() -> bytes:
    """Return a hash of all that is stored about built-in kinds."""
    return hashlib.sha256(_TABLE.read_bytes() + _DESCRIPTIONS.read_bytes()).digest()


def read_descriptions() -> dict[str, dict[str, str]]:
    """Return the texts of all definitions and fields; the definition's own is under ""."""
    found: dict[str, dict[str, str]] = orjson.loads(gzip.decompress(_DESCRIPTIONS.read_bytes()))
    return found
