"""Pipelines and their versions: specs kept under a name, to be run later."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fairlead.names import dns_label

from ...resources import Resources, Transaction
from .answers import (
    FAILED_PRECONDITION,
    RestError,
    not_found,
    read_body,
    reply,
    take,
    text_field,
)
from .listing import Table, list_rows
from .pipeline_rows import (
    Said,
    checked_spec,
    find_row,
    insert_pipeline,
    insert_version,
    pipeline_row,
    pipeline_view,
    read_said,
    tags_of_query,
    update_row,
    version_row,
    version_view,
)
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
        return await self._add_pipeline(read_said(await read_body(request)), None, b"")

    async def create_with_version(self, request: Request) -> Response:
        """Make a pipeline and its first version."""
        body = await read_body(request)
        pipeline = read_said(take(body, "pipeline", {}))
        version = take(body, "pipeline_version", {})
        spec = await self._spec(version)
        return await self._add_pipeline(pipeline, read_said(version, pipeline.name), spec)

    async def update(self, request: Request) -> Response:
        """Change display name, description and tags of a pipeline; what is left out stays."""
        body = await read_body(request)
        pipeline_id = request.path_params["pipeline_id"]

        def change(transaction: Transaction) -> Json:
            pipeline_row(transaction.db, pipeline_id)
            update_row(transaction.db, "pipelines", "pipeline_id", pipeline_id, body)
            return pipeline_view(pipeline_row(transaction.db, pipeline_id))

        return reply(await self._resources.transaction(change))

    async def list(self, request: Request) -> Response:
        """Return a page of pipelines."""
        page = list_rows(self._resources.store.reader, _PIPELINES, request.query_params)
        return page.reply("pipelines", pipeline_view)

    async def get(self, request: Request) -> Response:
        """Return one pipeline."""
        row = pipeline_row(self._resources.store.reader, request.path_params["pipeline_id"])
        return reply(pipeline_view(row))

    async def get_by_name(self, request: Request) -> Response:
        """Return one pipeline by its name."""
        name = request.path_params["name"]
        row = find_row(self._resources.store.reader, "SELECT * FROM pipelines WHERE name = ?", name)
        if row is None:
            raise not_found("Pipeline", name)
        return reply(pipeline_view(row))

    async def delete(self, request: Request) -> Response:
        """Delete a pipeline; one that has versions only with `cascade`."""
        pipeline_id = request.path_params["pipeline_id"]
        cascade = request.query_params.get("cascade", "").lower() == "true"

        def change(transaction: Transaction) -> None:
            db = transaction.db
            pipeline_row(db, pipeline_id)
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
        return await self._add_version(request.path_params["pipeline_id"], read_said(body), spec)

    async def list_versions(self, request: Request) -> Response:
        """Return a page of a pipeline's versions."""
        db = self._resources.store.reader
        pipeline_id = request.path_params["pipeline_id"]
        pipeline_row(db, pipeline_id)
        page = list_rows(db, _VERSIONS, request.query_params, {"pipeline_id": [pipeline_id]})
        return page.reply("pipeline_versions", version_view)

    async def get_version(self, request: Request) -> Response:
        """Return one version with its spec."""
        return reply(version_view(version_row(self._resources.store.reader, request)))

    async def update_version(self, request: Request) -> Response:
        """Change display name, description and tags of a version; what is left out stays."""
        body = await read_body(request)

        def change(transaction: Transaction) -> Json:
            version_id = version_row(transaction.db, request)["pipeline_version_id"]
            update_row(transaction.db, "pipeline_versions", "pipeline_version_id", version_id, body)
            return version_view(version_row(transaction.db, request))

        return reply(await self._resources.transaction(change))

    async def delete_version(self, request: Request) -> Response:
        """Delete one version."""

        def change(transaction: Transaction) -> None:
            row = version_row(transaction.db, request)
            transaction.db.execute(
                "DELETE FROM pipeline_versions WHERE pipeline_version_id = ?",
                (row["pipeline_version_id"],),
            )

        await self._resources.transaction(change)
        return reply({})

    async def _uploaded(self, request: Request) -> tuple[bytes, Said]:
        content, filename = await read_upload(request)
        query = request.query_params
        display_name = query.get("display_name") or query.get("name") or filename
        said = Said(
            query.get("name") or dns_label(display_name),
            display_name,
            query.get("description", ""),
            tags_of_query(query.get("tags", "")),
        )
        return await asyncio.to_thread(checked_spec, read_package(content, filename)), said

    async def _spec(self, version: Json) -> bytes:
        """Return the spec of a version, posted with it or at the URL that it names."""
        spec = take(version, "pipeline_spec", None)
        url = text_field(take(version, "package_url", {}), "pipeline_url")
        if spec is None and url:
            spec = read_package(await asyncio.to_thread(fetch_package, url), package_name(url))
        return await asyncio.to_thread(checked_spec, spec)

    async def _add_pipeline(self, said: Said, version: Said | None, spec: bytes) -> Response:
        def change(transaction: Transaction) -> Json:
            db = transaction.db
            pipeline_id = insert_pipeline(db, said)
            if version is not None:
                insert_version(db, pipeline_id, version, spec)
            return pipeline_view(pipeline_row(db, pipeline_id))

        return reply(await self._resources.transaction(change))

    async def _add_version(self, pipeline_id: str, said: Said, spec: bytes) -> Response:
        def change(transaction: Transaction) -> Json:
            pipeline_row(transaction.db, pipeline_id)
            version_id = insert_version(transaction.db, pipeline_id, said, spec)
            row = find_row(
                transaction.db,
                "SELECT * FROM pipeline_versions WHERE pipeline_version_id = ?",
                version_id,
            )
            return version_view(row)

        return reply(await self._resources.transaction(change))
