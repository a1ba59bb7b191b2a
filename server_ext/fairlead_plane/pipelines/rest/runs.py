"""Runs: start, look at, stop, try again, put away, delete."""

from __future__ import annotations

import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...resources import Transaction
from ..controller import Controller
from ..events import Retry, Terminate
from ..leftovers import delete_run
from ..records import CANCELED, FAILED, PENDING, RUNNING
from ..views import find_run, run_view
from .answers import (
    FAILED_PRECONDITION,
    RestError,
    invalid,
    not_found,
    read_body,
    reply,
    take,
    text_field,
)
from .experiments import is_archived
from .listing import Table, list_rows
from .run_rows import Asked, Identity, RunMaker, read_source

Json = Any

_TABLE = Table(
    "runs",
    "run_id",
    {
        name: name
        for name in (
            "run_id", "display_name", "description", "experiment_id", "storage_state", "state",
            "created_at", "scheduled_at", "finished_at", "service_account", "pipeline_id",
            "pipeline_version_id", "recurring_run_id",
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
    maker : RunMaker
        Makes them.
    """

    def __init__(self, controller: Controller, maker: RunMaker) -> None:
        self._controller = controller
        self._maker = maker
        self._resources = controller.resources

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
        posted, reference = read_source(self._resources.store.reader, body)
        config = take(body, "runtime_config", {})
        checked = await self._maker.check(posted, config)
        arguments = checked.arguments(config)
        asked = Asked(
            name,
            posted,
            config,
            description=text_field(body, "description"),
            experiment_id=text_field(body, "experiment_id"),
            service_account=text_field(body, "service_account"),
            pipeline_id=reference["pipeline_id"],
            pipeline_version_id=reference["pipeline_version_id"],
        )
        identity = Identity.new()

        def change(transaction: Transaction) -> Json:
            self._maker.make(transaction, identity, asked, checked, arguments)
            return _view(transaction.db, identity.run_id, values=False)

        return reply(await self._controller.looks.transaction(change))

    async def list(self, request: Request) -> Response:
        """Return a page of runs, without their specs."""
        db = self._resources.store.reader
        query = request.query_params
        chosen = [query["experiment_id"]] if query.get("experiment_id") else []
        page = list_rows(db, _TABLE, query, {"experiment_id": chosen})
        return page.reply("runs", lambda row: run_view(db, row))

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


def _view(db: sqlite3.Connection, run_id: str, *, values: bool) -> Json:
    row = find_run(db, run_id)
    if row is None:
        raise not_found("Run", run_id)
    return run_view(db, row, spec=True, values=values)
