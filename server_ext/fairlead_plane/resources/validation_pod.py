"""Validation of pods: the fields that this machine's node reads."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from .errors import Cause
from .kinds import Json
from .quantity import parse_quantity
from .schemas.defaults_pod import fill_pod

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ENV_NAME = re.compile(r"[ -<>-~]+")
_POLICIES = ("Always", "OnFailure", "Never")
# Fields of a pod's spec that may change after its creation, as in the real API.
_MUTABLE = (
    "nodeName",
    "activeDeadlineSeconds",
    "schedulingGates",
    "tolerations",
    "terminationGracePeriodSeconds",
)


def check_pod(pod: Json) -> Iterator[Cause]:
    """Yield what is wrong with a pod's spec."""
    spec = pod.get("spec")
    if not isinstance(spec, dict):
        yield _required("spec")
        return
    policy = spec.get("restartPolicy")
    if policy not in _POLICIES:
        allowed = ", ".join(f'"{each}"' for each in _POLICIES)
        message = f'Unsupported value: "{policy}": supported values: {allowed}'
        yield Cause("spec.restartPolicy", "FieldValueNotSupported", message)
    containers = spec.get("containers")
    if not isinstance(containers, list) or not containers:
        yield _required("spec.containers")
        return
    seen: set[str] = set()
    for index, container in enumerate(containers):
        yield from _container(f"spec.containers[{index}]", container, seen)
    grace = spec.get("terminationGracePeriodSeconds")
    if not isinstance(grace, int) or isinstance(grace, bool) or grace < 0:
        yield _invalid(
            "spec.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0"
        )


def check_pod_update(pod: Json, existing: Json) -> Iterator[Cause]:
    """Yield what an update changes and must not."""
    gates = existing["spec"].get("schedulingGates") or []
    added = [each for each in pod["spec"].get("schedulingGates") or [] if each not in gates]
    if added:
        yield Cause(
            "spec.schedulingGates",
            "FieldValueForbidden",
            "Forbidden: only deletion is allowed, but found new scheduling gate "
            f"'{added[0].get('name')}'",
        )
        return
    bound = existing["spec"].get("nodeName")
    if _changed(pod, existing) or (bound and pod["spec"].get("nodeName") != bound):
        yield Cause(
            "spec",
            "FieldValueForbidden",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
            "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to "
            "be set to 1 if it was previously negative)",
        )


def _changed(pod: Json, existing: Json) -> bool:
    if _fixed(pod["spec"]) == _fixed(existing["spec"]):
        return False
    # A pod that was stored before there was a default does not have it.
    filled = copy.deepcopy(existing)
    fill_pod(filled)
    return _fixed(pod["spec"]) != _fixed(filled["spec"])


def _fixed(spec: Json) -> Json:
    fixed = {key: value for key, value in spec.items() if key not in _MUTABLE}
    fixed["containers"] = [
        {key: value for key, value in container.items() if key != "image"}
        for container in spec["containers"]
    ]
    return fixed


def _container(path: str, container: Any, seen: set[str]) -> Iterator[Cause]:
    if not isinstance(container, dict):
        yield _invalid(path, container, "must be an object")
        return
    name = container.get("name")
    if not name:
        yield _required(f"{path}.name")
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        yield _invalid(
            f"{path}.name",
            name,
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
            "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
            "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        )
    elif name in seen:
        yield Cause(f"{path}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
    else:
        seen.add(name)
    if not container.get("image"):
        yield _required(f"{path}.image")
    for field in ("command", "args"):
        words = container.get(field)
        if words is not None and not (
            isinstance(words, list) and all(isinstance(word, str) for word in words)
        ):
            yield _invalid(f"{path}.{field}", words, "must be a list of strings")
    yield from _environment(f"{path}.env", container.get("env"))
    yield from _resources(f"{path}.resources", container.get("resources"))


def _environment(path: str, entries: Any) -> Iterator[Cause]:
    if entries is None:
        return
    if not isinstance(entries, list):
        yield _invalid(path, entries, "must be a list")
        return
    for index, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            yield _required(f"{path}[{index}].name")
        elif not _ENV_NAME.fullmatch(name):
            text = "environment variable names must be printable ASCII characters other than '='"
            yield _invalid(f"{path}[{index}].name", name, text)
        elif not isinstance(entry.get("value"), (str, type(None))):
            yield _invalid(f"{path}[{index}].value", entry["value"], "must be a string")


def _resources(path: str, resources: Any) -> Iterator[Cause]:
    if resources is None:
        return
    if not isinstance(resources, dict):
        yield _invalid(path, resources, "must be an object")
        return
    amounts: dict[str, dict[str, Any]] = {}
    for field in ("limits", "requests"):
        entries = resources.get(field)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            yield _invalid(f"{path}.{field}", entries, "must be an object")
            continue
        for name, text in entries.items():
            try:
                amount = parse_quantity(text)
            except ValueError as error:
                yield _invalid(f"{path}.{field}[{name}]", text, str(error))
                continue
            amounts.setdefault(field, {})[name] = amount
            if amount < 0:
                yield _invalid(
                    f"{path}.{field}[{name}]", text, "must be greater than or equal to 0"
                )
    for name, amount in amounts.get("requests", {}).items():
        limit = amounts.get("limits", {}).get(name)
        if limit is not None and amount > limit:
            limit_text = resources["limits"][name]
            yield _invalid(
                f"{path}.requests",
                resources["requests"][name],
                f"must be less than or equal to {name} limit of {limit_text}",
            )


def _required(field: str) -> Cause:
    return Cause(field, "FieldValueRequired", "Required value")


def _invalid(field: str, value: Any, message: str) -> Cause:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Cause(field, "FieldValueInvalid", f"Invalid value: {shown}: {message}")
