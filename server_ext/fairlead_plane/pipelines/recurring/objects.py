"""The ScheduledWorkflow object of a schedule, as upstream's API server and controller write it.

Source: `backend/src/crd/pkg/apis/scheduledworkflow/v1beta1/types.go` of kubeflow/pipelines.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import orjson

from fairlead.errors import SpecError
from fairlead.triggers import CONCURRENCY, read_trigger, write_time

from ...resources import SCHEDULED_WORKFLOW
from ..records import ENDED
from ..workflows import PHASES
from .rows import DISABLED, ENABLED, Schedule, updated

Json = Any

_GROUP = "scheduledworkflows.kubeflow.org"
OWNED_LABEL = f"{_GROUP}/isOwnedByScheduledWorkflow"
"""On the Workflow of a run that a schedule started."""
NAME_LABEL = f"{_GROUP}/scheduledWorkflowName"
_HISTORY = 10
_CONDITIONS = {
    ENABLED: ("Enabled", "The schedule is enabled."),
    DISABLED: ("Disabled", "The schedule is disabled."),
}


def workflow_labels(schedule: Schedule, index: int, scheduled: int) -> dict[str, str]:
    """Return what a run's Workflow says of the schedule that started it."""
    return {
        OWNED_LABEL: "true",
        NAME_LABEL: schedule.object,
        f"{_GROUP}/workflowIndex": str(index),
        f"{_GROUP}/workflowEpoch": str(scheduled),
    }


def build_object(db: sqlite3.Connection, schedule: Schedule, namespace: str, now: int) -> Json:
    """Build the object of a schedule, with its status."""
    return {
        "apiVersion": SCHEDULED_WORKFLOW.api_version,
        "kind": SCHEDULED_WORKFLOW.kind,
        "metadata": {
            "name": schedule.object,
            "namespace": namespace,
            "labels": {
                f"{_GROUP}/enabled": str(schedule.enabled).lower(),
                f"{_GROUP}/status": "Error" if schedule.error else _CONDITIONS[schedule.status][0],
            },
            "annotations": {"pipelines.kubeflow.org/recurring_run_name": schedule.display_name},
        },
        "spec": build_spec(schedule),
        "status": _status(db, schedule, namespace, now),
    }


def build_spec(schedule: Schedule) -> Json:
    """Build what the object says is wanted."""
    parameters = orjson.loads(schedule.runtime_config).get("parameters") or {}
    given = {
        "experimentId": schedule.experiment_id,
        "pipelineId": schedule.pipeline_id,
        "pipelineVersionId": schedule.pipeline_version_id,
        "serviceAccount": schedule.service_account,
    }
    return {
        "enabled": schedule.enabled,
        "maxConcurrency": schedule.max_concurrency,
        "noCatchup": bool(schedule.no_catchup),
        "trigger": _trigger(schedule),
        "workflow": {
            "parameters": [
                {"name": name, "value": orjson.dumps(value).decode()}
                for name, value in parameters.items()
            ]
        },
        **{name: value for name, value in given.items() if value},
    }


def taken_over(schedule: Schedule, spec: Json) -> Schedule:
    """Return a schedule as the spec of its object wants it, changed by kubectl for one.

    Raises
    ------
    SpecError
        It cannot be so; names the field.
    """
    if not isinstance(spec, dict):
        raise SpecError("spec must be an object")
    trigger = read_trigger(spec.get("trigger"))
    most = spec.get("maxConcurrency", CONCURRENCY[0])
    if not isinstance(most, int) or not CONCURRENCY[0] <= most <= CONCURRENCY[1]:
        raise SpecError(f"spec.maxConcurrency: must be 1 to 10, not {most!r}")
    wanted = replace(
        schedule,
        status=ENABLED if spec.get("enabled") else DISABLED,
        max_concurrency=most,
        no_catchup=int(bool(spec.get("noCatchup"))),
        timing=orjson.dumps(trigger.view()),
    )
    return schedule if wanted == schedule else replace(wanted, updated_at=updated())


def _trigger(schedule: Schedule) -> Json:
    trigger = schedule.trigger
    times = {
        name: write_time(moment)
        for name, moment in (("startTime", trigger.start), ("endTime", trigger.end))
        if moment is not None
    }
    if trigger.cron:
        return {"cronSchedule": {**times, "cron": trigger.cron}}
    return {"periodicSchedule": {**times, "intervalSecond": trigger.interval_s}}


def _status(db: sqlite3.Connection, schedule: Schedule, namespace: str, now: int) -> Json:
    type_, message = _CONDITIONS[schedule.status]
    if schedule.error is not None:
        type_, message = "Error", orjson.loads(schedule.error)["message"]
    trigger: Json = {"lastWorkflowIndex": schedule.last_index}
    if schedule.last_scheduled is not None:
        trigger["lastTriggeredTime"] = write_time(schedule.last_scheduled)
    following = schedule.next(now) if schedule.enabled else None
    if following is not None:
        trigger["nextTriggeredTime"] = write_time(following)
    active, completed = _history(db, schedule, namespace)
    return {
        "conditions": [{"type": type_, "status": "True", "reason": type_, "message": message}],
        "trigger": trigger,
        "workflowHistory": {"active": active, "completed": completed},
    }


def _history(
    db: sqlite3.Connection, schedule: Schedule, namespace: str
) -> tuple[list[Json], list[Json]]:
    """Return its runs as their Workflows, newest first: all that run, and some that have ended."""
    active: list[Json] = []
    completed: list[Json] = []
    rows = db.execute(
        """SELECT workflow, workflow_uid, state, created_at, scheduled_at, finished_at,
           workflow_labels FROM runs WHERE recurring_run_id = ?
           ORDER BY scheduled_at DESC, created_at DESC LIMIT ?""",
        (schedule.recurring_run_id, _HISTORY + CONCURRENCY[1]),
    )
    for workflow, uid, state, created, scheduled, finished, labels in rows:
        entry = {
            "name": workflow,
            "namespace": namespace,
            "uid": uid,
            "phase": PHASES[state],
            "createdAt": f"{created[:19]}Z",
            "startedAt": f"{created[:19]}Z",
            "scheduledAt": f"{scheduled[:19]}Z",
            "index": int(orjson.loads(labels).get(f"{_GROUP}/workflowIndex", 0)),
        }
        if finished:
            entry["finishedAt"] = f"{finished[:19]}Z"
        (completed if state in ENDED else active).append(entry)
    return active, completed[:_HISTORY]
