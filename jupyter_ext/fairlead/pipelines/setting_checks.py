"""Checks of what a cell's metadata says against the schema of step settings.

Messages name the field and the nearest right word, which a general validator's do not; and a
compilation, of which these checks are a part, takes less time than the import of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairlead.pipelines.setting_formats import FORMATS
from fairlead.pipelines.setting_schema import SCHEMA

Json = dict[str, Any]

_SYNONYMS = {
    "gpu": "nvidia.com/gpu",
    "gpus": "nvidia.com/gpu",
    "ram": "memory",
    "requirements": "packages",
    "dependsOn": "after",
    "depends_on": "after",
    "loop": "forEach",
    "condition": "if",
}
_WORDS = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "an object with fields",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list, tuple),
    "object": (dict,),
}


@dataclass(frozen=True)
class SettingProblem:
    """Something wrong with a setting: the path of its field, the word at fault, what and advice."""

    path: str
    name: str
    message: str
    hint: str


def check_settings(given: object, path: str = "fairlead") -> list[SettingProblem]:
    """Check `metadata.fairlead` of one cell; an empty list says that all of it is right."""
    return list(_check(given, SCHEMA, path))


def _check(value: object, schema: Json, path: str) -> Iterator[SettingProblem]:
    wanted = schema.get("type", "object")
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    name = path.rpartition(".")[2]
    if not any(_is(value, kind) for kind in kinds):
        words = " or ".join(_WORDS[kind] for kind in kinds)
        if "format" in schema:
            words = FORMATS[schema["format"]][1]
        yield SettingProblem(
            path, name, f"`{path}` must be {words}, not {value!r}.", _example(schema)
        )
    elif isinstance(value, dict):
        yield from _check_object(value, schema, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check(item, schema.get("items", {}), f"{path}[{index}]")
    elif "minimum" in schema and isinstance(value, int | float) and value < schema["minimum"]:
        message = f"`{path}` must be at least {schema['minimum']}, not {value!r}."
        yield SettingProblem(path, name, message, _example(schema))
    elif "format" in schema:
        fits, words = FORMATS[schema["format"]]
        if not fits(value):
            message = f"`{path}` must be {words}, not {value!r}."
            yield SettingProblem(path, name, message, _example(schema))


def _check_object(value: dict[Any, Any], schema: Json, path: str) -> Iterator[SettingProblem]:
    properties: Json = schema.get("properties", {})
    rest = schema.get("additionalProperties", True)
    form = schema.get("propertyNames", {}).get("format", "")
    for key, inner in value.items():
        at = f"{path}.{key}"
        if key in properties:
            yield from _check(inner, properties[key], at)
            continue
        if rest is False:
            known = ", ".join(f"`{name}`" for name in properties)
            hint = _nearest(str(key), list(properties)) or f"Write one of {known}."
            yield SettingProblem(at, str(key), f"`{at}` is not a setting.", hint)
            continue
        if form and not FORMATS[form][0](key):
            hint = _nearest(str(key), ["cpu", "memory", "nvidia.com/gpu"] * (form == "resource"))
            message = f"`{at}`: {str(key)!r} is not {FORMATS[form][1]}."
            yield SettingProblem(at, str(key), message, hint or "Correct the name.")
        if isinstance(rest, dict):
            yield from _check(inner, rest, at)
    for name in schema.get("required", ()):
        if name not in value:
            hint = f"Add `{name}`."
            yield SettingProblem(path, name, f"`{path}` has no `{name}`.", hint)
    either = [entry["required"][0] for entry in schema.get("anyOf", ())]
    if either and not any(name in value for name in either):
        words = " nor ".join(f"`{name}`" for name in either)
        hint = "Give variables or a path: otherwise the step sees nothing of it."
        yield SettingProblem(path, either[0], f"`{path}` has neither {words}.", hint)


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):  # an int to Python, but not to a reader
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def _example(schema: Json) -> str:
    for example in schema.get("examples", ()):
        return f"Write it as in {json.dumps(example)}."
    return str(schema.get("description", "")) or "Correct it in the cell's metadata."


def _nearest(word: str, known: list[str]) -> str:
    """Return advice that names the nearest known word; empty where none is near."""
    if _SYNONYMS.get(word) in known:
        return f"Did you mean `{_SYNONYMS[word]}`?"
    import difflib  # loaded here: only a mistake needs it

    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower, 1)
    return f"Did you mean `{by_lower[close[0]]}`?" if close else ""
