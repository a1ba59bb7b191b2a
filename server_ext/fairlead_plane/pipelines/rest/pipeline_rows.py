"""Rows of pipelines and of their versions: what a request says of one, kept and shown."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from fairlead.names import dns_label

from ..clock import now
from ..problems import PipelineSpecError
from ..spec import load_pipeline
from .answers import ALREADY_EXISTS, RestError, invalid, invalid_spec, not_found, take, text_field

Json = Any


@dataclass(frozen=True, slots=True)
class Said:
    """What a request says of a pipeline or of a version."""

    name: str
    display_name: str
    description: str = ""
    tags: str = "{}"
    """JSON of text by text."""
    code_source_url: str = ""


def spec_of_version(
    db: sqlite3.Connection, pipeline_id: str, version_id: str
) -> tuple[Json, dict[str, str]]:
    """Return the spec of a pipeline version, and a whole reference to it.

    Parameters
    ----------
    pipeline_id : str
        May be empty when the version is given.
    version_id : str
        Empty: the newest version of the pipeline.
    """
    if version_id:
        row = find_row(
            db, "SELECT * FROM pipeline_versions WHERE pipeline_version_id = ?", version_id
        )
    elif pipeline_id:
        row = find_row(
            db,
            """SELECT * FROM pipeline_versions WHERE pipeline_id = ?
               ORDER BY created_at DESC LIMIT 1""",
            pipeline_id,
        )
    else:
        raise invalid("A run needs a pipeline_spec or a pipeline_version_reference.")
    if row is None or (pipeline_id and row["pipeline_id"] != pipeline_id):
        raise not_found("PipelineVersion", version_id or f"of pipeline {pipeline_id}")
    reference = {name: row[name] for name in ("pipeline_id", "pipeline_version_id")}
    return orjson.loads(row["spec"]), reference


def read_said(body: Json, default: str = "") -> Said:
    """Return what a request says of a pipeline or version."""
    if not isinstance(body, dict):
        raise invalid("a pipeline and its version must be objects")
    display_name = text_field(body, "display_name")
    name = text_field(body, "name") or default or (dns_label(display_name) if display_name else "")
    if not name:
        raise invalid("The pipeline's name is empty. Please specify a valid name.")
    return Said(
        name,
        display_name or name,
        text_field(body, "description"),
        _tags(take(body, "tags", {})),
        text_field(body, "code_source_url"),
    )


def _tags(value: Json) -> str:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise invalid("tags must be an object of strings")
    return orjson.dumps(value).decode()


def tags_of_query(text: str) -> str:
    """Return the tags that a query gives as JSON; RestError when they are none."""
    try:
        return _tags(orjson.loads(text or "{}"))
    except orjson.JSONDecodeError as error:
        raise invalid(f"tags are not JSON: {error}") from error


def update_row(db: sqlite3.Connection, table: str, key: str, value: str, body: Json) -> None:
    """Change what a request names of a row: its display name, description or tags."""
    changes = {
        name: text_field(body, name)
        for name in ("display_name", "description")
        if take(body, name, None) is not None
    }
    if take(body, "tags", None) is not None:
        changes["tags"] = _tags(take(body, "tags"))
    if changes:
        names = ", ".join(f"{name} = ?" for name in changes)
        db.execute(f"UPDATE {table} SET {names} WHERE {key} = ?", (*changes.values(), value))


def checked_spec(spec: Json) -> bytes:
    """Return a spec as JSON once it is known to be runnable; RestError else."""
    try:
        load_pipeline(spec)
    except PipelineSpecError as error:
        raise invalid_spec(error) from error
    return orjson.dumps(spec)


def insert_pipeline(db: sqlite3.Connection, said: Said) -> str:
    """Store a pipeline and return its id; RestError when its name is taken."""
    pipeline_id = str(uuid.uuid4())
    try:
        db.execute(
            """INSERT INTO pipelines
               (pipeline_id, name, display_name, description, created_at, tags)
               VALUES (?, ?, ?, ?, ?, ?)""",
            (pipeline_id, said.name, said.display_name, said.description, now(), said.tags),
        )
    except sqlite3.IntegrityError as error:
        raise _taken("pipeline", said.name) from error
    return pipeline_id


def insert_version(db: sqlite3.Connection, pipeline_id: str, said: Said, spec: bytes) -> str:
    """Store a version and return its id; RestError when its name is taken."""
    version_id = str(uuid.uuid4())
    try:
        db.execute(
            """INSERT INTO pipeline_versions
               (pipeline_version_id, pipeline_id, name, display_name, description, created_at,
                spec, tags, code_source_url)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                version_id, pipeline_id, said.name, said.display_name, said.description, now(),
                spec, said.tags, said.code_source_url,
            ),
        )  # fmt: skip
    except sqlite3.IntegrityError as error:
        raise _taken("pipeline version", said.name) from error
    return version_id


def _taken(kind: str, name: str) -> RestError:
    return RestError(
        ALREADY_EXISTS,
        f"Already exist error: Failed to create a new {kind}. The name {name} already exists. "
        "Please specify a new name.",
    )


def find_row(db: sqlite3.Connection, query: str, *values: str) -> sqlite3.Row | None:
    """Return the first row of a query by its names, or None."""
    cursor = db.execute(query, values)
    cursor.row_factory = sqlite3.Row
    row: sqlite3.Row | None = cursor.fetchone()
    return row


def pipeline_row(db: sqlite3.Connection, pipeline_id: str) -> sqlite3.Row:
    """Return the row of a pipeline; RestError 404 without it."""
    row = find_row(db, "SELECT * FROM pipelines WHERE pipeline_id = ?", pipeline_id)
    if row is None:
        raise not_found("Pipeline", pipeline_id)
    return row


def version_row(db: sqlite3.Connection, request: Request) -> sqlite3.Row:
    """Return the row of the version that a path names; RestError 404 without it."""
    version_id = request.path_params["pipeline_version_id"]
    row = find_row(
        db,
        "SELECT * FROM pipeline_versions WHERE pipeline_version_id = ? AND pipeline_id = ?",
        version_id,
        request.path_params["pipeline_id"],
    )
    if row is None:
        raise not_found("PipelineVersion", version_id)
    return row


def pipeline_view(row: sqlite3.Row) -> Json:
    """Return a pipeline in the shape of upstream's `pipeline.proto`."""
    view = dict(row)
    return {**view, "tags": orjson.Fragment(view["tags"]), "namespace": ""}


def version_view(row: sqlite3.Row | None) -> Json:
    """Return a version, with its spec, in the shape of upstream's `pipeline.proto`."""
    assert row is not None
    view = dict(row)
    spec = view.pop("spec")
    return {
        **view,
        "tags": orjson.Fragment(view["tags"]),
        "pipeline_spec": orjson.Fragment(spec),
    }
