"""Bare connections to a plane that may die at any moment."""

from __future__ import annotations

import http.client
import json
import re
import ssl
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
        try:
            answer = self.begin(method, path, body, **headers)
            # A body that ends too early is an IncompleteRead: nothing was promised.
            return answer.status, json.loads(answer.read())
        except BaseException:
            self.close()
            raise

    def begin(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> http.client.HTTPResponse:
        """Send one request and return its answer, whose body is not read yet."""
        if self.open is None:
            self.open = http.client.HTTPSConnection(
                "127.0.0.1", self.port, context=self.tls, timeout=60
            )
        sent = None if body is None else json.dumps(body)
        self.open.request(method, path, body=sent, headers={**self.headers, **headers})
        return self.open.getresponse()

    def close(self) -> None:
        """Close it; the next request opens it again."""
        if self.open is not None:
            self.open.close()
            self.open = None
