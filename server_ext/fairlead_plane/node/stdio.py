"""The files of a process that the plane talks to: pipes, or a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from typing import Any


class End:
    """Our end of a pipe or terminal, which does not block."""

    def __init__(self, number: int) -> None:
        os.set_blocking(number, False)
        self.number = number
        """Of the file; -1 when it is closed."""

    async def readable(self, other: asyncio.Future[Any]) -> None:
        """Wait until there is something to read, or `other` is done."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self.number, _wake, ready)
        try:
            await asyncio.wait({ready, other}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self.number >= 0:
                loop.remove_reader(self.number)

    async def writable(self) -> None:
        """Wait until there is room."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self.number, _wake, ready)
        try:
            await ready
        finally:
            if self.number >= 0:
                loop.remove_writer(self.number)

    def close(self) -> None:
        """Close the file; nothing waits for it any more."""
        if self.number >= 0:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self.number)
            loop.remove_writer(self.number)
            os.close(self.number)
            self.number = -1


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class Pipes:
    """The files of a process without a terminal: ours, and theirs to pass on."""

    def __init__(self, stdin: bool, stdout: bool, stderr: bool) -> None:
        self.stdin: End | None = None
        self.outputs: dict[str, End] = {}
        self.theirs: tuple[int, ...] = ()
        if stdin:
            read, write = os.pipe()
            self.stdin = End(write)
            self.theirs += (read,)
        else:
            self.theirs += (os.open(os.devnull, os.O_RDONLY),)
        for name, wanted in (("stdout", stdout), ("stderr", stderr)):
            if wanted:
                read, write = os.pipe()
                self.outputs[name] = End(read)
                self.theirs += (write,)
            else:
                self.theirs += (os.open(os.devnull, os.O_WRONLY),)

    def close_stdin(self) -> None:
        """End what the process reads."""
        if self.stdin is not None:
            self.stdin.close()

    def resize(self, width: int, height: int) -> None:
        """Do nothing: there is no terminal."""

    def close(self) -> None:
        """Close our ends."""
        self.close_stdin()
        for end in self.outputs.values():
            end.close()


class Terminal:
    """A terminal: one file for input and output."""

    def __init__(self) -> None:
        master, slave = os.openpty()
        self.stdin = End(master)
        self.outputs = {"stdout": self.stdin}
        self.theirs: tuple[int, ...] = (slave, os.dup(slave), os.dup(slave))

    def close_stdin(self) -> None:
        """Do nothing: a terminal has no end of its input."""

    def resize(self, width: int, height: int) -> None:
        """Set its size, in characters."""
        if self.stdin.number >= 0:
            size = struct.pack("HHHH", height, width, 0, 0)
            fcntl.ioctl(self.stdin.number, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Close our end; the processes that it controls are told."""
        self.stdin.close()
