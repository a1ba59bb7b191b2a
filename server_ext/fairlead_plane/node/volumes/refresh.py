"""Keeps the files of running pods' volumes like the objects that they show."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from ...resources import CONFIG_MAP, SECRET, ApiError, Json, Kind, Resources
from .sources import WRITTEN

log = logging.getLogger(__name__)

TOKENS_EVERY_S = 60.0
"""Seconds between two looks at tokens that run out."""


class Refresher:
    """Writes volumes anew when a ConfigMap, a Secret or the pod changes; tokens by the clock.

    Nothing is watched before a pod has such a volume.

    Parameters
    ----------
    resources : Resources
        Watched.
    pods : callable
        The pods that have a worker now.
    renew : callable
        Writes the volumes of one pod.
    """

    def __init__(
        self,
        resources: Resources,
        pods: Callable[[], Iterable[Json]],
        renew: Callable[[Json], Awaitable[None]],
    ) -> None:
        self._resources = resources
        self._pods = pods
        self._renew = renew
        self._watching: list[asyncio.Task[None]] = []
        self._labels: dict[str, object] = {}

    def take(self, pod: Json) -> None:
        """Take note of a pod that has a worker, or of its change."""
        if not _written(pod):
            return
        metadata = pod["metadata"]
        seen = (metadata.get("labels"), metadata.get("annotations"))
        if not self._watching:
            self._watching = [
                *(asyncio.create_task(self._follow(kind)) for kind in (CONFIG_MAP, SECRET)),
                asyncio.create_task(self._tick()),
            ]
        if self._labels.setdefault(metadata["uid"], seen) != seen:
            self._labels[metadata["uid"]] = seen
            task = asyncio.create_task(self._write(pod))
            self._watching.append(task)
            task.add_done_callback(self._watching.remove)

    def forget(self, uid: str) -> None:
        """Keep nothing of a pod that is gone."""
        self._labels.pop(uid, None)

    def stop(self) -> None:
        """Watch no more."""
        for task in self._watching:
            task.cancel()

    async def _follow(self, kind: Kind) -> None:
        while True:
            watch = self._resources.watch(kind)
            try:
                async for event in watch:
                    metadata = event.object["metadata"]
                    for pod in list(self._pods()):
                        if pod["metadata"]["namespace"] == metadata["namespace"] and _shows(
                            pod, kind, metadata["name"]
                        ):
                            await self._write(pod)
                return  # the plane stops
            except ApiError as error:
                log.warning("%s are listed again: %s", kind.plural, error)
            finally:
                watch.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TOKENS_EVERY_S)
            for pod in list(self._pods()):
                if any("serviceAccountToken" in part for part in _parts(pod)):
                    await self._write(pod)

    async def _write(self, pod: Json) -> None:
        try:
            await self._renew(pod)
        except Exception:
            # The boundary of one pod: the volumes of the others are kept up all the same.
            metadata = pod["metadata"]
            where = f"{metadata['namespace']}/{metadata['name']}"
            log.exception("the volumes of pod %s cannot be brought up to date", where)


def _written(pod: Json) -> bool:
    volumes = pod["spec"].get("volumes") or ()
    return any(key in volume for volume in volumes for key in WRITTEN)


def _parts(pod: Json) -> list[Json]:
    parts: list[Json] = []
    for volume in pod["spec"].get("volumes") or ():
        parts += (volume["projected"].get("sources") or ()) if "projected" in volume else (volume,)
    return parts


def _shows(pod: Json, kind: Kind, name: str) -> bool:
    for part in _parts(pod):
        if kind is CONFIG_MAP and "configMap" in part:
            shown = part["configMap"].get("name")
        elif kind is SECRET and "secret" in part:
            shown = part["secret"].get("secretName") or part["secret"].get("name")
        else:
            continue
        if shown == name:
            return True
    return False
