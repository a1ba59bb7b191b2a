"""Objects of any kind: what a list of them shows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from fairlead.errors import NotFoundError
from fairlead_server.topics.base import Place, Topic
from fairlead_server.watches import SharedWatch

Json = dict[str, Any]


class ObjectsTopic(Topic):
    """One row per object, by uid.

    Parameters
    ----------
    namespace : str, optional
        `None` for all namespaces, and for a kind that has none.
    """

    def __init__(self, place: Place, api_version: str, kind: str, namespace: str | None) -> None:
        self._api_version, self._kind, self._namespace = api_version, kind, namespace
        super().__init__(place)

    async def open(self) -> None:
        """Look up how the server calls the kind, and follow it."""
        kube = self.place.connection.kube
        try:
            found = await asyncio.to_thread(kube.resource_type, self._api_version, self._kind)
        except NotFoundError as error:
            raise NotFoundError(
                f"This cluster does not serve {self._kind} of {self._api_version}."
            ) from error
        self.hold(found, self._namespace if found.namespaced else None)

    def on_watch(self, watch: SharedWatch, uids: Iterable[str]) -> None:
        """Summarise what changed."""
        rows = {uid: row_of(watch.objects[uid]) if uid in watch.objects else None for uid in uids}
        self.put(rows, ready=watch.listed, health=watch.health)


def row_of(found: Json) -> Json:
    """Summarise an object: what every kind has, and the phase of those that have one."""
    metadata, status = found["metadata"], found.get("status") or {}
    return {
        "name": metadata["name"],
        "namespace": metadata.get("namespace"),
        "uid": metadata["uid"],
        "labels": metadata.get("labels") or {},
        "created": metadata.get("creationTimestamp"),
        "phase": status.get("phase"),
        # A thing with finalizers stays for a while after it was deleted.
        "deleted": metadata.get("deletionTimestamp"),
    }
