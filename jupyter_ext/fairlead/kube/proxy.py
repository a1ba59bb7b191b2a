"""Services: behind the API server's proxy, as on a cluster so here, or at a URL of their own."""

from __future__ import annotations

import json
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3

from fairlead.errors import CapabilityError, ClusterError, FairleadError, NotFoundError
from fairlead.kube.errors import error_from_answer
from fairlead.kube.services import Address
from fairlead.kube.stream import Pieces

if TYPE_CHECKING:
    from fairlead.kube.client import KubeClient

_TIMEOUT = urllib3.Timeout(connect=10, read=60)


class Service(ABC):
    """Requests to one service, wherever it is."""

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Any:
        """Send one request and return the JSON answer, `None` for an empty one.

        Parameters
        ----------
        path : str
            Path at the service, without a leading slash.
        body : object, optional
            Sent as JSON.
        """
        answer = self._send(method, path, query or {}, body)
        try:
            return json.loads(answer) if answer else None
        except ValueError as error:
            raise ClusterError(
                f"The answer to {method} {path} is no JSON: it may be the page of a login.",
                hint="Check the context, or the URL that is set for the service.",
            ) from error

    @abstractmethod
    def _send(self, method: str, path: str, query: Mapping[str, str], body: Any) -> bytes:
        """Return the body of the answer; called by `request`."""

    @abstractmethod
    def pieces(self, path: str) -> Pieces:
        """Send a GET and return the bytes of the answer as they come."""


class ServiceProxy(Service):
    """Requests to one service through its API server.

    Parameters
    ----------
    service : str
        As the API server's proxy path takes it: `name`, `name:port` or `scheme:name:port`.
    """

    def __init__(self, client: KubeClient, namespace: str, service: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = service.split(":")[1] if service.count(":") == 2 else service.split(":")[0]
        self._base = f"/api/v1/namespaces/{namespace}/services/{service}/proxy/"

    def _send(self, method: str, path: str, query: Mapping[str, str], body: Any) -> bytes:
        try:
            return self._client.request(method, self._base + path, query=query, body=body)
        except NotFoundError as error:
            raise self._in_words(error) from error

    def pieces(self, path: str) -> Pieces:
        """Send a GET and return the bytes of the answer as they come."""
        try:
            return self._client.pieces(self._base + path)
        except NotFoundError as error:
            raise self._in_words(error) from error

    def _in_words(self, error: NotFoundError) -> FairleadError:
        """Tell a service that is not there from something that the service does not have."""
        if not error.what.startswith("services "):
            return error
        missing = CapabilityError(
            f"Context '{self._client.context.name}' has no service '{self._name}' in "
            f"namespace '{self._namespace}'.",
            hint="Install what brings it, set its URL, or choose another context: "
            "fairlead use CONTEXT",
        )
        missing.code = error.code
        return missing


class DirectService(Service):
    """Requests to one service at a URL of its own."""

    def __init__(self, address: Address) -> None:
        self._address = address
        authority = address.certificate_authority
        tls = ssl.create_default_context(cafile=str(authority)) if authority else None
        self._pool = urllib3.PoolManager(ssl_context=tls)

    def _send(self, method: str, path: str, query: Mapping[str, str], body: Any) -> bytes:
        return self._answer(method, path, query, body).data

    def pieces(self, path: str) -> Pieces:
        """Send a GET and return the bytes of the answer as they come."""
        return Pieces(self._answer("GET", path, {}, None, stream=True), path)

    def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: Any, *, stream: bool = False
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self._address.url}/{path}" + ("?" + urlencode(query) if query else "")
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        token_file = self._address.token_file
        if token_file is not None:
            try:
                headers["Authorization"] = f"Bearer {token_file.read_text().strip()}"
            except OSError as error:
                raise ClusterError(
                    f"The token file {token_file} of {self._address.url} cannot be read: "
                    f"{error.strerror}."
                ) from error
        payload = None if body is None else json.dumps(body).encode()
        # Only what reads is sent again by itself, see `transport`.
        retries: urllib3.Retry | bool = False
        if method == "GET":
            retries = urllib3.Retry(
                3,
                redirect=0,
                backoff_factor=0.2,
                status_forcelist=[429, 502, 503, 504],
                raise_on_status=False,
                raise_on_redirect=False,
            )
        try:
            answer = self._pool.request(
                method,
                url,
                body=payload,
                headers=headers,
                timeout=_TIMEOUT,
                retries=retries,
                redirect=False,
                preload_content=not stream,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(
                f"Nothing answers at {self._address.url}.",
                hint="Check the URL that is set for the service.",
            ) from error
        if answer.status >= 300:
            raise error_from_answer(answer.status, answer.data, f"{method} {path}", answer.headers)
        return answer
