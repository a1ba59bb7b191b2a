"""Manifests of training jobs of every kind, checked against the CRDs of the operators."""

from __future__ import annotations

import pytest

from fairlead.errors import SpecError
from fairlead.kinds.frameworks import KINDS, find_kind
from fairlead.kinds.training import PodParts, RunPolicy, training_job

PARTS = PodParts(
    container={
        "image": "python:3.12",
        "command": ["python", "train.py"],
        "env": [{"name": "EPOCHS", "value": "2"}],
        "resources": {"limits": {"nvidia.com/gpu": 1}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    },
    spec={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "digits"}}]},
    annotations={"fairlead.dev/interpreter": "/usr/bin/python3"},
)


def counts(job):
    spec = job["spec"]
    return {
        kind: each["replicas"]
        for key, replicas in spec.items()
        if key.endswith("ReplicaSpecs")
        for kind, each in replicas.items()
    }


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
@pytest.mark.parametrize("workers", [1, 4])
def test_the_operator_of_every_kind_takes_its_manifest(kind, workers, assert_valid):
    assert_valid(training_job(kind, "digits", PARTS, workers=workers))


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        ("PyTorchJob", {"workers": 4}, {"Master": 1, "Worker": 3}),
        ("PyTorchJob", {"workers": 1}, {"Master": 1}),
        ("PyTorchJob", {"workers": 2, "elastic": (1, 3)}, {"Worker": 2}),
        ("TFJob", {"workers": 2, "servers": 1, "evaluator": True},
         {"PS": 1, "Worker": 2, "Evaluator": 1}),
        ("XGBoostJob", {"workers": 3}, {"Master": 1, "Worker": 2}),
        ("PaddleJob", {"workers": 2, "servers": 1}, {"Master": 1, "Worker": 2}),
        ("MXJob", {"workers": 2, "servers": 1}, {"Scheduler": 1, "Server": 1, "Worker": 2}),
        ("JAXJob", {"workers": 3}, {"Worker": 3}),
        ("MPIJob", {"workers": 3, "processes": 2}, {"Launcher": 1, "Worker": 3}),
    ],
)  # fmt: skip
def test_workers_are_the_replicas_that_train(kind, asked, expected, assert_valid):
    job = training_job(kind, "digits", PARTS, **asked)
    assert counts(job) == expected
    assert_valid(job)


def test_an_mpijob_can_be_the_training_operators(assert_valid):
    job = training_job("mpi", "digits", PARTS, workers=2, api_version="kubeflow.org/v1")
    assert job["spec"]["mainContainer"] == "mpi"
    assert_valid(job)


def test_the_workers_of_an_mpijob_are_told_what_to_run_by_the_launcher():
    replicas = training_job("mpi", "digits", PARTS, workers=2)["spec"]["mpiReplicaSpecs"]
    commands = {
        kind: each["template"]["spec"]["containers"][0].get("command")
        for kind, each in replicas.items()
    }
    assert commands == {"Launcher": ["python", "train.py"], "Worker": None}


def test_a_whole_run_policy_is_valid(assert_valid):
    policy = RunPolicy(
        clean_pod_policy="All",
        ttl_seconds_after_finished=60,
        active_deadline_seconds=600,
        backoff_limit=3,
        suspend=True,
        min_available=2,
        queue="research",
        priority_class="high",
        schedule_timeout_seconds=30,
    )
    for kind in KINDS:
        if kind.kind != "TrainJob":
            assert_valid(
                training_job(kind.kind, "digits", PARTS, policy=policy, restart_policy="Never")
            )


def test_left_over_replicas_end_with_the_job_and_ended_ones_keep_their_logs():
    job = training_job("jax", "digits", PARTS)
    assert job["spec"]["runPolicy"] == {"cleanPodPolicy": "Running"}


def test_pods_of_a_job_get_no_proxy_of_a_mesh():
    job = training_job("jax", "digits", PARTS)
    template = job["spec"]["jaxReplicaSpecs"]["Worker"]["template"]
    assert template["metadata"]["annotations"] == {
        "sidecar.istio.io/inject": "false",
        "fairlead.dev/interpreter": "/usr/bin/python3",
    }


def test_what_a_trainjob_cannot_say_itself_is_a_patch_of_its_runtime(assert_valid):
    job = training_job("TrainJob", "digits", PARTS, workers=2, processes=1)
    assert job["spec"]["trainer"] == {
        "image": "python:3.12",
        "command": ["python", "train.py"],
        "env": [{"name": "EPOCHS", "value": "2"}],
        "numNodes": 2,
        "numProcPerNode": 1,
        "resourcesPerNode": {"limits": {"nvidia.com/gpu": 1}},
    }
    (patch,) = job["spec"]["runtimePatches"]
    (node,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    pod = node["template"]["spec"]["template"]
    assert pod["spec"]["volumes"] == PARTS.spec["volumes"]
    assert pod["spec"]["containers"] == [
        {"name": "node", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    ]
    assert_valid(job)


@pytest.mark.parametrize(
    ("kind", "asked", "words"),
    [
        ("jax", {"workers": 0}, "workers"),
        ("jax", {"servers": 1}, "JAXJob has no parameter servers"),
        ("jax", {"elastic": (1, 2)}, "JAXJob cannot change its size"),
        ("torch", {"workers": 5, "elastic": (1, 4)}, "not within 1 to 4"),
        ("xgboost", {"processes": 2}, "one process in each replica"),
        ("TrainJob", {"policy": RunPolicy(backoff_limit=1)}, "backoff_limit"),
        ("torch", {"api_version": "kubeflow.org/v2"}, "no version"),
        ("MPIJob", {"evaluator": True}, "evaluator"),
    ],
)
def test_what_a_kind_cannot_do_is_refused_by_the_arguments_name(kind, asked, words):
    with pytest.raises(SpecError, match=words):
        training_job(kind, "digits", PARTS, **asked)


def test_kinds_are_found_by_their_frameworks_and_an_unknown_one_is_told_of():
    assert [find_kind(name).kind for name in ("torch", "tf", "pytorchjob", "Horovod")] == [
        "PyTorchJob", "TFJob", "PyTorchJob", "MPIJob",
    ]  # fmt: skip
    with pytest.raises(SpecError, match="PyTorchJob, TFJob"):
        find_kind("caffe")


def test_a_trainjob_names_its_queue_where_volcano_looks_for_it(assert_valid):
    job = training_job("TrainJob", "digits", PARTS, policy=RunPolicy(queue="research"))
    assert job["metadata"]["annotations"] == {"scheduling.volcano.sh/queue-name": "research"}
    assert_valid(job)
