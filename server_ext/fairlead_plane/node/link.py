"""The connection between the plane and the shim."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from ..waiting import within
from .leftovers import end_group, is_alive
from .records import StartRecord
from .shim.frames import SIZES_BYTES, Header, pack, unpack_sizes

START_S = 20.0
"""Seconds that a new shim has to be ready; it needs a few hundredths on an idle machine."""

# Isolated (-I) and without site-packages (-S): the shim needs the standard library alone.
_BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from fairlead_plane.node.shim.server import main; main()"
)


class ShimError(Exception):
    """The shim cannot be started."""


class ShimLink:
    """Finds or starts the shim of a data directory, and talks to it.

    Parameters
    ----------
    folder : Path
        For the shim's socket, record and error output.
    hear : callable
        Called with every message of the shim, in order.
    lost : callable
        Called once when the connection ends other than by `stop`.
    """

    def __init__(
        self, folder: Path, hear: Callable[[Header], None], lost: Callable[[], None]
    ) -> None:
        self._folder = folder
        self._hear = hear
        self._lost = lost
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._record = StartRecord(0, None, 0.0)
        self._path = ""

    async def open(self) -> Header:
        """Connect to the shim, started anew when there is none; return its greeting.

        Raises
        ------
        ShimError
            It does not start.
        """
        self._folder.mkdir(exist_ok=True, mode=0o700)
        path = self._read_record()
        hello = await self._connect(path) if path and is_alive(self._record) else None
        if hello is None:
            await end_group(self._record)  # one that lives and does not answer
            await asyncio.get_running_loop().run_in_executor(None, self._spawn)
            path = self._read_record()
            hello = await self._connect(path) if path else None
        if hello is None:
            raise ShimError(f"The shim does not answer; its errors are in {self._folder}/log.")
        return hello

    async def open_stream(self) -> socket.socket:
        """Return a new connection for one process beside a run; raises OSError."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, f"{self._path}.s")
        except BaseException:
            connection.close()
            raise
        return connection

    def tell(self, header: Header, body: bytes = b"") -> None:
        """Send a request; lost with the connection, which `lost` tells of."""
        if self._writer is not None:
            self._writer.write(pack(header, body))

    async def stop(self) -> None:
        """Let the shim end, with all that still runs, and wait for it."""
        if self._reading is not None:
            self._reading.cancel()
        self.tell({"op": "stop"})
        if self._writer is not None:
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()
        for _ in range(200):
            if not is_alive(self._record):
                break
            await asyncio.sleep(0.01)
        await end_group(self._record)
        if self._writer is not None:
            self._writer.close()
        self._reap()

    def _read_record(self) -> str | None:
        try:
            found = orjson.loads((self._folder / "record").read_bytes())
        except FileNotFoundError:
            return None
        self._record = StartRecord(found["pid"], found["identity"], found["time"])
        self._path = found["socket"]
        return self._path

    async def _connect(self, path: str) -> Header | None:
        try:
            reader, writer = await asyncio.open_unix_connection(path)
            hello, _ = await within(receive(reader), START_S)
        except (OSError, EOFError, asyncio.TimeoutError):
            return None
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader), name="shim")
        return hello

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                self._hear((await receive(reader))[0])
        except (ConnectionError, EOFError):
            pass
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        await end_group(self._record)
        self._reap()
        self._lost()

    def _spawn(self) -> None:
        self._reap()
        root = str(Path(__file__).parents[2])
        with open(self._folder / "log", "ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, root, str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            )
        assert self._process.stdout is not None
        with self._process.stdout as ready:
            if not ready.readline():
                raise ShimError(f"The shim did not start; its errors are in {self._folder}/log.")

    def _reap(self) -> None:
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=START_S)
                self._process = None


async def receive(reader: asyncio.StreamReader) -> tuple[Header, bytes]:
    """Read one message of the shim: header and body; EOFError at the end."""
    try:
        head, body = unpack_sizes(await reader.readexactly(SIZES_BYTES))
        data = await reader.readexactly(head + body)
    except asyncio.IncompleteReadError as error:
        raise EOFError from error
    header: dict[str, Any] = orjson.loads(data[:head])
    return header, data[head:]
