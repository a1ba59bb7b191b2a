"""Artifacts, who made and read them, and their bytes."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ...artifacts.access import AccessError
from ...artifacts.objects import Store, StoreError
from ...artifacts.places import Place, remote
from ...resources import Resources
from ..placeholders import local_path
from ..pods import run_folder, segment
from ..remote import finder, store_of
from ..views import find_run
from .answers import FAILED_PRECONDITION, RestError, invalid, not_found
from .listing import Table, list_rows

Json = Any

_CHUNK = 3 << 18
"""Bytes read at once; a multiple of 3, so that the base64 of the parts is that of the whole."""

_ARTIFACTS = Table(
    "artifacts",
    "artifact_id",
    {name: name for name in ("artifact_id", "name", "type", "uri", "created_at")}
    | {"id": "artifact_id"},
)
_LINKS = Table(
    "artifact_tasks",
    "id",
    {name: name for name in ("id", "artifact_id", "run_id", "task_id", "type", "key")},
    order="id",
)


class Artifacts:
    """Handlers of `/apis/v2beta1/artifacts`, `/artifact_tasks` and of artifact bytes."""

    def __init__(self, resources: Resources, namespace: str) -> None:
        self._db = resources.store.reader
        self._find = finder(resources, namespace)

    def routes(self) -> list[Route]:
        """Return the routes."""
        base = "/apis/v2beta1/"
        read = base + "runs/{run_id}/nodes/{node_id}/artifacts/{artifact_name}:read"
        return [
            Route(read, self.read, methods=["GET"]),
            Route(base + "artifacts", self.list, methods=["GET"]),
            Route(base + "artifacts/{artifact_id}", self.get, methods=["GET"]),
            Route(base + "artifact_tasks", self.list_links, methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """Return a page of artifacts."""
        page = list_rows(self._db, _ARTIFACTS, request.query_params)
        return page.reply("artifacts", lambda row: orjson.Fragment(row["view"]))

    async def get(self, request: Request) -> Response:
        """Return one artifact."""
        artifact_id = request.path_params["artifact_id"]
        row = self._db.execute(
            "SELECT view FROM artifacts WHERE artifact_id = ?", (artifact_id,)
        ).fetchone()
        if row is None:
            raise not_found("Artifact", artifact_id)
        return Response(row[0], media_type="application/json")

    async def list_links(self, request: Request) -> Response:
        """Return a page of who made and who read which artifact."""
        query = request.query_params
        where = {
            "run_id": query.getlist("run_ids"),
            "task_id": query.getlist("task_ids"),
            "artifact_id": query.getlist("artifact_ids"),
            "type": query.getlist("type"),
        }
        page = list_rows(self._db, _LINKS, query, where)
        return page.reply("artifact_tasks", link_view)

    async def read(self, request: Request) -> Response:
        """Return the bytes of an artifact that a task writes or wrote, as base64.

        Notes
        -----
        The node is a task's id or name, or the name of its pod. Works while the task runs, as
        soon as the file is there. A folder comes as a `.tar.gz` of what is in it. Of an output
        that is a list, `?artifact_id=` says which; else it is the first.
        """
        run_id, node, name = (
            request.path_params[key] for key in ("run_id", "node_id", "artifact_name")
        )
        uri = self._uri(run_id, node, name, request.query_params.get("artifact_id", ""))
        try:
            file = await asyncio.to_thread(self._opening(uri))
        except (AccessError, StoreError) as error:
            raise RestError(
                FAILED_PRECONDITION, f"artifact '{name}' cannot be read: {error}"
            ) from error
        except FileNotFoundError as error:
            raise not_found("Artifact", f"{name} of {node}: it has no file; it") from error
        except OSError as error:
            raise invalid(f"artifact '{name}' cannot be read at {uri}: {error.strerror}") from error
        return StreamingResponse(
            _encoded(file),
            media_type="application/json",
            headers={"Cache-Control": "no-cache, private"},
        )

    def _opening(self, uri: str) -> Callable[[], IO[bytes]]:
        """Return what opens the content of an artifact, in any thread."""
        place = remote(uri)
        if place is None:
            return lambda: _open(Path(local_path(uri)))
        opening = store_of(place, self._find)
        return lambda: _open_object(opening(), place)

    def _uri(self, run_id: str, node: str, name: str, artifact_id: str) -> str:
        run = find_run(self._db, run_id)
        if run is None:
            raise not_found("Run", run_id)
        task = self._db.execute(
            """SELECT task_id, path, attempt FROM tasks WHERE run_id = ?1 AND
               (task_id = ?2 OR path = ?2 OR name = ?2 OR pod = ?2) ORDER BY position LIMIT 1""",
            (run_id, node),
        ).fetchone()
        if task is None:
            raise not_found("Node", f"{node} of run {run_id}")
        task_id, path, attempt = task
        made = self._db.execute(
            """SELECT uri FROM artifacts JOIN artifact_tasks USING (artifact_id)
               WHERE task_id = ?1 AND artifact_tasks.type = 'OUTPUT' AND key = ?2
               AND ?3 IN ('', artifact_id) ORDER BY id LIMIT 1""",
            (task_id, name, artifact_id),
        ).fetchone()
        if made is not None:
            return str(made[0])
        # The task still runs: the file is where the task was told to write it.
        folder = run_folder(run["pipeline_root"], run["workflow"]) / segment(path) / str(attempt)
        return str(folder / segment(name))


def _open(path: Path) -> IO[bytes]:
    """Open a file; of a folder, an archive of it, packed on the disk since it may be large."""
    if not path.is_dir():
        if not path.is_file() and path.exists():
            raise FileNotFoundError(path)  # a pipe, say: nothing that could be read to an end
        return path.open("rb")
    packed = tempfile.TemporaryFile()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for entry in sorted(path.iterdir()):
            archive.add(entry, entry.name, filter=_plain)
    packed.seek(0)
    return packed


def _open_object(store: Store, place: Place) -> IO[bytes]:
    """Open an object; of a prefix, an archive of what is below it."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "content")
        if not store.fetch(place, str(target)):
            raise FileNotFoundError(place.object)
        # The open file stays when its name goes.
        return _open(target)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return member if member.isfile() or member.isdir() else None


def _encoded(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield b'{"data":"'
        while chunk := file.read(_CHUNK):
            yield base64.b64encode(chunk)
        yield b'"}'


def link_view(row: sqlite3.Row) -> Json:
    """Return a link between artifact and task as REST shows it."""
    view: Json = {
        "id": str(row["id"]),
        "artifact_id": row["artifact_id"],
        "run_id": row["run_id"],
        "task_id": row["task_id"],
        "type": row["type"],
        "key": row["key"],
    }
    if row["producer"]:
        view["producer"] = {"task_name": row["producer"]}
    return view
