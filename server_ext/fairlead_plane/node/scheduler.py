"""Admission of pods by what this machine has left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from ..resources import Json, parse_quantity

Amounts = Mapping[str, Decimal]

# What a container without a request counts as: the non-zero defaults of kube-scheduler
# (`pkg/scheduler/util/pod_resources.go`: 100 milli-CPU, 200 MB).
_DEFAULT = {"cpu": Decimal("0.1"), "memory": Decimal(200 * 1024 * 1024)}


def pod_requests(pod: Json) -> dict[str, Decimal]:
    """Return what a pod asks for: the sum over its containers, and one pod."""
    total: dict[str, Decimal] = {"pods": Decimal(1)}
    for container in pod["spec"]["containers"]:
        given = (container.get("resources") or {}).get("requests") or {}
        amounts = {name: parse_quantity(text) for name, text in given.items()}
        for name, amount in {**_DEFAULT, **amounts}.items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total


class Scheduler:
    """Lets pods in, first come first served among those that fit.

    Parameters
    ----------
    allocatable : mapping
        Amounts of this machine.
    """

    def __init__(self, allocatable: Amounts) -> None:
        self._allocatable = dict(allocatable)
        self._used: dict[str, Decimal] = {}
        self._admitted: dict[str, Amounts] = {}
        self._waiting: dict[str, tuple[Amounts, asyncio.Future[None]]] = {}

    def occupy(self, uid: str, requests: Amounts) -> None:
        """Count a pod that runs already, whether it fits or not."""
        if uid not in self._admitted:
            self._admitted[uid] = requests
            for name, amount in requests.items():
                self._used[name] = self._used.get(name, Decimal(0)) + amount

    def try_admit(self, uid: str, requests: Amounts) -> str:
        """Admit a pod if it fits now.

        Returns
        -------
        str
            Empty when it is in; else why not, in the scheduler's words.
        """
        missing = [name for name, amount in requests.items() if amount > self._free(name)]
        if not missing:
            self.occupy(uid, requests)
            return ""
        reasons = ", ".join(
            "1 Too many pods" if name == "pods" else f"1 Insufficient {name}" for name in missing
        )
        return f"0/1 nodes are available: {reasons}."

    async def admit(self, uid: str, requests: Amounts) -> None:
        """Wait until the pod is in; a cancelled wait leaves the queue."""
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[uid] = (requests, admitted)
        try:
            await admitted
        except asyncio.CancelledError:
            if uid in self._admitted:
                self.release(uid)
            raise
        finally:
            self._waiting.pop(uid, None)

    def release(self, uid: str) -> None:
        """Give back what a pod had, and let in who now fits."""
        for name, amount in self._admitted.pop(uid, {}).items():
            self._used[name] -= amount
        for waiting, (requests, admitted) in list(self._waiting.items()):
            if not admitted.done() and not self.try_admit(waiting, requests):
                admitted.set_result(None)

    def _free(self, name: str) -> Decimal:
        return self._allocatable.get(name, Decimal(0)) - self._used.get(name, Decimal(0))
