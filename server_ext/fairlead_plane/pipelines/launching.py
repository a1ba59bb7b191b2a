"""Starting a task: its pod, or what the plane does in place of one."""

from __future__ import annotations

import secrets

from fairlead.errors import SpecError

from ..artifacts.places import remote
from ..resources import ApiError, Transaction
from . import claims, workspace
from .clock import now
from .events import Ended
from .pods import Folders, build_pod
from .records import Run, Task, Values, failure
from .remote import attach

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_INVALID_ARGUMENT = 3  # google.rpc.Code
_NO_EFFECT = "NoEffect"
"""Reason of the Event about settings that this machine does not use."""


def launch(transaction: Transaction, run: Run, task: Task) -> Ended | None:
    """Make the pod of a task; for use inside a transaction.

    Returns
    -------
    Ended or None
        How the task has ended, when it needs no pod or gets none; None when its pod is made.
    """
    executor = task.component.executor
    assert executor is not None
    notices: list[str] = []
    try:
        if executor.image in claims.CLAIM_IMAGES:
            outputs = claims.perform(transaction, run, task, notices.append)
            _tell(task, notices)
            return Ended(task.task_id, "", now(), True, outputs)
        claim = ""
        if workspace.uses_workspace(run, task):
            claim = workspace.ensure_claim(transaction, run, notices.append)
        pod, more = build_pod(run, task, new_suffix(), claim)
        attach(pod, run, task, lambda kind, name: transaction.find(kind, name, run.namespace))
        Folders(run, task).make(executor.source)
        created = transaction.create(pod)
    except ApiError as error:
        what = "volume" if error.message.startswith("persistentvolumeclaim") else "pod"
        return _refused(task, f"The {what} was refused: {error.message}")
    except SpecError as error:
        return _refused(task, error.what)
    task.pod = created["metadata"]["name"]
    run.pods[task.pod] = task
    notices += [*more, *_unreadable(task)]
    _tell(task, notices)
    for notice in notices:
        message = f"On this machine {notice}."
        transaction.record_event(created, _NO_EFFECT, message, component="pipelines")
    return None


def new_suffix() -> str:
    """Return five letters and digits that make a name unique, as Kubernetes does."""
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


def _unreadable(task: Task) -> list[str]:
    """Say of which inputs a step is given the uri, and no file."""
    uris = {
        one.uri: one.uri.partition("://")[0]
        for made in task.inputs.artifacts.values()
        for one in made
        if "://" in one.uri and not one.uri.startswith("file://") and remote(one.uri) is None
    }
    return [
        f"nothing is fetched from {scheme}://, so there is no file at the path of '{uri}'"
        for uri, scheme in uris.items()
    ]


def _tell(task: Task, notices: list[str]) -> None:
    """Say on the task what of its settings has no effect; once, however often it starts."""
    for notice in notices:
        sentence = f"On this machine {notice}."
        if sentence not in task.reason:
            task.reason = f"{task.reason} {sentence}".strip()


def _refused(task: Task, message: str) -> Ended:
    error = failure(_INVALID_ARGUMENT, message)
    return Ended(task.task_id, "", now(), False, Values(), error)
