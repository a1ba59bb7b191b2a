"""The usual overview of kfp, by the stock client as the README has it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"
README = Path(__file__).parents[3] / "README.md"


def test_the_overview_runs_by_the_lines_of_the_readme(shared_plane, connect, seen, tmp_path):
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "KUBECONFIG": str(shared_plane.kubeconfig),
        "PYTHONWARNINGS": "ignore",
    }
    source = Path(__file__).with_name("kfp_overview.py")
    compiled = [python, str(source), "overview.yaml"]
    subprocess.run(compiled, check=True, cwd=tmp_path, env=env, capture_output=True)
    lines = re.search(r"<!-- kfp -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    ended = subprocess.run(
        [python, "-c", lines.group(1)], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "SUCCEEDED"
    (listed,) = (
        one
        for one in connect(shared_plane).call("GET", "runs?page_size=200")["runs"]
        if one["display_name"].startswith("overview")
    )
    run = connect(shared_plane).call("GET", f"runs/{listed['run_id']}")
    (score,) = seen.details(run)["evaluate"]["outputs"]["parameters"]
    assert score["value"] > 0.8
