"""Runs: start, look at, stop, try again, put away, delete."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fairlead.names import dns_label

from ...artifacts.access import ROOT_KEY
from ...artifacts.places import remote
from ...resources import Transaction
from ..clock import now
from ..controller import Controller
from ..events import Retry, Terminate
from ..launching import new_suffix
from ..leftovers import delete_run
from ..model import ROOT, Pipeline
from ..problems import PipelineSpecError
from ..records import CANCELED, FAILED, PENDING, RUNNING, Run, Task, Values
from ..remote import finder, settings
from ..spec import load_pipeline, read_arguments
from ..views import find_run, run_view
from .answers import (
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
from .experiments import default_experiment, is_archived, touch_experiment
from .listing import Table, list_rows
from .pipeline_rows import spec_of_version

Json = Any

_TABLE = Table(
    "runs",
    "run_id",
    {
        name: name
        for name in (
            "run_id", "display_name", "description", "experiment_id", "storage_state", "state",
            "created_at", "scheduled_at", "finished_at", "service_account", "pipeline_id",
            "pipeline_version_id",
        )
    }
    | {"name": "display_name", "id": "run_id"},
)  # fmt: skip


class Runs:
    """Handlers of `/apis/v2beta1/runs`.

    Parameters
    ----------
    controller : Controller
        Moves the runs.
    pipeline_root : Path
        Where artifacts go when a run does not say.
    """

    def __init__(self, controller: Controller, pipeline_root: Path) -> None:
        self._controller = controller
        self._resources = controller.resources
        self._root = pipeline_root

    def routes(self) -> list[Route]:
        """Return the routes; verbs first, since an id would match them too."""
        base = "/apis/v2beta1/runs"
        one = base + "/{run_id}"
        return [
            Route(one + ":terminate", self.terminate, methods=["POST"]),
            Route(one + ":retry", self.retry, methods=["POST"]),
            Route(one + ":archive", self.archive, methods=["POST"]),
            Route(one + ":unarchive", self.unarchive, methods=["POST"]),
            Route(base, self.create, methods=["POST"]),
            Route(base, self.list, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """Start a run; answers when it is recorded and its first pods exist.

        The answer has the tasks without inputs and outputs, like a list: `get` has them.
        """
        body = await read_body(request)
        name = text_field(body, "display_name")
        if not name:
            raise invalid("The run name is empty. Please specify a valid name.")
        reference = take(body, "pipeline_version_reference", {})
        if not isinstance(reference, dict):
            raise invalid("pipeline_version_reference must be an object")
        posted = take(body, "pipeline_spec", None)
        if posted is None:
            posted, reference = spec_of_version(
                self._resources.store.reader,
                take(reference, "pipeline_id"),
                take(reference, "pipeline_version_id") or take(body, "pipeline_version_id"),
            )
        config = take(body, "runtime_config", {})
        if not isinstance(config, dict):
            raise invalid("runtime_config must be an object")
        try:
            # Parsing a spec of 1,000 tasks takes tens of milliseconds: not in the event loop.
            pipeline = await asyncio.to_thread(load_pipeline, posted)
            arguments = read_arguments(pipeline, take(config, "parameters", None))
        except PipelineSpecError as error:
            raise invalid_spec(error) from error
        root, owned, remote_root = self._pipeline_root(take(config, "pipeline_root"), pipeline)
        experiment = text_field(body, "experiment_id")
        identity = str(uuid.uuid4()), new_suffix(), now()

        def change(transaction: Transaction) -> Json:
            db = transaction.db
            # A change may be done again, with the same run: its inputs may hold its names.
            run = _new_run(identity, name, pipeline, root, arguments, self._controller.namespace)
            run.remote_root = remote_root
            chosen = experiment or default_experiment(db)
            touch_experiment(db, chosen, run.created_at)
            _insert(db, run, owned, {
                "description": text_field(body, "description"),
                "experiment_id": chosen,
                "service_account": text_field(body, "service_account"),
                "pipeline_id": take(reference, "pipeline_id"),
                "pipeline_version_id": take(reference, "pipeline_version_id"),
                "spec": orjson.dumps(posted),
                "runtime_config": orjson.dumps(config),
                "arguments": orjson.dumps(arguments),
            })  # fmt: skip
            self._controller.begin(transaction, run)
            return _view(db, run.run_id, values=False)

        return reply(await self._controller.looks.transaction(change))

    async def list(self, request: Request) -> Response:
        """Return a page of runs, without their specs."""
        db = self._resources.store.reader
        query = request.query_params
        chosen = [query["experiment_id"]] if query.get("experiment_id") else []
        page = list_rows(db, _TABLE, query, {"experiment_id": chosen})
        return reply(
            {
                "runs": [run_view(db, row) for row in page.rows],
                "total_size": page.total_size,
                "next_page_token": page.next_page_token,
            }
        )

    async def get(self, request: Request) -> Response:
        """Return one run."""
        db = self._resources.store.reader
        return reply(_view(db, request.path_params["run_id"], values=True))

    async def terminate(self, request: Request) -> Response:
        """Stop a run; it is CANCELING until its pods have ended."""
        row = self._row(request)
        if row["state"] not in (PENDING, RUNNING):
            raise RestError(
                FAILED_PRECONDITION,
                f"Failed to terminate run {row['run_id']}: it is {row['state']}, not running.",
            )
        await self._controller.send(row["run_id"], Terminate())
        return reply({})

    async def retry(self, request: Request) -> Response:
        """Run again the tasks that failed, were stopped or did not run."""
        row = self._row(request)
        if row["state"] not in (FAILED, CANCELED):
            raise RestError(
                FAILED_PRECONDITION,
                f"Failed to retry run {row['run_id']}: it is {row['state']}, and only a failed or "
                "canceled run can be retried.",
            )
        await self._controller.send(row["run_id"], Retry())
        return reply({})

    async def archive(self, request: Request) -> Response:
        """Put a run away."""
        return await self._store(request, "ARCHIVED")

    async def unarchive(self, request: Request) -> Response:
        """Bring a run back; not out of an experiment that is put away."""
        row = self._row(request)
        if is_archived(self._resources.store.reader, row["experiment_id"]):
            raise RestError(
                FAILED_PRECONDITION,
                f"Failed to unarchive run {row['run_id']} as experiment {row['experiment_id']} "
                "must be un-archived first.",
            )
        return await self._store(request, "AVAILABLE")

    async def delete(self, request: Request) -> Response:
        """Delete a run, its pods, its Workflow and the artifacts that nobody else uses."""
        run_id = self._row(request)["run_id"]

        def change(transaction: Transaction) -> None:
            self._controller.forget(transaction, run_id)
            delete_run(transaction, run_id, self._controller.namespace)

        await self._resources.transaction(change)
        return reply({})

    def _row(self, request: Request) -> sqlite3.Row:
        run_id = request.path_params["run_id"]
        row = find_run(self._resources.store.reader, run_id)
        if row is None:
            raise not_found("Run", run_id)
        return row

    async def _store(self, request: Request, state: str) -> Response:
        run_id = self._row(request)["run_id"]

        def change(transaction: Transaction) -> None:
            transaction.db.execute(
                "UPDATE runs SET storage_state = ? WHERE run_id = ?", (state, run_id)
            )

        await self._resources.transaction(change)
        return reply({})

    def _pipeline_root(self, asked: Json, pipeline: Pipeline) -> tuple[str, bool, str]:
        """Return the folder for files, whether it is the plane's own, and the store's URI."""
        find = finder(self._resources, self._controller.namespace)
        root = str(asked or pipeline.pipeline_root or settings(find, ROOT_KEY))
        if not root:
            return str(self._root), True, ""
        if remote(root):
            if find_spec("obstore") is None:
                raise invalid(
                    f"pipeline_root '{root}' needs a package that is not installed where this "
                    'control plane runs: pip install "fairlead[remote]"'
                )
            return str(self._root), True, root
        path = root.removeprefix("file://")
        if not Path(path).is_absolute():
            raise invalid(
                f"pipeline_root '{root}': this control plane takes a folder of this machine, "
                "as /path or file:///path, and s3://bucket/prefix, gs:// and minio://"
            )
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise invalid(f"pipeline_root '{root}' cannot be used: {error}") from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise invalid(f"pipeline_root '{root}' cannot be written to")
        return path, False, ""


def _view(db: sqlite3.Connection, run_id: str, *, values: bool) -> Json:
    row = find_run(db, run_id)
    if row is None:
        raise not_found("Run", run_id)
    return run_view(db, row, spec=True, values=values)


def _new_run(
    identity: tuple[str, str, str],
    name: str,
    pipeline: Pipeline,
    root: str,
    arguments: dict[str, Json],
    namespace: str,
) -> Run:
    run_id, suffix, created = identity
    return Run(
        run_id=run_id,
        name=name,
        workflow=f"{dns_label(pipeline.name, max_length=40)}-{suffix}",
        workflow_uid="",
        namespace=namespace,
        pipeline=pipeline,
        pipeline_root=root,
        root=Task("", ROOT, "", pipeline.root, None, None, inputs=Values(arguments)),
        created_at=created,
        scheduled_at=created,
        history=[{"update_time": created, "state": PENDING}],
    )


def _insert(db: sqlite3.Connection, run: Run, owns_root: bool, given: dict[str, Json]) -> None:
    row = {
        "run_id": run.run_id,
        "workflow": run.workflow,
        "workflow_uid": "",
        "display_name": run.name,
        "storage_state": "AVAILABLE",
        "state": run.state,
        "created_at": run.created_at,
        "scheduled_at": run.scheduled_at,
        "finished_at": "",
        "pipeline_root": run.pipeline_root,
        "owns_root": int(owns_root),
        "remote_root": run.remote_root,
        "changes": 0,
        "error": None,
        "history": orjson.dumps(run.history),
        **given,
    }
    names = ", ".join(row)
    db.execute(
        f"INSERT INTO runs ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )
