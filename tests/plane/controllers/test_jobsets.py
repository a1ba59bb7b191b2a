"""JobSets on a real plane: order, restarts, success, volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from .conftest import WAITS, Workloads

GROUP, VERSION = "jobset.x-k8s.io", "v1alpha2"


class JobSets:
    """JobSets of one namespace."""

    def __init__(self, workloads: Workloads) -> None:
        self.workloads = workloads
        self.custom = client.CustomObjectsApi(workloads.plane.api())

    def create(self, name: str, *jobs: Any, **spec: Any) -> None:
        """Create a JobSet."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "JobSet",
            "metadata": {"name": name},
            "spec": {"replicatedJobs": list(jobs), **spec},
        }
        self.custom.create_namespaced_custom_object(
            GROUP, VERSION, self.workloads.namespace, "jobsets", body
        )

    def get(self, name: str) -> Any:
        """Read a JobSet."""
        return self.custom.get_namespaced_custom_object(
            GROUP, VERSION, self.workloads.namespace, "jobsets", name
        )

    def wait(self, name: str, state: str) -> Any:
        """Wait until a JobSet has ended, and return its last condition."""
        self.workloads.wait_for(
            lambda: self.get(name).get("status", {}).get("terminalState") == state, name
        )
        return self.get(name)["status"]["conditions"][-1]


@pytest.fixture
def jobsets(workloads: Workloads) -> JobSets:
    """In a namespace of this test's own on the shared plane."""
    return JobSets(workloads)


def part(name: str, source: str, **more: Any) -> Any:
    """Build an entry of `replicatedJobs`; `container` and `job` go where they belong."""
    container = {"name": "main", "image": "python:3.11", "command": ["python", "-c", source]}
    container |= more.pop("container", {})
    pod = {"restartPolicy": "Never", "containers": [container]}
    spec = {"backoffLimit": 0, "template": {"spec": pod}, **more.pop("job", {})}
    return {"name": name, "template": {"spec": spec}, **more}


def test_what_depends_on_a_job_starts_when_it_is_complete(jobsets: JobSets, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = part(
        "first", f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(.05)"
    )
    second = part("second", "pass", dependsOn=[{"name": "first", "status": "Complete"}])
    jobsets.create("chain", first, second)
    jobsets.workloads.wait_for(lambda: jobsets.workloads.pods(), "no pod")
    assert {
        p.metadata.labels["jobset.sigs.k8s.io/replicatedjob-name"] for p in jobsets.workloads.pods()
    } == {"first"}
    gate.touch()
    assert jobsets.wait("chain", "Completed")["reason"] == "AllJobsCompleted"


def test_jobs_of_a_claim_share_its_files(jobsets: JobSets) -> None:
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/shared-data"}]}
    write = part("write", "open('/shared-data/x', 'w').write('kept')", container=mount)
    read = part(
        "read",
        "assert open('/shared-data/x').read() == 'kept'",
        container=mount,
        dependsOn=[{"name": "write", "status": "Complete"}],
    )
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    jobsets.create("files", write, read, volumeClaimPolicies=[{"templates": [claim]}])
    jobsets.wait("files", "Completed")
    core, namespace = jobsets.workloads.core, jobsets.workloads.namespace
    (made,) = core.list_namespaced_persistent_volume_claim(namespace).items
    assert made.metadata.name == "data-files"


def test_a_failure_policy_starts_all_again_as_often_as_it_says(jobsets: JobSets) -> None:
    policy = {"maxRestarts": 1}
    jobsets.create("again", part("bad", "raise SystemExit(3)"), failurePolicy=policy)
    ended = jobsets.wait("again", "Failed")
    assert ended["reason"] == "ReachedMaxRestarts"
    assert jobsets.get("again")["status"]["restarts"] == 1


def test_the_success_of_one_job_can_be_that_of_all(jobsets: JobSets) -> None:
    policy = {"operator": "All", "targetReplicatedJobs": ["leader"]}
    jobsets.create("led", part("leader", "pass"), part("helper", WAITS), successPolicy=policy)
    jobsets.wait("led", "Completed")
    selector = "jobset.sigs.k8s.io/replicatedjob-name=helper"
    jobsets.workloads.wait_for(lambda: not jobsets.workloads.pods(selector), "it goes on")


def test_a_jobset_goes_in_its_time(jobsets: JobSets) -> None:
    jobsets.create("short", part("one", "pass"), ttlSecondsAfterFinished=0)

    def gone() -> bool:
        try:
            jobsets.get("short")
        except client.ApiException as error:
            return bool(error.status == 404)
        return False

    jobsets.workloads.wait_for(gone, "it stays")
