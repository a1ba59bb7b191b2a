"""`pods/exec` and `pods/attach`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

import orjson

from ...resources import ApiError, Json, bad_request
from ..race import first_of
from ..websocket import WebSocket
from .channels import BASE64, PLAIN, V4, V4_BASE64, V5, Channels
from .spdy_channels import SpdyChannels

V3, V2 = "v3.channel.k8s.io", "v2.channel.k8s.io"

PROTOCOLS = (V5, V4, V4_BASE64, PLAIN, BASE64, "")
SPDY_PROTOCOLS = (V4, V3, V2)

_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE = range(5)
_OUTPUTS = {"stdout": _STDOUT, "stderr": _STDERR}
_PLAIN_ERRORS = (None, "", PLAIN, BASE64, V3, V2)
"""Before version 4 the error is a text, and nobody is told an exit code."""


class Session(Protocol):
    """A process that somebody talks to."""

    def output(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (`stdout` or `stderr`, data) until it has ended."""
        ...

    async def write(self, data: bytes) -> None:
        """Write to its input, as fast as it reads."""
        ...

    def close_stdin(self) -> None:
        """End its input."""
        ...

    def resize(self, width: int, height: int) -> None:
        """Set the size of its terminal, in characters; nothing happens without one."""
        ...

    async def wait(self) -> int:
        """Return its exit code."""
        ...

    def close(self) -> None:
        """Leave it."""
        ...


class Commands(Protocol):
    """Where processes run in containers; the node has them."""

    async def start(
        self,
        pod: Json,
        container: str,
        argv: list[str],
        *,
        stdin: bool,
        stdout: bool,
        stderr: bool,
        tty: bool,
    ) -> Session:
        """Start a command beside the process of a container.

        Raises
        ------
        ApiError
            400: the container does not run; 500: the command cannot be started.
        """
        ...

    async def attach(self, pod: Json, container: str, *, stdin: bool) -> Session:
        """Join the output and input of the process of a container.

        Raises
        ------
        ApiError
            400: the container does not run.
        """
        ...


class Options(NamedTuple):
    """What a client asks for."""

    container: str
    command: list[str]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


async def open_session(
    commands: Commands, pod: Json, options: Options, *, attach: bool
) -> Session | ApiError:
    """Begin what was asked for.

    Returns
    -------
    Session or ApiError
        The error is for the error stream: the client sees it as one of the command, not of its
        request.

    Raises
    ------
    ApiError
        400: the request asks for nothing, or the container does not run.
    """
    if not (options.stdin or options.stdout or options.stderr):
        raise bad_request("you must specify at least 1 of stdin, stdout, stderr")
    if attach:
        return await commands.attach(pod, options.container, stdin=options.stdin)
    if not options.command:
        raise bad_request("you must specify at least one command for the container")
    try:
        return await commands.start(
            pod,
            options.container,
            options.command,
            stdin=options.stdin,
            stdout=options.stdout,
            stderr=options.stderr and not options.tty,
            tty=options.tty,
        )
    except ApiError as error:
        if error.code < 500:
            raise
        return error


def open_channels(
    socket: WebSocket, protocol: str | None, options: Options, *, spdy: bool
) -> Channels | SpdyChannels:
    """Return the streams of an accepted connection."""
    if not spdy:
        first = _STDOUT if options.stdout else _STDERR if options.stderr else _ERROR
        return Channels(socket, protocol, first)
    wanted = {
        "stdin": options.stdin,
        "stdout": options.stdout,
        "stderr": options.stderr and not options.tty,
        "error": True,
        "resize": options.tty and protocol in (V4, V3),
    }
    return SpdyChannels(socket, {name for name, value in wanted.items() if value})


async def serve_session(
    channels: Channels | SpdyChannels,
    protocol: str | None,
    session: Session | ApiError,
    options: Options,
) -> None:
    """Carry a session over an accepted connection until either end leaves."""
    await channels.open()
    if isinstance(session, ApiError):
        await channels.send(_ERROR, _ending(protocol, session))
        await channels.close()
        return
    wanted = {"stdout": options.stdout, "stderr": options.stderr}

    async def show() -> None:
        ending: int | ApiError
        try:
            async with contextlib.aclosing(session.output()) as output:  # type: ignore[type-var]
                async for stream, data in output:
                    if wanted[stream]:
                        await channels.send(_OUTPUTS[stream], data)
            ending = await session.wait()
        except ApiError as error:
            ending = error
        await channels.send(_ERROR, _ending(protocol, ending))
        await channels.close()

    async def listen() -> None:
        while (piece := await channels.receive()) is not None:
            if piece.channel == _STDIN and options.stdin:
                if piece.data:
                    await session.write(piece.data)
                if piece.closed:
                    session.close_stdin()
            elif piece.channel == _RESIZE and piece.data:
                _resize(session, piece.data)

    for task in await first_of(show(), listen()):
        if not task.cancelled():
            task.result()


def _resize(session: Session, data: bytes) -> None:
    try:
        size = orjson.loads(data.splitlines()[-1])
        width, height = int(size["Width"]), int(size["Height"])
    except (ValueError, LookupError, TypeError):
        return  # a client that says no size has none
    if 0 <= width < 1 << 16 and 0 <= height < 1 << 16:
        session.resize(width, height)


def _ending(protocol: str | None, ending: int | ApiError) -> bytes:
    """Return what the error stream says at the end: a Status, or a text in the oldest protocols."""
    if protocol in _PLAIN_ERRORS:
        if isinstance(ending, ApiError):
            return ending.message.encode()
        return f"command terminated with exit code {ending}".encode() if ending else b""
    if isinstance(ending, ApiError):
        return orjson.dumps(ending.status())
    if ending == 0:
        return orjson.dumps({"metadata": {}, "status": "Success"})
    return orjson.dumps(
        {
            "metadata": {},
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: exit status {ending}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(ending)}]},
        }
    )
