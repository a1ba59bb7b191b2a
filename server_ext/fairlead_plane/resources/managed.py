"""Who owns which field: `metadata.managedFields`, kept with every write of a client.

Notes
-----
Rules: sigs.k8s.io/structured-merge-diff, `merge/update.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .errors import ApiError
from .fieldsets import FieldSet, Path, compare, fields_of, parse_fields, show_path, write_fields
from .kinds import Json, Kind
from .schemas import Schema
from .times import timestamp

# What nobody owns: the server sets it.
_STRIPPED: frozenset[Path] = frozenset(
    (
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "selfLink",
                "uid",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    )
)
_FIRST_APPLY = "before-first-apply"

APPLY, UPDATE = "Apply", "Update"


class Manager(NamedTuple):
    """Who writes, and how: the key of an entry."""

    name: str
    operation: str
    """`Apply` or `Update`."""
    api_version: str
    """Empty for an applier: it is the same in every version."""
    subresource: str = ""


class Owners:
    """The entries of an object, to be changed and written back.

    Parameters
    ----------
    obj : dict or None
        The stored object; None for a new one.
    """

    def __init__(self, obj: Json | None) -> None:
        self._entries: dict[Manager, FieldSet] = {}
        self._before: dict[Manager, Json] = {}
        for entry in (obj or {}).get("metadata", {}).get("managedFields") or ():
            operation = entry.get("operation", UPDATE)
            manager = Manager(
                entry.get("manager", ""),
                operation,
                entry.get("apiVersion", "") if operation == UPDATE else "",
                entry.get("subresource", ""),
            )
            self._before[manager] = entry
            self._entries[manager] = parse_fields(entry.get("fieldsV1") or {})

    def __bool__(self) -> bool:
        return bool(self._entries)

    def get(self, manager: Manager) -> FieldSet:
        """Return what a manager owns."""
        return self._entries.get(manager, set())

    def set(self, manager: Manager, fields: FieldSet) -> None:
        """Let a manager own these fields, and nothing else."""
        self._entries[manager] = fields

    def others(self, manager: Manager) -> Iterable[tuple[Manager, FieldSet]]:
        """Return the entries of all others."""
        return [(other, fields) for other, fields in self._entries.items() if other != manager]

    def write(self, api_version: str) -> list[Json]:
        """Return the entries; the time of one that has not changed stays.

        Parameters
        ----------
        api_version : str
            In which those who apply have done it now.
        """
        entries = []
        for manager, fields in self._entries.items():
            if not fields:
                continue
            before = self._before.get(manager)
            if before is not None and parse_fields(before.get("fieldsV1") or {}) == fields:
                entries.append(before)
                continue
            entry: Json = {
                "manager": manager.name,
                "operation": manager.operation,
                "apiVersion": manager.api_version or api_version,
                "time": timestamp(),
                "fieldsType": "FieldsV1",
                "fieldsV1": write_fields(fields),
            }
            if manager.subresource:
                entry["subresource"] = manager.subresource
            entries.append(entry)
        entries.sort(key=lambda each: (each["operation"], each.get("time", ""), each["manager"]))
        return entries


def track_update(
    kind: Kind, schema: Schema, old: Json | None, new: Json, manager: Manager
) -> list[Json]:
    """Return the entries after a write that is no apply: who changes a field owns it.

    Parameters
    ----------
    kind, schema
        Of the object.
    old, new : dict
        Before and after; None for a new object.
    manager : Manager
        Who writes.
    """
    owners = Owners(None if _is_reset(new) else old)
    try:
        changed, gone = compare(schema, old or {}, new)
    except ApiError:
        return owners.write(kind.api_version)  # validation names the item without its keys
    changed, gone = (strip(kind, manager, each) for each in (changed, gone))
    for other, fields in owners.others(manager):
        owners.set(other, fields - changed - gone)
    owners.set(manager, (owners.get(manager) | changed) - gone)
    return owners.write(kind.api_version)


def strip(kind: Kind, manager: Manager, fields: FieldSet) -> FieldSet:
    """Leave out what a manager cannot own: what the server sets, and the other subresource's."""
    if manager.subresource == "status":
        return {path for path in fields if path[0] == "f:status"}
    hidden = "f:status" if kind.status_subresource else ""
    return {path for path in fields if path not in _STRIPPED and path[0] != hidden}


def owners_before_apply(kind: Kind, schema: Schema, live: Json, manager: Manager) -> Owners:
    """Return the entries of an object that is applied to.

    What was written before anybody tracked it belongs to a manager of its own, as on a cluster.
    """
    owners = Owners(live)
    if not owners:
        first = Manager(_FIRST_APPLY, UPDATE, kind.api_version)
        owners.set(first, strip(kind, first, fields_of(schema, live)))
    return owners


def check_conflicts(conflicts: dict[Manager, FieldSet]) -> None:
    """Refuse an apply that changes what others own; ApiError 409 names each field."""
    if not conflicts:
        return
    causes, texts = [], []
    for manager, fields in sorted(conflicts.items()):
        who = f'"{manager.name}"'
        if manager.subresource:
            who += f' with subresource "{manager.subresource}"'
        if manager.operation == UPDATE:
            who += f" using {manager.api_version}"
        paths = sorted(show_path(path) for path in fields)
        causes += [
            {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path}
            for path in paths
        ]
        if len(paths) == 1:
            texts.append(f"conflict with {who}: {paths[0]}")
        else:
            texts.append("\n".join((f"conflicts with {who}:", *(f"- {path}" for path in paths))))
    count = len(causes)
    message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: " + "\n".join(texts)
    raise ApiError(409, "Conflict", message, {"causes": causes})


def _is_reset(obj: Json) -> bool:
    """Tell whether a client asks to forget all entries, by one empty entry."""
    return bool(obj["metadata"].get("managedFields") == [{}])
