"""Validation of a pod's affinity, worded as the API server words it."""

from __future__ import annotations

from collections.abc import Iterator

from .causes import forbidden_field, required, wrong
from .errors import Cause
from .kinds import Json
from .validation_metadata import check_key

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def check_affinity(path: str, affinity: Json) -> Iterator[Cause]:
    """Yield what is wrong with the affinity of a pod."""
    node = affinity.get("nodeAffinity") or {}
    at = f"{path}.nodeAffinity"
    if (needed := node.get(_REQUIRED)) is not None:
        terms = needed.get("nodeSelectorTerms") or []
        if not terms:
            text = "must have at least one node selector term"
            yield required(f"{at}.{_REQUIRED}.nodeSelectorTerms", text)
        for index, term in enumerate(terms):
            yield from _node_term(f"{at}.{_REQUIRED}.nodeSelectorTerms[{index}]", term)
    for index, each in enumerate(node.get(_PREFERRED) or ()):
        yield from _weight(f"{at}.{_PREFERRED}[{index}]", each)
        yield from _node_term(
            f"{at}.{_PREFERRED}[{index}].preference", each.get("preference") or {}
        )
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind) or {}
        for index, term in enumerate(found.get(_REQUIRED) or ()):
            yield from _pod_term(f"{path}.{kind}.{_REQUIRED}[{index}]", term)
        for index, each in enumerate(found.get(_PREFERRED) or ()):
            where = f"{path}.{kind}.{_PREFERRED}[{index}]"
            yield from _weight(where, each)
            yield from _pod_term(f"{where}.podAffinityTerm", each.get("podAffinityTerm") or {})


def _weight(path: str, each: Json) -> Iterator[Cause]:
    weight = each.get("weight", 0)
    if not 1 <= weight <= 100:
        yield wrong(f"{path}.weight", weight, "must be in the range 1-100")


def _node_term(path: str, term: Json) -> Iterator[Cause]:
    for field in ("matchExpressions", "matchFields"):
        for index, rule in enumerate(term.get(field) or ()):
            at, operator = f"{path}.{field}[{index}]", rule.get("operator", "")
            values = rule.get("values") or []
            if operator not in _OPERATORS:
                yield wrong(f"{at}.operator", operator, "not a valid selector operator")
            elif operator in ("In", "NotIn") and not values:
                text = "must be specified when `operator` is 'In' or 'NotIn'"
                yield required(f"{at}.values", text)
            elif operator in ("Exists", "DoesNotExist") and values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden_field(f"{at}.values", text)
            elif operator in ("Gt", "Lt") and len(values) != 1:
                text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                yield required(f"{at}.values", text)
            if field == "matchExpressions":
                yield from check_key(f"{at}.key", rule.get("key", ""))


def _pod_term(path: str, term: Json) -> Iterator[Cause]:
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from check_key(f"{path}.topologyKey", key)
