"""Requests to the API server of one context: connected, authenticated, tried again where safe.

What is tried again: a refused connection, since nothing was sent; a 401, once, where a new login
can be had; 429, since the server did not look at the request; and for requests that only read,
everything that may be otherwise in a moment. A write whose answer is lost is not sent again: it
may have been done.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions as http

from fairlead.errors import ClusterError, FairleadError
from fairlead.kube.contexts import Context
from fairlead.kube.credentials import Credentials, load_credentials
from fairlead.kube.errors import error_from_answer
from fairlead.kube.retry import ATTEMPTS, LONGEST_RETRY_AFTER_S, TRANSIENT, UNTOUCHED, Backoff
from fairlead.kube.stream import Pieces, Stream

JSON = "application/json"
_CONNECT_TIMEOUT_S = 10
_READ_TIMEOUT_S = 60

T = TypeVar("T")


class Transport:
    """The way to one API server. Threads may share it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._credentials: Credentials | None = None
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        reads_only: bool | None = None,
    ) -> bytes:
        """Send one request and return the body of the answer.

        Parameters
        ----------
        body : object, optional
            Sent as JSON.
        reads_only : bool, optional
            Whether it changes nothing and may be sent again at will; by default, a GET does.

        Raises
        ------
        FairleadError
            The kind that fits the answer's status; see `fairlead.kube.errors`.
        """
        return self._try(
            _Request(method, path, query or {}, body, content_type, accept),
            _READ_TIMEOUT_S,
            stream=False,
            reads_only=method in ("GET", "HEAD") if reads_only is None else reads_only,
        )[1]

    def stream(
        self,
        path: str,
        query: Mapping[str, str],
        read: Callable[[bytes], T],
        *,
        read_timeout_s: float | None = None,
        attempts: int = ATTEMPTS,
    ) -> Stream[T]:
        """Open an answer that goes on; raises as `request` does."""
        asked = _Request("GET", path, query, None, JSON, JSON)
        answer, _ = self._try(asked, read_timeout_s, stream=True, reads_only=True, tries=attempts)
        return Stream(answer, path, read)

    def pieces(self, path: str, query: Mapping[str, str] | None = None) -> Pieces:
        """Open an answer that may be too large for memory; raises as `request` does."""
        asked = _Request("GET", path, query or {}, None, JSON, JSON)
        answer, _ = self._try(asked, _READ_TIMEOUT_S, stream=True, reads_only=True)
        return Pieces(answer, path)

    def _try(
        self,
        asked: _Request,
        read_timeout_s: float | None,
        *,
        stream: bool,
        reads_only: bool,
        tries: int = ATTEMPTS,
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        backoff = Backoff(longest_s=3.0)
        renewed = False
        for attempt in range(1, tries + 1):
            last = attempt == tries
            credentials = self._connect()
            pool, login = credentials.current()
            try:
                answer = self._send(asked, credentials.host, pool, login, read_timeout_s, stream)
                if answer.status < 300:
                    return answer, b"" if stream else answer.data
                body = answer.data
            except http.HTTPError as error:
                again = _not_sent(error) or (reads_only and _may_pass(error))
                if not again or last:
                    raise self._in_words(asked, error, read_timeout_s) from error
                if isinstance(error, http.NewConnectionError) and self.context.startable:
                    self._start()
                    continue
                time.sleep(backoff.next())
                continue
            failure = error_from_answer(
                answer.status, body, f"{asked.method} {asked.path}", answer.headers
            )
            if answer.status == 401 and not renewed:
                renewed = True
                if credentials.renew(login):
                    continue
            if last or not _worth_another(failure, reads_only):
                raise failure
            time.sleep(backoff.next(failure.retry_after_s))
        raise AssertionError("unreachable")

    def _send(
        self,
        asked: _Request,
        host: str,
        pool: urllib3.PoolManager,
        login: tuple[tuple[str, str], ...],
        read_timeout_s: float | None,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        headers = urllib3.HTTPHeaderDict({"Accept": asked.accept})
        if asked.payload is not None:
            headers.add("Content-Type", asked.content_type)
        headers.extend(login)
        return pool.request(
            asked.method,
            host + asked.url,
            body=asked.payload,
            headers=headers,
            timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=read_timeout_s),
            preload_content=not stream,
            retries=False,
            # An API server does not send its clients elsewhere, and the token must not go there.
            redirect=False,
        )

    def _connect(self) -> Credentials:
        with self._lock:
            if self._credentials is None:
                if not self.context.ready():
                    self.context.start()
                self._credentials = load_credentials(self.context)
            return self._credentials

    def _start(self) -> None:
        self.context.start()
        with self._lock:
            self._credentials = None

    def _in_words(
        self, asked: _Request, error: http.HTTPError, read_timeout_s: float | None
    ) -> ClusterError:
        where = f"{self._connect().host} (context '{self.context.name}')"
        if isinstance(error, http.ProxyError):
            return ClusterError(
                f"The proxy before {where} does not let it through.",
                hint="Check `proxy-url` of the cluster, and HTTPS_PROXY.",
            )
        if isinstance(error, http.SSLError):
            return ClusterError(
                f"No safe connection to {where}: {_reason(error)}",
                hint="Check the certificate authority and the name of the cluster.",
            )
        if isinstance(error, (http.NewConnectionError, http.ConnectTimeoutError)):
            return ClusterError(
                f"Nothing answers at {where}.",
                hint="`fairlead status` says more."
                if self.context.startable
                else "Check the network and the kubeconfig.",
            )
        if isinstance(error, http.ReadTimeoutError):
            return ClusterError(
                f"A slow answer: {asked.method} {asked.path} had none from {where} after "
                f"{read_timeout_s:g} s.",
                hint="Look whether it was done before you repeat it."
                if asked.method != "GET"
                else "Try again; the server may be overloaded.",
            )
        return ClusterError(
            f"The connection to {where} broke off during {asked.method} {asked.path}: "
            f"{_reason(error)}",
            hint="Look whether it was done before you repeat it." if asked.method != "GET" else "",
        )


class _Request:
    """One request, put together once for all its tries."""

    def __init__(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Any,
        content_type: str,
        accept: str,
    ) -> None:
        self.method = method
        self.path = path
        self.url = path + ("?" + urlencode(query) if query else "")
        self.payload = None if body is None else json.dumps(body).encode()
        self.content_type = content_type
        self.accept = accept


def _not_sent(error: http.HTTPError) -> bool:
    """Whether the failure came before anything was sent."""
    return isinstance(error, (http.NewConnectionError, http.ConnectTimeoutError))


def _may_pass(error: http.HTTPError) -> bool:
    """Whether another try may go better; a bad certificate or a slow answer stays as it is."""
    if isinstance(error, http.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" not in str(error)
    return isinstance(error, (http.ProtocolError, http.ProxyError))


def _worth_another(failure: FairleadError, reads_only: bool) -> bool:
    if (failure.retry_after_s or 0) > LONGEST_RETRY_AFTER_S:
        return False
    return failure.code in UNTOUCHED or (reads_only and failure.code in TRANSIENT)


def _reason(error: BaseException) -> str:
    """Return the innermost words: the outer ones name objects of urllib3."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return str(error) or type(error).__name__
