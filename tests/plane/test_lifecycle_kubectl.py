"""A pod's life as kubectl shows it."""

from __future__ import annotations

import pytest

from .kubectl import Kubectl


@pytest.fixture
def kubectl(shared_plane, namespace) -> Kubectl:
    return Kubectl(shared_plane.kubeconfig, namespace)


def shell(name: str, script: str, **more):
    return {"name": name, "image": "busybox", "command": ["sh", "-c", script], **more}


def status(kubectl: Kubectl, name: str) -> tuple[str, str]:
    """Return READY and STATUS of `kubectl get pod`."""
    row = kubectl.run("get", "pod", name, "--no-headers").stdout.decode().split()
    return row[1], row[2]


def test_the_status_column_tells_how_far_a_pod_is(shared_plane, pods, kubectl) -> None:
    side = shell("side", "while true; do sleep 0.1; done", restartPolicy="Always")
    wait = 'while ! test -e "$TMPDIR/go"; do sleep 0.05; done'
    uid = pods.create(
        "pod",
        "import time; time.sleep(1000)",
        initContainers=[shell("first", wait), side],
        container={"readinessProbe": {"exec": {"command": ["false"]}}},
    ).metadata.uid
    shared_plane.wait_for(lambda: status(kubectl, "pod") == ("0/2", "Init:0/2"), "it initializes")
    (shared_plane.data_dir / "pods" / uid / "tmp" / "go").touch()
    shared_plane.wait_for(lambda: status(kubectl, "pod") == ("1/2", "Running"), "it runs")
    pods.create("bad", initContainers=[shell("first", "exit 3")])
    shared_plane.wait_for(lambda: status(kubectl, "bad") == ("0/1", "Init:Error"), "it fails")
    again = {"restartPolicy": "OnFailure", "initContainers": [shell("first", "exit 3")]}
    pods.create("again", **again)
    shared_plane.wait_for(
        lambda: status(kubectl, "again") == ("0/1", "Init:CrashLoopBackOff"), "it is held back"
    )


def test_describe_tells_the_story_of_a_pod_in_its_order(pods, kubectl) -> None:
    pods.run("pod", "print('main')", initContainers=[shell("first", "echo first")])
    text = kubectl.run("describe", "pod", "pod").stdout.decode()
    story = [line.split()[1] for line in text.partition("Events:")[2].splitlines()[3:] if line]
    assert story == ["Scheduled", "Created", "Started", "Created", "Started"]
    for words in ("Init Containers:", "Started container first", "Reason:       Completed"):
        assert words in text
    log = kubectl.run("logs", "pod", "--all-containers").stdout.decode()
    # kubectl asks for one container after the other in an order that it leaves to chance.
    assert sorted(log.splitlines()) == ["first", "main"]


def test_a_debug_container_is_refused_in_words(pods, kubectl) -> None:
    pods.create("pod", "import time; time.sleep(1000)")
    pods.wait_running("pod")
    done = kubectl.run("debug", "pod", "--image=busybox", code=1)
    assert b"ephemeral containers are disabled for this cluster" in done.stderr
