"""Decoding of objects as the API server reads them: typed, strict where asked, pruned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from ..errors import ApiError, Cause, bad_request
from ..kinds import Json, Kind
from .custom import prune
from .schema import ANYTHING, Schema
from .typed import DecodingError, decode_typed

Mode = Literal["Strict", "Warn", "Ignore"]
MODES = ("Strict", "Warn", "Ignore")


def read_mode(text: str) -> Mode:
    """Read `fieldValidation` of a query; ApiError 422 for an unknown word.

    Without it the server warns.
    """
    if not text:
        return "Warn"
    if text not in MODES:
        message = f'Unsupported value: "{text}": supported values: "Ignore", "Strict", "Warn"'
        cause = Cause("fieldValidation", "FieldValueNotSupported", message)
        raise _unnamed("CreateOptions.meta.k8s.io", cause)
    return text  # type: ignore[return-value]


def decode(
    kind: Kind, obj: Json, schema: Schema | None, mode: Mode, twice: Iterable[str] = ()
) -> tuple[Json, list[str]]:
    """Read an object by the schema of its kind.

    Parameters
    ----------
    kind : Kind
        For the words of an error.
    obj : dict
        As parsed; stays as it is.
    schema : Schema or None
        None: a kind without a schema, of which only the metadata is looked at.
    mode : str
        `fieldValidation`: what becomes of fields that the schema does not know, and of fields
        that come twice: `Strict` refuses them, `Warn` tells of them, `Ignore` is silent. They are
        pruned in any mode.
    twice : iterable of str, optional
        Paths of the fields that came twice, as `find_duplicates` found them in the text.

    Returns
    -------
    tuple of (dict, list of str)
        The object without what the schema does not know, and the texts of warnings.

    Raises
    ------
    ApiError
        400 for a value of the wrong type, and for the fields that `Strict` refuses.
    """
    try:
        return _decode(obj, schema, mode, twice)
    except DecodingError as error:
        raise bad_request(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
        ) from error


def decode_patched(
    kind: Kind, obj: Json, schema: Schema | None, mode: Mode, patch: Any
) -> tuple[Json, list[str]]:
    """Read what a patch made of an object, as `decode`; the error is a 422 about the patch."""
    try:
        return _decode(obj, schema, mode)
    except DecodingError as error:
        shown = f"Invalid value: {_shown(patch)}: {error}"
        raise _unnamed("", Cause("patch", "FieldValueInvalid", shown)) from error


def _decode(
    obj: Json, schema: Schema | None, mode: Mode, twice: Iterable[str] = ()
) -> tuple[Json, list[str]]:
    schema = schema or ANYTHING
    unknown: list[str] | None = None if mode == "Ignore" else []
    builtin = bool(schema.name)
    if builtin:
        decoded: Json = decode_typed(schema, obj, unknown)
    else:
        decoded = prune(schema, obj, unknown)
    if unknown is None:
        return decoded, []
    texts = [f'unknown field "{path}"' for path in unknown]
    again = [f'duplicate field "{path}"' for path in twice]
    texts = [*texts, *again] if builtin else [*again, *texts]
    if texts and mode == "Strict":
        raise DecodingError(f"strict decoding error: {', '.join(texts)}")
    return decoded, texts


def _shown(patch: Any) -> str:
    """Write a patch as Go prints a map."""
    if isinstance(patch, dict):
        return f"map[{' '.join(f'{key}:{_shown(patch[key])}' for key in sorted(patch))}]"
    if isinstance(patch, list):
        return f"[{' '.join(_shown(each) for each in patch)}]"
    if isinstance(patch, bool):
        return str(patch).lower()
    return "<nil>" if patch is None else str(patch)


def _unnamed(kind: str, cause: Cause) -> ApiError:
    """Build the error for something wrong with no object to name."""
    details = {"causes": [{"reason": cause.reason, "message": cause.message, "field": cause.field}]}
    message = f'{kind} "" is invalid: {cause.field}: {cause.message}'
    return ApiError(422, "Invalid", message, details)
