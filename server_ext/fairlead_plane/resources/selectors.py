"""Label and field selectors, as the Kubernetes API reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import bad_request
from .kinds import EVENT, JOB, NAMESPACE, NODE, POD, REPLICA_SET, SECRET, SERVICE, Json, Kind
from .label_selectors import Test, parse_labels

Matcher = Callable[[Json], bool]

_EQUAL_TERM = re.compile(r"^\s*([^\s=!]+)\s*(==|!=|=)\s*([^\s=!]*)\s*$")

# The fields that the real API indexes for these kinds; any other is refused there too.
_COMMON = ("metadata.name", "metadata.namespace")
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_FIELDS: dict[str, tuple[str, ...]] = {
    POD.resource: (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    EVENT.storage: (
        *(f"involvedObject.{each}" for each in _INVOLVED),
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    SECRET.resource: ("type",),
    NAMESPACE.resource: ("status.phase",),
    NODE.resource: ("spec.unschedulable",),
    REPLICA_SET.resource: ("status.replicas",),
    JOB.resource: ("status.successful",),
    SERVICE.resource: ("spec.clusterIP", "spec.type"),
}


def parse_selectors(label_selector: str, field_selector: str, kind: Kind) -> Matcher | None:
    """Parse both selectors into one test of an object.

    Parameters
    ----------
    label_selector, field_selector : str
        As in a URL, decoded; empty selects everything.
    kind : Kind
        What is selected: each kind has its own fields.

    Returns
    -------
    callable or None
        None when everything matches.

    Raises
    ------
    ApiError
        400 for a selector that cannot be read or names a field that is not indexed.
    """
    tests = parse_labels(label_selector)
    matchers: list[Matcher] = []
    if tests:
        matchers.append(lambda obj: _all_match(tests, obj["metadata"].get("labels") or {}))
    for term in filter(None, field_selector.split(",")):
        found = _EQUAL_TERM.match(term)
        if not found:
            raise bad_request(f"invalid selector: '{field_selector}'; can't understand '{term}'")
        name, operator, value = found.groups()
        if name not in _COMMON and name not in _FIELDS.get(kind.storage, ()):
            why = f"field label not supported: {name}"
            if kind.storage not in _FIELDS:
                known = ", ".join(f'"{each}"' for each in _COMMON)
                why = f'"{name}" is not a known field selector: only {known}'
            raise bad_request(
                f'Unable to find "{kind.group}/{kind.version}, Resource={kind.plural}" that match '
                f'label selector "{label_selector}", field selector "{field_selector}": {why}'
            )
        matchers.append(_field_test(name, value, negated=operator == "!="))
    if not matchers:
        return None
    return lambda obj: all(matcher(obj) for matcher in matchers)


def _all_match(tests: list[Test], labels: Mapping[str, str]) -> bool:
    return all(test(labels) for test in tests)


def _field_test(name: str, value: str, *, negated: bool) -> Matcher:
    path = name.split(".")
    # An Event's component stands where older clients look for it, or where newer ones do.
    paths = [path] if name != "source" else [["source", "component"], ["reportingComponent"]]

    def read(obj: Json) -> str:
        return next(filter(None, (_read(obj, each) for each in paths)), "")

    return lambda obj: (read(obj) == value) is not negated


def _read(obj: Json, path: list[str]) -> str:
    found: Any = obj
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return str(found).lower()
    if found is None:
        # As Go shows a number or a boolean that is not set.
        return {"unschedulable": "false", "hostNetwork": "false", "replicas": "0",
                "successful": "0"}.get(path[-1], "")  # fmt: skip
    return str(found)
