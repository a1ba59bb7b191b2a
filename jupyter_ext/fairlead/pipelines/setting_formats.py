"""Forms of the values of step settings, as Kubernetes and Kubeflow Pipelines have them."""

from __future__ import annotations

import re
from collections.abc import Callable

_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_QUANTITY = re.compile(r"\+?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|ms|m|s))+")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*")


def seconds_of(value: object) -> float | None:
    """Return a duration in seconds: a number of them, or Go's form (`90s`, `1h30m`, `1.5h`).

    None for anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    if not _DURATION.fullmatch(value):
        return None
    return sum(float(number) * _UNITS_S[unit] for number, unit in _PIECE.findall(value))


def _pattern(pattern: str, longest: int) -> Callable[[object], bool]:
    compiled = re.compile(pattern)
    return lambda value: bool(compiled.fullmatch(str(value))) and len(str(value)) <= longest


def _is_key(value: object) -> bool:
    """Tell whether a text is a key of a label or annotation: `[domain/]name`."""
    domain, slash, name = str(value).rpartition("/")
    fits = re.fullmatch(_SUBDOMAIN, domain) and len(domain) <= 253 if slash else True
    return bool(fits and re.fullmatch(_QUALIFIED, name))


def _is_resource(value: object) -> bool:
    return value in ("cpu", "memory") or ("/" in str(value) and _is_key(value))


def _is_quantity(value: object) -> bool:
    if isinstance(value, int | float):
        return value > 0
    found = _QUANTITY.fullmatch(str(value))
    return bool(found) and float(found.group(1)) > 0 if found else False


def _is_path(value: object) -> bool:
    text = str(value)
    return text.startswith("/") and text != "/" and ":" not in text and ".." not in text.split("/")


def _is_requirement(value: object) -> bool:
    # Loaded here: most notebooks name no packages.
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(str(value))
    except InvalidRequirement:
        return False
    return True


def _is_duration(value: object) -> bool:
    seconds = seconds_of(value)
    return seconds is not None and seconds >= 0


def _is_time_limit(value: object) -> bool:
    seconds = seconds_of(value)
    return seconds is not None and seconds >= 1 and seconds == int(seconds)


FORMATS: dict[str, tuple[Callable[[object], bool], str]] = {
    "text": (lambda value: bool(str(value).strip()), "a text that is not empty"),
    "resource": (
        _is_resource,
        "`cpu`, `memory`, or the full name of an extended resource such as `nvidia.com/gpu`",
    ),
    "quantity": (_is_quantity, 'a quantity of Kubernetes above 0, such as "2", "500m" or "4Gi"'),
    "duration": (_is_duration, 'seconds, or a duration such as "30s", "10m" or "1h30m"'),
    "time-limit": (
        _is_time_limit,
        'whole seconds, at least 1, or a duration such as "30s", "10m" or "1h30m"',
    ),
    "image": (lambda value: bool(_IMAGE.fullmatch(str(value))), 'an image, such as "python:3.11"'),
    "requirement": (_is_requirement, 'a requirement as pip takes it, such as "pandas==2.2.1"'),
    "name": (
        _pattern(_SUBDOMAIN, 253),
        "a name of Kubernetes: lower case letters, digits, `-` and `.`",
    ),
    "variable": (
        _pattern(r"[-._A-Za-z][-._A-Za-z0-9]*", 1024),
        "the name of an environment variable: letters, digits and `_`, not a digit first",
    ),
    "key": (
        _pattern(r"[-._A-Za-z0-9]+", 253),
        "a key of the object: letters, digits, `-`, `_` and `.`",
    ),
    "path": (_is_path, "an absolute path without `:` and `..`"),
    "metadata-key": (_is_key, "a key of Kubernetes: `name` or `domain/name`"),
    "label": (
        _pattern(rf"({_QUALIFIED})?", 63),
        "the value of a label: at most 63 letters, digits, `-`, `_` and `.`",
    ),
}
"""For each `format` of the schema: whether a value has it, and what it is in words."""
