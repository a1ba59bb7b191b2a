"""Whether a pod may be on a node at all, in the words of the real scheduler: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..resources import Json

_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def mismatch(node: Json, spec: Json) -> str:
    """Return what keeps the pod off the node whatever else runs there; empty for nothing."""
    tolerations = spec.get("tolerations") or ()
    cordoned = node.get("spec", {}).get("unschedulable")
    if cordoned and not _tolerated(_UNSCHEDULABLE, tolerations):
        return "node(s) were unschedulable"
    for taint in _taints(node):
        if not _tolerated(taint, tolerations):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value') or ''}}}"
    if not matches_node(node, spec):
        return "node(s) didn't match Pod's node affinity/selector"
    return ""


def matches_node(node: Json, spec: Json) -> bool:
    """Tell whether the node is one that the pod's selector and required affinity name."""
    labels = node["metadata"].get("labels") or {}
    wanted = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    # Terms are alternatives; one without any expression matches nothing.
    return any(_term(term, node, labels) for term in required.get("nodeSelectorTerms") or ())


def _term(term: Json, node: Json, labels: Mapping[str, str]) -> bool:
    expressions = term.get("matchExpressions") or []
    fields = term.get("matchFields") or []
    if not expressions and not fields:
        return False
    names = {"metadata.name": node["metadata"]["name"]}
    return all(_expression(each, labels) for each in expressions) and all(
        _expression(each, names) for each in fields
    )


def _expression(expression: Json, values: Mapping[str, str]) -> bool:
    key, operator = expression["key"], expression["operator"]
    wanted: list[str] = expression.get("values") or []
    value = values.get(key)
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if operator == "NotIn":
        return value not in wanted
    if value is None:
        return False
    if operator == "In":
        return value in wanted
    try:
        number, limit = int(value), int(wanted[0])
    except (ValueError, IndexError):
        return False
    return number > limit if operator == "Gt" else number < limit


def _taints(node: Json) -> Iterator[Json]:
    for taint in node.get("spec", {}).get("taints") or ():
        if taint["effect"] in ("NoSchedule", "NoExecute"):
            yield taint
    conditions = (node.get("status") or {}).get("conditions") or ()
    if not any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
        yield _NOT_READY  # nobody runs pods there


def _tolerated(taint: Json, tolerations: Any) -> bool:
    for toleration in tolerations:
        if toleration.get("effect") and toleration["effect"] != taint["effect"]:
            continue
        key = toleration.get("key")
        if key and key != taint["key"]:
            continue
        if toleration.get("operator") == "Exists":
            return True
        if key and (toleration.get("value") or "") == (taint.get("value") or ""):
            return True
    return False
