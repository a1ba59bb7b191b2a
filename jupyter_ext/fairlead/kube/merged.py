"""The logs of several pods as one, each line with the name of who wrote it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from fairlead.errors import FairleadError
from fairlead.kube.stream import Stream

if TYPE_CHECKING:
    from fairlead.kube.client import KubeClient

_MOST_WAITING = 10_000
"""Lines read ahead of who takes them; then the readers wait, as the server does."""


class MergedLog:
    """Lines of the logs of pods, `[TAG] line`, in the order in which they come.

    Iterating ends when all logs have ended, or after `close`, which any thread may call. A log that
    cannot be read is told in a line of its own; the others go on.

    Parameters
    ----------
    pods : mapping
        Tag -> name of the pod. Without `follow` they are read one after another in this order.
    follow : bool
        Go on until the pods have ended, all at once.
    """

    def __init__(
        self, kube: KubeClient, namespace: str, pods: Mapping[str, str], *, follow: bool = False
    ) -> None:
        self._kube, self._namespace = kube, namespace
        self._pods, self._follow = dict(pods), follow
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._streams: list[Stream[str]] = []
        self._closed = threading.Event()
        self._items = self._followed() if follow else self._in_order()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._items)

    def close(self) -> None:
        """End it, also for a thread that waits for its next line."""
        self._closed.set()
        for stream in tuple(self._streams):
            stream.close()

    def _in_order(self) -> Iterator[str]:
        for tag, pod in self._pods.items():
            yield from self._read(tag, pod)

    def _read(self, tag: str, pod: str) -> Iterator[str]:
        if self._closed.is_set():
            return
        try:
            stream = self._kube.logs(pod, self._namespace, follow=self._follow)
            self._streams.append(stream)
            if self._closed.is_set():
                stream.close()
            for line in stream:
                yield f"[{tag}] {line}"
        except FairleadError as error:
            if not self._closed.is_set():
                yield f"[{tag}] [the log cannot be read: {error.what}]"

    def _followed(self) -> Iterator[str]:
        for tag, pod in self._pods.items():
            threading.Thread(
                target=self._pump, args=(tag, pod), name="fairlead-log", daemon=True
            ).start()
        ended = 0
        while ended < len(self._pods):
            line = self._lines.get()
            if line is None:
                ended += 1
            elif not self._closed.is_set():
                yield line

    def _pump(self, tag: str, pod: str) -> None:
        for line in self._read(tag, pod):
            self._put(line)
        self._put(None)

    def _put(self, line: str | None) -> None:
        while not self._closed.is_set() or line is None:
            try:
                self._lines.put(line, timeout=1)
                return
            except queue.Full:
                # Nobody takes lines: after `close` nobody will.
                if self._closed.is_set():
                    return
