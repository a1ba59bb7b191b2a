"""The stock `kubeflow` SDK against a plane."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import Workloads

PYTHON = os.environ.get("FAIRLEAD_TEST_KUBEFLOW_PYTHON", "")

SCRIPT = """
import sys
from kubeflow.trainer import CustomTrainer, TrainerClient
from kubeflow.common.types import KubernetesBackendConfig

namespace = sys.argv[1]
client = TrainerClient(KubernetesBackendConfig(namespace=namespace))
names = sorted(each.name for each in client.list_runtimes())
assert {"torch-distributed", "jax-distributed", "xgboost-distributed"} <= set(names), names

def plain(greeting):
    import os
    print(greeting, os.environ["PROCESS_ID"], os.environ["JAX_NUM_PROCESSES"])


job = client.train(
    runtime="jax-distributed",
    trainer=CustomTrainer(func=plain, func_args={"greeting": "hello"}, num_nodes=2),
)
done = client.wait_for_job_status(job, polling_interval=1, timeout=120)
assert done.status == "Complete", done
assert [step.name for step in sorted(done.steps, key=lambda s: s.name)] == ["node-0", "node-1"]
for rank in range(2):
    logs = list(client.get_job_logs(job, step=f"node-{rank}"))
    assert logs[-1] == f"hello {rank} 2", logs
assert job in [each.name for each in client.list_jobs()]
assert {event.reason for event in client.get_job_events(job)} >= {"Scheduled", "AllJobsCompleted"}
client.delete_job(job)
print("all well")
"""


@pytest.mark.skipif(
    not PYTHON, reason="FAIRLEAD_TEST_KUBEFLOW_PYTHON names no Python with kubeflow"
)
def test_the_sdk_trains_a_function_and_reads_its_logs(workloads: Workloads, tmp_path: Path) -> None:
    # A file: the SDK reads the source of the function.
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [PYTHON, str(script), workloads.namespace],
        env={**os.environ, "KUBECONFIG": str(workloads.plane.kubeconfig)},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "all well"
