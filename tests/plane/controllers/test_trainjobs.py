"""TrainJobs on a real plane, through the stock client."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes import client

from .conftest import WAITS, Workloads

GROUP, VERSION = "trainer.kubeflow.org", "v1alpha1"
TORCH = os.environ.get("FAIRLEAD_TEST_TORCH_PYTHON", "")
needs_torch = pytest.mark.skipif(
    not TORCH, reason="FAIRLEAD_TEST_TORCH_PYTHON names no Python that has torch"
)


class TrainJobs:
    """TrainJobs of one namespace."""

    def __init__(self, workloads: Workloads) -> None:
        self.workloads = workloads
        self.custom = client.CustomObjectsApi(workloads.plane.api())

    def create(self, name: str, trainer: Any, **spec: Any) -> Any:
        """Create a TrainJob; `annotations` go to its metadata."""
        runtime = spec.pop("runtime", {"name": "torch-distributed"})
        metadata = {"name": name, "annotations": spec.pop("annotations", {})}
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "TrainJob",
            "metadata": metadata,
            "spec": {"runtimeRef": runtime, "trainer": trainer, **spec},
        }
        return self.custom.create_namespaced_custom_object(
            GROUP, VERSION, self.workloads.namespace, "trainjobs", body
        )

    def get(self, name: str) -> Any:
        """Read a TrainJob."""
        return self.custom.get_namespaced_custom_object(
            GROUP, VERSION, self.workloads.namespace, "trainjobs", name
        )

    def patch(self, name: str, spec: Any) -> None:
        """Change a TrainJob."""
        self.custom.patch_namespaced_custom_object(
            GROUP, VERSION, self.workloads.namespace, "trainjobs", name, {"spec": spec}
        )

    def wait(self, name: str, type: str, status: str = "True") -> Any:
        """Wait for a condition, and return it."""

        def find() -> Any:
            conditions = self.get(name).get("status", {}).get("conditions", [])
            other = {"Complete": "Failed", "Failed": "Complete"}.get(type)
            assert other not in [c["type"] for c in conditions], self.logs(name)
            return [c for c in conditions if (c["type"], c["status"]) == (type, status)]

        return self.workloads.wait_for(find, f"{name} {type}")[0]

    def pods(self, name: str) -> list[client.V1Pod]:
        """Return its pods, in the order of their index."""
        found = self.workloads.pods(f"jobset.sigs.k8s.io/jobset-name={name}")
        label = "batch.kubernetes.io/job-completion-index"
        return sorted(found, key=lambda pod: int(pod.metadata.labels[label]))

    def logs(self, name: str) -> list[str]:
        """Return what its pods have written."""
        core, namespace = self.workloads.core, self.workloads.namespace
        return [core.read_namespaced_pod_log(p.metadata.name, namespace) for p in self.pods(name)]


@pytest.fixture
def jobs(workloads: Workloads) -> TrainJobs:
    """In a namespace of this test's own on the shared plane."""
    return TrainJobs(workloads)


def python(source: str) -> list[str]:
    """Return the command that runs a source."""
    return ["python", "-c", source]


ALL_REDUCE = """
import torch, torch.distributed as dist
dist.init_process_group("gloo")
value = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(value)
print("sum", int(value.item()), "of", dist.get_world_size())
dist.destroy_process_group()
"""


@needs_torch
def test_torchrun_on_two_nodes_adds_up_over_gloo(jobs: TrainJobs, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(ALL_REDUCE)
    annotations = {"fairlead.dev/interpreter": TORCH}
    jobs.create(
        "sum", {"numNodes": 2, "command": ["torchrun", str(script)]}, annotations=annotations
    )
    ended = jobs.wait("sum", "Complete")
    assert ended["reason"] == "AllJobsCompleted"
    assert [log.splitlines()[-1] for log in jobs.logs("sum")] == ["sum 3 of 2"] * 2


def test_a_job_ends_complete_and_tells_of_its_nodes(jobs: TrainJobs) -> None:
    source = "import os; print(os.environ['PET_NODE_RANK'], os.environ['WORLD_SIZE'])"
    jobs.create("plain", {"numNodes": 2, "command": python(source)})
    jobs.wait("plain", "Complete")
    assert [log.strip() for log in jobs.logs("plain")] == ["0 2", "1 2"]
    (status,) = jobs.get("plain")["status"]["jobsStatus"]
    assert status == {
        "name": "node", "ready": 0, "succeeded": 1, "failed": 0, "active": 0, "suspended": 0,
    }  # fmt: skip
    names = [pod.metadata.name.rpartition("-")[0] for pod in jobs.pods("plain")]
    assert names == ["plain-node-0-0", "plain-node-0-1"]


def test_a_node_that_fails_fails_the_job_and_ends_the_others(jobs: TrainJobs) -> None:
    source = f"import os\nif os.environ['RANK'] == '1': raise SystemExit(3)\n{WAITS}"
    jobs.create("broken", {"numNodes": 2, "command": python(source)})
    failed = jobs.wait("broken", "Failed")
    assert failed["reason"] == "FailedJobs"
    assert "first failed job: broken-node-0" in failed["message"]
    jobs.workloads.wait_for(
        lambda: all(pod.status.phase in ("Failed", "Succeeded") for pod in jobs.pods("broken")),
        "the other node goes on",
    )


def test_a_job_is_suspended_and_goes_on(jobs: TrainJobs) -> None:
    jobs.create("later", {"command": python("print('done')")}, suspend=True)
    assert jobs.wait("later", "Suspended")["reason"] == "Suspended"
    assert not jobs.pods("later")
    jobs.patch("later", {"suspend": False})
    assert jobs.wait("later", "Suspended", "False")["reason"] == "Resumed"
    jobs.wait("later", "Complete")


def test_a_running_job_is_stopped_by_suspend(jobs: TrainJobs) -> None:
    jobs.create("pause", {"command": python(WAITS)})
    jobs.workloads.wait_for(
        lambda: [p for p in jobs.pods("pause") if p.status.phase == "Running"], "it does not run"
    )
    jobs.patch("pause", {"suspend": True})
    jobs.wait("pause", "Suspended")
    jobs.workloads.wait_for(lambda: not jobs.pods("pause"), "its pod is still there")


def test_a_deadline_fails_a_job_and_takes_its_pods(jobs: TrainJobs) -> None:
    jobs.create("slow", {"command": python(WAITS)}, activeDeadlineSeconds=1)
    failed = jobs.wait("slow", "Failed")
    assert failed["reason"] == "DeadlineExceeded"
    assert failed["message"] == "TrainJob exceeded its active deadline"
    jobs.workloads.wait_for(lambda: not jobs.pods("slow"), "its pods are still there")


def test_a_job_goes_on_when_the_plane_is_killed(own_workloads: Workloads, tmp_path: Path) -> None:
    jobs, gate = TrainJobs(own_workloads), tmp_path / "gate"
    source = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    jobs.create("kept", {"numNodes": 2, "command": python(source)})

    def running() -> bool:
        return [pod.status.phase for pod in jobs.pods("kept")] == ["Running"] * 2

    own_workloads.wait_for(running, "it does not run")
    before = {pod.metadata.uid for pod in jobs.pods("kept")}
    own_workloads.plane.kill()
    gate.touch()
    own_workloads.plane.start()
    jobs.wait("kept", "Complete")
    assert {pod.metadata.uid for pod in jobs.pods("kept")} == before


def test_delete_takes_all_that_was_made(jobs: TrainJobs) -> None:
    jobs.create("gone", {"command": python(WAITS)})
    jobs.workloads.wait_for(lambda: jobs.pods("gone"), "no pod")
    namespace = jobs.workloads.namespace
    jobs.custom.delete_namespaced_custom_object(GROUP, VERSION, namespace, "trainjobs", "gone")
    jobs.workloads.wait_for(
        lambda: (
            not jobs.pods("gone") and not jobs.workloads.batch.list_namespaced_job(namespace).items
        ),
        "something is left",
    )


STRAY = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"],
                         start_new_session=True)
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_of_a_killed_launcher_end_with_its_pod(jobs: TrainJobs) -> None:
    jobs.create("stray", {"command": python(STRAY)})
    jobs.wait("stray", "Failed")
    (log,) = jobs.logs("stray")
    assert not psutil.pid_exists(int(log)) or psutil.Process(int(log)).status() == "zombie"


REPORT = """
import json, os, ssl, urllib.request
name = "KUBEFLOW_TRAINER_SERVER_"
token = open(os.environ[name + "TOKEN"]).read()
status = {"progressPercentage": 40, "estimatedRemainingSeconds": 9,
          "metrics": [{"name": "loss", "value": "0.5"}],
          "lastUpdatedTime": "2026-01-02T03:04:05.678+00:00"}
request = urllib.request.Request(
    os.environ[name + "URL"], json.dumps({"trainerStatus": status}).encode(),
    {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
tls = ssl.create_default_context(cafile=os.environ[name + "CA_CERT"])
urllib.request.urlopen(request, context=tls)
"""


def test_a_node_reports_its_progress(jobs: TrainJobs) -> None:
    jobs.create("report", {"command": python(REPORT)})
    jobs.wait("report", "Complete")
    assert jobs.get("report")["status"]["trainerStatus"] == {
        "progressPercentage": 40,
        "estimatedRemainingSeconds": 9,
        "metrics": [{"name": "loss", "value": "0.5"}],
        "lastUpdatedTime": "2026-01-02T03:04:05Z",
    }


def refusal(jobs: TrainJobs, trainer: Any, **spec: Any) -> str:
    """Return the words in which a TrainJob is refused."""
    with pytest.raises(client.ApiException) as refused:
        jobs.create("refused", trainer, **spec)
    message: str = json.loads(refused.value.body)["message"]
    return message.removeprefix(
        'admission webhook "validator.trainjob.trainer.kubeflow.org" denied the request: '
    )


def test_a_runtime_that_is_not_there_is_refused(jobs: TrainJobs) -> None:
    assert refusal(jobs, {}, runtime={"kind": "Own", "name": "own"}) == (
        "unsupported runtime: Own.trainer.kubeflow.org"
    )
    assert refusal(jobs, {}, runtime={"name": "own"}).endswith(
        "specified clusterTrainingRuntime must be created before the TrainJob is created"
    )


def test_reserved_variables_are_refused(jobs: TrainJobs) -> None:
    trainer = {"env": [{"name": "PET_NNODES", "value": "3"}]}
    assert refusal(jobs, trainer).endswith(
        "must not have reserved envs, invalid envs configured: [PET_NNODES]"
    )
    trainer = {"env": [{"name": "DMLC_TASK_ID", "value": "3"}]}
    assert refusal(jobs, trainer, runtime={"name": "xgboost-distributed"}) == (
        "spec.trainer.env[0]: Forbidden: DMLC_TASK_ID is reserved for the XGBoost runtime"
    )


def test_an_initializer_needs_a_runtime_that_has_its_step(jobs: TrainJobs) -> None:
    initializer = {"dataset": {"storageUri": "hf://a/b"}}
    assert refusal(jobs, {}, initializer=initializer).endswith(
        "must have dataset-initializer job when trainJob is configured with input datasetConfig"
    )


def test_a_runtime_of_a_namespace_is_used_and_checked(jobs: TrainJobs) -> None:
    container = {"name": "node", "image": "own:1", "command": python("print('own')")}
    job = {
        "name": "node",
        "template": {
            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
            "spec": {"template": {"spec": {"containers": [container]}}},
        },
    }
    runtime = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TrainingRuntime",
        "metadata": {"name": "own"},
        "spec": {"mlPolicy": {"numNodes": 2}, "template": {"spec": {"replicatedJobs": [job]}}},
    }
    namespace, make = jobs.workloads.namespace, jobs.custom.create_namespaced_custom_object
    make(GROUP, VERSION, namespace, "trainingruntimes", runtime)
    jobs.create("mine", {}, runtime={"name": "own", "kind": "TrainingRuntime"})
    jobs.wait("mine", "Complete")
    assert jobs.logs("mine") == ["own\n"] * 2

    runtime["metadata"] = {"name": "two"}
    runtime["spec"]["mlPolicy"] = {"torch": {}, "jax": {}}
    with pytest.raises(client.ApiException, match="Only one of the policy can be configured"):
        make(GROUP, VERSION, namespace, "trainingruntimes", runtime)


def test_the_trainer_of_a_job_does_not_change(jobs: TrainJobs) -> None:
    jobs.create("fixed", {"numNodes": 1}, suspend=True)
    with pytest.raises(client.ApiException) as refused:
        jobs.patch("fixed", {"trainer": {"numNodes": 2}})
    assert json.loads(refused.value.body)["message"].endswith(
        'spec.trainer: Invalid value: "object": field is immutable'
    )
