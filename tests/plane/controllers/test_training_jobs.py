"""Jobs of the training operator on a real plane, from the manifest to their end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kubernetes import client

from .conftest import WAITS, Workloads
from .operator_jobs import Jobs, replica

TORCH = os.environ.get("FAIRLEAD_TEST_TORCH_PYTHON", "")
needs_torch = pytest.mark.skipif(
    not TORCH, reason="FAIRLEAD_TEST_TORCH_PYTHON names no Python that has torch"
)

ALL_REDUCE = """
import torch, torch.distributed as dist
dist.init_process_group("gloo")
value = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(value)
print("sum", int(value.item()), "of", dist.get_world_size())
dist.destroy_process_group()
"""


@pytest.fixture
def jobs(workloads: Workloads) -> Jobs:
    """PyTorchJobs in a namespace of this test's own on the shared plane."""
    return Jobs(workloads, "PyTorchJob")


def python(source: str) -> list[str]:
    """Return the command that runs a source."""
    return ["python", "-c", source]


def torch_pair(source: str, workers: int = 1, **spec: object) -> dict[str, object]:
    """Return a master and workers that run one source."""
    return {
        "Master": replica("PyTorchJob", python(source), **spec),
        "Worker": replica("PyTorchJob", python(source), workers, **spec),
    }


@needs_torch
def test_a_master_and_a_worker_add_up_over_gloo(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(ALL_REDUCE)
    command = ["python", "train.py"]
    replicas = {type: replica("PyTorchJob", command) for type in ("Master", "Worker")}
    annotations = {"fairlead.dev/interpreter": TORCH, "fairlead.dev/working-dir": str(tmp_path)}
    jobs.create("sum", replicas, annotations=annotations)
    ended = jobs.wait("sum", "Succeeded")
    assert (ended["reason"], ended["message"]) == (
        "PyTorchJobSucceeded", "PyTorchJob sum is successfully completed.",
    )  # fmt: skip
    for name in ("master-0", "worker-0"):
        jobs.wait_phase("sum", name, "Succeeded")
        assert jobs.log("sum", name).splitlines()[-1] == "sum 3 of 2"


def test_a_job_tells_of_its_way_as_the_operator_does(jobs: Jobs) -> None:
    jobs.create("told", torch_pair("import time; time.sleep(0.5)"))
    jobs.wait("told", "Succeeded")
    job = jobs.get("told")
    assert [(each["type"], each["status"]) for each in job["status"]["conditions"]] == [
        ("Created", "True"), ("Running", "False"), ("Succeeded", "True"),
    ]  # fmt: skip
    assert job["status"]["replicaStatuses"]["Master"]["succeeded"] == 1
    assert job["status"]["replicaStatuses"]["Master"]["selector"] == (
        "training.kubeflow.org/job-name=told,"
        "training.kubeflow.org/operator-name=pytorchjob-controller,"
        "training.kubeflow.org/replica-type=master"
    )
    events = jobs.events("told")
    assert ("SuccessfulCreateService", "Created service: told-master-0") in events
    assert ("SuccessfulCreatePod", "Created pod: told-worker-0") in events
    assert ("PyTorchJobSucceeded", "PyTorchJob told is successfully completed.") in events
    labels = jobs.pods("told")["master-0"].metadata.labels
    assert labels["training.kubeflow.org/job-role"] == "master"


def test_replicas_that_are_left_end_with_the_job_and_keep_their_logs(jobs: Jobs) -> None:
    source = f"import os\nif os.environ['RANK'] == '1':\n  print('left', flush=True)\n  {WAITS}"
    source += "\nimport time; time.sleep(1)"
    jobs.create("left", torch_pair(source))
    jobs.wait("left", "Succeeded")
    jobs.wait_phase("left", "worker-0", "Failed")
    assert jobs.log("left", "worker-0").strip() == "left"
    assert jobs.get("left")["status"]["replicaStatuses"]["Worker"]["succeeded"] == 1


def test_a_replica_that_may_not_restart_fails_the_job(jobs: Jobs) -> None:
    source = f"import os\nif os.environ['RANK'] == '1': raise SystemExit(3)\n{WAITS}"
    jobs.create("broken", torch_pair(source, restartPolicy="Never"))
    failed = jobs.wait("broken", "Failed")
    assert failed["message"] == "PyTorchJob broken is failed because 1 Worker replica(s) failed."
    jobs.wait_phase("broken", "master-0", "Failed")
    words = f"Pod: {jobs.workloads.namespace}.broken-worker-0 exited with code 3"
    assert ("ExitedWithCode", words) in jobs.events("broken")


def test_an_exit_code_of_a_signal_is_tried_again_and_another_is_not(
    jobs: Jobs, tmp_path: Path
) -> None:
    seen = str(tmp_path / "seen")
    source = f"""
import os, signal
if os.path.exists({seen!r}):
    raise SystemExit(7)
open({seen!r}, "w").close()
os.kill(os.getpid(), signal.SIGKILL)
"""
    jobs.create("code", {"Master": replica("PyTorchJob", python(source), restartPolicy="ExitCode")})
    assert jobs.wait("code", "Failed")["message"] == (
        'job "code" is failing because "Master" replica(s) failed.'
    )
    words = "job code is restarting because Master replica(s) failed."
    assert ("PyTorchJobRestarting", words) in jobs.events("code")


def test_suspended_jobs_have_no_pods_and_go_on(jobs: Jobs) -> None:
    jobs.create("later", torch_pair("pass"), runPolicy={"suspend": True})
    assert jobs.wait("later", "Suspended")["message"] == "PyTorchJob later is suspended."
    assert not jobs.pods("later")
    jobs.patch("later", {"runPolicy": {"suspend": False}})
    jobs.wait("later", "Succeeded")
    assert jobs.conditions("later")["Suspended"]["reason"] == "PyTorchJobResumed"
    jobs.create("paused", torch_pair(WAITS))
    jobs.wait("paused", "Running")
    jobs.patch("paused", {"runPolicy": {"suspend": True}})
    jobs.wait("paused", "Suspended")
    assert jobs.conditions("paused")["Running"]["status"] == "False"
    jobs.workloads.wait_for(lambda: not jobs.pods("paused"), "its pods run on")


def test_a_job_that_is_too_long_or_over_for_long_goes(jobs: Jobs) -> None:
    jobs.create("long", torch_pair(WAITS), runPolicy={"activeDeadlineSeconds": 1})
    assert jobs.wait("long", "Failed")["message"] == (
        "Job long has failed because it was active longer than specified deadline"
    )
    policy = {"ttlSecondsAfterFinished": 0, "cleanPodPolicy": "All"}
    jobs.create("brief", torch_pair("pass"), runPolicy=policy)

    def gone() -> bool:
        try:
            jobs.get("brief")
        except client.ApiException as error:
            return bool(error.status == 404)
        return False

    jobs.workloads.wait_for(gone, "brief is still there")
    assert not jobs.pods("brief")


def test_workers_are_scaled(jobs: Jobs) -> None:
    jobs.create(
        "wide", {"Worker": replica("PyTorchJob", python(WAITS))},
        elasticPolicy={"minReplicas": 1, "maxReplicas": 3},
    )  # fmt: skip
    jobs.wait_phase("wide", "worker-0", "Running")
    jobs.scale("wide", 2)
    jobs.wait_phase("wide", "worker-1", "Running")
    jobs.scale("wide", 1)
    jobs.workloads.wait_for(lambda: list(jobs.pods("wide")) == ["worker-0"], "worker 1 stays")
    jobs.delete("wide")
    jobs.workloads.wait_for(lambda: not jobs.pods("wide"), "pods of a deleted job")


def test_what_the_webhooks_refuse_is_refused(jobs: Jobs) -> None:
    other = replica("PyTorchJob", python("pass"), container={"name": "main"})
    words = jobs.refusal("odd", {"Worker": other})
    assert "must have at least one container with name pytorch" in words
    assert "spec.pytorchReplicaSpecs[Worker].template.spec.containers" in words
    pair = torch_pair("pass")
    assert "must be 1" in jobs.refusal("odd", {**pair, "Master": {**pair["Master"], "replicas": 2}})
    assert 'supported values: "Master", "Worker"' in jobs.refusal("odd", {"Chief": other})


ELASTIC = """
import os, signal, time
import torch, torch.distributed as dist
dist.init_process_group("gloo")
if dist.get_rank() == 1 and not os.path.exists("killed"):
    open("killed", "w").close()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
value = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(value)
print("sum", int(value.item()), "of", dist.get_world_size())
dist.destroy_process_group()
"""


@needs_torch
def test_a_killed_worker_of_an_elastic_job_joins_again(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(ELASTIC)
    worker = replica("PyTorchJob", ["torchrun", "train.py"], 2, restartPolicy="OnFailure")
    annotations = {"fairlead.dev/interpreter": TORCH, "fairlead.dev/working-dir": str(tmp_path)}
    policy = {"minReplicas": 2, "maxReplicas": 2, "maxRestarts": 10}
    jobs.create(
        "joins", {"Worker": worker}, annotations=annotations, elasticPolicy=policy, nprocPerNode="1"
    )
    jobs.wait("joins", "Succeeded")
    pods = jobs.pods("joins").values()
    assert sum(pod.status.container_statuses[0].restart_count for pod in pods) >= 1
    assert any("sum 3 of 2" in jobs.log("joins", name) for name in jobs.pods("joins"))


def test_a_killed_plane_loses_no_job(own_workloads: Workloads, tmp_path: Path) -> None:
    jobs = Jobs(own_workloads, "PyTorchJob")
    done = str(tmp_path / "done")
    source = f"import os, time\nwhile not os.path.exists({done!r}): time.sleep(0.05)\nprint('done')"
    jobs.create("kept", torch_pair(source))
    uids = {n: jobs.wait_phase("kept", n, "Running").metadata.uid for n in ("master-0", "worker-0")}
    own_workloads.plane.kill()
    own_workloads.plane.start()
    (tmp_path / "done").touch()
    jobs.wait("kept", "Succeeded")
    for name, uid in uids.items():
        pod = jobs.wait_phase("kept", name, "Succeeded")
        assert pod.metadata.uid == uid
        assert jobs.log("kept", name).strip() == "done"
