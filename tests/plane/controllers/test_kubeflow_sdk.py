"""The stock `kubeflow` SDK against a plane."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import Workloads
from .test_trainjobs import TORCH, needs_torch

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

TORCH_SCRIPT = """
import sys
from kubeflow.common.types import KubernetesBackendConfig
from kubeflow.trainer import CustomTrainer, TrainerClient
from kubeflow.trainer.options import Annotations


def add_up():
    import torch
    import torch.distributed as dist
    dist.init_process_group("gloo")
    value = torch.ones(1) * (dist.get_rank() + 1)
    dist.all_reduce(value)
    print("sum", int(value.item()))
    dist.destroy_process_group()


client = TrainerClient(KubernetesBackendConfig(namespace=sys.argv[1]))
job = client.train(
    trainer=CustomTrainer(func=add_up, num_nodes=2),
    options=[Annotations({"fairlead.dev/interpreter": sys.argv[2]})],
)
client.wait_for_job_status(job, polling_interval=1, timeout=200)
for rank in range(2):
    logs = list(client.get_job_logs(job, step=f"node-{rank}"))
    assert "sum 3" in logs, logs
print("all well")
"""


needs_sdk = pytest.mark.skipif(
    not PYTHON, reason="FAIRLEAD_TEST_KUBEFLOW_PYTHON names no Python with kubeflow"
)


def run(workloads: Workloads, script: Path, *words: str) -> None:
    """Run a script with the SDK; it must end with its last words."""
    done = subprocess.run(
        [PYTHON, str(script), workloads.namespace, *words],
        env={**os.environ, "KUBECONFIG": str(workloads.plane.kubeconfig)},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "all well"


@needs_sdk
def test_the_sdk_trains_a_function_and_reads_its_logs(workloads: Workloads, tmp_path: Path) -> None:
    script = tmp_path / "train.py"  # a file: the SDK reads the source of the function
    script.write_text(SCRIPT)
    run(workloads, script)


@needs_sdk
@needs_torch
def test_the_sdk_trains_with_torchrun_on_two_nodes(workloads: Workloads, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(TORCH_SCRIPT)
    run(workloads, script, TORCH)
