"""Columns of pods and of what makes pods."""

from __future__ import annotations

import time
from typing import Any

from ...resources import Json, parse_timestamp
from .ages import show_age, show_duration
from .columns import AGE, NAME, Column, column
from .core import show_labels


def _status(obj: Json) -> Json:
    found: Json = obj.get("status") or {}
    return found


def _spec(obj: Json) -> Json:
    found: Json = obj.get("spec") or {}
    return found


def _trigger(obj: Json) -> Json:
    found: Json = _status(obj).get("trigger") or {}
    return found


# Pods: as `printPod` of pkg/printers/internalversion/printers.go.


def _containers(pod: Json) -> tuple[list[Json], list[Json]]:
    """Return the statuses of the containers that count: main ones, with sidecars before them."""
    main = list(_status(pod).get("containerStatuses") or ())
    sidecars = {
        each["name"]
        for each in _spec(pod).get("initContainers") or ()
        if each.get("restartPolicy") == "Always"
    }
    init = _status(pod).get("initContainerStatuses") or ()
    return main, [each for each in init if each["name"] in sidecars]


def _pod_ready(pod: Json) -> str:
    main, sidecars = _containers(pod)
    total = len(_spec(pod).get("containers") or ()) + sum(
        1
        for each in _spec(pod).get("initContainers") or ()
        if each.get("restartPolicy") == "Always"
    )
    ready = sum(
        1
        for each in (*main, *sidecars)
        if each.get("ready") and "running" in (each.get("state") or {})
    )
    return f"{ready}/{total}"


def _pod_status(pod: Json) -> str:
    status = _status(pod)
    reason: str = status.get("reason") or status.get("phase") or ""
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    starting = _init_status(pod)
    if starting:
        reason = starting
    else:
        reason = _main_status(pod, reason)
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return reason


def _init_status(pod: Json) -> str:
    """Return what the init containers wait for; empty when they are done."""
    init = _spec(pod).get("initContainers") or ()
    sidecars = {each["name"] for each in init if each.get("restartPolicy") == "Always"}
    for position, each in enumerate(_status(pod).get("initContainerStatuses") or ()):
        state = each.get("state") or {}
        ended, waits = state.get("terminated"), state.get("waiting")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if each["name"] in sidecars and each.get("started"):
            continue
        if ended is not None:
            return f"Init:{_end(ended)}"
        if waits is not None and waits.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waits['reason']}"
        return f"Init:{position}/{len(init)}"
    return ""


def _main_status(pod: Json, reason: str) -> str:
    running = False
    for each in reversed(_status(pod).get("containerStatuses") or ()):
        state = each.get("state") or {}
        ended, waits = state.get("terminated"), state.get("waiting")
        if waits is not None and waits.get("reason"):
            reason = waits["reason"]
        elif ended is not None:
            reason = _end(ended)
        elif each.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        conditions = _status(pod).get("conditions") or ()
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        return "Running" if ready else "NotReady"
    return reason


def _end(ended: Json) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode')}"


def _pod_restarts(pod: Json) -> str:
    main, sidecars = _containers(pod)
    init = _status(pod).get("initContainerStatuses") or ()
    counted = (*main, *sidecars) if main and not _init_status(pod) else (*init,)
    count = sum(each.get("restartCount", 0) for each in counted)
    times = [
        end["finishedAt"]
        for each in counted
        if (end := (each.get("lastState") or {}).get("terminated")) and end.get("finishedAt")
    ]
    return f"{count} ({show_age(max(times))} ago)" if count and times else str(count)


def _gates(pod: Json) -> str:
    wanted = [each["conditionType"] for each in _spec(pod).get("readinessGates") or ()]
    if not wanted:
        return "<none>"
    met = {
        each["type"] for each in _status(pod).get("conditions") or () if each["status"] == "True"
    }
    return f"{sum(1 for each in wanted if each in met)}/{len(wanted)}"


_POD = [
    NAME,
    column("Ready", _pod_ready),
    column("Status", _pod_status),
    column("Restarts", _pod_restarts),
    AGE,
    column("IP", lambda obj: _status(obj).get("podIP") or "<none>", wide=True),
    column("Node", lambda obj: _spec(obj).get("nodeName") or "<none>", wide=True),
    column(
        "Nominated Node", lambda obj: _status(obj).get("nominatedNodeName") or "<none>", wide=True
    ),
    column("Readiness Gates", _gates, wide=True),
]


# What makes pods


def _template(obj: Json) -> list[Json]:
    spec = _spec(obj)
    if "jobTemplate" in spec:
        spec = spec["jobTemplate"].get("spec") or {}
    found: list[Json] = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    return found


def _selector(obj: Json) -> str:
    selector = _spec(obj).get("selector") or {}
    return show_labels(selector.get("matchLabels"))


def _replicas(name: str, read: Any) -> Column:
    return column(name, read, type="integer")


_WIDE = [
    column(
        "Containers",
        lambda obj: ",".join(each["name"] for each in _template(obj)),
        wide=True,
    ),
    column(
        "Images",
        lambda obj: ",".join(each.get("image", "") for each in _template(obj)),
        wide=True,
    ),
]
_SELECTOR = column("Selector", _selector, wide=True)


def _ready_of(obj: Json) -> str:
    return f"{_status(obj).get('readyReplicas', 0)}/{_spec(obj).get('replicas', 1)}"


def _job_status(obj: Json) -> str:
    types = {
        each["type"] for each in _status(obj).get("conditions") or () if each["status"] == "True"
    }
    if "Complete" in types:
        return "Complete"
    if "Failed" in types:
        return "Failed"
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    if "Suspended" in types:
        return "Suspended"
    if "FailureTarget" in types:
        return "FailureTarget"
    if "SuccessCriteriaMet" in types:
        return "SuccessCriteriaMet"
    return "Running"


def _completions(obj: Json) -> str:
    done, spec = _status(obj).get("succeeded", 0), _spec(obj)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallelism = spec.get("parallelism", 0)
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(obj: Json) -> str:
    status = _status(obj)
    if not status.get("startTime"):
        return ""
    end = status.get("completionTime")
    until = parse_timestamp(end) if end else time.time()
    return show_duration(until - parse_timestamp(status["startTime"]))


WORKLOADS: dict[str, list[Column]] = {
    "pods": _POD,
    "deployments.apps": [
        NAME,
        column("Ready", _ready_of),
        _replicas("Up-to-date", lambda obj: _status(obj).get("updatedReplicas", 0)),
        _replicas("Available", lambda obj: _status(obj).get("availableReplicas", 0)),
        AGE,
        *_WIDE,
        _SELECTOR,
    ],
    "replicasets.apps": [
        NAME,
        _replicas("Desired", lambda obj: _spec(obj).get("replicas", 1)),
        _replicas("Current", lambda obj: _status(obj).get("replicas", 0)),
        _replicas("Ready", lambda obj: _status(obj).get("readyReplicas", 0)),
        AGE,
        *_WIDE,
        _SELECTOR,
    ],
    "statefulsets.apps": [NAME, column("Ready", _ready_of), AGE, *_WIDE],
    "controllerrevisions.apps": [
        NAME,
        column(
            "Controller",
            lambda obj: next(
                (
                    f"{each['kind'].lower()}.{each['apiVersion'].partition('/')[0]}/{each['name']}"
                    for each in obj["metadata"].get("ownerReferences") or ()
                    if each.get("controller")
                ),
                "<none>",
            ),
        ),
        _replicas("Revision", lambda obj: obj.get("revision", 0)),
        AGE,
    ],
    "jobs.batch": [
        NAME,
        column("Status", _job_status),
        column("Completions", _completions),
        column("Duration", _duration),
        AGE,
        *_WIDE,
        _SELECTOR,
    ],
    "cronjobs.batch": [
        NAME,
        column("Schedule", lambda obj: _spec(obj).get("schedule") or ""),
        column("Timezone", lambda obj: _spec(obj).get("timeZone") or "<none>"),
        column("Suspend", lambda obj: str(bool(_spec(obj).get("suspend")))),
        _replicas("Active", lambda obj: len(_status(obj).get("active") or ())),
        column(
            "Last Schedule",
            lambda obj: (
                show_age(_status(obj)["lastScheduleTime"])
                if _status(obj).get("lastScheduleTime")
                else "<none>"
            ),
        ),
        AGE,
        *_WIDE,
        _SELECTOR,
    ],
    "workflows.argoproj.io": [
        NAME,
        column("Status", lambda obj: _status(obj).get("phase") or ""),
        AGE,
        column("Message", lambda obj: _status(obj).get("message") or ""),
    ],
    "scheduledworkflows.kubeflow.org": [
        NAME,
        column("Enabled", lambda obj: str(bool(_spec(obj).get("enabled")))),
        column("Next", lambda obj: _trigger(obj).get("nextTriggeredTime") or "<none>"),
        column("Last", lambda obj: _trigger(obj).get("lastTriggeredTime") or "<none>"),
        AGE,
    ],
}
