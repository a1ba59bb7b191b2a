"""The Workflow object of a run: the signal that clients watch, as Argo's is on a cluster."""

from __future__ import annotations

from typing import Any

from fairlead.names import CHANGES_ANNOTATION, RUN_ID_LABEL, RUN_NAME_ANNOTATION

from .records import CANCELED, CANCELING, FAILED, PENDING, RUNNING, SKIPPED, SUCCEEDED, Run

Json = Any

PHASES = {
    PENDING: "Pending",
    RUNNING: "Running",
    CANCELING: "Running",
    SUCCEEDED: "Succeeded",
    SKIPPED: "Succeeded",
    FAILED: "Failed",
    # Argo's word for a workflow that was terminated.
    CANCELED: "Failed",
}


def build_workflow(run: Run) -> Json:
    """Build the Workflow of a run, with its status.

    Notes
    -----
    Nothing of its spec is executed; what the run does is read by KFP's REST.
    """
    done, total = run.counts()
    status: Json = {
        "phase": PHASES[run.state],
        "progress": f"{done}/{total}",
        "startedAt": _whole_seconds(run.created_at),
    }
    if run.finished_at:
        status["finishedAt"] = _whole_seconds(run.finished_at)
    if run.state == CANCELED:
        status["message"] = "Stopped with strategy 'Terminate'"
    elif run.error:
        status["message"] = run.error["message"]
    elif run.state == PENDING and run.waits_for:
        status["message"] = run.waits_for
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": run.workflow,
            "namespace": run.namespace,
            "labels": {**run.labels, RUN_ID_LABEL: run.run_id},
            "annotations": {
                RUN_NAME_ANNOTATION: run.name,
                CHANGES_ANNOTATION: str(run.changes),
            },
        },
        "spec": {
            "entrypoint": "root",
            "templates": [{"name": "root", "suspend": {}}],
        },
        "status": status,
    }


def _whole_seconds(time: str) -> str:
    """Cut the fraction: Kubernetes writes whole seconds."""
    return f"{time[:19]}Z"
