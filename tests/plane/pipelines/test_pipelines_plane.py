"""Runs on a real control plane: its process, its node, its HTTP; and the stock kfp client."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from urllib.error import HTTPError, URLError

import psutil
import pytest
import yaml
from kubernetes import client

PROXY = "/api/v1/namespaces/kubeflow/services/ml-pipeline:http/proxy"
KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"

# Each step leaves a line in a file when it has done its work.
MARK = """
import json, sys, time
message = json.loads(sys.argv[1])
value = message["inputs"]["parameterValues"]["a"] + 1
time.sleep(0.15)
with open(PLACE, "a") as done:
    done.write(f"{value}\\n")
open(message["outputs"]["artifacts"]["data"]["artifacts"][0]["uri"], "w").write(str(value))
open(message["outputs"]["parameters"]["out"]["outputFile"], "w").write(str(value))
"""


@pytest.mark.parametrize("base", ["", PROXY, f"{PROXY}/"])
def test_kfps_rest_is_at_the_root_and_behind_the_service_proxy(connect, ir, shared_plane, base):
    rest = connect(shared_plane, base)
    assert rest.call("GET", "healthz")["multi_user"] is False
    run = rest.until(rest.start(ir.chain(2)))
    assert (run["state"], run.get("error")) == ("SUCCEEDED", None)


def test_no_request_without_the_token_is_answered(connect, shared_plane):
    rest = connect(shared_plane)
    for path in ("runs", "healthz"):
        with pytest.raises(HTTPError) as caught:
            rest.call("GET", path, token="wrong")
        assert caught.value.code == 401


NASTY = "it's \"quoted\" $(HOME) $HOME $$ $(A) {{$}} {{$.outputs.output_file}} `x` \\ \n}}' ünï"


def test_a_parameter_value_is_the_same_in_the_step_whatever_it_looks_like(
    connect, ir, shared_plane, seen
):
    source = """
import json, os, sys
values = [*sys.argv[1:3], os.environ["VALUE"]]
json.dump({"parameterValues": {"out": values}}, open(sys.argv[3], "w"))
"""
    executor = {
        "image": "python",
        "command": ["python3", "-c", source],
        "args": [
            "{{$.inputs.parameters['a']}}",
            json.dumps({"Concat": ["<", "{{$.inputs.parameters['a']}}", ">"]}),
            "{{$.outputs.output_file}}",
        ],
        "env": [
            {"name": "A", "value": "expanded"},
            {"name": "VALUE", "value": "{{$.inputs.parameters['a']}}"},
        ],
    }
    spec = ir.pipeline(
        [ir.task("t", "c", a="<text")],
        {"c": ir.component("e", [("a", "STRING")], out=[("out", "LIST")])},
        {"e": executor},
        {"text": {"parameterType": "STRING"}},
    )
    rest = connect(shared_plane)
    run = rest.until(rest.start(spec, text=NASTY))
    (out,) = seen.details(run)["t"]["outputs"]["parameters"]
    assert out["value"] == [NASTY, f"<{NASTY}>", NASTY]


def test_a_failing_step_fails_the_run_and_its_pod_keeps_the_log(connect, ir, shared_plane, seen):
    spec = ir.pipeline(
        [ir.task("bad", "c"), ir.task("after", "c", ["bad"])],
        {"c": ir.component("e")},
        {"e": ir.executor("print('before'); raise SystemExit(7)")},
    )
    rest = connect(shared_plane)
    run = rest.until(rest.start(spec))
    assert seen.states(run) == {"bad": "FAILED", "after": "SKIPPED"}
    what = "The step ended with exit code 7; its log says more."
    assert run["error"]["message"] == f"Task 'bad' failed: {what}"
    pod = seen.details(run)["bad"]["pod_name"]
    with shared_plane.api() as api:
        log = client.CoreV1Api(api).read_namespaced_pod_log(pod, "kubeflow")
    assert log == "before\n"


def test_terminate_ends_the_process_of_a_step(connect, ir, shared_plane, seen, tmp_path):
    source = f"""
import os, time
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
time.sleep(300)
"""
    spec = ir.pipeline([ir.task("long", "c")], {"c": ir.component("e")}, {"e": ir.executor(source)})
    rest = connect(shared_plane)
    run_id = rest.start(spec)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.02)
    process = psutil.Process(int((tmp_path / "pid").read_text()))
    rest.call("POST", f"runs/{run_id}:terminate")
    assert rest.until(run_id)["state"] == "CANCELED"
    process.wait(30)


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_plane_takes_its_runs_up_again_and_repeats_nothing(
    connect, ir, own_plane, seen, tmp_path, seed
):
    done = tmp_path / "done"
    rest = connect(own_plane)
    run_id = rest.start(ir.chain(6, MARK.replace("PLACE", repr(str(done)))), start=0)
    chosen = random.Random(seed)
    for _ in range(2):
        time.sleep(chosen.uniform(0, 0.6))
        own_plane.kill()
        with pytest.raises((URLError, OSError)):
            rest.call("GET", "healthz")
        own_plane.start()
    run = rest.until(run_id)
    assert (run["state"], run.get("error")) == ("SUCCEEDED", None)
    assert done.read_text().split() == ["1", "2", "3", "4", "5", "6"]


def test_a_stopped_plane_runs_the_step_again_that_it_stopped(
    connect, ir, own_plane, seen, tmp_path
):
    first = tmp_path / "first"
    source = f"""
import os, time
if not os.path.exists({str(first)!r}):
    open({str(first)!r}, "w").close()
    time.sleep(300)
"""
    spec = ir.pipeline([ir.task("slow", "c")], {"c": ir.component("e")}, {"e": ir.executor(source)})
    rest = connect(own_plane)
    run_id = rest.start(spec)
    while not first.exists():
        time.sleep(0.02)
    assert own_plane.stop() == 0
    own_plane.start()
    run = rest.until(run_id)
    assert run["state"] == "SUCCEEDED"
    assert len(seen.details(run)["slow"]["executor_detail"]["failed_main_jobs"]) == 1


KFP_STORY = """
import json, sys, warnings
warnings.simplefilter("ignore")
import kfp

host, token, authority, package, broken = sys.argv[1:]
client = kfp.Client(host=host, existing_token=token, ssl_ca_cert=authority)
told = {"multi_user": client.get_kfp_healthz().multi_user}

def run_of(made):
    run = client.wait_for_run_completion(made.run_id, 60, sleep_duration=0.1)
    states = {one.display_name: one.state for one in run.run_details.task_details}
    return [run.state, states]

told["first"] = run_of(client.create_run_from_pipeline_package(package, arguments={"start": 3}))
told["second"] = run_of(client.create_run_from_pipeline_package(package, arguments={"start": 3}))
told["fresh"] = run_of(
    client.create_run_from_pipeline_package(package, arguments={"start": 3}, enable_caching=False)
)
failed = client.create_run_from_pipeline_package(broken)
told["failed"] = run_of(failed)
told["error"] = client.get_run(failed.run_id).error.message
name = "pipeline of " + host[-8:]
pipeline = client.upload_pipeline(package, name)
client.upload_pipeline_version(package, "two", pipeline_name=name)
versions = client.list_pipeline_versions(pipeline.pipeline_id, sort_by="created_at")
versions = versions.pipeline_versions
told["versions"] = [one.display_name for one in versions]
experiment = client.create_experiment("experiment of " + host[-8:])
by_reference = client.run_pipeline(
    experiment.experiment_id, "by reference", pipeline_id=pipeline.pipeline_id,
    version_id=versions[0].pipeline_version_id,
)
told["by_reference"] = run_of(by_reference)
listed = client.list_runs(experiment_id=experiment.experiment_id, sort_by="created_at desc")
told["listed"] = [one.display_name for one in listed.runs]
client.archive_run(by_reference.run_id)
told["stored"] = client.get_run(by_reference.run_id).storage_state
client.delete_run(by_reference.run_id)
try:
    client.get_run(by_reference.run_id)
except kfp.client.client.kfp_server_api.ApiException as error:
    told["deleted"] = error.status
print(json.dumps(told))
"""


@pytest.mark.parametrize("base", ["", PROXY], ids=["root", "proxy"])
def test_the_stock_kfp_client_uploads_runs_waits_and_lists(
    connect, ir, shared_plane, tmp_path, base
):
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")
    package, broken = tmp_path / "pipeline.yaml", tmp_path / "broken.yaml"
    spec = ir.chain(2)
    # Another pipeline for each host, so that the first run finds nothing in the cache.
    spec["deploymentSpec"]["executors"]["add"]["container"]["command"][-1] += f"\n# {base}"
    package.write_text(yaml.safe_dump(spec))
    broken.write_text(
        yaml.safe_dump(
            ir.pipeline(
                [ir.task("bad", "c")],
                {"c": ir.component("e")},
                {"e": ir.executor("raise SystemExit(7)")},
            )
        )
    )
    rest = connect(shared_plane)
    arguments = (rest.server + base, rest.token, str(shared_plane.data_dir / "ca.crt"))
    ended = subprocess.run(
        [python, "-c", KFP_STORY, *arguments, str(package), str(broken)],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert ended.returncode == 0, ended.stderr
    both = {"t0": "SUCCEEDED", "t1": "SUCCEEDED"}
    assert json.loads(ended.stdout.splitlines()[-1]) == {
        "multi_user": False,
        "first": ["SUCCEEDED", both],
        "second": ["SUCCEEDED", {"t0": "CACHED", "t1": "CACHED"}],
        "fresh": ["SUCCEEDED", both],
        "failed": ["FAILED", {"bad": "FAILED"}],
        "error": "Task 'bad' failed: The step ended with exit code 7; its log says more.",
        "versions": [f"pipeline of {arguments[0][-8:]}", "two"],
        "by_reference": ["SUCCEEDED", both],
        "listed": ["by reference"],
        "stored": "ARCHIVED",
        "deleted": 404,
    }
