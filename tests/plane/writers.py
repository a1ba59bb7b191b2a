"""Clients that write without pause and note, on disk, each write that was accepted."""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import threading
from pathlib import Path
from typing import Any

PATH = "/api/v1/namespaces/default/configmaps"


class Connection:
    """A connection to a plane that may die at any moment."""

    def __init__(self, data_dir: Path) -> None:
        text = (data_dir / "kubeconfig").read_text()
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", text)[1])
        self.headers = {"Authorization": f"Bearer {re.search(r'token: (.+)', text)[1]}"}
        self.tls = ssl.create_default_context(cafile=str(data_dir / "ca.crt"))
        self.open: http.client.HTTPSConnection | None = None

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one request; OSError or HTTPException when the plane dies under it."""
        if self.open is None:
            self.open = http.client.HTTPSConnection(
                "127.0.0.1", self.port, context=self.tls, timeout=30
            )
        try:
            sent = None if body is None else json.dumps(body)
            self.open.request(method, path, body=sent, headers={**self.headers, **headers})
            answer = self.open.getresponse()
            return answer.status, json.loads(answer.read())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it; the next request opens it again."""
        if self.open is not None:
            self.open.close()
            self.open = None


class Writer(threading.Thread):
    """Creates, changes and deletes objects of its own until it is stopped.

    Attributes
    ----------
    journal : Path
        A line per accepted write, on disk before the next write is sent: `[verb, name, version,
        value]`; and before each write a line `["try", name, verb, value]`.
    """

    def __init__(self, data_dir: Path, number: int, journal: Path, first: int) -> None:
        super().__init__(daemon=True)
        self.data_dir = data_dir
        self.number = number
        self.journal = journal
        self.count = first
        self.stopped = threading.Event()

    def run(self) -> None:
        """Write until the plane is gone or the test says stop."""
        connection = Connection(self.data_dir)
        with open(self.journal, "a") as journal:

            def note(*entry: Any) -> None:
                journal.write(json.dumps(entry) + "\n")
                journal.flush()
                os.fsync(journal.fileno())

            try:
                while not self.stopped.is_set():
                    self._write(connection, note)
            except (OSError, http.client.HTTPException):
                return  # the plane was killed: whether the last write counts, nobody knows
            finally:
                connection.close()

    def _write(self, connection: Connection, note: Any) -> None:
        name = f"w{self.number}-{self.count}"
        self.count += 1
        body = {"metadata": {"name": name, "labels": {"load": "1"}}, "data": {"n": "1"}}
        steps = [("create", "POST", PATH, body)]
        if self.count % 2:
            patch = {"data": {"n": "2"}}
            steps.append(("change", "PATCH", f"{PATH}/{name}", patch))
        if self.count % 3 == 0:
            steps.append(("delete", "DELETE", f"{PATH}/{name}", None))
        for verb, method, path, sent in steps:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            note("try", name, verb, None)
            status, answer = connection.send(method, path, sent, **{"Content-Type": kind})
            assert status in (200, 201), answer
            version = answer.get("metadata", {}).get("resourceVersion")
            note(verb, name, version, answer.get("data", {}).get("n"))


def read_journal(path: Path) -> list[list[Any]]:
    """Read what a writer noted; a torn last line does not count."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("]")]
