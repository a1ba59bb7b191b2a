"""Rules in CEL (`x-kubernetes-validations`) of custom resources.

The engine is a package of its own that is imported when the first rule is met.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from ..causes import duplicate, forbidden_field, required, wrong
from ..errors import ApiError, Cause
from ..kinds import Json
from ..times import parse_timestamp
from .rule_functions import FUNCTIONS, parse_duration
from .schema import Schema
from .structural import MISSING, old_item

_WORDS = frozenset(
    "true false null in as break const continue else for function if import let loop package "
    "namespace return var void while".split()
)
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_OLD = re.compile(r"\boldSelf\b")


def check_rules(schema: Schema, value: Any, path: str, old: Any = MISSING) -> Iterator[Cause]:
    """Yield the rules of a schema that a value breaks.

    Parameters
    ----------
    schema : Schema
        Of the value.
    value : Any
        Valid but for rules.
    path : str
        Where it is; empty for a whole resource.
    old : Any
        What was there before: rules with `oldSelf` need it, and a value that has not changed is
        not looked at.

    Raises
    ------
    ApiError
        500 when there are rules and no engine for them.
    """
    if old is not MISSING and old == value:
        return
    for rule in schema.raw.get("x-kubernetes-validations") or ():
        yield from _check(schema, rule, value, path, old)
    if isinstance(value, dict):
        for name, each in value.items():
            child = schema.field(name) if has_rules(schema) else None
            if child is not None and has_rules(child):
                before = old.get(name, MISSING) if isinstance(old, dict) else MISSING
                where = f"{path}.{name}" if path else name
                if schema.values is not None:
                    where = f"{path}[{name}]"
                yield from check_rules(child, each, where, before)
    elif isinstance(value, list) and schema.items is not None and has_rules(schema.items):
        for index, each in enumerate(value):
            before = old_item(schema, old, each, index)
            yield from check_rules(schema.items, each, f"{path}[{index}]", before)


def has_rules(schema: Schema) -> bool:
    """Tell whether there is a rule in a schema or anywhere below."""
    if schema.has_rules is None:
        schema.has_rules = _has_rules(schema.raw)
    return schema.has_rules


def _has_rules(raw: Json) -> bool:
    if raw.get("x-kubernetes-validations"):
        return True
    below = [*(raw.get("properties") or {}).values()]
    below += [raw[key] for key in ("items", "additionalProperties") if key in raw]
    return any(_has_rules(each) for each in below if isinstance(each, dict))


def uses_old(rule: str) -> bool:
    """Tell whether a rule compares with the value before."""
    return _OLD.search(_TEXT.sub("", rule)) is not None


def compile_rule(rule: str) -> Any:
    """Compile a rule; ValueError with the engine's words when it is none."""
    return _compile(rule)


def _check(schema: Schema, rule: Json, value: Any, path: str, old: Any) -> Iterator[Cause]:
    text = rule.get("rule", "")
    variables = {"self": _to_cel(schema, value)}
    if uses_old(text):
        optional = bool(rule.get("optionalOldSelf"))
        if old is MISSING and not optional:
            return
        variables["oldSelf"] = _old_variable(schema, old, optional)
    try:
        good = _evaluate(text, variables)
    except ApiError:
        raise
    except Exception as error:  # the engine raises what it likes
        detail = " ".join(str(error).split())
        yield wrong(path or "<nil>", _type(schema), f"rule evaluation error: {detail} ({text})")
        return
    if good is not True:
        yield _cause(schema, rule, path, variables)


def _cause(schema: Schema, rule: Json, path: str, variables: Json) -> Cause:
    message = rule.get("message") or f"failed rule: {rule.get('rule', '').strip()}"
    if rule.get("messageExpression"):
        try:
            found = _evaluate(rule["messageExpression"], variables)
        except Exception:
            found = None  # as documented: the message stands in for it
        if isinstance(found, str) and found.strip() and "\n" not in found:
            message = found
    where = (path + _field(rule.get("fieldPath", ""))).lstrip(".") or "<nil>"
    reason = rule.get("reason")
    if reason == "FieldValueForbidden":
        return forbidden_field(where, message)
    if reason == "FieldValueRequired":
        return required(where, message)
    if reason == "FieldValueDuplicate":
        return duplicate(where, _type(schema))
    return wrong(where, _type(schema), message)


def _field(path: str) -> str:
    return re.sub(r"\['([^']*)'\]", r".\1", path)


def _type(schema: Schema) -> str:
    return schema.type or "object"


def _evaluate(text: str, variables: Json) -> Any:
    context = _engine().Context()
    for name in _functions(text):
        context.add_function(name, FUNCTIONS[name])
    for name, value in variables.items():
        context.add_variable(name, value)
    return _compile(text).execute(context)


def _old_variable(schema: Schema, old: Any, optional: bool) -> Any:
    if not optional:
        return _to_cel(schema, old)
    made = _engine().OptionalValue
    return made.none() if old is MISSING else made.of(_to_cel(schema, old))


@lru_cache(maxsize=2048)
def _compile(text: str) -> Any:
    return _engine().compile(text)


@lru_cache(maxsize=2048)
def _functions(text: str) -> tuple[str, ...]:
    """Return the functions that a rule may call: to offer them all takes longer than the rule."""
    return tuple(name for name in FUNCTIONS if f"{name}(" in text)


@cache
def _engine() -> ModuleType:
    try:
        import cel
    except ImportError as error:
        what = (
            "Internal error occurred: this kind has validation rules in CEL, and the package "
            "'common-expression-language' that evaluates them is not installed beside the control "
            "plane; install it with: pip install common-expression-language (Python 3.11 or later)"
        )
        raise ApiError(500, "InternalError", what) from error
    found: ModuleType = cel
    return found


def _to_cel(schema: Schema, value: Any) -> Any:
    """Return a value as rules see it: named fields with escaped names, times, doubles, bytes."""
    if isinstance(value, dict):
        named = schema.raw.get("properties", {})
        result = {}
        for name, each in value.items():
            child = schema.field(name)
            key = _escape(name) if name in named else name
            result[key] = each if child is None else _to_cel(child, each)
        return result
    if isinstance(value, list):
        items = schema.items
        return value if items is None else [_to_cel(items, each) for each in value]
    if schema.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and schema.type == "string":
        if schema.format == "date-time":
            try:
                seconds = parse_timestamp(value.upper())
            except ValueError:
                return value  # its format is wrong, and named as such
            return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        if schema.format == "duration":
            return parse_duration(value)
        if schema.format == "byte":
            return value.encode()
    return value


def _escape(name: str) -> str:
    if name in _WORDS:
        return f"__{name}__"
    for raw, escaped in _ESCAPES:
        name = name.replace(raw, escaped)
    return name
