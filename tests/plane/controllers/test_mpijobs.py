"""MPIJobs of both operators on a real plane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes import client

from .conftest import WAITS, Workloads
from .test_trainjob_mpi import ALL_REDUCE, PYTHON, needs_mpi, said

VERSIONS = ("v1", "v2beta1")


class MpiJobs:
    """MPIJobs of one namespace."""

    def __init__(self, workloads: Workloads, version: str) -> None:
        self.workloads, self.version = workloads, version
        self.custom = client.CustomObjectsApi(workloads.plane.api())

    def create(self, name: str, command: list[str], workers: int = 2, **spec: Any) -> None:
        """Create an MPIJob."""

        def replica(count: int, container: Any, policy: str = "Never") -> Any:
            pod = {"containers": [{"name": "mpi", "image": "mpi:1", **container}]}
            return {"replicas": count, "restartPolicy": policy, "template": {"spec": pod}}

        policy = spec.pop("launcherRestartPolicy", "Never")

        body = {
            "apiVersion": f"kubeflow.org/{self.version}",
            "kind": "MPIJob",
            "metadata": {"name": name, "annotations": spec.pop("annotations", {})},
            "spec": {
                "mpiReplicaSpecs": {
                    "Launcher": replica(1, {"command": command}, policy),
                    "Worker": replica(workers, {}),
                },
                **spec,
            },
        }
        self.custom.create_namespaced_custom_object(
            "kubeflow.org", self.version, self.workloads.namespace, "mpijobs", body
        )

    def get(self, name: str) -> Any:
        """Read an MPIJob."""
        return self.custom.get_namespaced_custom_object(
            "kubeflow.org", self.version, self.workloads.namespace, "mpijobs", name
        )

    def patch(self, name: str, policy: Any) -> None:
        """Change the run policy."""
        self.custom.patch_namespaced_custom_object(
            "kubeflow.org", self.version, self.workloads.namespace, "mpijobs", name,
            {"spec": {"runPolicy": policy}},
        )  # fmt: skip

    def wait(self, name: str, type: str, status: str = "True") -> Any:
        """Wait for a condition, and return it."""

        def find() -> Any:
            conditions = self.get(name).get("status", {}).get("conditions", [])
            other = {"Succeeded": "Failed", "Failed": "Succeeded"}.get(type)
            assert other not in [c["type"] for c in conditions], (conditions, self.log(name))
            return [c for c in conditions if (c["type"], c["status"]) == (type, status)]

        return self.workloads.wait_for(find, f"{name} {type}")[0]

    def pods(self, role: str) -> list[client.V1Pod]:
        """Return the pods of a role."""
        return self.workloads.pods(f"training.kubeflow.org/job-role={role}")

    def log(self, name: str) -> str:
        """Return what the launcher has written."""
        (launcher,) = self.pods("launcher")
        core, namespace = self.workloads.core, self.workloads.namespace
        text: str = core.read_namespaced_pod_log(launcher.metadata.name, namespace)
        return text


@pytest.fixture(params=VERSIONS)
def jobs(request: pytest.FixtureRequest, workloads: Workloads) -> MpiJobs:
    """Of each version, in a namespace of this test's own."""
    return MpiJobs(workloads, request.param)


@needs_mpi
def test_mpirun_adds_up_over_two_workers(jobs: MpiJobs) -> None:
    annotations = {"fairlead.dev/interpreter": PYTHON}
    jobs.create("ring", ["mpirun", "-n", "2", "python", "-c", ALL_REDUCE], annotations=annotations)
    ended = jobs.wait("ring", "Succeeded")
    assert ended["reason"] == "MPIJobSucceeded"
    assert ended["message"].endswith("/ring successfully completed.")
    assert said(jobs.log("ring")) == ["sum 3 of 2"] * 2
    jobs.workloads.wait_for(lambda: not jobs.pods("worker"), "its workers go on")


@needs_mpi
def test_a_killed_mpirun_is_started_again_and_leaves_nothing(
    workloads: Workloads, tmp_path: Path
) -> None:
    jobs, gate = MpiJobs(workloads, "v2beta1"), tmp_path / "gate"
    source = (
        "import os, sys, time\nfrom mpi4py import MPI\n"
        "sys.stdout.write(f'{MPI.COMM_WORLD.Get_rank()}\\n')\nsys.stdout.flush()\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    )
    annotations = {"fairlead.dev/interpreter": PYTHON}
    jobs.create(
        "hit", ["mpirun", "-n", "2", "python", "-c", source], annotations=annotations,
        launcherRestartPolicy="OnFailure",
    )  # fmt: skip

    def processes() -> list[psutil.Process]:
        found = psutil.process_iter(["name", "cmdline", "status"])
        return [p for p in found if str(gate) in " ".join(p.info["cmdline"] or ())]

    jobs.wait("hit", "Running")
    workloads.wait_for(lambda: len(said(jobs.log("hit"))) == 2, "no ranks")
    (mpirun,) = (p for p in processes() if p.info["name"] == "mpirun")
    mpirun.kill()
    gate.touch()
    jobs.wait("hit", "Succeeded")
    workloads.wait_for(lambda: not processes(), "something is left")


def test_a_launcher_that_fails_fails_the_job(jobs: MpiJobs) -> None:
    policy = {"backoffLimit": 0}
    jobs.create("broken", ["python", "-c", "raise SystemExit(3)"], 1, runPolicy=policy)
    failed = jobs.wait("broken", "Failed")
    assert (
        failed["reason"] == {"v1": "MPIJobFailed", "v2beta1": "BackoffLimitExceeded"}[jobs.version]
    )
    assert jobs.get("broken")["status"]["replicaStatuses"]["Launcher"]["failed"] == 1


def test_a_job_is_suspended_and_goes_on(jobs: MpiJobs) -> None:
    jobs.create("later", ["python", "-c", "print('done')"], 1, runPolicy={"suspend": True})
    assert jobs.wait("later", "Suspended")["reason"] == "MPIJobSuspended"
    assert not jobs.pods("worker")
    jobs.patch("later", {"suspend": False})
    assert jobs.wait("later", "Suspended", "False")["reason"] == "MPIJobResumed"
    jobs.wait("later", "Succeeded")
    assert jobs.log("later") == "done\n"


def test_a_job_of_v1_ends_at_its_deadline_and_goes_in_its_time(workloads: Workloads) -> None:
    jobs = MpiJobs(workloads, "v1")
    policy = {"activeDeadlineSeconds": 1}
    jobs.create("slow", ["python", "-c", WAITS], 1, runPolicy=policy)
    assert jobs.wait("slow", "Failed")["message"] == (
        "MPIJob slow has failed because it was active longer than specified deadline"
    )
    jobs.workloads.wait_for(lambda: not jobs.pods("worker"), "its worker goes on")
    jobs.patch("slow", {"ttlSecondsAfterFinished": 0})

    def gone() -> bool:
        try:
            jobs.get("slow")
        except client.ApiException as error:
            return bool(error.status == 404)
        return False

    jobs.workloads.wait_for(gone, "it stays")


def test_jobs_of_both_operators_may_have_one_name(workloads: Workloads) -> None:
    first, second = (MpiJobs(workloads, version) for version in VERSIONS)
    first.create("same", ["true"], 0, runPolicy={"suspend": True})
    second.create("same", ["true"], 0, runPolicy={"suspend": True})
    assert first.get("same")["metadata"]["uid"] != second.get("same")["metadata"]["uid"]


def test_a_job_without_a_launcher_is_refused(jobs: MpiJobs) -> None:
    body = {
        "apiVersion": f"kubeflow.org/{jobs.version}",
        "kind": "MPIJob",
        "metadata": {"name": "headless"},
        "spec": {"mpiReplicaSpecs": {}},
    }
    with pytest.raises(client.ApiException, match="must have Launcher replica spec"):
        jobs.custom.create_namespaced_custom_object(
            "kubeflow.org", jobs.version, jobs.workloads.namespace, "mpijobs", body
        )
