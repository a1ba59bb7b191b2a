"""Pipelines and their versions: specs kept under a name, to be run later."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fairlead.names import dns_label

from ...resources import Resources, Transaction
from ..clock import now
from ..problems import PipelineSpecError
from ..spec import load_pipeline
from .answers import (
    ALREADY_EXISTS,
    FAILED_PRECONDITION,
    RestError,
    invalid,
    invalid_spec,
    not_found,
    read_body,
    reply,
    take,
    text_field,
)
from .listing import Table, list_rows
from .uploads import fetch_package, package_name, read_package, read_upload

Json = Any

_FIELDS = {
    name: name for name in ("name", "display_name", "description", "created_at", "pipeline_id")
}
_PIPELINES = Table("pipelines", "pipeline_id", _FIELDS | {"id": "pipeline_id"})
_VERSIONS = Table(
    "pipeline_versions",
    "pipeline_version_id",
    _FIELDS | {"id": "pipeline_version_id", "pipeline_version_id": "pipeline_version_id"},
)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a request says of a pipeline or of a version."""

    name: str
    display_name: str
    description: str = ""
    tags: str = "{}"
    """JSON of text by text."""
    code_source_url: str = ""


class Pipelines:
    """Handlers of `/apis/v2beta1/pipelines`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def routes(self) -> list[Route]:
        """Return the routes; fixed words first, since an id would match them too."""
        base = "/apis/v2beta1/pipelines"
        one = base + "/{pipeline_id}"
        version = one + "/versions/{pipeline_version_id}"
        return [
            Route(base + "/upload", self.upload, methods=["POST"]),
            Route(base + "/upload_version", self.upload_version, methods=["POST"]),
            Route(base + "/create", self.create_with_version, methods=["POST"]),
            Route(base + "/names/{name}", self.get_by_name, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(base, self.list, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/versions", self.create_version, methods=["POST"]),
            Route(one + "/versions", self.list_versions, methods=["GET"]),
            Route(version, self.get_version, methods=["GET"]),
            Route(version, self.update_version, methods=["PATCH"]),
            Route(version, self.delete_version, methods=["DELETE"]),
        ]

    async def upload(self, request: Request) -> Response:
        """Make a pipeline and its first version from an uploaded file."""
        spec, said = await self._uploaded(request)
        return await self._add_pipeline(said, said, spec)

    async def upload_version(self, request: Request) -> Response:
        """Add a version from an uploaded file to the pipeline `pipelineid` of the query."""
        spec, said = await self._uploaded(request)
        return await self._add_version(request.query_params.get("pipelineid", ""), said, spec)

    async def create(self, request: Request) -> Response:
        """Make a pipeline without a version."""
        return await self._add_pipeline(_said(await read_body(request)), None, b"")

    async def create_with_version(self, request: Request) -> Response:
        """Make a pipeline and its first version."""
        body = await read_body(request)
        pipeline = _said(take(body, "pipeline", {}))
        version = take(body, "pipeline_version", {})
        spec = await self._spec(version)
        return await self._add_pipeline(pipeline, _said(version, pipeline.name), spec)

    async def update(self, request: Request) -> Response:
        """Change display name, description and tags of a pipeline; what is left out stays."""
        body = await read_body(request)
        pipeline_id = request.path_params["pipeline_id"]

        def change(transaction: Transaction) -> Json:
            _pipeline(transaction.db, pipeline_id)
            _update(transaction.db, "pipelines", "pipeline_id", pipeline_id, body)
            return _pipeline_view(_pipeline(transaction.db, pipeline_id))

        return reply(await self._resources.transaction(change))

    async def list(self, request: Request) -> Response:
        """Return a page of pipelines."""
        page = list_rows(self._resources.store.reader, _PIPELINES, request.query_params)
        return reply(
            {
                "pipelines": [_pipeline_view(row) for row in page.rows],
                "total_size": page.total_size,
                "next_page_token": page.next_page_token,
            }
        )

    async def get(self, request: Request) -> Response:
        """Return one pipeline."""
        row = _pipeline(self._resources.store.reader, request.path_params["pipeline_id"])
        return reply(_pipeline_view(row))

    async def get_by_name(self, request: Request) -> Response:
        """Return one pipeline by its name."""
        name = request.path_params["name"]
        row = _row(self._resources.store.reader, "SELECT * FROM pipelines WHERE name = ?", name)
        if row is None:
            raise not_found("Pipeline", name)
        return reply(_pipeline_view(row))

    async def delete(self, request: Request) -> Response:
        """Delete a pipeline; one that has versions only with `cascade`."""
        pipeline_id = request.path_params["pipeline_id"]
        cascade = request.query_params.get("cascade", "").lower() == "true"

        def change(transaction: Transaction) -> None:
            db = transaction.db
            _pipeline(db, pipeline_id)
            has = db.execute(
                "SELECT 1 FROM pipeline_versions WHERE pipeline_id = ?", (pipeline_id,)
            ).fetchone()
            if has and not cascade:
                raise RestError(
                    FAILED_PRECONDITION,
                    f"Failed to delete pipeline {pipeline_id}: it has versions. Delete them first, "
                    "or ask with cascade=true.",
                )
            db.execute("DELETE FROM pipeline_versions WHERE pipeline_id = ?", (pipeline_id,))
            db.execute("DELETE FROM pipelines WHERE pipeline_id = ?", (pipeline_id,))

        await self._resources.transaction(change)
        return reply({})

    async def create_version(self, request: Request) -> Response:
        """Add a version to a pipeline."""
        body = await read_body(request)
        spec = await self._spec(body)
        return await self._add_version(request.path_params["pipeline_id"], _said(body), spec)

    async def list_versions(self, request: Request) -> Response:
        """Return a page of a pipeline's versions."""
        db = self._resources.store.reader
        pipeline_id = request.path_params["pipeline_id"]
        _pipeline(db, pipeline_id)
        page = list_rows(db, _VERSIONS, request.query_params, {"pipeline_id": [pipeline_id]})
        return reply(
            {
                "pipeline_versions": [_version_view(row) for row in page.rows],
                "total_size": page.total_size,
                "next_page_token": page.next_page_token,
            }
        )

    async def get_version(self, request: Request) -> Response:
        """Return one version with its spec."""
        return reply(_version_view(_version(self._resources.store.reader, request)))

    async def update_version(self, request: Request) -> Response:
        """Change display name, description and tags of a version; what is left out stays."""
        body = await read_body(request)

        def change(transaction: Transaction) -> Json:
            version_id = _version(transaction.db, request)["pipeline_version_id"]
            _update(transaction.db, "pipeline_versions", "pipeline_version_id", version_id, body)
            return _version_view(_version(transaction.db, request))

        return reply(await self._resources.transaction(change))

    async def delete_version(self, request: Request) -> Response:
        """Delete one version."""

        def change(transaction: Transaction) -> None:
            row = _version(transaction.db, request)
            transaction.db.execute(
                "DELETE FROM pipeline_versions WHERE pipeline_version_id = ?",
                (row["pipeline_version_id"],),
            )

        await self._resources.transaction(change)
        return reply({})

    async def _uploaded(self, request: Request) -> tuple[bytes, _Said]:
        content, filename = await read_upload(request)
        query = request.query_params
        display_name = query.get("display_name") or query.get("name") or filename
        said = _Said(
            query.get("name") or dns_label(display_name),
            display_name,
            query.get("description", ""),
            _tags_of_query(query.get("tags", "")),
        )
        return await asyncio.to_thread(_checked, read_package(content, filename)), said

    async def _spec(self, version: Json) -> bytes:
        """Return the spec of a version, posted with it or at the URL that it names."""
        spec = take(version, "pipeline_spec", None)
        url = text_field(take(version, "package_url", {}), "pipeline_url")
        if spec is None and url:
            spec = read_package(await asyncio.to_thread(fetch_package, url), package_name(url))
        return await asyncio.to_thread(_checked, spec)

    async def _add_pipeline(self, said: _Said, version: _Said | None, spec: bytes) -> Response:
        def change(transaction: Transaction) -> Json:
            db = transaction.db
            pipeline_id = _insert(db, said)
            if version is not None:
                _insert_version(db, pipeline_id, version, spec)
            return _pipeline_view(_pipeline(db, pipeline_id))

        return reply(await self._resources.transaction(change))

    async def _add_version(self, pipeline_id: str, said: _Said, spec: bytes) -> Response:
        def change(transaction: Transaction) -> Json:
            _pipeline(transaction.db, pipeline_id)
            version_id = _insert_version(transaction.db, pipeline_id, said, spec)
            row = _row(
                transaction.db,
                "SELECT * FROM pipeline_versions WHERE pipeline_version_id = ?",
                version_id,
            )
            return _version_view(row)

        return reply(await self._resources.transaction(change))


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
        row = _row(db, "SELECT * FROM pipeline_versions WHERE pipeline_version_id = ?", version_id)
    elif pipeline_id:
        row = _row(
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


def _said(body: Json, default: str = "") -> _Said:
    """Return what a request says of a pipeline or version."""
    if not isinstance(body, dict):
        raise invalid("a pipeline and its version must be objects")
    display_name = text_field(body, "display_name")
    name = text_field(body, "name") or default or (dns_label(display_name) if display_name else "")
    if not name:
        raise invalid("The pipeline's name is empty. Please specify a valid name.")
    return _Said(
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


def _tags_of_query(text: str) -> str:
    try:
        return _tags(orjson.loads(text or "{}"))
    except orjson.JSONDecodeError as error:
        raise invalid(f"tags are not JSON: {error}") from error


def _update(db: sqlite3.Connection, table: str, key: str, value: str, body: Json) -> None:
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


def _checked(spec: Json) -> bytes:
    """Return a spec as JSON once it is known to be runnable; RestError else."""
    try:
        load_pipeline(spec)
    except PipelineSpecError as error:
        raise invalid_spec(error) from error
    return orjson.dumps(spec)


def _insert(db: sqlite3.Connection, said: _Said) -> str:
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


def _insert_version(db: sqlite3.Connection, pipeline_id: str, said: _Said, spec: bytes) -> str:
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


def _row(db: sqlite3.Connection, query: str, *values: str) -> sqlite3.Row | None:
    cursor = db.execute(query, values)
    cursor.row_factory = sqlite3.Row
    row: sqlite3.Row | None = cursor.fetchone()
    return row


def _pipeline(db: sqlite3.Connection, pipeline_id: str) -> sqlite3.Row:
    row = _row(db, "SELECT * FROM pipelines WHERE pipeline_id = ?", pipeline_id)
    if row is None:
        raise not_found("Pipeline", pipeline_id)
    return row


def _version(db: sqlite3.Connection, request: Request) -> sqlite3.Row:
    version_id = request.path_params["pipeline_version_id"]
    row = _row(
        db,
        "SELECT * FROM pipeline_versions WHERE pipeline_version_id = ? AND pipeline_id = ?",
        version_id,
        request.path_params["pipeline_id"],
    )
    if row is None:
        raise not_found("PipelineVersion", version_id)
    return row


def _pipeline_view(row: sqlite3.Row) -> Json:
    view = dict(row)
    return {**view, "tags": orjson.Fragment(view["tags"]), "namespace": ""}


def _version_view(row: sqlite3.Row | None) -> Json:
    assert row is not None
    view = dict(row)
    spec = view.pop("spec")
    return {
        **view,
        "tags": orjson.Fragment(view["tags"]),
        "pipeline_spec": orjson.Fragment(spec),
    }
