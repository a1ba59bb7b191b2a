"""`fairlead.train` on a real control plane: code, workspace, state, logs and metrics of a job."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

import fairlead
from fairlead.cli import main
from fairlead.errors import NotFoundError, SpecError
from fairlead.kinds.training import PodParts, RunPolicy, training_job
from fairlead.kube import EMBEDDED_CONTEXT, KubeClient
from fairlead.kube.contexts import start_plane
from fairlead.kube.types import CONFIG_MAPS
from fairlead.training.job import TrainingFailedError, get_job, list_jobs
from fairlead.yaml_text import dump_yaml

README = (Path(__file__).parents[3] / "README.md").read_text()
AWKWARD = "$HOME `id` \\b \\\\ 'x' \"é\" $(RANK) $$"


@pytest.fixture(scope="module")
def train(data_dir):
    """Starts a job on the embedded control plane."""

    def start(what, arguments=None, **options):
        options = {"kind": "TrainJob", "context": EMBEDDED_CONTEXT, **options}
        return fairlead.train(what, arguments, **options)

    return start


def code_of(job):
    kube = KubeClient(EMBEDDED_CONTEXT)
    return kube.get(CONFIG_MAPS, f"{job.name}-code", job.namespace)


def test_a_script_runs_on_two_replicas_with_its_modules_arguments_and_metrics(
    train, tmp_path, monkeypatch
):
    (tmp_path / "helpers.py").write_text(f"TEXT = {AWKWARD!r}\n")
    script = tmp_path / "digits.py"
    script.write_text(
        "import os, sys, fairlead, helpers\n"
        "assert sys.argv[1] == helpers.TEXT, sys.argv\n"
        "print(os.environ['RANK'], os.environ['WORLD_SIZE'], os.environ['GIVEN'])\n"
        "fairlead.report(step=1, loss=0.5)\n"
    )
    job = train(script, [AWKWARD], workers=2, processes=1, env={"GIVEN": AWKWARD})
    assert job.name.startswith("digits-")
    assert job.wait().state == "SUCCEEDED"
    lines = list(job.logs())
    for rank in (0, 1):
        assert f"[node-{rank}] {rank} 2 {AWKWARD}" in lines
    assert job.metrics() == {"loss": [(1.0, 0.5)]}
    assert list_jobs(EMBEDDED_CONTEXT)[0].name == job.name
    (owner,) = code_of(job)["metadata"]["ownerReferences"]
    assert owner["uid"] == job.manifest["metadata"]["uid"]


def test_a_failed_job_says_which_replica_failed_and_its_lines_come_first(train, tmp_path):
    script = tmp_path / "bad.py"
    script.write_text("import os\nif os.environ['RANK'] == '1':\n    raise SystemExit('no data')\n")
    job = train(script, workers=2, processes=1)
    with pytest.raises(TrainingFailedError, match=r"node-0-1-.*: exit code 1"):
        job.wait()
    assert next(job.logs()) == "[node-1] no data"


def test_the_files_of_a_workspace_are_where_the_code_starts(train, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "data.txt").write_text("seven")
    script = tmp_path / "reads.py"
    script.write_text("print(open('data.txt').read())")
    job = train(script, workspace=folder).wait()
    assert list(job.logs()) == ["[node-0] seven"]


def test_a_job_is_suspended_resumed_and_deleted_with_its_code(train, tmp_path):
    script = tmp_path / "waits.py"
    script.write_text("import time\ntime.sleep(600)")
    job = train(script, name="waits")
    job.suspend()
    assert job.manifest["spec"]["suspend"] is True
    job.resume()
    assert get_job("trainjob/waits", context=EMBEDDED_CONTEXT).manifest["spec"]["suspend"] is False
    job.delete()
    with pytest.raises(NotFoundError):
        get_job("waits", context=EMBEDDED_CONTEXT)


def test_what_is_not_possible_is_refused_before_anything_is_made(train, tmp_path):
    for what, arguments, options, words in (
        (lambda: 0, None, {}, "not a function"),
        (tmp_path / "none.py", None, {}, "no script"),
        (["python"], {"a": 1}, {}, "mapping is for a function"),
        (["true"], None, {"name": "Bad_Name"}, "no name for a job"),
    ):
        with pytest.raises((SpecError, NotFoundError), match=words):
            train(what, arguments, **options)


def test_the_command_line_trains_and_looks_after_jobs(data_dir, tmp_path, capfd):
    script = tmp_path / "cli.py"
    script.write_text("import sys\nprint(sys.argv[1:])\n")
    there = ["--context", EMBEDDED_CONTEXT]
    job = ["--kind", "TrainJob", "--name", "from-cli", "--workers", "2", *there]
    assert main(["train", *job, str(script), "--lr", "0.1"]) == 0
    output = capfd.readouterr().out
    assert "[node-1] ['--lr', '0.1']" in output
    assert output.endswith("from-cli: Succeeded\n")
    assert main(["jobs", "get", "from-cli", *there]) == 0
    assert "from-cli: SUCCEEDED" in capfd.readouterr().out
    assert main(["jobs", "logs", "from-cli", *there]) == 0
    assert "[node-0] ['--lr', '0.1']" in capfd.readouterr().out
    assert main(["jobs", "top", *there]) == 0
    assert "from-cli" not in capfd.readouterr().out  # it has ended
    assert main(["jobs", "prune", "--older-than", "1d", *there]) == 0
    assert main(["jobs", "delete", "from-cli", *there]) == 0
    assert capfd.readouterr().out == "Deleted from-cli.\n"


def test_the_readme_trains_a_function_of_a_cell(data_dir, tmp_path):
    source = re.search(r"<!-- train -->\n```python\n(.*?)```", README, re.DOTALL)[1]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, kernel_name="python3", timeout=300, resources=resources).execute()
    lines = "".join(o.get("text", "") for o in notebook.cells[0].outputs).splitlines()
    assert "[master-0] I am 0 of 2" in lines
    assert lines[-1] == "{'loss': [(1.0, 1.0)]}"


def test_the_readme_trains_a_script_on_the_command_line(data_dir, tmp_path):
    (tmp_path / "train.py").write_text("import os\nprint('I am', os.environ['RANK'])\n")
    block = re.search(r"<!-- train-commands -->\n```sh\n(.*?)```", README, re.DOTALL)[1]
    shown = []
    for line in block.strip().splitlines():
        command = [sys.executable, "-m", "fairlead.cli", *line.split()[1:]]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
        )
        shown.append(done.stdout)
    run, listed, got, logs, deleted = shown
    assert run.endswith("digits: Succeeded\n")
    assert "digits" in listed
    assert "digits: SUCCEEDED" in got
    assert "[master-0] I am 0" in logs
    assert deleted == "Deleted digits.\n"


def test_where_kueue_is_a_queue_is_one_of_its_and_must_be_there(train, shared_data):
    kube = KubeClient(EMBEDDED_CONTEXT)
    found = (shared_data / "crds" / "kueue.x-k8s.io").glob("localqueues*.yaml")
    for definition in yaml.safe_load_all(next(found).read_text()):
        kube.create(definition)
    queue = {
        "apiVersion": "kueue.x-k8s.io/v1beta1",
        "kind": "LocalQueue",
        "metadata": {"name": "research"},
        "spec": {"clusterQueue": "all"},
    }
    kube.create(queue, kube.context.namespace)
    job = train(["true"], policy=RunPolicy(queue="research"))
    assert job.manifest["metadata"]["labels"] == {"kueue.x-k8s.io/queue-name": "research"}
    job.delete()
    with pytest.raises(NotFoundError, match="nowhere"):
        train(["true"], policy=RunPolicy(queue="nowhere"))


def test_a_job_of_the_training_operator_is_converted(tmp_path, capsys):
    manifest = tmp_path / "job.yaml"
    parts = PodParts({"image": "python:3.12", "command": ["python", "train.py"]})
    manifest.write_text(dump_yaml([training_job("torch", "digits", parts, workers=2)]))
    assert main(["jobs", "convert", str(manifest)]) == 0
    told = capsys.readouterr()
    made = yaml.safe_load(told.out)
    assert (made["kind"], made["spec"]["trainer"]["numNodes"]) == ("TrainJob", 2)
    assert "torchrun" in told.err


def test_who_one_is_and_where(data_dir, capsys):
    assert main(["whoami", "--context", EMBEDDED_CONTEXT]) == 0
    output = capsys.readouterr().out
    assert "context:    local" in output
    assert "user:       " in output


MEETING = """
import os, pathlib, sys, time
place = pathlib.Path(sys.argv[1])
place.mkdir(exist_ok=True)
print("here")
(place / os.environ["HOSTNAME"]).touch()
while len(list(place.iterdir())) < 2:
    time.sleep(0.05)
"""
"""The job ends with its first replica: it must not do so before the other one is there."""


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("PyTorchJob", ["master-0", "worker-0"]),
        ("XGBoostJob", ["master-0", "worker-0"]),
        ("JAXJob", ["worker-0", "worker-1"]),
        ("TFJob", ["worker-0", "worker-1"]),
        ("PaddleJob", ["worker-0", "worker-1"]),
    ],
)
def test_the_training_operators_kinds_run_code_that_is_sent(train, tmp_path, kind, names):
    script = tmp_path / "says.py"
    script.write_text(MEETING)
    keep = RunPolicy(clean_pod_policy="None")
    job = train(
        script, [str(tmp_path / "met")], kind=kind, workers=2, image="python:3.12", policy=keep
    ).wait()
    assert sorted(job.logs()) == [f"[{name}] here" for name in names]


NOTEBOOK = (
    "%load_ext fairlead\nimport math\nBY = 3\ndef helper(x):\n    return math.sqrt(x) * BY",
    "%%train --kind TrainJob --workers 2 --context local\nimport os\nprint(helper(16), '$HOME')",
    "import fairlead\ndef fit(x):\n    print('fit', helper(x))\n"
    "job = fairlead.train(fit, {'x': 4}, kind='TrainJob', context='local').wait()\n"
    "print(list(job.logs()))",
)


def test_cells_and_functions_of_a_kernel_are_trained_with_what_they_need(data_dir, tmp_path):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in NOTEBOOK])
    NotebookClient(
        made, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    _, cell, function = ("".join(o.get("text", "") for o in c.outputs) for c in made.cells)
    assert "[node-0] 12.0 $HOME" in cell
    assert "[node-1] 12.0 $HOME" in cell
    assert "['[node-0] fit 6.0']" in function


DDP = """
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
torch.manual_seed(0)
x, y = torch.randn(64, 4), torch.randn(64, 1)
model = DistributedDataParallel(torch.nn.Linear(4, 1))
rank, size = dist.get_rank(), dist.get_world_size()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(5):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(x[rank::size]), y[rank::size]).backward()
    optimizer.step()
print(f"size={size} weight={model.module.weight[0, 0].item():.5f}")
dist.destroy_process_group()
"""


@pytest.mark.parametrize(
    ("workers", "processes"), [(2, 1), pytest.param(1, 2, marks=pytest.mark.full)]
)
def test_torch_trains_on_two_processes_as_on_one(train, tmp_path, monkeypatch, workers, processes):
    python = os.environ.get("FAIRLEAD_TEST_TORCH_PYTHON")
    if not python:
        pytest.skip("needs a Python with torch in FAIRLEAD_TEST_TORCH_PYTHON")
    start_plane()  # by this Python, not by that one
    monkeypatch.setattr(sys, "executable", python)
    script = tmp_path / "ddp.py"
    script.write_text(DDP)
    keep = RunPolicy(clean_pod_policy="None")
    job = train(script, kind="PyTorchJob", workers=workers, processes=processes, policy=keep).wait()
    lines = {line.partition("] ")[2] for line in job.logs() if "weight=" in line}
    alone = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    done = subprocess.run(
        [python, script], env=os.environ | alone, capture_output=True, text=True, check=True
    )
    assert lines == {done.stdout.strip().replace("size=1", "size=2")}
