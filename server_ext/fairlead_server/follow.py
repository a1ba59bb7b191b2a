"""List and watch that goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fairlead.errors import FairleadError
from fairlead.kube import KubeClient, ResourceType, Stream, WatchEvent
from fairlead_server.health import OK, WELL, Health

_WATCH_S = 300
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_GONE = 410

Json = dict[str, Any]


class Follower:
    """Follows the objects of one kind in a thread."""

    def __init__(
        self,
        kube: KubeClient,
        kind: ResourceType,
        namespace: str | None,
        *,
        on_list: Callable[[list[Json]], None],
        on_event: Callable[[WatchEvent], None],
        on_health: Callable[[Health], None],
    ) -> None:
        self._kube, self._kind, self._namespace = kube, kind, namespace
        self._on_list, self._on_event, self._on_health = on_list, on_event, on_health
        self._stopped = threading.Event()
        self._stream: Stream[WatchEvent] | None = None
        self._thread = threading.Thread(target=self._run, name="fairlead-follow", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch; returns at once."""
        self._stopped.set()
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> None:
        version: str | None = None
        pause_s = _FIRST_PAUSE_S
        while not self._stopped.is_set():
            try:
                if version is None:
                    found, version = self._kube.list_with_version(self._kind, self._namespace)
                    self._on_list(found)
                self._stream = self._kube.watch(
                    self._kind, self._namespace, resource_version=version, timeout_s=_WATCH_S
                )
                if self._stopped.is_set():
                    self._stream.close()
                    return
                self._on_health(WELL)
                pause_s = _FIRST_PAUSE_S
                for event in self._stream:
                    version = event.object["metadata"]["resourceVersion"]
                    if event.type != "BOOKMARK":
                        self._on_event(event)
            except FairleadError as error:
                if self._stopped.is_set():
                    return
                if getattr(error, "code", None) == _GONE:
                    version = None
                    continue
                health = Health.of(error)
                assert health.state != OK
                self._on_health(health)
                self._stopped.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
