"""The example notebook and the README: what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from fairlead.client import submit

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
DIGITS = ROOT / "binder" / "digits.ipynb"


def commands(name):
    """The commands of the README's block under the comment `<!-- name -->`."""
    block = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", README, re.DOTALL)
    return block[1].strip().splitlines()


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture(scope="module")
def finished(data_dir):
    return submit(DIGITS).wait()


def test_the_pipeline_gives_the_numbers_of_the_plain_notebook(finished):
    notebook = nbformat.read(DIGITS, as_version=4)
    names = "accuracy, accuracy_forest, accuracy_logistic"
    notebook.cells.append(nbformat.v4.new_code_cell(f"print([{names}])"))
    NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
    plain = notebook.cells[-1].outputs[0].text.strip()
    metrics = finished.metrics
    assert plain == str([metrics[name] for name in names.split(", ")])
    assert metrics["accuracy"] >= 0.95


def test_the_two_models_are_trained_at_the_same_time(finished):
    nodes = {node["id"]: node for node in finished.view()["graph"]["nodes"]}
    first, second = (nodes[name] for name in ("train-logistic", "train-forest"))
    assert time_of(first["started_at"]) < time_of(second["finished_at"])
    assert time_of(second["started_at"]) < time_of(first["finished_at"])


def test_the_chosen_model_is_the_last_artifact(finished):
    last = finished.view()["graph"]["nodes"][-1]
    made = {port["name"]: port for port in last["outputs"]}
    assert made["model"]["type"].endswith(("RandomForestClassifier", "LogisticRegression"))
    assert made["model"]["size"] > 0


def test_plots_and_tables_come_back_as_an_executed_notebook(finished):
    outputs = [
        output
        for cell in finished.notebook("evaluate")["cells"]
        for output in cell.get("outputs", [])
    ]
    images = [output for output in outputs if "image/png" in output.get("data", {})]
    tables = [output for output in outputs if "<table" in str(output.get("data", {}))]
    assert (len(images), len(tables)) == (2, 1)
    nbformat.validate(nbformat.from_dict(finished.notebook("evaluate")))


def test_the_demo_ends_with_the_metrics_and_says_how_to_open_it(data_dir, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fairlead.cli", "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"accuracy = 0\.9[5-9]", done.stdout)
    assert done.stdout.rstrip().endswith("jupyter lab digits.ipynb")
    assert (tmp_path / "digits.ipynb").read_bytes() == DIGITS.read_bytes()


@pytest.fixture
def environment(data_dir, tmp_path):
    """Variables of a shell in which `fairlead` is the one under test."""
    scripts = tmp_path / "bin"
    scripts.mkdir()
    (scripts / "fairlead").write_text(f'#!/bin/sh\nexec {sys.executable} -m fairlead.cli "$@"\n')
    (scripts / "fairlead").chmod(0o755)
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
def test_every_command_for_kubectl_works(environment, tmp_path):
    script = "set -e\n" + "\n".join(commands("kubectl"))
    done = subprocess.run(
        script, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert 'deployment "web" successfully rolled out' in done.stdout
    assert f"Python 3.{sys.version_info[1]}." in done.stdout


def test_every_export_of_the_readme_works(environment, tmp_path):
    shutil.copyfile(DIGITS, tmp_path / "digits.ipynb")
    bin_folder = os.path.dirname(sys.executable)
    environment = {**environment, "PATH": environment["PATH"] + os.pathsep + bin_folder}
    script = "set -e\n" + "\n".join([*commands("export"), *commands("others")])
    done = subprocess.run(
        script, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    made = {path.name for path in tmp_path.iterdir()}
    assert {"digits.yaml", "digits.py", "digits_pipeline.py", "deploy", "digits.zip"} <= made
    assert (tmp_path / "copy" / "digits.ipynb").is_file()
    executed = nbformat.read(tmp_path / "executed.ipynb", as_version=4)
    assert "chosen:" in executed.cells[-1].outputs[0].text


def test_every_command_of_the_tour_works(environment, tmp_path):
    shutil.copy(DIGITS, tmp_path)
    ran = []
    for command in commands("tour"):
        if command.startswith("kubectl") and shutil.which("kubectl") is None:
            continue
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        ran.append(command.split()[1])
    assert ran[0] == "run"
    assert ran[-1] == "down"
