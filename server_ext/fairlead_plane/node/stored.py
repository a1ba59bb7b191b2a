"""A pod as it is stored, and the writes of its node: status and Events in one transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from ..resources import POD, Json, Resources, Transaction
from .status import Role

BURST = 25
REFILL_S = 300.0
"""As a kubelet's event recorder: 25 Events about an object at once, then one in five minutes."""


class Note(NamedTuple):
    """An Event about a pod or one of its containers."""

    reason: str
    message: str
    type: str = "Normal"
    field_path: str = ""


class StoredPod:
    """One pod of the store.

    Parameters
    ----------
    resources : Resources
        The gate.
    pod : dict
        The Pod as it is stored.
    build : callable
        From the pod as it is stored now to its status; called in the store's thread.

    Attributes
    ----------
    object : dict
        The Pod as last seen.
    """

    def __init__(self, resources: Resources, pod: Json, build: Callable[[Json], Json]) -> None:
        self._resources = resources
        self.object = pod
        self._build = build
        self._writing = asyncio.Lock()
        self._kept: list[Note] = []
        self._budget = float(BURST)
        self._budget_at = time.monotonic()

    @property
    def uid(self) -> str:
        """The pod's uid."""
        uid: str = self.object["metadata"]["uid"]
        return uid

    @property
    def title(self) -> str:
        """The pod as the messages of a kubelet name it: `name_namespace(uid)`."""
        metadata = self.object["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({self.uid})"

    def keep(self, *notes: Note) -> None:
        """Let Events wait for the next write."""
        self._kept += notes

    async def write(self, *notes: Note, changed: bool = True, remove: bool = False) -> None:
        """Write the status as it is now, with the Events that belong to the change.

        Parameters
        ----------
        *notes : Note
            Events; those over the budget of this pod are dropped.
        changed : bool
            False when nothing but the Events is to be written.
        remove : bool
            Take the pod out of the store with the same change, when it is being deleted.
        """
        notes = tuple(note for note in (*self._kept, *notes) if self._afford())
        self._kept.clear()
        if not notes and not changed:
            return

        def change(transaction: Transaction) -> Json | None:
            pod = self.current(transaction)
            if pod is None:
                return None
            pod["status"] = self._build(pod)
            pod = transaction.update_status(pod)
            for note in notes:
                transaction.record_event(
                    pod,
                    note.reason,
                    note.message,
                    type=note.type,
                    component="kubelet",
                    field_path=note.field_path,
                )
            if remove:
                _remove(transaction, pod)
            return pod

        async with self._writing:
            pod = await self._resources.transaction(change, short=True)
        if pod is not None:
            self.object = pod

    async def remove(self) -> None:
        """Take the pod out of the store, when it is being deleted; its status stays."""

        def change(transaction: Transaction) -> None:
            pod = self.current(transaction)
            if pod is not None:
                _remove(transaction, pod)

        await self._resources.transaction(change)

    def current(self, transaction: Transaction) -> Json | None:
        """Return the pod as stored now; None when it is gone or another has its name."""
        metadata = self.object["metadata"]
        found = transaction.find(POD, metadata["name"], metadata["namespace"])
        return found if found is not None and found["metadata"]["uid"] == self.uid else None

    def _afford(self) -> bool:
        now = time.monotonic()
        self._budget = min(BURST, self._budget + (now - self._budget_at) / REFILL_S)
        self._budget_at = now
        if self._budget < 1:
            return False
        self._budget -= 1
        return True


def _remove(transaction: Transaction, pod: Json) -> None:
    metadata = pod["metadata"]
    if "deletionTimestamp" in metadata:
        transaction.delete(POD, metadata["name"], metadata["namespace"], grace_period_seconds=0)


def field_path(role: Role, name: str) -> str:
    """Return how an Event names a container of a pod."""
    return f"spec.{'containers' if role is Role.MAIN else 'initContainers'}{{{name}}}"
