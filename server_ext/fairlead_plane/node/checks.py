"""What probes and hooks do to a container: a command, a request, a connection."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import NamedTuple, Protocol

from ..resources import ApiError, Json
from ..waiting import within
from .commands import expand
from .exec import ExecError, Execs, ExecTimeout
from .grpc_health import GrpcError, check_health
from .http_get import HttpGetError, Url, http_get

_OWN_HOSTS = ("", "127.0.0.1", "localhost", "::1")
"""All pods share loopback: by these names a pod means itself."""

_FOREVER_S = float("inf")
_OUTPUT_MOST = 10 << 10
_HEADERS = {"User-Agent": "kube-probe/1.32", "Accept": "*/*"}


class Connects(Protocol):
    """Connects to what a pod, and nobody else, listens on."""

    async def connect(
        self, pod: Json, port: int | str, tls: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a port of a pod; an ApiError with the words of a refused dial when not."""
        ...


class Outcome(NamedTuple):
    """What a check has found."""

    healthy: bool
    output: str = ""
    """For people, when it is not healthy."""
    errored: bool = False
    """True: the check could not be made."""


class Checks:
    """Makes checks in and of the containers of this node.

    Parameters
    ----------
    execs : Execs
        Runs commands in containers.
    ports : Connects
        Reaches the ports of pods.
    """

    def __init__(self, execs: Execs, ports: Connects) -> None:
        self._execs = execs
        self._ports = ports
        # As the kubelet: a probe asks whether somebody answers, not who.
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    async def probe(self, pod: Json, spec: Json, probe: Json, timeout_s: float) -> Outcome:
        """Make the check of a probe once.

        Parameters
        ----------
        pod, spec, probe : dict
            The Pod, one of its containers, one of the container's probes.
        timeout_s : float
            Seconds after which it has failed.
        """
        if "exec" in probe:
            return await self._command(pod, spec, probe["exec"], timeout_s)
        if "httpGet" in probe:
            return await self._request(pod, spec, probe["httpGet"], timeout_s)
        if "tcpSocket" in probe:
            return await self._connection(pod, spec, probe["tcpSocket"], timeout_s)
        if "grpc" in probe:
            return await self._call(pod, probe["grpc"], timeout_s)
        return Outcome(False, f"missing probe handler for {spec['name']}", True)

    async def hook(self, pod: Json, spec: Json, hook: Json) -> Outcome:
        """Do what a hook of a container asks for; it has no timeout of its own."""
        if "exec" in hook:
            return await self._command(pod, spec, hook["exec"], _FOREVER_S)
        if "httpGet" in hook:
            return await self._request(pod, spec, hook["httpGet"], _FOREVER_S, any_answer=True)
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
            return Outcome(True)
        return Outcome(False, "invalid handler: it has none of exec, httpGet and sleep", True)

    async def _command(self, pod: Json, spec: Json, action: Json, timeout_s: float) -> Outcome:
        plain = {each["name"]: each.get("value") or "" for each in spec.get("env") or ()}
        argv = [expand(word, plain) for word in action.get("command") or ()]
        try:
            code, output = await self._execs.run(pod, spec["name"], argv, timeout_s=timeout_s)
        except ExecTimeout:
            text = f'command timed out: "{" ".join(argv)}" timed out after {timeout_s:.0f}s'
            return Outcome(False, text)
        except ExecError as error:
            return Outcome(False, str(error), errored=True)
        return Outcome(code == 0, output[:_OUTPUT_MOST].decode(errors="replace"))

    async def _request(
        self, pod: Json, spec: Json, action: Json, timeout_s: float, *, any_answer: bool = False
    ) -> Outcome:
        port = find_port(spec, action["port"])
        if port is None:
            return _no_port(action["port"])
        scheme = (action.get("scheme") or "HTTP").lower()
        url = Url(scheme, action.get("host") or "127.0.0.1", port, action.get("path") or "/")
        headers = {**_HEADERS}
        for header in action.get("httpHeaders") or ():
            headers[header["name"]] = header["value"]

        async def open_(url: Url) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await self._open(pod, url.host, url.port, tls=url.scheme == "https")

        try:
            status = await within(http_get(url, headers, open_), timeout_s)
        except asyncio.TimeoutError:
            why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return Outcome(False, f'Get "{url}": {why}')
        except (HttpGetError, ApiError, OSError) as error:
            return Outcome(False, f'Get "{url}": {error}')
        if any_answer or 200 <= status < 400:
            return Outcome(True)
        return Outcome(False, f"HTTP probe failed with statuscode: {status}")

    async def _connection(self, pod: Json, spec: Json, action: Json, timeout_s: float) -> Outcome:
        port = find_port(spec, action["port"])
        if port is None:
            return _no_port(action["port"])
        host = action.get("host") or ""
        try:
            _, writer = await within(self._open(pod, host, port), timeout_s)
        except asyncio.TimeoutError:
            return Outcome(False, f"dial tcp {host or '127.0.0.1'}:{port}: i/o timeout")
        except (ApiError, OSError) as error:
            return Outcome(False, str(error))
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return Outcome(True)

    async def _call(self, pod: Json, action: Json, timeout_s: float) -> Outcome:
        port: int = action["port"]
        authority = f"127.0.0.1:{port}"

        async def call() -> str:
            reader, writer = await self._open(pod, "", port)
            try:
                return await check_health(reader, writer, authority, action.get("service") or "")
            finally:
                writer.close()

        try:
            status = await within(call(), timeout_s)
        except asyncio.TimeoutError:
            return Outcome(False, f"timeout: health rpc did not complete within {timeout_s:.0f}s")
        except ApiError as error:
            text = f'error: failed to connect service at "{authority}": {error}'
            return Outcome(False, text)
        except (GrpcError, OSError) as error:
            return Outcome(False, f"error: health rpc probe failed: {error}")
        if status == "SERVING":
            return Outcome(True)
        return Outcome(False, f'service unhealthy (responded with "{status}")')

    async def _open(
        self, pod: Json, host: str, port: int, *, tls: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = self._tls if tls else None
        if host in _OWN_HOSTS:
            return await self._ports.connect(pod, port, context)
        try:
            return await asyncio.open_connection(host, port, ssl=context)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise OSError(f"dial tcp {host}:{port}: connect: {why}") from error


def find_port(spec: Json, port: int | str) -> int | None:
    """Return the number of a port, which may be the name of one of the container's."""
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    for each in spec.get("ports") or ():
        if each.get("name") == port:
            return int(each["containerPort"])
    return None


def _no_port(name: int | str) -> Outcome:
    text = f'strconv.Atoi: parsing "{name}": invalid syntax'  # what a kubelet says of it
    return Outcome(False, f"{text}: the container has no port of this name", errored=True)
