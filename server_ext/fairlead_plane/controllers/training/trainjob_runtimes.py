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

_TORCHTUNE = (
    (
        "torchtune-llama3.2-1b",
        "meta-llama/Llama-3.2-1B-Instruct",
        ("llama3_2/1B_full", "tokenizer.path=/workspace/model/original/tokenizer.model"),
    ),
    (
        "torchtune-llama3.2-3b",
        "meta-llama/Llama-3.2-3B-Instruct",
        ("llama3_2/3B_full", "tokenizer.path=/workspace/model/original/tokenizer.model"),
    ),
    (
        "torchtune-qwen2.5-1.5b",
        "Qwen/Qwen2.5-1.5B-Instruct",
        (
            "qwen2_5/1.5B_full",
            "tokenizer.path=/workspace/model/vocab.json",
            "tokenizer.merges_file=/workspace/model/merges.txt",
        ),
    ),
)
"""Name of a runtime, its model, and its recipe's configuration."""


def builtin_runtimes() -> Iterator[Json]:
    """Yield the ClusterTrainingRuntimes."""
    for framework, image in _SIMPLE.items():
        yield _runtime(
            f"{framework}-distributed",
            framework,
            {"numNodes": 1, framework: {}},
            {"replicatedJobs": [_node({"name": "node", "image": image})]},
        )
    for framework in ("deepspeed", "mlx"):
        yield _with_launcher(framework)
    for name, model, files in _TORCHTUNE:
        yield _torchtune(name, model, files)


def _with_launcher(framework: str) -> Json:
    """Return a runtime whose nodes are started by mpirun."""
    image = f"ghcr.io/kubeflow/trainer/{framework}-runtime"
    policy = {
        "numProcPerNode": 1,
        "mpiImplementation": "OpenMPI",
        "sshAuthMountPath": "/home/mpiuser/.ssh",
        "runLauncherAsNode": True,
    }
    node = _node({"name": "node", "image": image})
    # On a cluster this is sshd; here it is kept from running: see `mpi_files.stand_in`.
    container = node["template"]["spec"]["template"]["spec"]["containers"][0]
    container |= {"command": ["/usr/sbin/sshd"], "args": ["-De"]}
    del node["template"]["metadata"]
    spec = {
        "network": {"publishNotReadyAddresses": True},
        "successPolicy": {"operator": "All", "targetReplicatedJobs": ["launcher"]},
        "replicatedJobs": [_node({"name": "node", "image": image}, "launcher"), node],
    }
    return _runtime(f"{framework}-distributed", framework, {"numNodes": 1, "mpi": policy}, spec)


def _torchtune(name: str, model: str, config: tuple[str, ...]) -> Json:
    """Return a runtime that fine-tunes a model on a data set, both downloaded first."""
    steps = {
        "dataset-initializer": "hf://tatsu-lab/alpaca",
        "model-initializer": f"hf://{model}",
    }
    mount = {"name": "initializer", "mountPath": "/workspace"}
    jobs = []
    for step, uri in steps.items():
        container = {
            "name": step,
            "image": f"ghcr.io/kubeflow/trainer/{step}",
            "env": [{"name": "STORAGE_URI", "value": uri}],
            "volumeMounts": [mount],
        }
        jobs.append(_node(container, step, step))
    trainer = {
        "name": "node",
        "image": "ghcr.io/kubeflow/trainer/torchtune-trainer",
        "command": [
            *("tune", "run", "--rdzv_endpoint=localhost:29500", "full_finetune_distributed"),
            *("--config", *config),
            "dataset=torchtune.datasets.instruct_dataset",
            "dataset.source=parquet",
            "dataset.data_dir=/workspace/dataset/data",
            "output_dir=/workspace/output",
            "checkpointer.checkpoint_dir=/workspace/model",
        ],
        "resources": {"limits": {"nvidia.com/gpu": 2}},
        "volumeMounts": [mount],
    }
    node = _node(trainer)
    node["dependsOn"] = [{"name": step, "status": "Complete"} for step in steps]
    claim = {
        "metadata": {"name": "initializer"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "20Gi"}},
        },
    }
    spec = {"volumeClaimPolicies": [{"templates": [claim]}], "replicatedJobs": [*jobs, node]}
    return _runtime(name, "torchtune", {"numNodes": 1, "torch": {}}, spec)


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
