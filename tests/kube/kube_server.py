"""The API server under test: requests in their own words, watches, a stand-in for the kubelet."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config, dynamic

START_S = 60
END_S = 60
SMALLEST_MINOR = 20
"""Taken for a server that tells no version: Debian's build of 1.20 does not."""

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class Answer:
    """What came back: `status`, `headers` and `body`."""

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.data

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The message of a Status."""
        text: str = self.json["message"]
        return text

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Code, reason and message of a Status that tells of a failure."""
        found = self.json
        assert (found["kind"], found["status"], found["code"]) == ("Status", "Failure", self.status)
        return self.status, found.get("reason", ""), found.get("message", "")

    def ok(self) -> Any:
        """The body of an answer that must be a success."""
        assert self.status in (200, 201, 202), self.body[:2000]
        return self.json

    def __repr__(self) -> str:
        return f"{self.status} {self.body[:2000]!r}"


class Server:
    """An API server, by its kubeconfig's current context.

    Attributes
    ----------
    plane : bool
        Whether it is the embedded control plane; else it is a cluster.
    minor : int
        Minor version of the Kubernetes API that it says to speak.
    """

    def __init__(self, kubeconfig: Path, *, plane: bool) -> None:
        self.kubeconfig = kubeconfig
        self.plane = plane
        self.api = config.new_client_from_config(str(kubeconfig))
        self.host: str = self.api.configuration.host
        self.pool: urllib3.PoolManager = self.api.rest_client.pool_manager
        found = self.get("/version").ok().get("minor") or str(SMALLEST_MINOR)
        self.minor = int(re.match(r"\d+", found)[0])
        self._dynamic: dynamic.DynamicClient | None = None

    @property
    def dynamic(self) -> dynamic.DynamicClient:
        """The stock dynamic client."""
        if self._dynamic is None:
            self._dynamic = dynamic.DynamicClient(self.api)
        return self._dynamic

    def has_kubelet(self) -> bool:
        """Whether some node runs pods."""
        for node in self.at("nodes").list().ok()["items"]:
            for condition in node["status"].get("conditions", []):
                if (condition["type"], condition["status"]) == ("Ready", "True"):
                    return True
        return False

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        """Send a request as it is: no retry, no check. Bytes are sent as they are, else JSON."""
        return Answer(self._send(method, path, body, headers, query))

    def get(self, path: str, **options: Any) -> Answer:
        """GET a path."""
        return self.request("GET", path, **options)

    def at(self, plural: str, namespace: str | None = None, group: str = "v1") -> Collection:
        """Return the collection of a kind; `group` as apiVersion."""
        prefix = "/api/" if "/" not in group else "/apis/"
        middle = f"/namespaces/{namespace}" if namespace else ""
        return Collection(self, f"{prefix}{group}{middle}/{plural}")

    def stream(self, path: str, **query: Any) -> urllib3.BaseHTTPResponse:
        """GET a path whose answer comes in pieces."""
        return self._send("GET", path, None, None, query, preload_content=False)

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        headers: dict[str, str] | None,
        query: dict[str, Any],
        **options: Any,
    ) -> urllib3.BaseHTTPResponse:
        sent = {"Accept": "application/json"}
        # Read anew each time: where the token comes from may refresh it.
        for each in self.api.configuration.auth_settings().values():
            sent[each["key"]] = each["value"]
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        if query:
            path = f"{path}?{urlencode(query, doseq=True)}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.pool.request(
            method,
            self.host + path,
            body=data,
            headers={name: value for name, value in sent.items() if value},
            retries=False,
            timeout=END_S,
            **options,
        )


class Collection:
    """Objects of a kind at their path."""

    def __init__(self, server: Server, path: str) -> None:
        self.server = server
        self.path = path

    def create(self, body: Any, **options: Any) -> Answer:
        """POST an object."""
        return self.server.request("POST", self.path, body, **options)

    def made(self, body: Any, **options: Any) -> Any:
        """Create an object that must be accepted."""
        answer = self.create(body, **options)
        assert answer.status == 201, answer
        return answer.json

    def get(self, name: str, **options: Any) -> Answer:
        """GET an object, or its subresource as `name/subresource`."""
        return self.server.get(f"{self.path}/{name}", **options)

    def list(self, **options: Any) -> Answer:
        """GET the collection."""
        return self.server.get(self.path, **options)

    def names(self, **options: Any) -> list[str]:
        """Names of what a list gives."""
        return [item["metadata"]["name"] for item in self.list(**options).ok()["items"]]

    def replace(self, name: str, body: Any, **options: Any) -> Answer:
        """PUT an object."""
        return self.server.request("PUT", f"{self.path}/{name}", body, **options)

    def patch(self, name: str, body: Any, kind: str = MERGE_PATCH, **options: Any) -> Answer:
        """PATCH an object; `kind` is the patch's content type."""
        headers = {"Content-Type": kind, **options.pop("headers", {})}
        path = f"{self.path}/{name}"
        return self.server.request("PATCH", path, body, headers=headers, **options)

    def apply(self, body: Any, manager: str = "tester", **options: Any) -> Answer:
        """PATCH an object by server-side apply."""
        name = body["metadata"]["name"]
        return self.patch(name, body, APPLY_PATCH, fieldManager=manager, **options)

    def delete(self, name: str, body: Any = None, **options: Any) -> Answer:
        """DELETE an object."""
        return self.server.request("DELETE", f"{self.path}/{name}", body, **options)

    def delete_all(self, body: Any = None, **options: Any) -> Answer:
        """DELETE the collection."""
        return self.server.request("DELETE", self.path, body, **options)

    def watch(self, **query: Any) -> Iterator[Any]:
        """Events of a watch, until the server ends it or the caller stops reading."""
        answer = self.server.stream(self.path, watch="true", **{"timeoutSeconds": END_S, **query})
        if answer.status != 200:
            raise AssertionError(Answer(answer))
        text = b""
        try:
            for piece in answer.stream(65536):
                *lines, text = (text + piece).split(b"\n")
                yield from (json.loads(line) for line in lines if line.strip())
        finally:
            answer.close()

    def wait(self, name: str, until: Callable[[Any], Any]) -> Any:
        """Watch one object until a condition holds; returns it then."""
        events = self.watch(fieldSelector=f"metadata.name={name}")
        found: Any = None
        for event in events:
            found = event["object"]
            if event["type"] != "DELETED" and until(found):
                events.close()
                return found
        raise AssertionError(f"{self.path}/{name}: {json.dumps(found)}")

    def wait_gone(self, name: str) -> None:
        """Wait until an object is no more."""
        listed = self.list(fieldSelector=f"metadata.name={name}").ok()
        if not listed["items"]:
            return
        version = listed["metadata"]["resourceVersion"]
        events = self.watch(fieldSelector=f"metadata.name={name}", resourceVersion=version)
        for event in events:
            if event["type"] == "DELETED":
                events.close()
                return
        raise AssertionError(f"{self.path}/{name} is still there: {listed['items'][0]}")


def eventually(condition: Callable[[], Any], what: str = "condition") -> Any:
    """Wait for what no watch tells of; returns what the condition gave."""
    end = time.monotonic() + END_S
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


class EmbeddedPlane:
    """A fresh embedded control plane in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        read, write = os.pipe()
        command = [sys.executable, "-m", "fairlead_plane", "--data-dir", str(folder)]
        # A data directory of its own, for the pods too: never the user's.
        environment = {**os.environ, "FAIRLEAD_DATA_DIR": str(folder)}
        self.process = subprocess.Popen(
            [*command, "--ready-fd", str(write)],
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
        os.close(write)
        with os.fdopen(read, "rb", buffering=0) as ready:
            answered = select.select([ready], [], [], START_S)[0]
            if not answered or ready.read(6) != b"ready\n":
                self.stop()
                log = folder / "plane.log"
                raise AssertionError(log.read_text() if log.exists() else "the plane did not start")

    def stop(self) -> None:
        """End it, and what it started."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def core(server: Server) -> client.CoreV1Api:
    """Return the stock client's core API."""
    return client.CoreV1Api(server.api)
