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
from fairlead.kube.form_login import ReadSecret, session_of
from fairlead.kube.services import Address
from fairlead.kube.stream import Pieces, Stream

if TYPE_CHECKING:
    from fairlead.kube.client import KubeClient

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_TO_LOGIN = frozenset((301, 302, 303, 307, 401, 403))
"""Answers of a gateway to somebody without a session."""


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

    @abstractmethod
    def lines(self, path: str) -> Stream[str]:
        """Send a GET and return the lines of the answer as they come, without line ends."""


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

    def lines(self, path: str) -> Stream[str]:
        """Send a GET and return the lines of the answer as they come, without line ends."""
        try:
            return self._client.lines(self._base + path)
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

    def __init__(self, address: Address, read_secret: ReadSecret) -> None:
        self._address = address
        self._read_secret = read_secret
        login = address.login
        self._session = None if login is None else session_of(address.url, login)
        authority = address.certificate_authority
        tls = ssl.create_default_context(cafile=str(authority)) if authority else None
        self._tls = tls
        self._pool = urllib3.PoolManager(ssl_context=tls)

    def _send(self, method: str, path: str, query: Mapping[str, str], body: Any) -> bytes:
        return self._answer(method, path, query, body).data

    def pieces(self, path: str) -> Pieces:
        """Send a GET and return the bytes of the answer as they come."""
        return Pieces(self._answer("GET", path, {}, None, stream=True), path)

    def lines(self, path: str) -> Stream[str]:
        """Send a GET and return the lines of the answer as they come, without line ends."""
        answer = self._answer("GET", path, {}, None, stream=True)
        return Stream(answer, path, lambda line: line.decode(errors="replace"))

    def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: Any, *, stream: bool = False
    ) -> urllib3.BaseHTTPResponse:
        session = self._session
        cookie = session.cookie if session else ""
        answer = self._once(method, path, query, body, cookie, stream=stream)
        if session is not None and (answer.status in _TO_LOGIN or _is_page(answer)):
            answer.close()
            cookie = session.renew(cookie, self._tls, self._read_secret)
            answer = self._once(method, path, query, body, cookie, stream=stream)
        if answer.status >= 300:
            raise error_from_answer(answer.status, answer.data, f"{method} {path}", answer.headers)
        return answer

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        cookie: str,
        *,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self._address.url}/{path}" + ("?" + urlencode(query) if query else "")
        headers = {"Accept": "application/json"}
        if cookie:
            headers["Cookie"] = cookie
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
            return self._pool.request(
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
            cause = getattr(error, "reason", None) or error
            if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
                raise ClusterError(
                    f"{self._address.url} took the request {method} {path} and did not answer it "
                    f"within {_TIMEOUT.read_timeout} s.",
                    hint="It may be overloaded; try again in a moment.",
                ) from error
            raise ClusterError(
                f"Nothing answers at {self._address.url}.",
                hint="Check the URL that is set for the service.",
            ) from error


def _is_page(answer: urllib3.BaseHTTPResponse) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html")
