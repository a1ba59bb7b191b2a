"""Answers that go on: watches and followed logs line by line, large ones piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import urllib3

from fairlead.errors import ClusterError

T = TypeVar("T")
_CHUNK_BYTES = 1 << 16


class Stream(Generic[T]):
    """The lines of an answer as they come, each as what `read` makes of it.

    Iterating ends when the server ends the answer, or after `close`, which any thread may call
    while another one waits for the next line.

    Raises
    ------
    ClusterError
        While iterating: the connection broke off, or what came cannot be read.
    """

    def __init__(
        self, answer: urllib3.BaseHTTPResponse, what: str, read: Callable[[bytes], T]
    ) -> None:
        self._answer = answer
        self._what = what
        self._read = read
        self._closed = False
        self._items = self._iterate()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return next(self._items)

    def close(self) -> None:
        """End the answer, also for a thread that waits for its next line."""
        if not self._closed:
            self._closed = True
            try:
                self._answer.shutdown()
            except (OSError, ValueError, RuntimeError):
                # It has ended by itself.
                return

    def _iterate(self) -> Iterator[T]:
        rest = b""
        try:
            # read1: what has arrived, at once; read() would wait for a full chunk.
            while chunk := self._answer.read1(_CHUNK_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if self._closed:
                        return
                    yield self._value(line)
            if rest and not self._closed:
                yield self._value(rest)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if not self._closed:
                raise ClusterError(f"The stream of {self._what} broke off: {error}") from error
        finally:
            self._answer.close()

    def _value(self, line: bytes) -> T:
        try:
            return self._read(line)
        except (ValueError, KeyError, TypeError) as error:
            raise ClusterError(
                f"The stream of {self._what} holds a line that cannot be read."
            ) from error


class Pieces(Stream[bytes]):
    """The bytes of an answer as they come, in pieces of any length; ends as `Stream` does."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, what: str) -> None:
        super().__init__(answer, what, bytes)

    def _iterate(self) -> Iterator[bytes]:
        try:
            while (chunk := self._answer.read1(_CHUNK_BYTES)) and not self._closed:
                yield chunk
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if not self._closed:
                raise ClusterError(f"The answer to {self._what} broke off: {error}") from error
        finally:
            self._answer.close()
