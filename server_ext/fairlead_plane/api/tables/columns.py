"""Which columns a kind has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...resources import Json, Kind
from ...resources.jsonpath import find_all
from .ages import age_of, show_age

Cell = str | int | float | bool | None


class Column(NamedTuple):
    """One column: its definition, and how it is read from an object."""

    definition: Json
    read: Callable[[Json], Cell]


def column(
    name: str,
    read: Callable[[Json], Cell],
    *,
    type: str = "string",
    wide: bool = False,
    format: str = "",
    description: str = "",
) -> Column:
    """Build a column; `wide` shows it with `-o wide` only."""
    definition = {
        "name": name,
        "type": type,
        "format": format,
        "description": description or name,
        "priority": 1 if wide else 0,
    }
    return Column(definition, read)


NAME = column("Name", lambda obj: obj["metadata"]["name"], format="name")
AGE = column("Age", age_of)
CREATED = column("Created At", lambda obj: obj["metadata"]["creationTimestamp"])


def columns_of(kind: Kind, version: Json) -> list[Column]:
    """Return the columns of a kind.

    Parameters
    ----------
    kind : Kind
        The kind.
    version : dict
        Of a custom kind: its entry in `spec.versions`, which may name columns.
    """
    if kind.custom:
        return _custom(version)
    # Imported here: nothing of it is needed before somebody asks for a table.
    from .core import CORE
    from .workloads import WORKLOADS

    return {**CORE, **WORKLOADS}.get(kind.storage, [NAME, AGE])


def _custom(version: Json) -> list[Column]:
    given = version.get("additionalPrinterColumns")
    if not given:
        return [NAME, AGE]
    return [NAME, *(_custom_column(each) for each in given)]


def _custom_column(given: Json) -> Column:
    path, type = given["jsonPath"], given["type"]

    def read(obj: Json) -> Cell:
        found = find_all(path, obj)
        return _cell(found[0], type) if found else None

    definition = {
        "name": given["name"],
        "type": type,
        "format": given.get("format", ""),
        "description": given.get("description", ""),
        "priority": given.get("priority", 0),
    }
    return Column(definition, read)


def _cell(value: Any, type: str) -> Cell:
    if type == "date":
        return show_age(value) if isinstance(value, str) else "<unknown>"
    if type in ("integer", "number", "boolean"):
        return value if isinstance(value, (int, float, bool)) else None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_cell(value[key], type)}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{','.join(str(_cell(each, type)) for each in value)}]"
    return str(value)
