"""From a Pod as the node leaves it to an event of the engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .events import Ended, Held, Started
from .outputs import read_error, read_outputs
from .pods import Folders
from .records import Run, Task, Values, failure

Json = Any

_LOST, _SHUTDOWN = "NodeLost", "NodeShutdown"
# A pod waits for its image as long as it takes. But in a step these are the packages that its
# component installs, and where that fails it fails, to be tried again by its retry policy.
_NO_ENVIRONMENT = ("ErrImagePull", "ImagePullBackOff")
_NOT_INSTALLED = (
    "The packages of the step cannot be installed: {}\n"
    "{}\n"
    "Give this machine a way to them (a network, or an index by `pip config` or `pip_index_urls`), "
    "or let the component take what is there: `install_kfp_package=False`, or the version of kfp "
    "that is installed."
)
_ABORTED, _UNAVAILABLE = 10, 14  # google.rpc.Code
_FRESH = timedelta(seconds=1)


def observe(
    run: Run, task: Task, pod: Json, *, deleted: bool, now: str
) -> Started | Held | Ended | None:
    """Return what a pod means for its task; `None` while it does not run yet.

    Parameters
    ----------
    run, task : Run, Task
        The task waits for this pod. Neither is changed; reads the files that the step wrote.
    pod : JSON
        The Pod object.
    deleted : bool
        It is gone from the API.
    now : str
        When it was seen, RFC 3339.
    """
    name = pod["metadata"]["name"]
    status = pod.get("status", {})
    phase = status.get("phase")
    began, ended = _times(status, now)
    if phase == "Succeeded" or phase == "Failed":
        reason = status.get("reason")
        if reason in (_LOST, _SHUTDOWN):
            error = failure(_ABORTED, status.get("message") or f"The process was lost ({reason}).")
            return Ended(
                task.task_id, name, ended, False, Values(), error,
                lost=reason == _LOST, stopped=reason == _SHUTDOWN, started_at=began,
            )  # fmt: skip
        folders = Folders(run, task)
        outputs, problem = read_outputs(task, folders, ok=phase == "Succeeded")
        error = read_error(task, folders, pod) if phase == "Failed" else problem
        return Ended(task.task_id, name, ended, error is None, outputs, error, started_at=began)
    if deleted:
        return gone(task, now)
    if phase == "Running":
        return Started(task.task_id, name, began)
    reason, message = _waits_for(status)
    if reason in _NO_ENVIRONMENT:
        last = message.rstrip().rpartition("\n")[2]  # the installer's verdict; more stands above
        error = failure(_UNAVAILABLE, _NOT_INSTALLED.format(last, message))
        return Ended(task.task_id, name, now, False, Values(), error, alive=True)
    return Held(task.task_id, name, message) if message else None


def gone(task: Task, now: str) -> Ended:
    """Return the event of a pod that was deleted before it ended."""
    error = failure(_ABORTED, f"The pod '{task.pod}' was deleted.")
    return Ended(task.task_id, task.pod, now, False, Values(), error, stopped=True)


def _waits_for(status: Json) -> tuple[str, str]:
    """Return what keeps a pod from running, as reason and message; empty when nothing is said."""
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("reason") or ""), str(condition.get("message") or "")
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group) or ():
            waiting = container.get("state", {}).get("waiting") or {}
            if waiting.get("message"):
                return str(waiting["reason"]), str(waiting["message"])
    return "", ""


def _times(status: Json, now: str) -> tuple[str, str]:
    """Return when the process began and ended, as far as the pod says; else now."""
    began = ended = ""
    for container in status.get("containerStatuses") or []:
        state = container.get("state", {})
        running, terminated = state.get("running") or {}, state.get("terminated") or {}
        began = terminated.get("startedAt") or running.get("startedAt") or began
        ended = terminated.get("finishedAt") or ended
    return _finer(began, now), _finer(ended, now)


def _finer(time: str, now: str) -> str:
    """Return a time that was just now with its fraction, since pods write whole seconds.

    One of longer ago, seen after the plane had been away, stays as it is.
    """
    if not time:
        return now
    age = datetime.fromisoformat(f"{now[:19]}+00:00") - datetime.fromisoformat(f"{time[:19]}+00:00")
    return now if abs(age) <= _FRESH else time
