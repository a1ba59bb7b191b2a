"""Workloads through the stock client, and kubectl."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from kubernetes import client

WAIT_S = 60
WAITS = "import signal, time; signal.signal(signal.SIGTERM, lambda *a: exit(0)); time.sleep(1000)"


class Workloads(NamedTuple):
    """The APIs over one namespace of a plane."""

    plane: Any
    namespace: str
    core: client.CoreV1Api
    apps: client.AppsV1Api
    batch: client.BatchV1Api

    def wait_for(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Look until a condition holds, and return what it gave."""
        end = time.monotonic() + WAIT_S
        while True:
            found = condition()
            if found:
                return found
            assert time.monotonic() < end, f"{what}\n{self.plane.log[-3000:]}"
            time.sleep(0.05)

    def pods(self, selector: str = "") -> list[client.V1Pod]:
        """Return the pods, oldest first."""
        found = self.core.list_namespaced_pod(self.namespace, label_selector=selector).items
        return sorted(found, key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))

    def kubectl(self, *words: str, text: str = "") -> str:
        """Run kubectl with a text as its input; return what it printed."""
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.plane.kubeconfig}", "-n", self.namespace, *words],
            capture_output=True, text=True, input=text, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def reasons(self, name: str) -> list[str]:
        """Return the reasons of the Events about an object."""
        events = self.core.list_namespaced_event(
            self.namespace, field_selector=f"involvedObject.name={name}"
        )
        return [event.reason for event in events.items]


def over(plane: Any, namespace: str) -> Workloads:
    """Return the workloads of a namespace."""
    api = plane.api()
    return Workloads(
        plane, namespace, client.CoreV1Api(api), client.AppsV1Api(api), client.BatchV1Api(api)
    )


@pytest.fixture
def workloads(shared_plane, namespace) -> Workloads:
    """In a namespace of this test's own on the shared plane."""
    return over(shared_plane, namespace)


@pytest.fixture
def own_workloads(own_plane) -> Workloads:
    """On a plane of this test's own, to be killed."""
    return over(own_plane, "default")


needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")


def template(source: str = WAITS, labels: dict[str, str] | None = None, **spec: Any) -> Any:
    """Build a pod template that runs Python source."""
    container = {"name": "main", "image": "python:3.11", "command": ["python", "-c", source]}
    container |= spec.pop("container", {})
    metadata = {"labels": labels} if labels else {}
    return {"metadata": metadata, "spec": {"containers": [container], **spec}}
