"""Jobs of the training operator as TrainJobs."""

from __future__ import annotations

import pytest

from fairlead.errors import SpecError
from fairlead.kinds.frameworks import KINDS
from fairlead.kinds.training import PodParts, RunPolicy, training_job
from fairlead.kinds.training_convert import to_train_job

PARTS = PodParts(
    container={
        "image": "python:3.12",
        "command": ["torchrun", "train.py"],
        "resources": {"limits": {"nvidia.com/gpu": 1}},
        "workingDir": "/work",
    },
    spec={"nodeSelector": {"disk": "fast"}, "hostNetwork": True},
)


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS if kind.kind != "TrainJob"])
def test_the_trainer_takes_every_kind(kind, assert_valid):
    job, warnings = to_train_job(training_job(kind, "digits", PARTS, workers=3))
    assert_valid(job)
    assert job["spec"]["trainer"]["numNodes"] == 3
    assert "pod.hostNetwork: left out, a TrainJob cannot set it" in warnings
    assert "container.workingDir: left out, a TrainJob cannot set it" in warnings


def test_what_is_lost_or_seen_otherwise_is_told():
    policy = RunPolicy(backoff_limit=2, active_deadline_seconds=60)
    made = training_job("tf", "digits", PARTS, workers=2, servers=1, policy=policy)
    job, warnings = to_train_job(made)
    assert job["spec"]["activeDeadlineSeconds"] == 60
    assert job["spec"]["runtimeRef"]["name"] == "plainml-distributed"
    told = "\n".join(warnings)
    assert "backoffLimit: left out" in told
    assert "no parameter servers" in told


def test_torch_runs_with_as_many_processes():
    job, _ = to_train_job(training_job("torch", "digits", PARTS, workers=2, processes=4))
    assert job["spec"]["runtimeRef"]["name"] == "torch-distributed"
    assert job["spec"]["trainer"]["numProcPerNode"] == 4


def test_a_python_command_of_torch_is_told_that_torchrun_sets_the_ranks():
    parts = PodParts({"image": "python:3.12", "command": ["python", "train.py"]})
    _, warnings = to_train_job(training_job("torch", "digits", parts))
    assert warnings == [
        "RANK and WORLD_SIZE are set by torchrun alone: the command must begin with it"
    ]


def test_another_kind_is_refused():
    with pytest.raises(SpecError, match="A Pod cannot become a TrainJob"):
        to_train_job({"kind": "Pod"})
