"""What the `mlPolicy` of a runtime gives the nodes of a TrainJob; pure functions.

Each policy gives what the trainer's controller gives on a cluster, and then, where the script would
find nothing else under a name, the names of the older generation of jobs: one script runs as a
TrainJob, as a job of `kubeflow.org/v1`, and here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING
from typing import NamedTuple

from ...resources import Json, parse_quantity

INDEX = "batch.kubernetes.io/job-completion-index"


class Topology(NamedTuple):
    """What a policy has to know of a job."""

    host: str
    """Where the first node is reached."""
    port: int
    nodes: int
    processes: int | None
    """`trainer.numProcPerNode`; None where it is not said."""
    resources: Json
    """`requests` and `limits` of each node."""


def torch(topology: Topology) -> list[Json]:
    """Return the variables of torchrun, and those of a script that is started without it."""
    host, port, nodes = topology.host, str(topology.port), str(topology.nodes)
    return [
        _value("PET_NNODES", nodes),
        _value("PET_NPROC_PER_NODE", processes_per_node(topology)),
        _rank("PET_NODE_RANK"),
        _value("PET_MASTER_ADDR", host),
        _value("PET_MASTER_PORT", port),
    ]


def torch_also(topology: Topology) -> list[Json]:
    """Return the names of PyTorchJob; a script without torchrun is one process per node."""
    return [
        _value("MASTER_ADDR", topology.host),
        _value("MASTER_PORT", str(topology.port)),
        _value("WORLD_SIZE", str(topology.nodes)),
        _rank("RANK"),
    ]


def jax(topology: Topology) -> list[Json]:
    """Return the variables of `jax.distributed.initialize`."""
    return [
        _value("JAX_NUM_PROCESSES", str(topology.nodes)),
        _rank("JAX_PROCESS_ID"),
        _value("JAX_COORDINATOR_ADDRESS", f"{topology.host}:{topology.port}"),
    ]


def jax_also(topology: Topology) -> list[Json]:
    """Return the names of JAXJob, which says host and port apart."""
    return [
        _value("COORDINATOR_ADDRESS", topology.host),
        _value("COORDINATOR_PORT", str(topology.port)),
        _value("NUM_PROCESSES", str(topology.nodes)),
        _rank("PROCESS_ID"),
    ]


def xgboost(topology: Topology) -> list[Json]:
    """Return the variables of XGBoost's tracker, one worker per GPU or per node."""
    workers = topology.nodes * (gpus(topology.resources) or 1)
    return [
        _value("DMLC_TRACKER_URI", topology.host),
        _value("DMLC_TRACKER_PORT", str(topology.port)),
        _rank("DMLC_TASK_ID"),
        _value("DMLC_NUM_WORKER", str(workers)),
    ]


def xgboost_also(topology: Topology) -> list[Json]:
    """Return the names of XGBoostJob."""
    return torch_also(topology)


class Policy(NamedTuple):
    """What one of the policies does."""

    environment: Callable[[Topology], list[Json]]
    also: Callable[[Topology], list[Json]]
    """Names of the older generation: they give way to what anybody else has set."""


POLICIES = {
    "torch": Policy(torch, torch_also),
    "jax": Policy(jax, jax_also),
    "xgboost": Policy(xgboost, xgboost_also),
}


def processes_per_node(topology: Topology) -> str:
    """Return what torchrun starts on each node: a number, or `auto` where there are GPUs."""
    if topology.processes is not None:
        return str(topology.processes)
    if gpus(topology.resources):
        return "auto"
    return str(max(1, _amount(topology.resources, lambda name: name == "cpu")))


def gpus(resources: Json) -> int:
    """Return how many GPUs a node asks for, whatever their vendor."""
    return _amount(resources, lambda name: "gpu" in name.lower())


def _amount(resources: Json, wanted: Callable[[str], bool]) -> int:
    for side in ("limits", "requests"):
        for name, amount in (resources.get(side) or {}).items():
            if wanted(name):
                return int(parse_quantity(amount).to_integral_value(ROUND_CEILING))
    return 0


def _value(name: str, value: str) -> Json:
    return {"name": name, "value": value}


def _rank(name: str) -> Json:
    path = f"metadata.annotations['{INDEX}']"
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
