"""Values of a pipeline's parameters, checked and converted before a run starts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.errors import SpecError

_READERS: dict[str, type | tuple[type, ...]] = {
    "NUMBER_INTEGER": int,
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "STRING": str,
    "LIST": list,
    "STRUCT": dict,
}


def declared_parameters(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the `inputDefinitions.parameters` of a pipeline spec's root."""
    definitions = spec.get("root", {}).get("inputDefinitions", {})
    found: dict[str, dict[str, Any]] = definitions.get("parameters", {})
    return found


def read_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Read `NAME=VALUE` texts, as a command line gives them.

    Raises
    ------
    SpecError
        A text without a name or without `=`.
    """
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise SpecError(f"-p takes NAME=VALUE, not '{text}'.")
        given[name] = value
    return given


def bind_parameters(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Check values against the pipeline's declared parameters.

    Parameters
    ----------
    given : mapping
        Name to value. A value given as text for a parameter that is not a `STRING` is read as
        JSON, so that the command line can give numbers, booleans, lists and structs.

    Returns
    -------
    dict
        The values, converted. Parameters left out keep the pipeline's defaults.

    Raises
    ------
    SpecError
        An unknown name, or a value that is not of the declared type.
    """
    declared = declared_parameters(spec)
    bound = {}
    for name, value in given.items():
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise SpecError(f"The pipeline has no parameter '{name}'.", hint=f"It has: {known}.")
        bound[name] = _convert(name, value, declared[name].get("parameterType", "STRING"))
    return bound


def _convert(name: str, value: Any, wanted: str) -> Any:
    accepted = _READERS.get(wanted)
    if accepted is None:
        return value
    if isinstance(value, str) and wanted != "STRING":
        value = _read(name, value, wanted)
    if wanted == "NUMBER_INTEGER" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, accepted) or (isinstance(value, bool) and wanted != "BOOLEAN"):
        raise SpecError(f"Parameter '{name}' must be a {wanted}, not {value!r}.")
    return value


def _read(name: str, text: str, wanted: str) -> Any:
    if wanted == "BOOLEAN" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return json.loads(text)
    except ValueError as error:
        raise SpecError(f"Parameter '{name}' must be a {wanted}, not {text!r}.") from error
