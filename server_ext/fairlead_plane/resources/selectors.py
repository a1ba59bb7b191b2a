"""Label and field selectors, as the Kubernetes API reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .errors import bad_request
from .kinds import Json

Matcher = Callable[[Json], bool]

_SET_TERM = re.compile(r"^\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_EQUAL_TERM = re.compile(r"^\s*([^\s=!]+)\s*(==|!=|=)\s*([^\s=!]*)\s*$")
_EXISTS_TERM = re.compile(r"^\s*(!?)\s*([^\s=!()]+)\s*$")

# The fields that the real API indexes for these kinds; any other is refused there too.
_FIELDS: dict[str, Callable[[Json], str]] = {
    "metadata.name": lambda obj: obj["metadata"]["name"],
    "metadata.namespace": lambda obj: obj["metadata"].get("namespace", ""),
    "spec.nodeName": lambda obj: obj.get("spec", {}).get("nodeName", ""),
    "spec.restartPolicy": lambda obj: obj.get("spec", {}).get("restartPolicy", ""),
    "status.phase": lambda obj: obj.get("status", {}).get("phase", ""),
    "type": lambda obj: obj.get("type", ""),
    "reason": lambda obj: obj.get("reason", ""),
    "involvedObject.kind": lambda obj: obj.get("involvedObject", {}).get("kind", ""),
    "involvedObject.name": lambda obj: obj.get("involvedObject", {}).get("name", ""),
    "involvedObject.namespace": lambda obj: obj.get("involvedObject", {}).get("namespace", ""),
    "involvedObject.uid": lambda obj: obj.get("involvedObject", {}).get("uid", ""),
}


def parse_selectors(label_selector: str = "", field_selector: str = "") -> Matcher | None:
    """Parse both selectors into one test of an object.

    Parameters
    ----------
    label_selector, field_selector : str
        As in a URL, decoded; empty selects everything.

    Returns
    -------
    callable or None
        None when everything matches.

    Raises
    ------
    ApiError
        400 for a selector that cannot be read or names a field that is not indexed.
    """
    tests = [_label_test(term) for term in _split(label_selector)]
    matchers: list[Matcher] = []
    if tests:
        matchers.append(lambda obj: _all_match(tests, obj["metadata"].get("labels") or {}))
    matchers.extend(_field_test(term) for term in _split(field_selector))
    if not matchers:
        return None
    return lambda obj: all(matcher(obj) for matcher in matchers)


def _all_match(tests: list[Callable[[Mapping[str, str]], bool]], labels: Mapping[str, str]) -> bool:
    return all(test(labels) for test in tests)


def _split(selector: str) -> list[str]:
    # Commas inside of `in (a, b)` do not separate.
    return [term for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _label_test(term: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET_TERM.match(term):
        key, operator, text = found.groups()
        values = frozenset(value.strip() for value in text.split(","))
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL_TERM.match(term):
        key, operator, value = found.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS_TERM.match(term):
        negated, key = found.groups()
        return lambda labels: (key in labels) is not bool(negated)
    raise bad_request(f'unable to parse requirement: found "{term.strip()}"')


def _field_test(term: str) -> Matcher:
    found = _EQUAL_TERM.match(term)
    if not found:
        raise bad_request(f'invalid selector: "{term}"; can\'t understand "{term}"')
    name, operator, value = found.groups()
    read = _FIELDS.get(name)
    if read is None:
        raise bad_request(f"field label not supported: {name}")
    if operator == "!=":
        return lambda obj: read(obj) != value
    return lambda obj: read(obj) == value
