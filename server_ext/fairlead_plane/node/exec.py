"""Commands inside of running containers, and clients attached to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import orjson

from ..resources import ApiError, Json
from ..waiting import within
from .link import receive
from .records import RunFiles, container_folder, last_attempt
from .runtime import Runtime
from .shim.frames import Header, pack
from .stdio import End, Pipes, Terminal

CHUNK_BYTES = 64 << 10
OUTPUT_MOST_BYTES = 64 << 10
"""What `run` keeps of an output; the rest is read and dropped."""


class ExecError(ApiError):
    """A command cannot be run in a container, or nobody can attach; the message says why."""

    def __init__(self, why: str) -> None:
        super().__init__(
            500,
            "InternalError",
            f"Internal error occurred: error executing command in container: {why}",
        )


class ContainerNotFound(ExecError):
    """The container does not run now."""

    def __init__(self, container: str) -> None:
        ApiError.__init__(self, 400, "BadRequest", f'container not found ("{container}")')


class ExecTimeout(Exception):
    """A command did not end in time and was killed; the message is for an Event."""


class Execs:
    """Starts processes beside those of the pods of this node.

    Parameters
    ----------
    folder : Path
        With a folder for each pod.
    runtime : Runtime
        Knows the shim.

    Notes
    -----
    The processes are children of the shim, but their files are held here: one that is under way
    ends with this process, and the pod goes on.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self._folder = folder
        self._runtime = runtime

    async def run(
        self,
        pod: Json,
        container: str,
        argv: list[str],
        *,
        timeout_s: float,
        stdin: bytes | None = None,
    ) -> tuple[int, bytes]:
        """Run a command in a container and return its exit code and its output with its errors.

        Raises
        ------
        ExecError
            The container does not run, or there is no such program.
        ExecTimeout
            It did not end in time; it has been killed.
        """
        session = await self.start(
            pod, container, argv, stdin=stdin is not None, stdout=True, stderr=True, tty=False
        )
        output = bytearray()

        async def collect() -> int:
            if stdin is not None:
                feeding = asyncio.create_task(_feed(session, stdin))
            async for _, data in session.output():
                output.extend(data[: OUTPUT_MOST_BYTES - len(output)])
            if stdin is not None:
                feeding.cancel()
            return await session.wait()

        try:
            return await within(collect(), timeout_s), bytes(output)
        except asyncio.TimeoutError as error:
            raise ExecTimeout(f'command "{" ".join(argv)}" timed out') from error
        finally:
            session.close()

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
    ) -> ExecSession:
        """Start a command in a container, in the environment, directory and mounts of its process.

        Parameters
        ----------
        stdin, stdout, stderr : bool
            Which of its files somebody holds; the others are /dev/null.
        tty : bool
            One terminal for all of them.

        Raises
        ------
        ExecError
            The container does not run, or there is no such program.
        """
        run = self._find(pod, container)
        files = Terminal() if tty else Pipes(stdin, stdout, stderr)
        connection: socket.socket | None = None
        try:
            connection = await self._runtime.open_stream()
            message = pack({"op": "exec", "id": run.id, "tty": tty}, orjson.dumps(argv))
            # The files travel with the first bytes; there is room for them on a new connection.
            sent = socket.send_fds(connection, [message], list(files.theirs))
            reader, writer = await asyncio.open_unix_connection(sock=connection)
            writer.write(message[sent:])
            await _started(reader, container)
        except BaseException as error:
            if connection is not None:
                connection.close()
            files.close()
            if isinstance(error, OSError):
                raise ExecError(f"the shim cannot be reached: {error}") from error
            raise
        finally:
            for file in files.theirs:
                os.close(file)
        return ExecSession(files, reader, writer)

    async def attach(self, pod: Json, container: str, *, stdin: bool) -> AttachSession:
        """Attach to the process of a container: to its output from now on, and to its input.

        Raises
        ------
        ExecError
            The container does not run.
        """
        run = self._find(pod, container)
        try:
            connection = await self._runtime.open_stream()
        except OSError as error:
            raise ExecError(f"the shim cannot be reached: {error}") from error
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        try:
            writer.write(pack({"op": "attach", "id": run.id, "stdin": stdin}))
            await _started(reader, container)
        except BaseException:
            writer.close()
            raise
        return AttachSession(reader, writer)

    def _find(self, pod: Json, container: str) -> RunFiles:
        folder = container_folder(self._folder, pod["metadata"]["uid"], container)
        attempt = last_attempt(folder)
        if attempt is not None:
            files = RunFiles(folder, attempt)
            if self._runtime.is_running(files.id):
                return files
        raise ContainerNotFound(container)


async def _started(reader: asyncio.StreamReader, container: str) -> None:
    try:
        answer, _ = await receive(reader)
    except (EOFError, ConnectionError) as error:
        raise ExecError("the shim ended") from error
    if answer["event"] != "started":
        if answer["reason"] == "NotRunning":
            raise ContainerNotFound(container)
        raise ExecError(answer["message"])


async def _feed(session: ExecSession, data: bytes) -> None:
    await session.write(data)
    session.close_stdin()


class ExecSession:
    """A command that runs.

    Closed without its end awaited, it kills the process.
    """

    def __init__(
        self,
        files: Pipes | Terminal,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._files = files
        self._writer = writer
        self._ended = asyncio.create_task(self._read_end(reader), name="exec")
        # Read here too: who closes the session early does not ask.
        self._ended.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def output(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (stream, data) until the command has ended and all its output is read."""
        queue: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue(2)
        readers = [
            asyncio.create_task(self._pump(name, file, queue))
            for name, file in self._files.outputs.items()
        ]
        try:
            open_ = len(readers)
            while open_:
                piece = await queue.get()
                if piece is None:
                    open_ -= 1
                else:
                    yield piece
            await asyncio.wait({self._ended})
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def write(self, data: bytes) -> None:
        """Write to its input, as fast as it reads; nothing happens when it has closed its end."""
        view = memoryview(data)
        while view:
            file = self._files.stdin
            if file is None or file.number < 0:
                return
            try:
                view = view[os.write(file.number, view[:CHUNK_BYTES]) :]
            except BlockingIOError:
                await file.writable()
            except OSError:  # nobody reads it
                self.close_stdin()

    def close_stdin(self) -> None:
        """End its input; a terminal stays open, as only what is typed can end its input."""
        self._files.close_stdin()

    def resize(self, width: int, height: int) -> None:
        """Set the size of its terminal, in characters."""
        self._files.resize(width, height)

    async def wait(self) -> int:
        """Return its exit code: 128 and the signal's number after a signal.

        Raises
        ------
        ExecError
            The shim died, and with it the process.
        """
        return await asyncio.shield(self._ended)

    def close(self) -> None:
        """Let go of its files, and kill it if it still runs."""
        self._ended.cancel()
        self._writer.close()
        self._files.close()

    async def _read_end(self, reader: asyncio.StreamReader) -> int:
        try:
            code: int = (await receive(reader))[0]["exit_code"]
        except (EOFError, ConnectionError) as error:
            raise ExecError("the command was killed: the shim that watched it ended") from error
        return code

    async def _pump(
        self, name: str, file: End, queue: asyncio.Queue[tuple[str, bytes] | None]
    ) -> None:
        while True:
            # Looked at before the read: what an ended process has written is all there, and what
            # it left in the background may keep the pipe open for ever.
            ended = self._ended.done()
            try:
                data = os.read(file.number, CHUNK_BYTES)
            except BlockingIOError:
                if ended:
                    break
                await file.readable(self._ended)
                continue
            except OSError:  # EIO: the terminal's last process has ended
                break
            if not data:
                break
            await queue.put((name, data))
        await queue.put(None)


class AttachSession:
    """A client attached to the process of a container; closed, the process goes on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def output(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield (stream, data) until the process has ended.

        Raises
        ------
        ExecError
            The shim died, or the client took what was sent too slowly.
        """
        while True:
            try:
                message, data = await receive(self._reader)
            except (EOFError, ConnectionError) as error:
                raise ExecError(
                    "the container was killed: the shim that watched it ended"
                ) from error
            if message.get("event") == "ended":
                return
            if message.get("event") == "slow":
                raise ExecError("detached: the output was not read as fast as it was written")
            yield message["stream"], data

    async def write(self, data: bytes) -> None:
        """Write to the input of the container, as fast as it reads."""
        for start in range(0, len(data), CHUNK_BYTES):
            self._tell({"op": "input"}, data[start : start + CHUNK_BYTES])
            with contextlib.suppress(ConnectionError):  # `output` says it
                await self._writer.drain()

    def close_stdin(self) -> None:
        """Say that this client writes no more; with `stdinOnce` the container's input ends."""
        self._tell({"op": "eof"})

    def resize(self, width: int, height: int) -> None:
        """Set the size of the container's terminal, in characters."""
        self._tell({"op": "resize", "width": width, "height": height})

    async def wait(self) -> int:
        """Return 0: how a container ends is in its pod's status, not here."""
        return 0

    def close(self) -> None:
        """Detach."""
        self._writer.close()

    def _tell(self, header: Header, body: bytes = b"") -> None:
        if not self._writer.is_closing():
            self._writer.write(pack(header, body))
