"""CustomResourceDefinitions: their names, and the conditions under which they are served."""

from __future__ import annotations

import copy

from .conditions import merge_conditions
from .kinds import Json
from .registry import Registry


def establish(definition: Json, registry: Registry) -> Json:
    """Return the status of a CustomResourceDefinition.

    Parameters
    ----------
    definition : dict
        With names in place.
    registry : Registry
        What is served already: a name that another kind of the group has is not accepted.
    """
    spec, status = definition["spec"], copy.deepcopy(definition.get("status") or {})
    clash = _clash(definition, registry)
    accepted = {"type": "NamesAccepted", "status": "False" if clash else "True", **_why(clash)}
    was = any(
        each["type"] == "Established" and each["status"] == "True"
        for each in status.get("conditions") or ()
    )
    conditions = [accepted]
    if clash and not was:
        message = "not all names are accepted"
        conditions.append(
            {"type": "Established", "status": "False", "reason": "NotAccepted", "message": message}
        )
    else:
        conditions.append(
            {
                "type": "Established",
                "status": "True",
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            }
        )
    status["conditions"] = [
        {key: value for key, value in each.items() if key != "lastProbeTime"}
        for each in merge_conditions(status.get("conditions") or [], conditions)
    ]
    if not clash:
        status["acceptedNames"] = spec["names"]
    stored = [each["name"] for each in spec["versions"] if each.get("storage")]
    known = status.get("storedVersions") or []
    status["storedVersions"] = [*known, *(each for each in stored if each not in known)]
    return status


def complete_names(definition: Json) -> None:
    """Fill in the names that follow from the kind, in place."""
    names = (definition.get("spec") or {}).get("names")
    if isinstance(names, dict) and isinstance(names.get("kind"), str):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")


def _why(clash: str) -> Json:
    if clash:
        return {"reason": "NameConflict", "message": clash}
    return {"reason": "NoConflicts", "message": "no conflicts found"}


def _clash(definition: Json, registry: Registry) -> str:
    """Return which name another kind of the group has; empty for none."""
    spec, name = definition["spec"], definition["metadata"]["name"]
    names = spec["names"]
    for kind in registry.stored():
        if kind.group != spec["group"] or kind.resource == name:
            continue
        resources = (kind.plural, kind.singular or kind.kind.lower(), *kind.short_names)
        for each in (names["plural"], names.get("singular"), *(names.get("shortNames") or ())):
            if each in resources:
                return f'"{each}" is already in use'
        for each in (names["kind"], names.get("listKind")):
            if each in (kind.kind, kind.list_kind or f"{kind.kind}List"):
                return f'"{each}" is already in use'
    return ""
