"""Validation of whole objects, by the schema of their kind."""

from __future__ import annotations

from typing import Any

from ..causes import wrong
from ..errors import Cause
from ..kinds import Json, Kind
from .definition import check_definition
from .rules import check_rules, has_rules
from .schema import Schema
from .structural import MISSING, check_value

# With one of these the rest of an object may not be what rules expect of it.
_BLOCKING = (
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
)
_NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


def check_schema(kind: Kind, obj: Json, old: Json | None, schema: Schema | None) -> list[Cause]:
    """Return what is wrong with an object; nothing for one without a schema.

    Parameters
    ----------
    kind : Kind
        Kind of the object.
    obj : dict
        Decoded, with defaults in place.
    old : dict or None
        The stored object that `obj` replaces.
    schema : Schema or None
        Of the kind.

    Raises
    ------
    ApiError
        500 when the kind has rules in CEL and there is no engine to evaluate them.
    """
    if (kind.group, kind.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return [*check_definition(obj, old)]
    if schema is None or schema.name:
        return []
    before: Any = MISSING if old is None else old
    causes = [*check_value(schema, obj, "", before)]
    if has_rules(schema):
        if any(cause.reason in _BLOCKING for cause in causes):
            causes.append(wrong("<nil>", "null", _NOT_CHECKED))
        else:
            causes += check_rules(schema, obj, "", before)
    return causes
