"""The runtimes that are there from the start, as an installation of the trainer has them.

Names, labels and policies are those of the real ones. A failed node fails its job at once here
(`backoffLimit: 0`): whoever sits before a notebook wants to see the traceback, not six restarts.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...resources import CLUSTER_TRAINING_RUNTIME, Json
from .trainjob_build import ANCESTOR

FRAMEWORK = "trainer.kubeflow.org/framework"

_SIMPLE = {
    "torch": "pytorch/pytorch:2.10.0-cuda12.8-cudnn9-runtime",
    "jax": "nvcr.io/nvidia/jax:25.10-py3",
    "xgboost": "ghcr.io/kubeflow/trainer/xgboost-runtime",
}
"""Frameworks without a launcher, and the image of each."""


def builtin_runtimes() -> Iterator[Json]:
    """Yield the ClusterTrainingRuntimes."""
    for framework, image in _SIMPLE.items():
        yield _runtime(
            f"{framework}-distributed",
            framework,
            {"numNodes": 1, framework: {}},
            {"replicatedJobs": [_node({"name": "node", "image": image})]},
        )


def _runtime(name: str, framework: str, policy: Json, spec: Json) -> Json:
    return {
        "apiVersion": CLUSTER_TRAINING_RUNTIME.api_version,
        "kind": CLUSTER_TRAINING_RUNTIME.kind,
        "metadata": {"name": name, "labels": {FRAMEWORK: framework}},
        "spec": {"mlPolicy": policy, "template": {"spec": spec}},
    }


def _node(container: Json, name: str = "node", step: str = "trainer") -> Json:
    return {
        "name": name,
        "template": {
            "metadata": {"labels": {ANCESTOR: step}},
            "spec": {
                "backoffLimit": 0,
                "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
            },
        },
    }
