"""The queue: pods that start together, in the order in which they may start."""

from __future__ import annotations

from dataclasses import dataclass, field

from .demand import PodInfo
from .state import State


@dataclass
class Unit:
    """Pods that are bound in one step or not at all: a pod, or what a gang still lacks.

    Attributes
    ----------
    key : str
        Uid of the pod, or namespace and name of the group.
    pods : list of PodInfo
        Those that wait, oldest first.
    needed : int
        How many of them must start together.
    minimum : int
        Members that the group must have in all; 0 while nobody knows.
    """

    key: str
    pods: list[PodInfo] = field(default_factory=list)
    needed: int = 1
    minimum: int = 1

    @property
    def priority(self) -> int:
        """Of its most important pod."""
        return max(info.priority for info in self.pods)

    @property
    def order(self) -> tuple[int, tuple[str, int]]:
        """Higher priority first, then who waits longer."""
        return -self.priority, min(info.born for info in self.pods)

    @property
    def title(self) -> str:
        """What to call it in a message."""
        first = self.pods[0]
        if self.minimum != 1:
            return f"PodGroup {first.namespace}/{first.group}"
        return f"Pod {first.namespace}/{first.name}"


def build_queue(state: State) -> list[Unit]:
    """Return all units that wait, first come first."""
    units: list[Unit] = []
    gangs: dict[tuple[str, str], Unit] = {}
    for info in state.waiting.values():
        if info.gated:
            continue
        if not info.group:
            units.append(Unit(info.uid, [info]))
            continue
        key = (info.namespace, info.group)
        gang = gangs.setdefault(key, Unit(f"{info.namespace}/{info.group}"))
        gang.pods.append(info)
        gang.minimum = state.minimum(info)
    for key, gang in gangs.items():
        gang.needed = gang.minimum - state.members(key)
        if gang.minimum and gang.needed <= 1:
            # Enough of it runs, or one more is enough: they come in one by one.
            units.extend(Unit(info.uid, [info]) for info in gang.pods)
        else:
            gang.pods.sort(key=lambda info: info.born)
            units.append(gang)
    units.sort(key=lambda unit: unit.order)
    return units
