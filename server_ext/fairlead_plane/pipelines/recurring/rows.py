"""Schedules as they are kept: a row each, which its object follows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from typing import Any

import orjson

from fairlead.triggers import Times, Trigger, read_time, read_trigger

from ..clock import now
from ..records import ENDED

Json = Any

ENABLED, DISABLED = "ENABLED", "DISABLED"
"""Words of upstream's `RecurringRun.Status`."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One recurring run; fields as the columns of the table."""

    recurring_run_id: str
    object: str
    """Name of its ScheduledWorkflow."""
    display_name: str
    description: str
    experiment_id: str
    service_account: str
    pipeline_id: str
    pipeline_version_id: str
    spec: bytes | None
    """JSON as posted; None where a pipeline or a version is referred to."""
    runtime_config: bytes
    timing: bytes
    """JSON of its trigger, in the shape of REST."""
    max_concurrency: int
    no_catchup: int
    status: str
    created_at: str
    updated_at: str
    last_index: int = 0
    """How many runs it has started."""
    last_scheduled: int | None = None
    """The time for which it started the last one, in seconds since 1970."""
    error: bytes | None = None
    """JSON of a google.rpc.Status: why the last start failed."""

    @property
    def enabled(self) -> bool:
        """Whether it starts runs."""
        return self.status == ENABLED

    @property
    def trigger(self) -> Trigger:
        """What starts its runs."""
        return read_trigger(orjson.loads(self.timing))

    def next(self, now: int) -> int | None:
        """Return the time to start a run for next, which may be due already; None for no more."""
        times = Times(self.trigger, read_time(self.created_at))
        return times.due(self.last_scheduled, now, catchup=not self.no_catchup)

    def view(self, *, spec: bool = False) -> Json:
        """Return it in the shape of upstream's `recurring_run.proto`."""
        view: Json = {
            "recurring_run_id": self.recurring_run_id,
            "display_name": self.display_name,
            "description": self.description,
            "runtime_config": orjson.Fragment(self.runtime_config),
            "service_account": self.service_account,
            # A 64 bit number is a text in protobuf's JSON.
            "max_concurrency": str(self.max_concurrency),
            "trigger": orjson.Fragment(self.timing),
            "mode": "ENABLE" if self.enabled else "DISABLE",
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "status": self.status,
            "no_catchup": bool(self.no_catchup),
            "namespace": "",
            "experiment_id": self.experiment_id,
        }
        if self.spec is None:
            view["pipeline_version_reference"] = {
                "pipeline_id": self.pipeline_id,
                "pipeline_version_id": self.pipeline_version_id,
            }
        elif spec:
            view["pipeline_spec"] = orjson.Fragment(self.spec)
        if self.error is not None:
            view["error"] = orjson.Fragment(self.error)
        return view


_COLUMNS = tuple(field.name for field in fields(Schedule))


def from_row(row: sqlite3.Row) -> Schedule:
    """Return the schedule of a row."""
    return Schedule(*(row[name] for name in _COLUMNS))


def find(db: sqlite3.Connection, column: str, value: str) -> Schedule | None:
    """Return the schedule with this value in a unique column."""
    row = db.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM recurring_runs WHERE {column} = ?", (value,)
    ).fetchone()
    return None if row is None else Schedule(*row)


def of_experiment(db: sqlite3.Connection, experiment_id: str) -> list[Schedule]:
    """Return the schedules whose runs go to an experiment."""
    found = db.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM recurring_runs WHERE experiment_id = ?",
        (experiment_id,),
    )
    return [Schedule(*row) for row in found]


def object_names(db: sqlite3.Connection) -> list[str]:
    """Return the names of all schedules' objects."""
    return [name for (name,) in db.execute("SELECT object FROM recurring_runs")]


def save(db: sqlite3.Connection, schedule: Schedule) -> None:
    """Write a schedule, new or changed."""
    marks = ", ".join("?" * len(_COLUMNS))
    db.execute(
        f"INSERT OR REPLACE INTO recurring_runs ({', '.join(_COLUMNS)}) VALUES ({marks})",
        tuple(getattr(schedule, name) for name in _COLUMNS),
    )


def delete(db: sqlite3.Connection, schedule: Schedule) -> None:
    """Delete a schedule; its runs stay."""
    db.execute(
        "DELETE FROM recurring_runs WHERE recurring_run_id = ?", (schedule.recurring_run_id,)
    )


def count_active(db: sqlite3.Connection, schedule: Schedule) -> int:
    """Return how many of its runs have not ended."""
    marks = ", ".join("?" * len(ENDED))
    (count,) = db.execute(
        f"SELECT count(*) FROM runs WHERE recurring_run_id = ? AND state NOT IN ({marks})",
        (schedule.recurring_run_id, *ENDED),
    ).fetchone()
    return int(count)


def updated() -> str:
    """Return the time of a change that a user makes."""
    return now()
