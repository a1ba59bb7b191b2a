"""Recurring runs on a real plane: every few seconds, and across a kill -9."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
import time

import pytest
from kubernetes import client

from fairlead.triggers import read_time

INTERVAL_S = 10

# Leaves a line for each run.
MARK = """
import json, sys
message = json.loads(sys.argv[1])
with open(PLACE, "a") as done:
    done.write(message["inputs"]["parameterValues"]["a"] + "\\n")
open(message["outputs"]["parameters"]["out"]["outputFile"], "w").write("1")
"""


def marking(ir, place):
    """A pipeline of one step that writes its parameter into a file."""
    components = {"mark": ir.component("mark", [("a", "STRING")], [], ["out"])}
    return ir.pipeline(
        [ir.task("t0", "mark", cache=False, a="<when")],
        components,
        {"mark": ir.executor(MARK.replace("PLACE", repr(str(place))))},
        {"when": {"parameterType": "STRING"}},
    )


def schedule(rest, spec, seconds, **more):
    body = {
        "display_name": "often",
        "pipeline_spec": spec,
        "runtime_config": {"parameters": {"when": "[[ScheduledTime]]"}},
        "trigger": {"periodic_schedule": {"interval_second": str(seconds)}},
        "max_concurrency": "10",
        "mode": "ENABLE",
        **more,
    }
    return rest.call("POST", "recurringruns", body)["recurring_run_id"]


def runs_of(rest):
    return rest.call("GET", "runs?page_size=200&sort_by=scheduled_at")["runs"]


def wait_for_runs(rest, number):
    while len(runs := runs_of(rest)) < number:
        time.sleep(0.1)
    return [rest.until(run["run_id"]) for run in runs]


def test_a_run_every_ten_seconds(connect, ir, own_plane, tmp_path):
    place = tmp_path / "done"
    rest = connect(own_plane)
    identity = schedule(rest, marking(ir, place), INTERVAL_S)
    runs = wait_for_runs(rest, 2)
    assert [run["state"] for run in runs] == ["SUCCEEDED"] * 2
    first, second = (run["scheduled_at"] for run in runs)
    assert [run["recurring_run_id"] for run in runs] == [identity] * 2
    assert place.read_text().split() == [
        run["runtime_config"]["parameters"]["when"] for run in runs
    ]
    assert read_time(second) - read_time(first) == INTERVAL_S
    custom = client.CustomObjectsApi(own_plane.api())
    found = custom.list_namespaced_custom_object(
        "kubeflow.org", "v1beta1", "kubeflow", "scheduledworkflows"
    )
    status = found["items"][0]["status"]
    assert status["trigger"]["lastWorkflowIndex"] >= 2
    rest.call("POST", f"recurringruns/{identity}:disable")
    count = len(runs_of(rest))
    rest.call("DELETE", f"recurringruns/{identity}")
    assert len(runs_of(rest)) == count


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_plane_starts_each_run_once(connect, ir, own_plane, tmp_path, seed):
    place = tmp_path / "done"
    rest = connect(own_plane)
    identity = schedule(rest, marking(ir, place), 1)
    moments = random.Random(seed)
    for _ in range(3):
        time.sleep(moments.uniform(0.8, 2.2))
        own_plane.kill()
        own_plane.start()
    runs = wait_for_runs(rest, 6)
    rest.call("DELETE", f"recurringruns/{identity}")
    runs = [rest.until(run["run_id"]) for run in runs_of(rest)]
    times = [run["scheduled_at"] for run in runs]
    assert len(times) == len(set(times))
    # None is left out either: catching up is the default.
    parsed = [read_time(at) for at in times]
    assert {after - before for before, after in itertools.pairwise(parsed)} == {1}
    assert sorted(place.read_text().split()) == sorted(
        run["runtime_config"]["parameters"]["when"] for run in runs
    )


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")
def test_kubectl_shows_and_pauses_one_also_under_the_published_definition(
    connect, ir, own_plane, tmp_path, shared_data
):
    def kubectl(*words):
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={own_plane.kubeconfig}", "-n", "kubeflow", *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    rest = connect(own_plane)
    before = schedule(rest, marking(ir, tmp_path / "done"), 3600, display_name="hourly")
    kubectl("apply", "-f", str(shared_data / "crds" / "kubeflow.org" / "scheduledworkflows.yaml"))
    after = schedule(rest, marking(ir, tmp_path / "done"), 1, display_name="often")
    assert "hourly-" in kubectl("get", "scheduledworkflows")
    run = wait_for_runs(rest, 1)[0]
    assert (run["recurring_run_id"], run["state"]) == (after, "SUCCEEDED")
    for name in kubectl("get", "swf", "-o", "name").split():
        kubectl("patch", name, "--type=merge", "-p", '{"spec": {"enabled": false}}')

    def paused():
        found = (rest.call("GET", f"recurringruns/{one}") for one in (before, after))
        return all(one["status"] == "DISABLED" for one in found)

    own_plane.wait_for(paused, "what kubectl changed counts")
