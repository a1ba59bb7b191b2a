"""What the handlers ask of recurring runs. Blocking; handlers call it in threads."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fairlead.pipelines.client import PipelinesClient
from fairlead.pipelines.graph import run_summary
from fairlead.pipelines.recurring import Timing, describe, upcoming, upcoming_of, zone_name
from fairlead.recurring.runs import Template, of_file, of_run
from fairlead.sources import compile_document, read_source
from fairlead.triggers import read_trigger, write_time
from fairlead_server.forms import parameters_of, request_yaml, schedule_python

Json = dict[str, Any]

_SHOWN = 5
"""Times to come that a form and a row tell."""
_READERS = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the pipeline comes from: a run, or a notebook's file with its present content."""

    run_id: str = ""
    path: Path | None = None
    shown_path: str = ""
    """The path as the reader knows it."""
    notebook: Json | None = None
    interpreter: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a recurring run shall be."""

    timing: Timing
    name: str = ""
    experiment_id: str = ""
    parameters: Json | None = None
    enabled: bool = True
    given: Json = field(default_factory=dict)
    """What of it was said, by the names of `fairlead.schedule`."""


class RecurringService:
    """Recurring runs as the panels see them.

    Parameters
    ----------
    pipelines : PipelinesClient
        Where they are.
    """

    def __init__(self, pipelines: PipelinesClient) -> None:
        self._pipelines = pipelines

    def list(self) -> list[Json]:
        """Return all of them, newest first."""
        # Each is asked for its last run.
        with ThreadPoolExecutor(_READERS) as readers:
            return list(readers.map(self._view, self._pipelines.recurring.list()))

    def draft(self, origin: Origin) -> Json:
        """Return what a form needs to make one."""
        template = self._template(origin)
        return {
            "name": template.name,
            "experiment_id": template.experiment_id,
            "pipeline": template.spec.get("pipelineInfo", {}).get("name") or "",
            "parameters": parameters_of(template.spec, template.given),
            "warnings": template.warnings,
        }

    def preview(self, origin: Origin, wish: Wish) -> Json:
        """Return the request as YAML and as Python, and the times that it means."""
        request = self._request(self._template(origin), wish)
        trigger = wish.timing.trigger()
        now = time.time()
        moments = upcoming_of(trigger, int(now), now, _SHOWN)
        source = origin.shown_path or origin.run_id
        return {
            "yaml": request_yaml(request),
            "python": schedule_python(source, bool(origin.run_id), wish.given),
            "when": describe(trigger),
            "time_zone": zone_name(trigger),
            "next": [write_time(one) for one in moments],
        }

    def create(self, origin: Origin, wish: Wish) -> Json:
        """Make one."""
        template = self._template(origin)
        if template.experiment and not wish.experiment_id:
            found = self._pipelines.experiment_id(template.experiment)
            template = replace(template, experiment_id=found)
        request = self._request(template, wish)
        return self._view(self._pipelines.create_recurring(request))

    def enable(self, recurring_run_id: str, enabled: bool) -> Json:
        """Let one start runs, or no longer."""
        self._pipelines.recurring.enable(recurring_run_id, enabled=enabled)
        return self._view(self._pipelines.recurring.get(recurring_run_id))

    def delete(self, recurring_run_id: str) -> None:
        """Delete one; its runs stay."""
        self._pipelines.recurring.delete(recurring_run_id)

    def _template(self, origin: Origin) -> Template:
        if origin.run_id:
            return of_run(self._pipelines.get(origin.run_id))
        assert origin.path is not None
        if origin.notebook:
            found = compile_document(origin.notebook, origin.path, origin.interpreter)
        else:
            found = read_source(origin.path, origin.interpreter)
        return of_file(found, origin.path, origin.interpreter or sys.executable)

    def _request(self, template: Template, wish: Wish) -> Json:
        return template.request(
            wish.timing,
            name=wish.name or template.name,
            parameters=wish.parameters,
            enabled=wish.enabled,
            experiment_id=wish.experiment_id or template.experiment_id,
        )

    def _view(self, record: Json) -> Json:
        trigger = read_trigger(record.get("trigger"))
        last = self._pipelines.recurring.last_run(record["recurring_run_id"])
        return {
            "id": record["recurring_run_id"],
            "name": record.get("display_name") or record["recurring_run_id"],
            "enabled": record.get("status") != "DISABLED",
            "when": describe(trigger),
            "time_zone": zone_name(trigger),
            "next": [write_time(one) for one in upcoming(record, time.time(), _SHOWN)],
            "last_run": None if last is None else run_summary(last),
            "max_concurrency": int(record.get("max_concurrency") or 1),
            "catchup": not record.get("no_catchup"),
            "error": (record.get("error") or {}).get("message") or None,
            "experiment_id": record.get("experiment_id") or "",
            "created_at": record.get("created_at"),
        }
