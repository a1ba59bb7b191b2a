"""What each replica of each kind of the training operator is given, written out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fairlead_plane.controllers.training.contract import Address
from fairlead_plane.controllers.training.jobs import CONTRACTS
from fairlead_plane.controllers.training.replicas import build_pod

BY_KIND = {contract.kind.kind: contract for contract in CONTRACTS}
TORCH = {
    "PYTHONUNBUFFERED": "1",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "1000",
    "PET_MASTER_ADDR": "127.0.0.1",
    "PET_MASTER_PORT": "1000",
    "PET_NPROC_PER_NODE": "auto",
    "PET_NNODES": "3",
    "WORLD_SIZE": "3",
}
PADDLE = {"PYTHONUNBUFFERED": "1", "PADDLE_JOB_ID": "job"}
OWN_IP = {"fieldRef": {"fieldPath": "status.podIP"}}
XGBOOST = {
    "PYTHONUNBUFFERED": "1",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "1000",
    "WORLD_SIZE": "3",
    "DMLC_TRACKER_URI": "127.0.0.1",
    "DMLC_TRACKER_PORT": "1000",
    "DMLC_NUM_WORKER": "3",
}
JAX = {
    "PYTHONUNBUFFERED": "1",
    "COORDINATOR_ADDRESS": "127.0.0.1",
    "COORDINATOR_PORT": "1000",
    "NUM_PROCESSES": "2",
    "JAX_COORDINATOR_ADDRESS": "127.0.0.1:1000",
    "JAX_NUM_PROCESSES": "2",
}
MXNET = {
    "DMLC_PS_ROOT_URI": "127.0.0.1",
    "DMLC_PS_ROOT_PORT": "1000",
    "DMLC_NUM_SERVER": "1",
    "DMLC_NUM_WORKER": "1",
    "DMLC_USE_KUBERNETES": "1",
}


def variables(kind: str, counts: dict[str, int], type: str, index: int, **spec: Any) -> Any:
    """Return the variables of one replica; replicas listen on 1000, 1001, ... in their order."""
    contract = BY_KIND[kind]
    containers = [{"name": contract.shape.container, "image": "i"}, {"name": "other", "image": "i"}]
    replicas = {
        each: {"replicas": count, "template": {"spec": {"containers": containers}}}
        for each, count in counts.items()
    }
    metadata = {"name": "job", "namespace": "default", "uid": "u"}
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": {contract.shape.key: replicas, **spec},
    }
    keys = [(each, number) for each, count in counts.items() for number in range(count)]
    addresses = {key: Address("127.0.0.1", 1000 + place) for place, key in enumerate(keys)}
    main, other = build_pod(contract, job, type, index, addresses)["spec"]["containers"]
    found = {each["name"]: each.get("value", each.get("valueFrom")) for each in main.get("env", ())}
    assert other.get("env", []) == ([] if contract.main_only else main["env"])
    return found


@pytest.mark.parametrize(
    ("type", "index", "rank"), [("Master", 0, "0"), ("Worker", 0, "1"), ("Worker", 1, "2")]
)
def test_pytorch_with_a_master(type: str, index: int, rank: str) -> None:
    found = variables("PyTorchJob", {"Master": 1, "Worker": 2}, type, index)
    assert found == {**TORCH, "RANK": rank, "PET_NODE_RANK": rank}


def test_pytorch_counts_processes_where_their_number_is_given() -> None:
    found = variables("PyTorchJob", {"Master": 1, "Worker": 2}, "Worker", 0, nprocPerNode="4")
    assert (found["WORLD_SIZE"], found["PET_NPROC_PER_NODE"], found["RANK"]) == ("12", "4", "1")


def test_pytorch_without_a_master_has_no_ranks() -> None:
    assert variables("PyTorchJob", {"Worker": 2}, "Worker", 1) == {
        "PYTHONUNBUFFERED": "1", "PET_NNODES": "2", "PET_NPROC_PER_NODE": "auto",
    }  # fmt: skip


def test_pytorch_that_is_elastic_meets_at_worker_0() -> None:
    policy = {
        "minReplicas": 1, "maxReplicas": 3, "maxRestarts": 5, "rdzvId": "id", "standalone": True,
        "rdzvConf": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}], "nProcPerNode": 2,
    }  # fmt: skip
    assert variables("PyTorchJob", {"Worker": 2}, "Worker", 1, elasticPolicy=policy) == {
        "PYTHONUNBUFFERED": "1",
        "PET_NNODES": "1:3",
        "PET_NPROC_PER_NODE": "2",
        "PET_RDZV_ENDPOINT": "127.0.0.1:1000",
        "PET_RDZV_BACKEND": "c10d",
        "PET_RDZV_ID": "id",
        "PET_RDZV_CONF": "a=1,b=2",
        "PET_MAX_RESTARTS": "5",
        "PET_STANDALONE": "",
    }


@pytest.mark.parametrize(
    ("type", "index"),
    [("Chief", 0), ("PS", 0), ("Worker", 0), ("Worker", 1), ("Evaluator", 0)],
)
def test_tensorflow_knows_every_task(type: str, index: int) -> None:
    counts = {"Chief": 1, "PS": 1, "Worker": 2, "Evaluator": 1}
    found = variables("TFJob", counts, type, index)
    assert list(found) == ["TF_CONFIG"]
    assert json.loads(found["TF_CONFIG"]) == {
        "cluster": {
            "chief": ["127.0.0.1:1000"],
            "ps": ["127.0.0.1:1001"],
            "worker": ["127.0.0.1:1002", "127.0.0.1:1003"],
            "evaluator": ["127.0.0.1:1004"],
        },
        "task": {"type": type.lower(), "index": index},
        "environment": "cloud",
    }


def test_tensorflow_alone_has_no_configuration() -> None:
    assert variables("TFJob", {"Worker": 1}, "Worker", 0) == {}


def test_tensorflow_with_dynamic_workers_knows_itself_and_the_servers() -> None:
    counts = {"PS": 1, "Worker": 2}
    found = variables("TFJob", counts, "Worker", 1, enableDynamicWorker=True)
    assert json.loads(found["TF_CONFIG"]) == {
        "cluster": {"worker": {"1": "127.0.0.1:1002"}, "ps": ["127.0.0.1:1000"]},
        "task": {"type": "worker", "index": 1},
    }


def test_paddle_meets_at_worker_0() -> None:
    first = variables("PaddleJob", {"Worker": 2}, "Worker", 0)
    master = "$(POD_IP_DUMMY):1000"
    assert first == {
        **PADDLE, "PADDLE_NNODES": "2", "POD_IP_DUMMY": OWN_IP, "PADDLE_MASTER": master,
    }  # fmt: skip
    other = variables("PaddleJob", {"Worker": 2}, "Worker", 1)
    assert other == {**PADDLE, "PADDLE_NNODES": "2", "PADDLE_MASTER": "127.0.0.1:1000"}


def test_paddle_with_servers_meets_at_master_0() -> None:
    counts = {"Master": 1, "Worker": 2}
    assert variables("PaddleJob", counts, "Master", 0) == {
        **PADDLE, "PADDLE_NNODES": "3", "POD_IP_DUMMY": OWN_IP,
        "PADDLE_MASTER": "$(POD_IP_DUMMY):1000", "PADDLE_SERVER_NUM": "1",
    }  # fmt: skip
    assert variables("PaddleJob", counts, "Worker", 1) == {
        **PADDLE, "PADDLE_NNODES": "3", "PADDLE_MASTER": "127.0.0.1:1000",
        "PADDLE_TRAINER_NUM": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("type", "index", "rank"), [("Master", 0, "0"), ("Worker", 0, "1"), ("Worker", 1, "2")]
)
def test_xgboost(type: str, index: int, rank: str) -> None:
    found = variables("XGBoostJob", {"Master": 1, "Worker": 2}, type, index)
    workers = (found.pop("WORKER_PORT"), len(found.pop("WORKER_ADDRS").split(",")))
    assert workers == ("1001", 2)
    assert found == {**XGBOOST, "RANK": rank, "DMLC_TASK_ID": rank}


@pytest.mark.parametrize("index", [0, 1])
def test_jax(index: int) -> None:
    found = variables("JAXJob", {"Worker": 2}, "Worker", index)
    assert found == {**JAX, "PROCESS_ID": str(index), "JAX_PROCESS_ID": str(index)}


@pytest.mark.parametrize("type", ["Scheduler", "Server", "Worker"])
def test_mxnet(type: str) -> None:
    found = variables("MXJob", {"Scheduler": 1, "Server": 1, "Worker": 1}, type, 0)
    config = json.loads(found.pop("MX_CONFIG"))
    assert config["task"] == {"type": type.lower(), "index": 0}
    assert config["cluster"]["worker"] == [{"url": "127.0.0.1", "port": 1002}]
    assert found.pop("DMLC_WORKER_ID", None) == ("0" if type == "Worker" else None)
    assert found == {**MXNET, "DMLC_ROLE": type.lower()}


def test_names_that_a_manifest_sets_are_left_where_the_operator_has_no_such_name() -> None:
    contract = BY_KIND["JAXJob"]
    env = [{"name": "JAX_PROCESS_ID", "value": "own"}, {"name": "PROCESS_ID", "value": "own"}]
    pod = {"containers": [{"name": "jax", "image": "i", "env": env}]}
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "JAXJob",
        "metadata": {"name": "job", "namespace": "default", "uid": "u"},
        "spec": {"jaxReplicaSpecs": {"worker": {"template": {"spec": pod}}}},
    }
    addresses = {("Worker", 0): Address("127.0.0.1", 1000)}
    (container,) = build_pod(contract, job, "Worker", 0, addresses)["spec"]["containers"]
    last = {each["name"]: each["value"] for each in container["env"]}
    assert (last["JAX_PROCESS_ID"], last["PROCESS_ID"]) == ("own", "0")
