"""Experiments: groups of runs; `Default` is made when first needed."""

from __future__ import annotations

import sqlite3
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...resources import Resources, Transaction
from ..clock import now
from ..recurring import Schedules
from ..recurring.rows import DISABLED, of_experiment
from .answers import ALREADY_EXISTS, RestError, invalid, not_found, read_body, reply, text_field
from .listing import Table, list_rows

Json = Any

_DEFAULT = "Default"
_TABLE = Table(
    "experiments",
    "experiment_id",
    {
        "experiment_id": "experiment_id",
        "id": "experiment_id",
        "display_name": "display_name",
        "name": "display_name",
        "description": "description",
        "created_at": "created_at",
        "last_run_created_at": "last_run_created_at",
        "storage_state": "storage_state",
    },
)


class Experiments:
    """Handlers of `/apis/v2beta1/experiments`.

    Parameters
    ----------
    resources : Resources
        Has the tables.
    schedules : Schedules
        Recurring runs, which stop with their experiment.
    """

    def __init__(self, resources: Resources, schedules: Schedules) -> None:
        self._resources = resources
        self._schedules = schedules

    def routes(self) -> list[Route]:
        """Return the routes; verbs first, since an id would match them too."""
        base = "/apis/v2beta1/experiments"
        one = base + "/{experiment_id}"
        return [
            Route(one + ":archive", self.archive, methods=["POST"]),
            Route(one + ":unarchive", self.unarchive, methods=["POST"]),
            Route(base, self.create, methods=["POST"]),
            Route(base, self.list, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """Make an experiment; 409 when the name is taken."""
        body = await read_body(request)
        name, description = text_field(body, "display_name"), text_field(body, "description")
        if not name:
            raise invalid("Experiment name is empty. Please specify a valid experiment name.")

        def change(transaction: Transaction) -> Json:
            return _view(
                find_experiment(transaction.db, _insert(transaction.db, name, description))
            )

        return reply(await self._resources.transaction(change))

    async def list(self, request: Request) -> Response:
        """Return a page of experiments."""
        await self._resources.transaction(lambda transaction: default_experiment(transaction.db))
        page = list_rows(self._resources.store.reader, _TABLE, request.query_params)
        return page.reply("experiments", _view)

    async def get(self, request: Request) -> Response:
        """Return one experiment."""
        return reply(
            _view(
                find_experiment(self._resources.store.reader, request.path_params["experiment_id"])
            )
        )

    async def archive(self, request: Request) -> Response:
        """Put an experiment and its runs away; its recurring runs are disabled, as upstream."""
        return await self._store(request, "ARCHIVED", with_runs=True)

    async def unarchive(self, request: Request) -> Response:
        """Bring an experiment back; its runs stay where they are, as upstream."""
        return await self._store(request, "AVAILABLE", with_runs=False)

    async def delete(self, request: Request) -> Response:
        """Delete an experiment; its runs stay."""
        experiment_id = request.path_params["experiment_id"]

        def change(transaction: Transaction) -> None:
            find_experiment(transaction.db, experiment_id)
            transaction.db.execute(
                "DELETE FROM experiments WHERE experiment_id = ?", (experiment_id,)
            )

        await self._resources.transaction(change)
        return reply({})

    async def _store(self, request: Request, state: str, *, with_runs: bool) -> Response:
        experiment_id = request.path_params["experiment_id"]

        def change(transaction: Transaction) -> None:
            find_experiment(transaction.db, experiment_id)
            for table in ("experiments", "runs") if with_runs else ("experiments",):
                transaction.db.execute(
                    f"UPDATE {table} SET storage_state = ? WHERE experiment_id = ?",
                    (state, experiment_id),
                )
            if with_runs:
                for schedule in of_experiment(transaction.db, experiment_id):
                    self._schedules.enable(transaction, schedule, DISABLED)

        await self._resources.transaction(change)
        return reply({})


def default_experiment(db: sqlite3.Connection) -> str:
    """Return the id of the experiment `Default`, which is made when it is not there."""
    row = db.execute(
        "SELECT experiment_id FROM experiments WHERE display_name = ?", (_DEFAULT,)
    ).fetchone()
    if row is not None:
        return str(row[0])
    return _insert(
        db, _DEFAULT, "All runs created without specifying an experiment will be grouped here."
    )


def is_archived(db: sqlite3.Connection, experiment_id: str) -> bool:
    """Return whether an experiment is put away; one that is gone is not."""
    row = db.execute(
        "SELECT storage_state FROM experiments WHERE experiment_id = ?", (experiment_id,)
    ).fetchone()
    return row is not None and row[0] == "ARCHIVED"


def touch_experiment(db: sqlite3.Connection, experiment_id: str, run_created_at: str) -> None:
    """Note that an experiment has a new run; RestError when there is no such experiment."""
    find_experiment(db, experiment_id)
    db.execute(
        "UPDATE experiments SET last_run_created_at = ? WHERE experiment_id = ?",
        (run_created_at, experiment_id),
    )


def _insert(db: sqlite3.Connection, name: str, description: str) -> str:
    experiment_id = str(uuid.uuid4())
    try:
        db.execute(
            "INSERT INTO experiments VALUES (?, ?, ?, ?, 'AVAILABLE', ?)",
            (experiment_id, name, description, now(), "1970-01-01T00:00:00Z"),
        )
    except sqlite3.IntegrityError as error:
        raise RestError(
            ALREADY_EXISTS,
            "Already exist error: Failed to create a new experiment. "
            f"The name {name} already exists. Please specify a new name.",
        ) from error
    return experiment_id


def find_experiment(db: sqlite3.Connection, experiment_id: str) -> sqlite3.Row:
    """Return the row of an experiment; RestError 404 without it."""
    cursor = db.execute("SELECT * FROM experiments WHERE experiment_id = ?", (experiment_id,))
    cursor.row_factory = sqlite3.Row
    row: sqlite3.Row | None = cursor.fetchone()
    if row is None:
        raise not_found("Experiment", experiment_id)
    return row


def _view(row: sqlite3.Row) -> Json:
    return {**dict(row), "namespace": ""}
