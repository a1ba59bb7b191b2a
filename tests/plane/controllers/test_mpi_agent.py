"""The remote shell of MPI: commands in the pods that host names mean."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fairlead_plane.controllers.training import mpi_agent

from .conftest import WAITS, Workloads


@pytest.fixture
def agent(workloads: Workloads, tmp_path: Path):
    """Runs it with a kubeconfig of the test's namespace."""
    config = yaml.safe_load(workloads.plane.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = workloads.namespace
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", mpi_agent.__file__, *words],
            env={**os.environ, "KUBECONFIG": str(path)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def make(workloads: Workloads, name: str, source: str, **spec: str) -> None:
    """Create a pod that runs a source."""
    container = {"name": "main", "image": "python:3.11", "command": ["python", "-c", source]}
    body = {
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [container], **spec},
    }
    workloads.core.create_namespaced_pod(workloads.namespace, body)


def test_a_command_runs_in_the_pod_of_its_host(workloads: Workloads, agent) -> None:
    make(workloads, "worker-0", WAITS)
    # As mpirun calls it: options, then a command in pieces; it waits until the pod runs.
    done = agent("-o", "ConnectionAttempts=10", "worker-0.job.team.svc", "echo out;", "echo err",
                 ">&2;", "exit 3")  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_host_may_be_the_host_name_of_a_pod(workloads: Workloads, agent) -> None:
    make(workloads, "any-x7k2p", WAITS, hostname="job-node-0-1")
    assert agent("job-node-0-1.job", "echo", "here").stdout == "here\n"


def test_a_pod_that_has_ended_is_told_of(workloads: Workloads, agent) -> None:
    make(workloads, "over", "pass")
    pod = lambda: workloads.core.read_namespaced_pod("over", workloads.namespace)  # noqa: E731
    workloads.wait_for(lambda: pod().status.phase == "Succeeded", "it goes on")
    done = agent("over", "true")
    assert (done.returncode, done.stderr) == (255, "over: its pod has ended: Succeeded\n")
