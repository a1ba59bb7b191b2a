"""The kinds of training jobs, and how they are asked to wait."""

from __future__ import annotations

from typing import Any

TRAINING_KINDS = (
    ("kubeflow.org/v1", "PyTorchJob"),
    ("kubeflow.org/v1", "TFJob"),
    ("kubeflow.org/v1", "XGBoostJob"),
    ("kubeflow.org/v1", "PaddleJob"),
    ("kubeflow.org/v1", "MXJob"),
    ("kubeflow.org/v1", "JAXJob"),
    ("kubeflow.org/v1", "MPIJob"),
    ("kubeflow.org/v2beta1", "MPIJob"),
    ("trainer.kubeflow.org/v1alpha1", "TrainJob"),
)
"""API version and kind of each."""


def suspend_patch(kind: str, suspended: bool) -> dict[str, Any]:
    """Return the merge patch that takes a job's pods away and keeps the job, or lets it go on."""
    if kind == "TrainJob":
        return {"spec": {"suspend": suspended}}
    return {"spec": {"runPolicy": {"suspend": suspended}}}
