"""A real control plane per test, and the stock Kubernetes client to talk to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from kubernetes import client, config, watch

START_S = 60
END_S = 60


class Pods:
    """Pods of one namespace, through the stock client."""

    def __init__(self, core: client.CoreV1Api, namespace: str) -> None:
        self.core = core
        self.namespace = namespace

    def create(self, name: str, source: str = "pass", **spec: Any) -> client.V1Pod:
        """Create a pod that runs Python source; `container` and `metadata` go where they belong."""
        command = ["python", "-c", source]
        container = {"name": "main", "image": "python:3.11", "command": command}
        container |= spec.pop("container", {})
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, **spec.pop("metadata", {})},
            "spec": {"restartPolicy": "Never", "containers": [container], **spec},
        }
        return self.core.create_namespaced_pod(self.namespace, manifest)

    def get(self, name: str) -> client.V1Pod:
        """Read a pod."""
        return self.core.read_namespaced_pod(name, self.namespace)

    def wait(
        self, name: str, until: Callable[[Any], bool], *, since: str | None = None
    ) -> client.V1Pod:
        """Watch a pod until a condition holds, and return it.

        `since` is a resourceVersion: what has come and gone since then is seen, too.
        """
        stream = watch.Watch().stream(
            self.core.list_namespaced_pod,
            self.namespace,
            field_selector=f"metadata.name={name}",
            timeout_seconds=END_S,
            **({} if since is None else {"resource_version": since}),
        )
        for event in stream:
            if until(event["object"]):
                return event["object"]
        raise AssertionError(f"pod {name}: {self.get(name).status}")

    def wait_ended(self, name: str) -> client.V1Pod:
        """Wait until a pod has Succeeded or Failed."""
        return self.wait(name, lambda pod: pod.status.phase in ("Succeeded", "Failed"))

    def wait_running(self, name: str) -> client.V1Pod:
        """Wait until a pod is Running."""
        return self.wait(name, lambda pod: pod.status.phase == "Running")

    def run(self, name: str, source: str = "pass", **spec: Any) -> client.V1Pod:
        """Create a pod and wait for its end."""
        self.create(name, source, **spec)
        return self.wait_ended(name)

    def log(self, name: str, **options: Any) -> str:
        """Read the log of a pod."""
        text: str = self.core.read_namespaced_pod_log(name, self.namespace, **options)
        return text

    def follow(self, name: str) -> Iterator[bytes]:
        """Follow the log of a pod from its start on."""
        self.wait(name, lambda pod: pod.status.phase != "Pending")
        answer = self.core.read_namespaced_pod_log(
            name, self.namespace, follow=True, _preload_content=False
        )
        yield from answer.stream()

    def first_line(self, name: str) -> str:
        """Wait for the first line of a log."""
        text = b""
        for piece in self.follow(name):
            text += piece
            if b"\n" in text:
                break
        return text.decode().partition("\n")[0] + "\n"

    def output(self, name: str, source: str, **spec: Any) -> str:
        """Run a pod that must succeed, and return its log."""
        pod = self.run(name, source, **spec)
        text = self.log(name)
        assert pod.status.phase == "Succeeded", text
        return text


class RunningPlane:
    """A plane in a process of its own; it can be killed and started again."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.kubeconfig = data_dir / "kubeconfig"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> RunningPlane:
        """Start it and wait until it answers."""
        with os.fdopen(self.begin(), "rb", buffering=0) as ready:
            assert select.select([ready], [], [], START_S)[0], "the plane is not ready"
            assert ready.read(6) == b"ready\n", self.log
        return self

    def begin(self) -> int:
        """Start its process; return the descriptor that tells when it answers."""
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "fairlead_plane", "--data-dir", str(self.data_dir)),
                *("--ready-fd", str(write)),
            ],
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        os.close(write)
        return read

    @property
    def log(self) -> str:
        """What it has logged."""
        parts = (self.data_dir / name for name in ("plane.log.1", "plane.log"))
        return "".join(part.read_text() for part in parts if part.exists())

    @property
    def shim_pid(self) -> int:
        """Process of the shim."""
        pid: int = json.loads((self.data_dir / "shim" / "record").read_bytes())["pid"]
        return pid

    def kill(self) -> None:
        """Kill -9 the plane alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(END_S)

    def stop(self) -> int:
        """SIGTERM; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_S)

    def api(self) -> client.ApiClient:
        """Return the stock client for it."""
        found: client.ApiClient = config.new_client_from_config(str(self.kubeconfig))
        return found

    def request(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """GET a path; with the token unless other headers are given."""
        if headers is None:
            headers = self.credentials()
        tls = ssl.create_default_context(cafile=str(self.data_dir / "ca.crt"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=tls, timeout=END_S)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def credentials(self) -> dict[str, str]:
        """Return the header with its token."""
        token = re.search(r"token: (.+)", self.kubeconfig.read_text())[1]
        return {"Authorization": f"Bearer {token}"}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(re.search(r"127\.0\.0\.1:(\d+)", self.kubeconfig.read_text())[1])

    def pods(self) -> Pods:
        """Return the pods of its namespace `default`."""
        return Pods(client.CoreV1Api(self.api()), "default")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds that nothing tells of."""
        end = time.monotonic() + END_S
        while not condition():
            assert time.monotonic() < end, f"{what}\n{self.log}"
            time.sleep(0.02)

    def end(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(END_S)
            self.process.kill()
            self.process.wait(END_S)
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
            shim = psutil.Process(self.shim_pid)
            if str(self.data_dir) in " ".join(shim.cmdline()):
                for process in (*shim.children(recursive=True), shim):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()


class PlaneTuple(NamedTuple):
    """What the fixture `plane` gives."""

    kubeconfig: Path
    data_dir: Path
    process: subprocess.Popen[bytes]


@pytest.fixture
def new_plane(tmp_path: Path) -> Iterator[RunningPlane]:
    """A plane that is not started yet."""
    plane = RunningPlane(tmp_path / "data")
    yield plane
    plane.end()


@pytest.fixture
def own_plane(new_plane: RunningPlane) -> RunningPlane:
    """A started plane of this test's own, to be killed."""
    return new_plane.start()


@pytest.fixture(scope="session")
def shared_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlane]:
    """A started plane for all tests that do it no harm."""
    plane = RunningPlane(tmp_path_factory.mktemp("plane") / "data").start()
    yield plane
    plane.end()


@pytest.fixture
def plane(own_plane: RunningPlane) -> PlaneTuple:
    """Kubeconfig, data directory and process of a started plane of this test's own."""
    assert own_plane.process is not None
    return PlaneTuple(own_plane.kubeconfig, own_plane.data_dir, own_plane.process)


@pytest.fixture
def core(shared_plane: RunningPlane) -> client.CoreV1Api:
    """The core API of the shared plane."""
    return client.CoreV1Api(shared_plane.api())


@pytest.fixture
def namespace(core: client.CoreV1Api) -> Iterator[str]:
    """A namespace of this test's own."""
    made = core.create_namespace({"metadata": {"generateName": "test-"}})
    yield made.metadata.name
    core.delete_namespace(made.metadata.name)


@pytest.fixture
def pods(core: client.CoreV1Api, namespace: str) -> Pods:
    """Pods in a namespace of this test's own on the shared plane."""
    return Pods(core, namespace)
