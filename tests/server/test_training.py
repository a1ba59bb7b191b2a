"""Training jobs as the panels see and steer them, over a real control plane."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import HTTPClientError

from fairlead.kube import KubeClient

RESOURCE = "trainjobs.v1alpha1.trainer.kubeflow.org"
SOURCE = """
import os, sys, time
node = os.environ['PET_NODE_RANK']
print('node', node, 'begins', flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
print('node', node, 'ends')
sys.exit(int(node) * int(sys.argv[2]))
"""


@pytest.fixture
def start(fetch, tmp_path):
    """Starts a job of two nodes that end when the file is there, the second with a code."""
    kube = KubeClient()

    def create(name, code=0):
        file = tmp_path / name
        kind = kube.resource_type("trainer.kubeflow.org/v1alpha1", "TrainJob")
        kube.create(
            {
                "apiVersion": kind.api_version,
                "kind": kind.kind,
                "metadata": {"name": name, "namespace": "default"},
                "spec": {
                    "runtimeRef": {"name": "torch-distributed"},
                    "trainer": {
                        "numNodes": 2,
                        "command": ["python", "-c", SOURCE, str(file), str(code)],
                    },
                },
            },
            "default",
        )
        return file

    return create


def one(state, running=None):
    """The rows are one job in a state, perhaps with so many replicas that run."""

    def holds(rows):
        jobs = list(rows.values())
        if [job["state"] for job in jobs] != [state]:
            return False
        count = sum(replica["state"] == "RUNNING" for replica in jobs[0]["replicas"])
        return running is None or count == running

    return holds


async def test_a_job_is_followed_from_its_start_to_its_end(fetch, new_viewer, start):
    viewer = await new_viewer()
    await viewer.subscribe(1, "training")
    assert await viewer.until(1, lambda rows: not rows) == {}
    file = start("digits")
    (row,) = (await viewer.until(1, one("RUNNING", running=2))).values()
    assert (row["kind"], row["resource"], row["name"]) == ("TrainJob", RESOURCE, "digits")
    assert (row["wanted"], [(r["type"], r["index"]) for r in row["replicas"]]) == (
        2, [("node", 0), ("node", 1)],
    )  # fmt: skip
    file.touch()
    (row,) = (await viewer.until(1, one("SUCCEEDED"))).values()
    assert row["finished_at"]
    log = (await fetch("training", RESOURCE, "digits", "log")).decode()
    assert sorted(log.splitlines()) == [
        "[node-0] node 0 begins", "[node-0] node 0 ends",
        "[node-1] node 1 begins", "[node-1] node 1 ends",
    ]  # fmt: skip
    pod = row["replicas"][1]["name"]
    alone = await fetch(
        "training", RESOURCE, "digits", "replicas", pod, "log", params={"follow": "1"}
    )
    assert alone.decode() == "node 1 begins\nnode 1 ends\n"
    assert b"numNodes: 2" in await fetch("training", RESOURCE, "digits", "manifest")
    events = (await fetch("training", RESOURCE, "digits", "events"))["events"]
    assert {"Scheduled", "Started"} <= {event["reason"] for event in events}
    await fetch("training", RESOURCE, "digits", method="DELETE")
    await viewer.until(1, lambda rows: not rows)


async def test_a_job_that_fails_tells_which_replica_and_shows_its_log_first(
    fetch, new_viewer, start
):
    viewer = await new_viewer()
    await viewer.subscribe(1, "training")
    start("bad", code=3).touch()
    (row,) = (await viewer.until(1, one("FAILED"))).values()
    failed = [replica for replica in row["replicas"] if replica["state"] == "FAILED"]
    assert failed[0]["message"] == "exit code 3"
    assert f"{failed[0]['name']}: exit code 3" in row["message"]
    log = (await fetch("training", RESOURCE, "bad", "log")).decode()
    assert log.startswith("[node-1] ")
    await fetch("training", RESOURCE, "bad", method="DELETE")


async def test_a_job_is_suspended_and_resumed(fetch, new_viewer, start):
    viewer = await new_viewer()
    await viewer.subscribe(1, "training")
    file = start("patient")
    await viewer.until(1, one("RUNNING", running=2))
    await fetch("training", RESOURCE, "patient", "suspend", method="POST", body={})
    await viewer.until(1, one("SUSPENDED", running=0))
    await fetch("training", RESOURCE, "patient", "resume", method="POST", body={})
    await viewer.until(1, one("RUNNING", running=2))
    file.touch()
    await viewer.until(1, one("SUCCEEDED"))
    await fetch("training", RESOURCE, "patient", method="DELETE")


async def test_what_is_not_there_is_said_in_words(fetch):
    for path, told in (
        ((RESOURCE, "nobody", "manifest"), "nobody"),
        (("carjobs.v1.kubeflow.org", "digits", "log"), "serves no training jobs carjobs"),
    ):
        with pytest.raises(HTTPClientError) as caught:
            await fetch("training", *path)
        assert caught.value.code == 404
        assert told in json.loads(caught.value.response.body)["message"]
