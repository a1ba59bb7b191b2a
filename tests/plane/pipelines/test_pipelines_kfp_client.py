"""The stock kfp client as it is, in a Python of its own, against a real control plane."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest
import yaml

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"
SERVICE = "/api/v1/namespaces/kubeflow/services/ml-pipeline:http/proxy"

WAIT = """
import json, sys, time
message = json.loads(sys.argv[1])
values = message["inputs"]["parameterValues"]
time.sleep(values["seconds"])
open(message["outputs"]["artifacts"]["data"]["artifacts"][0]["uri"], "w").write(values["text"])
"""


def test_every_method_of_the_stock_client_that_needs_no_cluster_works(ir, plane, tmp_path):
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")

    cluster = yaml.safe_load(plane.kubeconfig.read_text())
    entry = cluster["clusters"][0]["cluster"]
    authority = tmp_path / "ca.crt"
    authority.write_bytes(base64.b64decode(entry["certificate-authority-data"]))
    component = ir.component(
        "wait", [("text", "STRING"), ("seconds", "NUMBER_DOUBLE")], made=["data"]
    )
    spec = ir.pipeline(
        [ir.task("wait", "wait", text="<text", seconds="<seconds")],
        {"wait": component},
        {"wait": ir.executor(WAIT)},
        {
            "text": {"parameterType": "STRING"},
            "seconds": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0},
        },
    )
    package = tmp_path / "pipeline.yaml"
    package.write_text(yaml.safe_dump(spec))
    story = Path(__file__).with_name("kfp_client_story.py")
    token = cluster["users"][0]["user"]["token"]
    folder = tmp_path / "mine"
    folder.mkdir()
    done = subprocess.run(
        [
            *(python, str(story), entry["server"] + SERVICE, token),
            *(str(authority), str(package), str(folder)),
        ],
        capture_output=True,
        text=True,
        # Its client keeps settings in the home.
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
