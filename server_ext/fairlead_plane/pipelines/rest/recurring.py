"""Recurring runs: make, look at, enable, disable, delete."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fairlead.errors import SpecError
from fairlead.names import dns_label
from fairlead.triggers import CONCURRENCY, read_trigger

from ...resources import Resources, Transaction
from ...store import Store
from ..clock import now, rfc3339
from ..launching import new_suffix
from ..recurring import Schedules, rows
from ..recurring.keeper import Start
from ..recurring.objects import workflow_labels
from ..recurring.placeholders import Occasion
from ..recurring.rows import DISABLED, ENABLED, Schedule
from .answers import invalid, not_found, read_body, reply, take, text_field
from .experiments import default_experiment, find_experiment
from .listing import Table, list_rows
from .pipeline_rows import spec_of_version
from .run_rows import Asked, Checked, Identity, RunMaker, read_source

Json = Any

_MODES = {"ENABLE": ENABLED, "DISABLE": DISABLED, "MODE_UNSPECIFIED": DISABLED, "": DISABLED}
_MODE_NUMBERS = ("MODE_UNSPECIFIED", "ENABLE", "DISABLE")
_TABLE = Table(
    "recurring_runs",
    "recurring_run_id",
    {
        name: name
        for name in (
            "recurring_run_id", "display_name", "description", "experiment_id", "created_at",
            "updated_at", "max_concurrency", "no_catchup", "status", "service_account",
            "pipeline_id", "pipeline_version_id",
        )
    }
    | {"name": "display_name", "id": "recurring_run_id"},
)  # fmt: skip


class RecurringRuns:
    """Handlers of `/apis/v2beta1/recurringruns`.

    Parameters
    ----------
    resources : Resources
        Has the tables.
    maker : RunMaker
        Checks what the runs will be made of.
    schedules : Schedules
        Starts them.
    """

    def __init__(self, resources: Resources, maker: RunMaker, schedules: Schedules) -> None:
        self._resources = resources
        self._maker = maker
        self._schedules = schedules

    def routes(self) -> list[Route]:
        """Return the routes; verbs first, since an id would match them too."""
        base = "/apis/v2beta1/recurringruns"
        one = base + "/{recurring_run_id}"
        return [
            Route(one + ":enable", self.enable, methods=["POST"]),
            Route(one + ":disable", self.disable, methods=["POST"]),
            Route(base, self.create, methods=["POST"]),
            Route(base, self.list, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """Make a schedule; all that its runs will be made of is checked now."""
        body = await read_body(request)
        name = text_field(body, "display_name")
        if not name:
            raise invalid("The recurring run name is empty. Please specify a valid name.")
        schedule = replace(
            _read(body, name),
            experiment_id=text_field(body, "experiment_id"),
            **await self._read_source(body),
        )

        def change(transaction: Transaction) -> Json:
            experiment = schedule.experiment_id or default_experiment(transaction.db)
            find_experiment(transaction.db, experiment)
            made = replace(schedule, experiment_id=experiment)
            return self._schedules.create(transaction, made).view(spec=True)

        return reply(await self._resources.transaction(change))

    async def list(self, request: Request) -> Response:
        """Return a page of recurring runs, without their specs."""
        query = request.query_params
        chosen = [query["experiment_id"]] if query.get("experiment_id") else []
        page = list_rows(self._resources.store.reader, _TABLE, query, {"experiment_id": chosen})
        return page.reply("recurringRuns", lambda row: rows.from_row(row).view())

    async def get(self, request: Request) -> Response:
        """Return one recurring run."""
        recurring_run_id = request.path_params["recurring_run_id"]
        return reply(_find(self._resources.store.reader, recurring_run_id).view(spec=True))

    async def enable(self, request: Request) -> Response:
        """Let it start runs; what was missed meanwhile is made up for, where it catches up."""
        return await self._change(
            request, lambda transaction, found: self._schedules.enable(transaction, found, ENABLED)
        )

    async def disable(self, request: Request) -> Response:
        """Let it start no more runs; those that run go on, as upstream."""
        return await self._change(
            request, lambda transaction, found: self._schedules.enable(transaction, found, DISABLED)
        )

    async def delete(self, request: Request) -> Response:
        """Delete it; its runs stay."""
        return await self._change(request, self._schedules.delete)

    async def _change(self, request: Request, act: Any) -> Response:
        recurring_run_id = request.path_params["recurring_run_id"]

        def change(transaction: Transaction) -> None:
            act(transaction, _find(transaction.db, recurring_run_id))

        await self._resources.transaction(change)
        return reply({})

    async def _read_source(self, body: dict[str, Json]) -> dict[str, Json]:
        """Return what the runs will be made of, as columns; RestError where they could not run."""
        posted, reference = read_source(self._resources.store.reader, body)
        config = take(body, "runtime_config", {})
        checked = await self._maker.check(posted, config)
        moment = int(time.time())
        checked.arguments(_filled(config, Occasion("0" * 36, moment, moment, 1)))
        own = take(body, "pipeline_spec", None) is not None
        if not own and not _version_of(body):
            # The pipeline alone is referred to: each run takes its newest version.
            reference = {**reference, "pipeline_version_id": ""}
        return {
            "spec": orjson.dumps(posted) if own else None,
            "runtime_config": orjson.dumps(config),
            **reference,
        }


class ScheduledRuns:
    """Makes the runs of schedules: a `Starter`.

    Parameters
    ----------
    maker : RunMaker
        Makes all runs.
    store : Store
        Where pipeline versions are.
    """

    def __init__(self, maker: RunMaker, store: Store) -> None:
        self._maker = maker
        self._store = store

    def new_run_id(self) -> str:
        """Return the id of a run."""
        return Identity.new().run_id

    async def ready(self, schedule: Schedule) -> Start:
        """Return a run to be started.

        Raises
        ------
        RestError
            The pipeline is gone, or cannot run any more.
        """
        if schedule.spec is not None:
            posted = orjson.loads(schedule.spec)
            reference = {
                "pipeline_id": schedule.pipeline_id,
                "pipeline_version_id": schedule.pipeline_version_id,
            }
        else:
            posted, reference = spec_of_version(
                self._store.reader, schedule.pipeline_id, schedule.pipeline_version_id
            )
        config = orjson.loads(schedule.runtime_config)
        checked = await self._maker.check(posted, config)
        return _Start(self._maker, checked, posted, config, reference)


@dataclass(frozen=True, slots=True)
class _Start:
    """One run that can be started."""

    maker: RunMaker
    checked: Checked
    posted: Json
    config: Json
    reference: dict[str, str]

    def make(self, transaction: Transaction, schedule: Schedule, occasion: Occasion) -> None:
        """Start it; for use inside a transaction, which may be done again."""
        config = _filled(self.config, occasion)
        asked = Asked(
            f"{schedule.display_name} #{occasion.index}",
            self.posted,
            config,
            description=schedule.description,
            experiment_id=schedule.experiment_id,
            service_account=schedule.service_account,
            recurring_run_id=schedule.recurring_run_id,
            scheduled_at=rfc3339(datetime.fromtimestamp(occasion.scheduled, timezone.utc)),
            labels=workflow_labels(schedule, occasion.index, occasion.scheduled),
            pipeline_id=self.reference["pipeline_id"],
            pipeline_version_id=self.reference["pipeline_version_id"],
        )
        identity = Identity(occasion.run_id, new_suffix(), now())
        arguments = self.checked.arguments(config)
        self.maker.make(transaction, identity, asked, self.checked, arguments)


def _find(db: sqlite3.Connection, recurring_run_id: str) -> Schedule:
    """Return a recurring run; RestError 404 without it."""
    found = rows.find(db, "recurring_run_id", recurring_run_id)
    if found is None:
        raise not_found("RecurringRun", recurring_run_id)
    return found


def _filled(config: Json, occasion: Occasion) -> dict[str, Json]:
    return {**config, "parameters": occasion.fill(take(config, "parameters", {}))}


def _version_of(body: dict[str, Json]) -> str:
    reference = take(body, "pipeline_version_reference", {})
    found: str = take(reference, "pipeline_version_id") or take(body, "pipeline_version_id")
    return found


def _read(body: dict[str, Json], name: str) -> Schedule:
    """Read what a request says of a schedule itself."""
    try:
        trigger = read_trigger(take(body, "trigger", None))
    except SpecError as error:
        raise invalid(error.what) from error
    mode = take(body, "mode")
    if isinstance(mode, int) and 0 <= mode < len(_MODE_NUMBERS):
        mode = _MODE_NUMBERS[mode]
    if mode not in _MODES:
        raise invalid(f"Recurring run's mode is invalid: {mode}")
    moment = now()
    return Schedule(
        recurring_run_id="",
        object=f"{dns_label(name, max_length=40)}-{new_suffix()}",
        display_name=name,
        description=text_field(body, "description"),
        experiment_id="",
        service_account=text_field(body, "service_account"),
        pipeline_id="",
        pipeline_version_id="",
        spec=None,
        runtime_config=b"{}",
        timing=orjson.dumps(trigger.view()),
        max_concurrency=_concurrency(take(body, "max_concurrency", 0)),
        no_catchup=int(take(body, "no_catchup", False) is True),
        status=_MODES[mode],
        created_at=moment,
        updated_at=moment,
    )


def _concurrency(value: Json) -> int:
    try:
        found = int(value)
    except (TypeError, ValueError):
        found = 0
    if not CONCURRENCY[0] <= found <= CONCURRENCY[1]:
        raise invalid(
            "Max concurrency of a recurring run must be at least 1 and at most 10. "
            f"Received {value}"
        )
    return found
