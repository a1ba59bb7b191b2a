"""TrainJobs of real frameworks, two processes each, against what one process finds."""

from __future__ import annotations

import os

import pytest

from .conftest import Workloads
from .test_trainjobs import TrainJobs, python

JAX = os.environ.get("FAIRLEAD_TEST_JAX_PYTHON", "")
XGBOOST = os.environ.get("FAIRLEAD_TEST_XGBOOST_PYTHON", "")


@pytest.fixture
def jobs(workloads: Workloads) -> TrainJobs:
    """In a namespace of this test's own on the shared plane."""
    return TrainJobs(workloads)


JAX_SUM = """
import os
import jax
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(
    os.environ["JAX_COORDINATOR_ADDRESS"],
    int(os.environ["JAX_NUM_PROCESSES"]),
    int(os.environ["JAX_PROCESS_ID"]),
)
from jax.experimental import multihost_utils
found = multihost_utils.process_allgather(jax.numpy.array([jax.process_index() + 1]))
print("sum", int(found.sum()))
"""


@pytest.mark.skipif(not JAX, reason="FAIRLEAD_TEST_JAX_PYTHON names no Python that has jax")
def test_jax_gathers_over_two_processes(jobs: TrainJobs) -> None:
    jobs.create(
        "gather",
        {"numNodes": 2, "command": python(JAX_SUM)},
        runtime={"name": "jax-distributed"},
        annotations={"fairlead.dev/interpreter": JAX},
    )
    jobs.wait("gather", "Complete")
    # jax may complain at its exit.
    assert ["sum 3" in log.splitlines() for log in jobs.logs("gather")] == [True] * 2


# Each worker has every second row; the trees are built from the histograms of both.
XGBOOST_TRAIN = """
import os
import numpy
import xgboost
from xgboost import collective
from xgboost.tracker import RabitTracker

rank, count = int(os.environ["DMLC_TASK_ID"]), int(os.environ["DMLC_NUM_WORKER"])
host, port = os.environ["DMLC_TRACKER_URI"], int(os.environ["DMLC_TRACKER_PORT"])
random = numpy.random.default_rng(0)
x = random.normal(size=(400, 4))
y = (x[:, 0] + x[:, 1] > 0).astype(int)
settings = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 2, "nthread": 1}

def train(rows, labels):
    return xgboost.train(settings, xgboost.DMatrix(rows, labels), num_boost_round=3)

alone = train(x, y).predict(xgboost.DMatrix(x))
if rank == 0:
    tracker = RabitTracker(host_ip=host, port=port, n_workers=count)
    tracker.start()
with collective.CommunicatorContext(
    dmlc_communicator="rabit", dmlc_tracker_uri=host, dmlc_tracker_port=port,
    dmlc_task_id=str(rank), dmlc_retry=60,
):
    together = train(x[rank::count], y[rank::count]).predict(xgboost.DMatrix(x))
right = ((together > 0.5) == (alone > 0.5)).mean()
print("agree" if right > 0.95 else right)
if rank == 0:
    tracker.wait_for()
"""


@pytest.mark.skipif(
    not XGBOOST, reason="FAIRLEAD_TEST_XGBOOST_PYTHON names no Python that has xgboost"
)
def test_xgboost_trains_over_two_workers_as_over_one(jobs: TrainJobs) -> None:
    jobs.create(
        "trees",
        {"numNodes": 2, "command": python(XGBOOST_TRAIN)},
        runtime={"name": "xgboost-distributed"},
        annotations={"fairlead.dev/interpreter": XGBOOST},
    )
    jobs.wait("trees", "Complete")
    assert [log.splitlines()[-1] for log in jobs.logs("trees")] == ["agree"] * 2
