"""Ports of pods: who reaches them, and port-forward by the clients that people use."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import hashlib
import http.client
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes import client
from kubernetes.stream import portforward

from fairlead_plane.node import listeners
from fairlead_plane.node.ports import PortError, Ports
from fairlead_plane.node.shim.identity import process_identity

from .conftest import Pods, RunningPlane
from .kubectl import Kubectl
from .servers import free_port, http_server


@pytest.fixture(params=["websocket", "spdy"])
def kubectl(shared_plane: RunningPlane, namespace: str, request: Any) -> Kubectl:
    return Kubectl(shared_plane.kubeconfig, namespace, spdy=request.param == "spdy")


@pytest.fixture
def server(pods: Pods) -> Iterator[int]:
    """A pod `server` that serves HTTP; its port."""
    port = free_port()
    pods.create("server", http_server(port))
    assert pods.first_line("server") == "listening\n"
    yield port
    pods.core.delete_namespaced_pod("server", pods.namespace, grace_period_seconds=0)


@contextlib.contextmanager
def forwarded(kubectl: Kubectl, *words: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run `kubectl port-forward` and give the local port."""
    process = kubectl.start("port-forward", *words)
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        found = re.search(r"127\.0\.0\.1:(\d+) ->", line)
        assert found, (line, process.stderr and process.stderr.read())
        yield int(found[1]), process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_kubectl_forwards_many_requests_at_once(kubectl: Kubectl, server: int) -> None:
    data = random.Random(3).randbytes(10_000_000)
    with forwarded(kubectl, "server", f":{server}") as (port, _):

        def ask(number: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            for _ in range(5):
                connection.request("GET", f"/path/{number}")
                assert f"/path/{number}" in connection.getresponse().read().decode()
            connection.close()

        def upload() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/", data)
            assert connection.getresponse().read().decode() == hashlib.sha256(data).hexdigest()
            connection.request("GET", "/large?10000000")
            body = connection.getresponse().read()
            assert body == body[:1] * 10_000_000
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(12) as threads:
            tasks = [threads.submit(upload) for _ in range(2)]
            tasks += [threads.submit(ask, number) for number in range(20)]
            for task in tasks:
                task.result()


def test_kubectl_forwards_to_a_service_and_by_the_name_of_a_port(
    kubectl: Kubectl, pods: Pods
) -> None:
    port = free_port()
    container = {"ports": [{"name": "web", "containerPort": port}]}
    pods.create(
        "named", http_server(port), container=container, metadata={"labels": {"app": "named"}}
    )
    assert pods.first_line("named") == "listening\n"
    spec = {"selector": {"app": "named"}, "ports": [{"port": 80, "targetPort": "web"}]}
    pods.core.create_namespaced_service(pods.namespace, {"metadata": {"name": "n"}, "spec": spec})
    for words in (("service/n", ":80"), ("pod/named", ":web")):
        with forwarded(kubectl, *words) as (local, _):
            connection = http.client.HTTPConnection("127.0.0.1", local, timeout=60)
            connection.request("GET", "/here")
            assert b"/here" in connection.getresponse().read()
            connection.close()


def test_the_end_of_what_a_client_sends_reaches_the_pod(kubectl: Kubectl, pods: Pods) -> None:
    port = free_port()
    pods.create(
        "count",
        f"import socket\nserver = socket.create_server(('127.0.0.1', {port}))\n"
        "print('listening', flush=True)\n"
        "while True:\n"
        "    connection, _ = server.accept()\n"
        "    size = 0\n"
        "    while data := connection.recv(65536): size += len(data)\n"
        "    connection.sendall(b'%d' % size)\n"
        "    connection.close()\n",
    )
    assert pods.first_line("count") == "listening\n"
    with forwarded(kubectl, "count", f":{port}") as (local, _):
        for size in (0, 5_000_000):
            with socket.create_connection(("127.0.0.1", local), 60) as connection:
                connection.sendall(b"x" * size)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(100) == b"%d" % size


def test_kubectl_says_why_a_port_is_refused(kubectl: Kubectl, pods: Pods, server: int) -> None:
    pods.create("other", "import time; time.sleep(600)")
    pods.wait_running("other")
    with socket.create_server(("127.0.0.1", 0)) as mine:
        users = mine.getsockname()[1]
        for pod, port, why in (
            ("server", free_port(), "no process of pod server listens on it"),
            ("server", users, "a process outside of the pod does"),
            ("other", server, "a process outside of the pod does"),
        ):
            with forwarded(kubectl, pod, f":{port}") as (local, process):
                with socket.create_connection(("127.0.0.1", local), 60) as connection:
                    assert connection.recv(1) == b""
                assert process.stderr is not None
                text = process.stderr.readline().decode()
                assert "connection refused" in text
                assert why in text


def test_the_python_client_forwards_ports(core: client.CoreV1Api, pods: Pods, server: int) -> None:
    closed = free_port()
    forward = portforward(
        core.connect_get_namespaced_pod_portforward,
        "server",
        pods.namespace,
        ports=f"{server},{closed}",
    )
    data = random.Random(4).randbytes(5_000_000)
    connection = forward.socket(server)
    connection.setblocking(True)
    connection.settimeout(60)
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + data)
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    assert answer.endswith(hashlib.sha256(data).hexdigest().encode())
    assert "connection refused: no process of pod server" in forward.error(closed)
    assert forward.error(server) is None


def test_a_daemon_of_a_pod_is_the_pods(pods: Pods, kubectl: Kubectl) -> None:
    port = free_port()
    start = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {http_server(port)!r}], start_new_session=True)"
    )
    pods.create(
        "daemon",
        f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {start!r}])\n"
        "time.sleep(600)",
    )
    assert pods.first_line("daemon") == "listening\n"
    with forwarded(kubectl, "daemon", f":{port}") as (local, _):
        connection = http.client.HTTPConnection("127.0.0.1", local, timeout=60)
        connection.request("GET", "/here")
        assert b"/here" in connection.getresponse().read()
        connection.close()
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and str(port) in process.info["cmdline"][-1]:
            process.kill()


class Fake:
    """A pod on disk whose one process is started here."""

    def __init__(self, folder: Path) -> None:
        self.ports = Ports(folder)
        self.pod: Any = {
            "metadata": {"uid": "u-1", "name": "p", "namespace": "default"},
            "spec": {"containers": [{"ports": [{"name": "web", "containerPort": 0}]}]},
        }
        self._folder = folder / "u-1" / "containers" / "main"
        self._folder.mkdir(parents=True)

    def listen(self, address: str, port: int = 0, *, reuse: bool = False) -> int:
        source = (
            "import socket, sys, time\n"
            f"family = socket.AF_INET6 if ':' in {address!r} else socket.AF_INET\n"
            "s = socket.socket(family)\n"
            f"if {reuse}: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
            f"s.bind(({address!r}, {port}))\ns.listen()\n"
            "print(s.getsockname()[1], flush=True)\n"
            "while True:\n    c, _ = s.accept()\n    c.sendall(b'pod')\n    c.close()\n"
        )
        self.process = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
        pid = self.process.pid
        record = f'{{"pid": {pid}, "identity": "{process_identity(pid)}", "time": 0}}'
        (self._folder / "0.started").write_text(record)
        assert self.process.stdout is not None
        number = int(self.process.stdout.readline())
        self.pod["spec"]["containers"][0]["ports"][0]["containerPort"] = number
        return number

    def ask(self, port: int | str) -> bytes:
        async def main() -> bytes:
            reader, writer = await self.ports.connect(self.pod, port)
            try:
                return await reader.read()
            finally:
                writer.close()

        return asyncio.run(main())


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    found = Fake(tmp_path)
    yield found
    found.process.kill()
    found.process.communicate()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1"])
def test_a_port_is_reached_at_whatever_address_the_pod_listens(fake: Fake, address: str) -> None:
    if ":" in address and not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    port = fake.listen(address)
    assert fake.ask(port) == b"pod"
    assert fake.ask("web") == b"pod"


def test_all_ways_to_find_listeners_find_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        port, inode = mine.getsockname()[1], os.fstat(mine.fileno()).st_ino
        assert list(listeners._by_netlink(port)) == [("127.0.0.1", inode)]
        assert list(listeners._by_proc(port)) == [("127.0.0.1", inode)]
        assert list(listeners._by_process(port)) == [("127.0.0.1", os.getpid())]
    assert listeners.find_listeners(port) == []


def test_a_port_that_the_pod_shares_with_another_process_is_refused(fake: Fake) -> None:
    with socket.socket() as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        mine.bind(("127.0.0.1", 0))
        mine.listen()
        port = fake.listen("127.0.0.1", mine.getsockname()[1], reuse=True)
        with pytest.raises(PortError, match="a process outside of the pod does"):
            fake.ask(port)


def test_a_wildcard_of_the_pod_does_not_hide_who_has_loopback(fake: Fake) -> None:
    with socket.socket() as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        mine.bind(("127.0.0.1", 0))
        mine.listen()
        port = fake.listen("0.0.0.0", mine.getsockname()[1], reuse=True)
        with pytest.raises(PortError, match="a process outside of the pod does"):
            fake.ask(port)


def test_a_port_name_that_no_container_has_is_an_error(fake: Fake) -> None:
    fake.listen("127.0.0.1")
    with pytest.raises(Exception, match='pod p has no container port named "nosuch"'):
        fake.ask("nosuch")
