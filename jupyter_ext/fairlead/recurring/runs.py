"""Make recurring runs, find them, pause and delete them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.client import Run, SourcePath, connect
from fairlead.documents import run_document
from fairlead.errors import ConflictError, NotFoundError
from fairlead.pipelines.bindings import bind_parameters
from fairlead.pipelines.client import PipelinesClient
from fairlead.pipelines.graph import pipeline_spec_of
from fairlead.pipelines.recurring import (
    Timing,
    describe,
    local_time,
    recurring_request,
    upcoming,
    zone_name,
)
from fairlead.pipelines.rerun import pipeline_source
from fairlead.sources import Source, read_source
from fairlead.triggers import read_trigger

_SHOWN = 3
_ID = 36


class RecurringRun:
    """A handle on one recurring run. It holds no state but the record it last read.

    Parameters
    ----------
    pipelines : PipelinesClient
        Where it lives.
    record : dict
        As KFP's REST gives it.

    Attributes
    ----------
    warnings : list of str
        As of `fairlead.client.Run`.
    """

    def __init__(self, pipelines: PipelinesClient, record: dict[str, Any]) -> None:
        self.pipelines = pipelines
        self.record = record
        self.warnings: list[str] = []

    @property
    def recurring_run_id(self) -> str:
        """Identifier, a UUID."""
        return str(self.record["recurring_run_id"])

    @property
    def name(self) -> str:
        """Display name."""
        return str(self.record.get("display_name") or self.recurring_run_id)

    @property
    def enabled(self) -> bool:
        """Whether it starts runs."""
        return self.record.get("status") != "DISABLED"

    @property
    def when(self) -> str:
        """When it starts runs, in words."""
        return describe(read_trigger(self.record.get("trigger")))

    @property
    def problem(self) -> str:
        """Why the last run could not be started; empty where nothing is wrong."""
        return str((self.record.get("error") or {}).get("message") or "")

    def next_times(self, count: int = _SHOWN) -> list[str]:
        """Return when its next runs are due, on a clock of its time zone."""
        zone = zone_name(read_trigger(self.record.get("trigger")))
        return [local_time(one, zone) for one in upcoming(self.record, time.time(), count)]

    def last_run(self) -> Run | None:
        """Return the run that it started last."""
        found = self.pipelines.recurring.last_run(self.recurring_run_id)
        return None if found is None else Run(self.pipelines, found)

    def refresh(self) -> RecurringRun:
        """Read it again; returns itself."""
        self.record = self.pipelines.recurring.get(self.recurring_run_id)
        return self

    def enable(self) -> RecurringRun:
        """Let it start runs; what was missed meanwhile is made up for, where it catches up."""
        self.pipelines.recurring.enable(self.recurring_run_id)
        return self.refresh()

    def disable(self) -> RecurringRun:
        """Let it start no more runs; those that go on are left alone."""
        self.pipelines.recurring.enable(self.recurring_run_id, enabled=False)
        return self.refresh()

    def delete(self) -> None:
        """Delete it; its runs stay."""
        self.pipelines.recurring.delete(self.recurring_run_id)

    def __repr__(self) -> str:
        following = self.next_times(1) if self.enabled else []
        state = f"next {following[0]}" if following else ("ended" if self.enabled else "disabled")
        return f"<RecurringRun {self.name} ({self.recurring_run_id}): {self.when}, {state}>"


def schedule(
    source: SourcePath | Run,
    parameters: Mapping[str, Any] | None = None,
    *,
    cron: str = "",
    every: str = "",
    time_zone: str = "",
    start: str = "",
    end: str = "",
    max_concurrency: int = 1,
    catchup: bool = True,
    enabled: bool = True,
    name: str | None = None,
    experiment: str | None = None,
    pipeline_root: str | None = None,
    context: str | None = None,
) -> RecurringRun:
    """Run a notebook, a pipeline, or what a run was of, again and again.

    The pipeline is kept as it is now: after a change of the notebook, schedule it again.

    Parameters
    ----------
    source : path or Run
        A path as of `fairlead.submit`; or a run, with its pipeline and its parameters.
    parameters : mapping, optional
        Values of the pipeline's parameters. In texts `[[ScheduledTime]]`, `[[CurrentTime]]`,
        `[[Index]]` and `[[RunUUID]]` are replaced for each run.
    cron : str
        `"0 7 * * *"`: each day at 7. With six fields the first is the second.
    every : str
        An interval instead: `"10m"`, `"1h30m"`, or a number of seconds.
    time_zone : str
        Of `cron`, as `"Europe/Berlin"`. Default: UTC.
    start, end : str
        Nothing is started before or after; an interval counts from its start.
    max_concurrency : int
        How many of its runs may be there at one time, 1 to 10.
    catchup : bool
        Times that were missed, while this machine slept for one, are made up for, one after the
        other. False: only the latest of them.
    enabled : bool
        Whether it begins at once.
    name, experiment, pipeline_root, context
        As of `fairlead.submit`.

    Raises
    ------
    SpecError
        Something of it is refused; nothing has been made.
    """
    timing = Timing(cron, every, time_zone, start, end, max_concurrency, catchup)
    timing.trigger()
    if isinstance(source, Run):
        pipelines = source.pipelines
        found = of_run(source.record)
    else:
        path = Path(source)
        found = of_file(read_source(path), path, sys.executable)
        pipelines = connect(context)
    experiment = experiment or found.experiment
    request = found.request(
        timing,
        name=name or found.name,
        parameters=parameters,
        enabled=enabled,
        experiment_id=pipelines.experiment_id(experiment) if experiment else found.experiment_id,
        pipeline_root=pipeline_root or "",
    )
    made = RecurringRun(pipelines, pipelines.create_recurring(request))
    made.warnings = found.warnings
    return made


@dataclass(frozen=True, slots=True)
class Template:
    """What the runs of a schedule are made of.

    Attributes
    ----------
    source : dict
        `pipeline_spec` or `pipeline_version_reference` of the request.
    spec : dict
        The pipeline spec, for its parameters.
    given : dict
        Values that hold where none are given.
    warnings : list of str
        As of `fairlead.sources.Source`.
    """

    name: str
    source: dict[str, Any]
    spec: dict[str, Any]
    given: dict[str, Any]
    experiment: str = ""
    experiment_id: str = ""
    warnings: list[str] = field(default_factory=list)

    def request(
        self, timing: Timing, *, name: str, parameters: Mapping[str, Any] | None, **more: Any
    ) -> dict[str, Any]:
        """Return the request of a recurring run; `more` as of `recurring_request`."""
        values = self.given if parameters is None else bind_parameters(self.spec, parameters)
        return recurring_request(name, self.source, values, timing, **more)


def of_file(found: Source, path: Path, interpreter: str) -> Template:
    """Return what the runs of a file are made of.

    Parameters
    ----------
    interpreter : str
        Path of the Python that runs the steps on this machine.
    """
    document = run_document(found.spec, found.platform, interpreter, path.absolute().parent)
    return Template(
        path.stem,
        {"pipeline_spec": document},
        found.spec,
        {},
        found.experiment,
        warnings=found.warnings,
    )


def of_run(record: dict[str, Any]) -> Template:
    """Return what runs like another one are made of."""
    return Template(
        str(record.get("display_name") or record["run_id"]),
        pipeline_source(record),
        pipeline_spec_of(record),
        dict((record.get("runtime_config") or {}).get("parameters") or {}),
        experiment_id=str(record.get("experiment_id") or ""),
    )


def recurring_runs(*, context: str | None = None) -> list[RecurringRun]:
    """Return all recurring runs, newest first."""
    pipelines = connect(context)
    return [RecurringRun(pipelines, record) for record in pipelines.recurring.list()]


def get_recurring_run(recurring_run_id: str, *, context: str | None = None) -> RecurringRun:
    """Return a recurring run by its id, the unambiguous beginning of it, or its name.

    Raises
    ------
    NotFoundError
        There is none.
    ConflictError
        There are several.
    """
    pipelines = connect(context)
    if len(recurring_run_id) >= _ID:
        return RecurringRun(pipelines, pipelines.recurring.get(recurring_run_id))
    found = [
        one
        for one in pipelines.recurring.list()
        if recurring_run_id == one.get("display_name")
        or one["recurring_run_id"].startswith(recurring_run_id)
    ]
    if len(found) > 1:
        raise ConflictError(
            f"{len(found)} recurring runs are named '{recurring_run_id}' or begin so.",
            hint="Give more of the id.",
        )
    if not found:
        raise NotFoundError(
            f"There is no recurring run '{recurring_run_id}'.",
            hint="`fairlead schedules` lists them.",
        )
    return RecurringRun(pipelines, pipelines.recurring.get(found[0]["recurring_run_id"]))
