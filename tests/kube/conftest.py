"""The API server under test: a fresh embedded control plane, or the cluster that is named.

`FAIRLEAD_TEST_KUBECONFIG` names a kubeconfig; its current context is used. The tests
make and remove namespaces, cluster-wide objects and API groups with names of their own, and touch
nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kube_server import END_S, EmbeddedPlane, Server

Kubectl = Callable[..., str]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The API server."""
    given = os.environ.get("FAIRLEAD_TEST_KUBECONFIG")
    if given:
        yield Server(Path(given), plane=False)
        return
    folder = tmp_path_factory.mktemp("kube") / "data"
    plane = EmbeddedPlane(folder)
    yield Server(folder / "kubeconfig", plane=True)
    plane.stop()


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Skip what this server cannot know, or has nobody for; say why."""
    for mark in request.node.iter_markers("needs"):
        server = request.getfixturevalue("server")
        if server.minor < mark.kwargs["minor"]:
            since = f"{mark.args[0]} came with Kubernetes 1.{mark.kwargs['minor']}"
            pytest.skip(f"{since}; this server speaks 1.{server.minor}")
    if request.node.get_closest_marker("kubelet"):
        if not request.getfixturevalue("kubelet_there"):
            pytest.skip("this server has no Ready node: nobody runs pods, logs and commands")


@pytest.fixture(scope="session")
def kubelet_there(server: Server) -> bool:
    """Whether pods are really run."""
    return server.has_kubelet()


@pytest.fixture(scope="session")
def unique() -> Callable[[str], str]:
    """Make a name that nobody else has."""
    return lambda stem: f"{stem}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def new_namespace(server: Server) -> Iterator[Callable[..., str]]:
    """Make namespaces, which are removed at the end."""
    namespaces = server.at("namespaces")
    names: list[str] = []

    def make(**metadata: Any) -> str:
        body = {"metadata": {"generateName": "fairlead-test-", **metadata}}
        name: str = namespaces.made(body)["metadata"]["name"]
        names.append(name)
        return name

    yield make
    for name in names:
        namespaces.delete(name)


@pytest.fixture
def namespace(new_namespace: Callable[..., str]) -> str:
    """A namespace of this test's own."""
    return new_namespace()


@pytest.fixture
def pod_namespace(server: Server, namespace: str) -> str:
    """A namespace in which pods can be made: its ServiceAccount has what a pod needs."""
    server.at("serviceaccounts", namespace).wait(
        "default", lambda account: account.get("secrets") or server.minor >= 24
    )
    return namespace


@pytest.fixture
def run_pod(server: Server, kubelet_there: bool) -> Callable[[str, str], Any]:
    """Wait until a pod is Running; where no kubelet is, write so in its stead."""

    def run(namespace: str, name: str) -> Any:
        pods = server.at("pods", namespace)
        if not kubelet_there:
            container = pods.get(name).ok()["spec"]["containers"][0]
            running = {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": "2020-01-01T00:00:00Z"}},
            }
            ready = {"type": "Ready", "status": "True"}
            status = {"phase": "Running", "conditions": [ready], "containerStatuses": [running]}
            pods.patch(f"{name}/status", {"status": status}).ok()
        return pods.wait(name, lambda pod: pod["status"]["phase"] == "Running")

    return run


def _runner(program: Path, server: Server, home: Path) -> Kubectl:
    def run(
        *arguments: str,
        stdin: str | None = None,
        fails: bool = False,
        env: dict[str, str] | None = None,
    ) -> str:
        done = subprocess.run(
            [program, "--kubeconfig", server.kubeconfig, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=END_S,
            env={"PATH": os.environ["PATH"], "HOME": str(home), **(env or {})},
        )
        assert (done.returncode != 0) == fails, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if fails else "")

    run.program = program  # type: ignore[attr-defined]
    return run


@pytest.fixture(scope="session")
def kubectl(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """Run the machine's kubectl; returns what it prints, with stderr when it must fail."""
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl on this machine")
    return _runner(Path(found), server, tmp_path_factory.mktemp("kubectl"))


@pytest.fixture(scope="session")
def old_kubectl(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """Run the oldest kubectl that is supported: 1.20, as Debian has it."""
    found = os.environ.get("FAIRLEAD_TEST_KUBECTL_1_20")
    if not found:
        pytest.skip("FAIRLEAD_TEST_KUBECTL_1_20 does not name Debian's kubectl 1.20")
    return _runner(Path(found), server, tmp_path_factory.mktemp("kubectl"))
