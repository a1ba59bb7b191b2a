"""TrainJobs that are started by a real mpirun."""

from __future__ import annotations

import os
import shutil

import pytest

from .conftest import Workloads
from .test_trainjobs import TrainJobs

PYTHON = os.environ.get("FAIRLEAD_TEST_MPI_PYTHON", "")
needs_mpi = pytest.mark.skipif(
    not PYTHON or shutil.which("mpirun") is None,
    reason="no Open MPI here, or FAIRLEAD_TEST_MPI_PYTHON names no Python that has mpi4py",
)

ALL_REDUCE = """
import sys
from mpi4py import MPI
world = MPI.COMM_WORLD
sys.stdout.write(f"sum {world.allreduce(world.Get_rank() + 1)} of {world.Get_size()}\\n")
"""


def said(log: str) -> list[str]:
    """Return what the processes have written, without mpirun's own remarks on its start."""
    return [line for line in log.splitlines() if not line.startswith("[")]


@pytest.fixture
def jobs(workloads: Workloads) -> TrainJobs:
    """In a namespace of this test's own on the shared plane."""
    return TrainJobs(workloads)


@needs_mpi
def test_mpirun_starts_processes_in_the_pods_of_its_hosts(jobs: TrainJobs) -> None:
    jobs.create(
        "ring",
        {"numNodes": 2, "command": ["mpirun", "python", "-c", ALL_REDUCE]},
        runtime={"name": "deepspeed-distributed"},
        annotations={"fairlead.dev/interpreter": PYTHON},
    )
    jobs.wait("ring", "Complete")
    core, namespace = jobs.workloads.core, jobs.workloads.namespace
    (launcher,) = jobs.workloads.pods("jobset.sigs.k8s.io/replicatedjob-name=launcher")
    log = core.read_namespaced_pod_log(launcher.metadata.name, namespace)
    assert said(log) == ["sum 3 of 2"] * 2
    hosts = core.read_namespaced_config_map("ring-mpi-hostfile", namespace).data["hostfile"]
    assert hosts == "ring-launcher-0-0.ring slots=1\nring-node-0-0.ring slots=1\n"
