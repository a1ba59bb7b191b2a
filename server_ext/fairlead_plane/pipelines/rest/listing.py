"""Lists: filter, order and pages, the same for every noun.

Source: `backend/api/v2beta1/filter.proto`; predicates are joined by AND.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import QueryParams

from .answers import invalid, take

Json = Any

DEFAULT_PAGE, LARGEST_PAGE = 20, 200
"""Rows of a page when none is asked for, and at most; as upstream."""

_COMPARISONS = {
    1: "{} = ?", 2: "{} != ?", 3: "{} > ?", 5: "{} >= ?", 6: "{} < ?", 7: "{} <= ?",
}  # fmt: skip
_IN, _IS_SUBSTRING = 8, 9
_OPERATIONS = {
    "EQUALS": 1, "NOT_EQUALS": 2, "GREATER_THAN": 3, "GREATER_THAN_EQUALS": 5, "LESS_THAN": 6,
    "LESS_THAN_EQUALS": 7, "IN": _IN, "IS_SUBSTRING": _IS_SUBSTRING,
}  # fmt: skip
_VALUES = ("string_value", "int_value", "long_value", "timestamp_value")
_LISTS = ("string_values", "int_values", "long_values")


@dataclass(frozen=True, slots=True)
class Table:
    """A list that can be asked for.

    Attributes
    ----------
    name : str
        Table in the database.
    key : str
        Unique column; orders rows that are else equal.
    fields : mapping
        Field of the API -> column.
    order : str
        Column that orders when none is asked for.
    """

    name: str
    key: str
    fields: Mapping[str, str]
    order: str = "created_at"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    rows: list[sqlite3.Row]
    total_size: int
    next_page_token: str


def list_rows(
    db: sqlite3.Connection,
    table: Table,
    query: QueryParams,
    where: Mapping[str, list[str]] | None = None,
) -> Page:
    """Return the rows that a request asks for.

    Parameters
    ----------
    query : QueryParams
        `page_size`, `page_token`, `sort_by` ("created_at desc") and `filter`, as of the URL.
    where : mapping, optional
        Column -> values of which it must have one; an empty list asks for nothing.

    Raises
    ------
    RestError
        400: a field, an operation or a token that is not known.
    """
    terms, values = _filter(table, query.get("filter", ""))
    for column, allowed in (where or {}).items():
        if allowed:
            terms.append(f"{column} IN ({_marks(allowed)})")
            values.extend(allowed)
    size = _page_size(query.get("page_size", ""))
    column, down = _order(table, query.get("sort_by", ""))
    condition = " AND ".join(terms) or "1"
    (total,) = db.execute(f"SELECT count(*) FROM {table.name} WHERE {condition}", values).fetchone()
    if token := query.get("page_token", ""):
        last, key = _read_token(token)
        condition += f" AND ({column}, {table.key}) {'<' if down else '>'} (?, ?)"
        values += [last, key]
    direction = "DESC" if down else "ASC"
    cursor = db.execute(
        f"SELECT * FROM {table.name} WHERE {condition} "
        f"ORDER BY {column} {direction}, {table.key} {direction} LIMIT ?",
        (*values, size + 1),
    )
    cursor.row_factory = sqlite3.Row
    rows = cursor.fetchall()
    more = len(rows) > size
    rows = rows[:size]
    token = _write_token(rows[-1][column], rows[-1][table.key]) if more else ""
    return Page(rows, total, token)


def _filter(table: Table, text: str) -> tuple[list[str], list[Json]]:
    terms: list[str] = []
    values: list[Json] = []
    if not text:
        return terms, values
    try:
        predicates = orjson.loads(text).get("predicates") or []
    except (orjson.JSONDecodeError, AttributeError) as error:
        raise invalid(f"the filter is not a JSON object: {error}") from error
    for predicate in predicates:
        key = str(predicate.get("key", ""))
        column = table.fields.get(key.rpartition(".")[2])
        if column is None:
            raise invalid(f"cannot filter by '{key}'; known are: {', '.join(sorted(table.fields))}")
        operation = predicate.get("operation", 0)
        operation = _OPERATIONS.get(operation, operation)
        if operation in _COMPARISONS:
            terms.append(_COMPARISONS[operation].format(column))
            values.append(_one(predicate))
        elif operation == _IN:
            several = _several(predicate)
            terms.append(f"{column} IN ({_marks(several)})")
            values.extend(several)
        elif operation == _IS_SUBSTRING:
            terms.append(f"instr(lower({column}), lower(?)) > 0")
            values.append(_one(predicate))
        else:
            raise invalid(f"unknown filter operation {operation!r}")
    return terms, values


def _one(predicate: dict[str, Json]) -> Json:
    for name in _VALUES:
        value = take(predicate, name, None)
        if value is not None:
            return value
    raise invalid("a predicate of the filter has no value")


def _several(predicate: dict[str, Json]) -> list[Json]:
    for name in _LISTS:
        value = take(predicate, name, None)
        if value is not None:
            return list(value.get("values") or [])
    raise invalid("a predicate of the filter has no values")


def _order(table: Table, text: str) -> tuple[str, bool]:
    words = text.split()
    if not words:
        return table.order, False
    column = table.fields.get(words[0].rpartition(".")[2])
    direction = words[1].lower() if len(words) > 1 else "asc"
    if column is None or direction not in ("asc", "desc") or len(words) > 2:
        raise invalid(
            f"cannot sort by '{text}'; known are: {', '.join(sorted(table.fields))}, "
            "then asc or desc"
        )
    return column, direction == "desc"


def _page_size(text: str) -> int:
    try:
        size = int(text or 0)
    except ValueError as error:
        raise invalid("page_size must be a number") from error
    if size < 0:
        raise invalid("page_size must not be negative")
    return min(size or DEFAULT_PAGE, LARGEST_PAGE)


def _write_token(value: Json, key: Json) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([value, key])).decode()


def _read_token(text: str) -> tuple[Json, Json]:
    try:
        value, key = orjson.loads(base64.urlsafe_b64decode(text))
    except ValueError as error:
        raise invalid("page_token is not one of ours") from error
    return value, key


def _marks(values: list[Json]) -> str:
    return ", ".join("?" * len(values))
