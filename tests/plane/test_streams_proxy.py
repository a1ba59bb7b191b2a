"""Pods and services through the API server's proxy."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import random
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import websocket
from kubernetes import client

from fairlead_plane.api.proxy.headers import Place, rewrite_url
from fairlead_plane.api.proxy.pages import PageRewriter
from fairlead_plane.certificates import SERVER_FILE, SERVER_KEY_FILE

from .conftest import Pods, RunningPlane
from .kubectl import Kubectl
from .servers import free_port, http_server


class Web:
    """A plane's proxy in one namespace, by bare HTTP."""

    def __init__(self, plane: RunningPlane, namespace: str, port: int) -> None:
        self.plane = plane
        self.namespace = namespace
        self.port = port

    @property
    def pod(self) -> str:
        return self.path(f"pods/server:{self.port}")

    def path(self, what: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{what}/proxy"

    def open(self) -> http.client.HTTPSConnection:
        tls = ssl.create_default_context(cafile=str(self.plane.data_dir / "ca.crt"))
        return http.client.HTTPSConnection("127.0.0.1", self.plane.port, context=tls, timeout=60)

    def ask(
        self, path: str, method: str = "GET", body: Any = None, headers: Any = None, **options: Any
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self.open()
        headers = {**self.plane.credentials(), **(headers or {})}
        connection.request(method, path, body, headers, **options)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def seen(self, path: str, **options: Any) -> tuple[str, str, dict[str, str]]:
        """What the server says that it has got: method, path, headers."""
        answer, content = self.ask(path, **options)
        assert answer.status == 200, content
        method, path, headers = json.loads(content)
        return method, path, {name.lower(): value for name, value in headers}


@pytest.fixture
def web(shared_plane: RunningPlane, pods: Pods) -> Iterator[Web]:
    port = free_port()
    container = {"ports": [{"name": "web", "containerPort": port}]}
    metadata = {"labels": {"app": "server"}}
    pods.create("server", http_server(port), container=container, metadata=metadata)
    assert pods.first_line("server") == "listening\n"
    pods.wait_running("server")
    yield Web(shared_plane, pods.namespace, port)
    pods.core.delete_namespaced_pod("server", pods.namespace, grace_period_seconds=0)


@pytest.fixture
def service(web: Web, core: client.CoreV1Api) -> str:
    ports = [
        {"name": "by-number", "port": 80, "targetPort": web.port},
        {"name": "by-name", "port": 81, "targetPort": "web"},
    ]
    spec = {"selector": {"app": "server"}, "ports": ports}
    core.create_namespaced_service(web.namespace, {"metadata": {"name": "s"}, "spec": spec})
    return "s"


def test_a_request_arrives_with_its_path_and_without_the_planes_token(web: Web) -> None:
    headers = {"X-Mine": "1", "Connection": "X-Hop", "X-Hop": "2", "Cookie": "a=b"}
    method, path, seen = web.seen(f"{web.pod}/a%2Fb/c%20d?x=1&y=%26", headers=headers)
    assert (method, path) == ("GET", "/a%2Fb/c%20d?x=1&y=%26")
    assert "authorization" not in seen
    assert "x-hop" not in seen
    assert (seen["x-mine"], seen["cookie"]) == ("1", "a=b")
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "https"
    assert seen["x-forwarded-host"] == f"127.0.0.1:{web.plane.port}"
    assert seen["x-forwarded-uri"] == f"{web.pod}/a%2Fb/c%20d"
    for method in ("DELETE", "OPTIONS"):
        assert web.seen(f"{web.pod}/x", method=method)[0] == method


def test_an_answer_comes_back_without_what_is_between_neighbours(web: Web) -> None:
    answer, _ = web.ask(f"{web.pod}/x")
    assert answer.headers["X-Pod"] == "server"
    assert "X-Hop" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_path_without_a_slash_is_sent_to_the_one_with_it(web: Web) -> None:
    answer, _ = web.ask(f"{web.pod}?a=1")
    assert (answer.status, answer.headers["Location"]) == (301, f"{web.pod}/?a=1")


def test_redirects_and_links_stay_within_the_proxy(web: Web) -> None:
    for given, expected in (
        ("/x/y?a=1", f"{web.pod}/x/y?a=1"),
        (f"https://127.0.0.1:{web.plane.port}/x", f"{web.pod}/x"),
        ("rel/x", "rel/x"),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
    ):
        answer, _ = web.ask(f"{web.pod}/redirect?{given}")
        assert (answer.status, answer.headers["Location"]) == (302, expected)
    answer, page = web.ask(f"{web.pod}/page")
    assert answer.headers["Set-Cookie"] == "a=b"
    assert page.decode() == (
        f'<p><a href="{web.pod}/x/y?a=1&amp;b=2">x</a><img src="{web.pod}/z.png"><a href=rel>'
    )


def test_links_in_scripts_and_comments_are_text() -> None:
    rewriter = PageRewriter(Place("/proxy", "/"), "host", [], b"")
    page = b'<!-- <a href="/x"> --><script src="/s.js">"<a href=\'/x\'>"</script><a href=\'/y\'>'
    rewriter.feed(page[:20])
    rewriter.feed(page[20:])
    assert rewriter.finish() == (
        b'<!-- <a href="/x"> --><script src="/proxy/s.js">"<a href=\'/x\'>"</script>'
        b'<a href="/proxy/y">'
    )
    assert rewrite_url(Place("/proxy", "/"), "host", "/proxy/x") == "/proxy/x"
    assert rewrite_url(Place("/proxy", "/"), "host", "//other/x") == "//other/x"


def test_bodies_are_streamed_both_ways(web: Web) -> None:
    data = random.Random(5).randbytes(10_000_000)
    digest = hashlib.sha256(data).hexdigest().encode()
    assert web.ask(f"{web.pod}/", "POST", data)[1] == digest
    pieces = (data[at : at + 100_000] for at in range(0, len(data), 100_000))
    assert web.ask(f"{web.pod}/", "PUT", pieces, encode_chunked=True)[1] == digest
    _, body = web.ask(f"{web.pod}/large?10000000")
    assert body == body[:1] * 10_000_000


def test_events_arrive_one_by_one(web: Web, pods: Pods) -> None:
    connection = web.open()
    connection.request("GET", f"{web.pod}/sse?3", headers=web.plane.credentials())
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    # The second is not sent before the first has been read.
    assert answer.readline() == b"data: 0\n"
    Kubectl(web.plane.kubeconfig, web.namespace).run("exec", "server", "--", "touch", "go")
    assert answer.read() == b"\ndata: 1\n\ndata: 2\n\n"
    connection.close()


def test_an_answer_that_is_cut_off_shows_as_cut_off(web: Web) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError, ssl.SSLError)):
        web.ask(f"{web.pod}/cut")
    assert web.ask(f"{web.pod}/x")[0].status == 200


def test_a_service_is_reached_by_number_and_name_of_its_port(web: Web, service: str) -> None:
    for name in (f"{service}:80", f"{service}:by-number", f"http:{service}:81"):
        assert web.seen(f"{web.path(f'services/{name}')}/here")[1] == "/here"
    for name, why in (
        (f"{service}:82", 'no service port 82 found for service "s"'),
        (f"{service}:nosuch", 'no endpoints available for service "s"'),
    ):
        answer, body = web.ask(f"{web.path(f'services/{name}')}/")
        assert (answer.status, json.loads(body)["message"]) == (503, why)
        assert json.loads(body)["reason"] == "ServiceUnavailable"
    answer, body = web.ask(f"{web.path('services/nosuch')}/")
    assert (answer.status, json.loads(body)["reason"]) == (404, "NotFound")


def test_a_service_without_a_ready_pod_has_no_endpoints(
    web: Web, pods: Pods, core: client.CoreV1Api
) -> None:
    spec = {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}
    core.create_namespaced_service(web.namespace, {"metadata": {"name": "t"}, "spec": spec})
    answer, body = web.ask(f"{web.path('services/t')}/")
    assert answer.status == 503
    assert json.loads(body)["message"] == 'no endpoints available for service "t"'


def test_a_port_of_the_user_is_not_reached_through_a_pod(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        port = mine.getsockname()[1]
        answer, body = web.ask(f"{web.path(f'pods/server:{port}')}/")
        message = json.loads(body)["message"]
        assert answer.status == 503
        assert message.startswith(f"error trying to reach service: dial tcp 127.0.0.1:{port}: ")
        assert "connection refused: no process of pod server listens on it" in message


def test_a_pod_that_speaks_tls_is_reached_by_https(
    shared_plane: RunningPlane, pods: Pods, tmp_path: Path
) -> None:
    folder, port = shared_plane.data_dir, free_port()
    names = (str(tmp_path / "crt"), str(tmp_path / "key"))
    shutil.copy(folder / SERVER_FILE, names[0])
    shutil.copy(folder / SERVER_KEY_FILE, names[1])
    pods.create("server", http_server(port, names))
    assert pods.first_line("server") == "listening\n"
    web = Web(shared_plane, pods.namespace, port)
    assert web.seen(f"{web.path(f'pods/https:server:{port}')}/here")[1] == "/here"
    answer, body = web.ask(f"{web.pod}/here")
    assert answer.status == 503
    assert json.loads(body)["message"].startswith("error trying to reach service: ")


def test_kubectl_reads_through_the_proxy(web: Web, service: str) -> None:
    kubectl = Kubectl(web.plane.kubeconfig, web.namespace)
    raw = kubectl.run("get", "--raw", f"{web.path(f'services/{service}:80')}/raw").stdout
    assert json.loads(raw)[1] == "/raw"
    process = kubectl.start("proxy", "--port=0")
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().decode().rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"{web.path(f'services/{service}:80')}/proxied")
        assert json.loads(connection.getresponse().read())[1] == "/proxied"
        connection.close()
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_a_websocket_through_a_service_echoes(web: Web, service: str) -> None:
    url = f"wss://127.0.0.1:{web.plane.port}{web.path(f'services/{service}:80')}/socket"
    connection = websocket.create_connection(
        url,
        header=web.plane.credentials(),
        sslopt={"ca_certs": str(web.plane.data_dir / "ca.crt")},
        subprotocols=["chat", "other"],
        timeout=60,
    )
    assert connection.subprotocol == "chat"
    connection.send("text ü")
    assert connection.recv() == "text ü"
    data = random.Random(6).randbytes(3_000_000)
    connection.send_binary(data)
    assert connection.recv() == data
    connection.close()


def test_a_websocket_that_the_pod_refuses_is_refused_with_its_answer(web: Web) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }
    answer, body = web.ask(f"{web.pod}/refuse", headers=upgrade)
    assert (answer.status, body, answer.headers["X-Why"]) == (418, b"no sockets", "tea")
    answer, body = web.ask(f"{web.path('pods/nosuch')}/", headers=upgrade)
    assert (answer.status, json.loads(body)["reason"]) == (404, "NotFound")
    answer, body = web.ask(f"{web.path(f'pods/server:{free_port()}')}/", headers=upgrade)
    assert (answer.status, json.loads(body)["reason"]) == (503, "ServiceUnavailable")


def test_a_browser_gives_its_token_as_a_sub_protocol(web: Web) -> None:
    token = web.plane.credentials()["Authorization"].split()[1].encode()
    text = base64.urlsafe_b64encode(token).decode().rstrip("=")
    connection = websocket.create_connection(
        f"wss://127.0.0.1:{web.plane.port}{web.pod}/socket",
        sslopt={"ca_certs": str(web.plane.data_dir / "ca.crt")},
        subprotocols=[f"base64url.bearer.authorization.k8s.io.{text}", "chat"],
        timeout=60,
    )
    assert connection.subprotocol == "chat"
    connection.send("hello")
    assert connection.recv() == "hello"
    connection.close()


def test_a_client_that_leaves_ends_the_request_to_the_pod(web: Web) -> None:
    connection = web.open()
    connection.request("GET", f"{web.pod}/sse?2", headers=web.plane.credentials())
    answer = connection.getresponse()
    answer.readline()
    assert _connections(web.port)
    answer.close()
    connection.close()
    end = time.monotonic() + 30
    while _connections(web.port):
        assert time.monotonic() < end
        time.sleep(0.02)


def _connections(port: int) -> list[Any]:
    """Established connections to a local port."""
    return [
        each
        for each in psutil.net_connections("tcp4")
        if each.status == "ESTABLISHED" and each.raddr and each.raddr.port == port
    ]
