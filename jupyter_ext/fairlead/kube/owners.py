"""Who brings which kind to a cluster: only for the words when one is missing.

Source: the CRDs of the projects named here.
"""

from __future__ import annotations

from typing import NamedTuple


class Provider(NamedTuple):
    """What must be installed for a kind, and the version in which it brings it."""

    name: str
    api_version: str


_TRAINING = Provider("the Training Operator", "kubeflow.org/v1")
_TRAINER = Provider("Kubeflow Trainer", "trainer.kubeflow.org/v1alpha1")
_NOTEBOOKS = Provider("the notebook controller of Kubeflow", "kubeflow.org/v1")
_DASHBOARD = Provider("the profile controller of Kubeflow", "kubeflow.org/v1")

_OF_KIND = {
    **dict.fromkeys(
        ("PyTorchJob", "TFJob", "XGBoostJob", "PaddleJob", "JAXJob", "MXJob", "MPIJob"), _TRAINING
    ),
    "Notebook": _NOTEBOOKS,
    "Profile": _DASHBOARD,
    "Experiment": Provider("Katib", "kubeflow.org/v1beta1"),
    "Trial": Provider("Katib", "kubeflow.org/v1beta1"),
    "Suggestion": Provider("Katib", "kubeflow.org/v1beta1"),
    "PodDefault": Provider("the admission webhook of Kubeflow", "kubeflow.org/v1alpha1"),
    "PVCViewer": Provider("the volumes viewer of Kubeflow", "kubeflow.org/v1alpha1"),
    "ScheduledWorkflow": Provider("Kubeflow Pipelines", "kubeflow.org/v1beta1"),
    "Workspace": Provider("Kubeflow Notebooks 2", "kubeflow.org/v1beta1"),
    "WorkspaceKind": Provider("Kubeflow Notebooks 2", "kubeflow.org/v1beta1"),
}
"""Kinds of the group `kubeflow.org`, which many projects share."""

_OF_GROUP = {
    "trainer.kubeflow.org": _TRAINER,
    "tensorboard.kubeflow.org": Provider(
        "the TensorBoard controller of Kubeflow", "tensorboard.kubeflow.org/v1alpha1"
    ),
    "pipelines.kubeflow.org": Provider("Kubeflow Pipelines", "pipelines.kubeflow.org/v2beta1"),
    "serving.kserve.io": Provider("KServe", "serving.kserve.io/v1beta1"),
    "argoproj.io": Provider("Argo Workflows", "argoproj.io/v1alpha1"),
    "scheduling.volcano.sh": Provider("Volcano", "scheduling.volcano.sh/v1beta1"),
    "batch.volcano.sh": Provider("Volcano", "batch.volcano.sh/v1alpha1"),
    "kueue.x-k8s.io": Provider("Kueue", "kueue.x-k8s.io/v1beta1"),
    "jobset.x-k8s.io": Provider("JobSet", "jobset.x-k8s.io/v1alpha2"),
    "sparkoperator.k8s.io": Provider("the Spark Operator", "sparkoperator.k8s.io/v1beta2"),
    "ray.io": Provider("KubeRay", "ray.io/v1"),
    "metrics.k8s.io": Provider("the metrics server", "metrics.k8s.io/v1beta1"),
}


def provider_of(group: str, kind: str) -> Provider | None:
    """Return who brings a kind, `None` where that is not known."""
    return _OF_KIND.get(kind) if group == "kubeflow.org" else _OF_GROUP.get(group)
