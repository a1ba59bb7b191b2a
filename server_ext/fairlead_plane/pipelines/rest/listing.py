"""Lists: filter, order and pages, the same for every noun.

Source: `backend/api/v2beta1/filter.proto`; predicates are joined by AND.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.datastructures import QueryParams
from starlette.responses import Response

from ..clock import rfc3339
from .answers import invalid, reply, take

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
_FRACTION = re.compile(r"\.(\d+)")
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

    def reply(self, noun: str, view: Callable[[sqlite3.Row], Json]) -> Response:
        """Answer with it: a view of each row, under the name of what they are."""
        return reply(
            {
                noun: [view(row) for row in self.rows],
                "total_size": self.total_size,
                "next_page_token": self.next_page_token,
            }
        )


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

    Notes
    -----
    A token remembers order and filter, as upstream's: what a request says beside it must be the
    same.
    """
    sort_by, wanted = query.get("sort_by", ""), query.get("filter", "")
    after: list[Json] = []
    if token := query.get("page_token", ""):
        *after, sort_before, filter_before = _read_token(token)
        if (sort_by or sort_before, wanted or filter_before) != (sort_before, filter_before):
            raise invalid(
                "page token does not match the supplied sort by and/or filtering criteria. Either "
                "specify the same criteria or leave the latter empty if page token is specified."
            )
        sort_by, wanted = sort_before, filter_before
    terms, values = _filter(table, wanted)
    for column, allowed in (where or {}).items():
        if allowed:
            terms.append(f"{column} IN ({_marks(allowed)})")
            values.extend(allowed)
    size = _page_size(query.get("page_size", ""))
    column, down = _order(table, sort_by)
    condition = " AND ".join(terms) or "1"
    (total,) = db.execute(f"SELECT count(*) FROM {table.name} WHERE {condition}", values).fetchone()
    if after:
        condition += f" AND ({column}, {table.key}) {'<' if down else '>'} (?, ?)"
        values += after
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
    if not more:
        return Page(rows, total, "")
    last = rows[-1]
    token = _write_token([last[column], last[table.key], sort_by, wanted])
    return Page(rows, total, token)


def _filter(table: Table, text: str) -> tuple[list[str], list[Json]]:
    terms: list[str] = []
    values: list[Json] = []
    if not text:
        return terms, values
    for predicate in _predicates(text):
        key = str(predicate.get("key", ""))
        column = table.fields.get(key.rpartition(".")[2])
        if column is None:
            raise invalid(f"cannot filter by '{key}'; known are: {', '.join(sorted(table.fields))}")
        said = predicate.get("operation")
        operation = _OPERATIONS.get(said) if isinstance(said, str) else said
        if isinstance(operation, int) and operation in _COMPARISONS:
            terms.append(_COMPARISONS[operation].format(column))
            values.append(_comparable(column, _one(predicate)))
        elif operation == _IN:
            several = [_comparable(column, value) for value in _several(predicate)]
            terms.append(f"{column} IN ({_marks(several)})")
            values.extend(several)
        elif operation == _IS_SUBSTRING:
            terms.append(f"instr(lower({column}), lower(?)) > 0")
            values.append(_one(predicate))
        else:
            raise invalid(f"unknown filter operation {said!r}; known are: {', '.join(_OPERATIONS)}")
    return terms, values


def _predicates(text: str) -> list[dict[str, Json]]:
    # The generated clients quote it once themselves and once as a part of the URL, or just once.
    text = unquote(text) if text.startswith("%7B") else text
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise invalid(f"failed to parse valid filter from {text!r}: {error}") from error
    predicates = found.get("predicates") if isinstance(found, dict) else None
    if predicates is None and found == {}:
        return []
    if not isinstance(predicates, list) or not all(isinstance(one, dict) for one in predicates):
        raise invalid(
            f"failed to parse valid filter from {text!r}: it has no list `predicates` of objects"
        )
    return predicates


def _one(predicate: dict[str, Json]) -> Json:
    for name in _VALUES:
        value = take(predicate, name, None)
        if value is not None:
            return _scalar(value)
    raise invalid("a predicate of the filter has no value")


def _several(predicate: dict[str, Json]) -> list[Json]:
    for name in _LISTS:
        value = take(predicate, name, None)
        if isinstance(value, dict):
            values = value.get("values") or []
            if isinstance(values, list):
                return [_scalar(one) for one in values]
    raise invalid("a predicate of the filter has no values")


def _scalar(value: Json) -> Json:
    if isinstance(value, str | int | float):
        return value
    raise invalid("a value of the filter must be a text or a number")


def _comparable(column: str, value: Json) -> Json:
    """Return a value as the column has it: times of any form as ours, to the microsecond."""
    if not column.endswith("_at") or not isinstance(value, str):
        return value
    try:
        # Python 3.10 takes no `Z`, and three or six digits of a second alone.
        text = _FRACTION.sub(lambda found: f".{found[1][:6]:0<6}", value).replace("Z", "+00:00")
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"'{value}' is no time in the form of RFC 3339") from error
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return rfc3339(time)


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


def _write_token(parts: list[Json]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode()


def _read_token(text: str) -> tuple[Json, Json, str, str]:
    try:
        value, key, sort_by, wanted = orjson.loads(base64.urlsafe_b64decode(text))
    except ValueError as error:
        raise invalid("page_token is not one of ours") from error
    if not isinstance(sort_by, str) or not isinstance(wanted, str):
        raise invalid("page_token is not one of ours")
    return _scalar(value), _scalar(key), sort_by, wanted


def _marks(values: list[Json]) -> str:
    return ", ".join("?" * len(values))
