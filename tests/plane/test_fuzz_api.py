"""Requests at random: each is answered or refused in words, and the plane lives on.

Some hundreds every time; the long campaign, which says how far it is, is

    FAIRLEAD_FUZZ=100000 pytest -s tests/plane/test_fuzz_api.py

A request is a function of its number and of FAIRLEAD_FUZZ_SEED. Pods run `true`, or nowhere.
"""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from kubernetes import client

from .fuzz_client import Connection, Reply, Wire
from .fuzz_requests import KEPT, Requests
from .fuzz_values import NAMES, NAMESPACES, Schemas

COUNT = int(os.environ.get("FAIRLEAD_FUZZ", "400"))
SEED = int(os.environ.get("FAIRLEAD_FUZZ_SEED", "1"))
ROUND = 2000
"""Requests after which what they have left is deleted, and memory and log are looked at."""

MOST_GROWTH_BYTES = 200 << 20
"""What the plane may grow by from the first round on, however many follow."""

SLEEPER = "sleeper"


def get(plane, path) -> Any:
    code, body = plane.request(path)
    assert code == 200, (path, code, body)
    return json.loads(body)


@pytest.fixture(scope="module")
def requests(fuzzed):
    """Requests for what this plane serves, by its own documents."""
    roots = get(fuzzed, "/openapi/v3")["paths"]
    documents = [get(fuzzed, each["serverRelativeURL"]) for each in roots.values()]
    versions = ["v1", *(
        each["preferredVersion"]["groupVersion"] for each in get(fuzzed, "/apis")["groups"]
    )]  # fmt: skip
    kinds = []
    for version in versions:
        path = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        for each in get(fuzzed, path)["resources"]:
            if "/" not in each["name"]:
                kinds.append((version, each["kind"], each["name"], each["namespaced"]))
    token = fuzzed.credentials()["Authorization"].removeprefix("Bearer ")
    return Requests(Schemas(documents), kinds, token, SLEEPER)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A plane of its own, with a pod that runs all the time."""
    from .conftest import RunningPlane

    plane = RunningPlane(tmp_path_factory.mktemp("fuzz") / "data").start()
    core = client.CoreV1Api(plane.api())
    for name in (KEPT, *NAMESPACES):
        core.create_namespace({"metadata": {"name": name}})
    container = {"name": "main", "image": "python:3.11", "command": ["sleep", "100000"]}
    core.create_namespaced_pod(
        KEPT, {"metadata": {"name": SLEEPER}, "spec": {"containers": [container]}}
    )
    yield plane
    plane.end()


def look(wire: Wire, reply: Reply) -> str:
    """What is wrong with an answer, in words; empty: nothing."""
    if reply.code == 0:
        return "" if wire.endless else "the connection was closed without an answer"
    if reply.code == 500:
        return "500"
    if wire.endless or wire.method == "HEAD":
        return ""
    is_json = reply.headers.get("content-type", "").startswith("application/json")
    try:
        content = json.loads(reply.body) if is_json else None
    except ValueError as error:
        return f"no JSON: {error}"
    if reply.code < 400 or not wire.status:
        return ""
    if not isinstance(content, dict):
        return "an error that is no Status"
    wanted = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": reply.code}
    if any(content.get(key) != value for key, value in wanted.items()):
        return "an error that is no Status"
    if not (content.get("reason") and content.get("message")):
        return "a Status without reason or message"
    return ""


class Campaign:
    """Sends requests over two connections, and keeps what went wrong."""

    def __init__(self, plane, requests) -> None:
        self.plane = plane
        self.requests = requests
        self.wrong: list[str] = []
        self.codes: dict[int, int] = {}

    def send(self, first: int, end: int) -> None:
        """Send the requests of these numbers."""
        threads = [
            threading.Thread(target=self._send, args=(range(first + n, end, 2),)) for n in (0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, numbers: range) -> None:
        connection = Connection(self.plane.port, self.plane.data_dir / "ca.crt")
        for number in numbers:
            wire = self.requests.make(SEED * 1_000_000_000 + number)
            try:
                reply = connection.send(wire)
            except Exception as error:
                self.wrong.append(f"{number}: {error!r}\n{wire.what}")
                connection.close()
                if not self.alive():
                    return
                continue
            self.codes[reply.code] = self.codes.get(reply.code, 0) + 1
            if why := look(wire, reply):
                self.wrong.append(
                    f"{number}: {why}, {reply.code} {reply.body[:500]!r}\n{wire.what}"
                )
        connection.close()

    def alive(self) -> bool:
        """True while its process is there."""
        return self.plane.process.poll() is None

    def tidy(self) -> None:
        """Delete what the requests have left, finalizers or not."""
        connection = Connection(self.plane.port, self.plane.data_dir / "ca.crt")
        for version, kind, plural, _ in self.requests.kinds:
            root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
            code, body = self.plane.request(f"{root}/{plural}")
            if code != 200 or kind in ("Namespace", "Node"):
                continue
            for item in json.loads(body)["items"]:
                metadata = item["metadata"]
                namespace, name = metadata.get("namespace", ""), metadata["name"]
                if namespace not in NAMESPACES and not (not namespace and made_here(name)):
                    continue
                path = (
                    f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
                )
                path += f"/{quote(name)}"
                if metadata.get("finalizers"):
                    connection.send(
                        self.requests.plain("PATCH", path, {"metadata": {"finalizers": None}})
                    )
                connection.send(self.requests.plain("DELETE", path, {"gracePeriodSeconds": 0}))
        connection.close()


def made_here(name: str) -> bool:
    """True for what the requests call their objects."""
    return name in NAMES or name.endswith(".fuzz.example.com")


@pytest.mark.timeout(7200)
def test_no_request_is_too_strange(fuzzed, requests):
    campaign = Campaign(fuzzed, requests)
    process = psutil.Process(fuzzed.process.pid)
    began, base = time.monotonic(), 0
    for first in range(0, COUNT, ROUND):
        campaign.send(first, min(first + ROUND, COUNT))
        assert campaign.alive(), campaign.wrong
        assert fuzzed.request("/readyz")[0] == 200
        campaign.tidy()
        memory = process.memory_info().rss
        base = base or memory
        done, seconds = min(first + ROUND, COUNT), time.monotonic() - began
        print(f"{done} requests, {seconds:.0f} s, {memory >> 20} MiB, {len(campaign.wrong)} wrong")
    print(dict(sorted(campaign.codes.items())))
    assert not campaign.wrong, "\n\n".join(campaign.wrong[:10])
    assert "Traceback" not in fuzzed.log
    assert memory - base < MOST_GROWTH_BYTES
    assert fuzzed.pods().run("after").status.phase == "Succeeded"
