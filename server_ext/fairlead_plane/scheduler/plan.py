"""Who starts now, who waits and why, who must make room: one pass over the queue, without I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .account import total_requests
from .demand import Amounts, PodInfo
from .state import State
from .units import Unit, build_queue

PASSED_MOST = 32
"""Later pods that may go before a unit that does not fit; then room is kept for it."""

HOLD_S = 300.0
"""Seconds for which room is kept; then as many later pods may go again."""

_NOT_HELPFUL = "Preemption is not helpful for scheduling"
_NO_VICTIMS = "No preemption victims found for incoming pod"


@dataclass
class Plan:
    """What one pass decides; already counted in the state."""

    bound: list[PodInfo] = field(default_factory=list)
    refused: list[tuple[PodInfo, str]] = field(default_factory=list)
    """Pods that wait, and why, where this is news."""
    nominated: list[tuple[PodInfo, str]] = field(default_factory=list)
    """Pods for which others make room, and the node where they will be."""
    victims: list[tuple[PodInfo, PodInfo]] = field(default_factory=list)
    """A pod that must go, and the pod for which it goes."""
    look_again_s: float | None = None
    """Seconds after which a pass is due though nothing happens."""

    def __bool__(self) -> bool:
        return bool(self.bound or self.refused or self.nominated or self.victims)


class Pass:
    """One pass over the queue.

    Fair order: by priority, then by age. A unit that does not fit lets smaller later ones go
    before it, but at most `PASSED_MOST` pods; then nothing later of its priority or below starts
    until it has started, so a large gang does not starve. Room is kept only for a unit that will
    fit when the pods that end by themselves have ended, and for at most `HOLD_S` at a time, so
    it does not block the others forever either.

    Parameters
    ----------
    state : State
        Changed as the pass decides.
    now : float
        Seconds of a monotonic clock.
    """

    def __init__(self, state: State, now: float) -> None:
        self._state = state
        self._now = now
        self._plan = Plan()
        self._kept: dict[str, Amounts] = {}
        self._no_use: dict[bytes, str] = {}
        self._blocked: list[Unit] = []
        self._hold: Unit | None = None

    def run(self) -> Plan:
        """Decide about every pod that waits."""
        queue = build_queue(self._state)
        self._state.keep_units({unit.key for unit in queue})
        for unit in queue:
            if self._hold is not None:
                self._refuse(unit, f"{self._count(self._held_words(self._hold))}.")
            elif not unit.minimum:
                self._refuse(unit, f"{self._count(f'{unit.title} not found')}.")
            elif len(unit.pods) < unit.needed:
                for info in unit.pods:
                    words = (
                        f"pre-filter pod {info.name} cannot find enough sibling pods, current pods "
                        f"number: {len(unit.pods)}, minMember of group: {unit.minimum}"
                    )
                    self._tell(info, f"{self._count(words)}.")
            elif not self._lacks_claim(unit):
                self._try(unit)
        return self._plan

    def _lacks_claim(self, unit: Unit) -> bool:
        """Say so where a pod waits for a claim; a whole gang waits with it."""
        problems = [self._state.claim_problem(info) for info in unit.pods]
        if not any(problems):
            return False
        first = next(filter(None, problems))
        no_use = f"{len(self._state.nodes)} {_NOT_HELPFUL}"
        for info, problem in zip(unit.pods, problems, strict=True):
            words = f"{self._count(problem or first)}. preemption: {self._count(no_use)}."
            self._tell(info, words)
        return True

    def _try(self, unit: Unit) -> None:
        alone = unit.needed <= 1
        if alone and (known := self._no_use.get(unit.pods[0].shape)) is not None:
            self._wait(unit, known)
            return
        placed, failed = self._place(unit)
        if failed is None or len(placed) >= unit.needed:
            for info in placed:
                self._state.bind(info)
            self._plan.bound.extend(placed)
            self._pass_by(len(placed))
            for info in unit.pods[len(placed) :]:
                self._tell(info, self._shortage(info))
            return
        shortage = self._shortage(failed)
        self._undo(placed)
        message = shortage + self._preempt(unit)
        if alone and not failed.pod["status"].get("nominatedNodeName"):
            self._no_use[failed.shape] = message
        self._wait(unit, message, failed)

    # Placing

    def _place(self, unit: Unit) -> tuple[list[PodInfo], PodInfo | None]:
        """Count the pods of a unit on nodes while they fit; the second is the first that does not.

        They are the unit's first pods, in its order.
        """
        placed: list[PodInfo] = []
        for info in unit.pods:
            for node in self._state.nodes.values():
                if not node.obstacles(info, self._kept.get(node.name, {}))[0]:
                    info.node, info.gpus = node.name, node.pick_gpus(info)
                    node.add(info)
                    placed.append(info)
                    break
            else:
                return placed, info
        return placed, None

    def _undo(self, placed: Iterable[PodInfo]) -> None:
        for info in placed:
            self._state.nodes[info.node].remove(info.uid)
            info.node, info.gpus = "", ()

    # Waiting

    def _wait(self, unit: Unit, message: str, failed: PodInfo | None = None) -> None:
        for info in unit.pods:
            if failed is None or info is failed or unit.needed <= 1:
                self._tell(info, message)
            else:
                words = (
                    f"{unit.title} gets rejected due to Pod {failed.name} is unschedulable "
                    "even after PostFilter"
                )
                self._tell(info, f"{self._count(words)}.")
        self._blocked.append(unit)
        self._keep_room(unit)

    def _refuse(self, unit: Unit, message: str) -> None:
        for info in unit.pods:
            self._tell(info, message)

    def _tell(self, info: PodInfo, message: str) -> None:
        if self._state.told.get(info.uid) != message:
            self._state.told[info.uid] = message
            self._plan.refused.append((info, message))

    def _shortage(self, info: PodInfo) -> str:
        reasons: Counter[str] = Counter()
        for node in self._state.nodes.values():
            reasons.update(node.obstacles(info, self._kept.get(node.name, {}))[0])
        words = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
        return f"{self._count(words)}." if words else self._count("")

    def _count(self, words: str) -> str:
        if not self._state.nodes:
            return "no nodes available to schedule pods"
        return f"0/{len(self._state.nodes)} nodes are available: {words}"

    # Fairness

    def _pass_by(self, count: int) -> None:
        for unit in self._blocked:
            self._state.passed[unit.key] = self._state.passed.get(unit.key, 0) + count
            self._keep_room(unit)

    def _keep_room(self, unit: Unit) -> None:
        state = self._state
        if self._hold is not None or state.passed.get(unit.key, 0) < PASSED_MOST:
            return
        since = state.held_since.setdefault(unit.key, self._now)
        left_s = since + HOLD_S - self._now
        if left_s <= 0 or not self._fits_later(unit):
            state.passed[unit.key] = 0
            del state.held_since[unit.key]
            return
        self._hold = unit
        self._plan.look_again_s = left_s

    def _fits_later(self, unit: Unit) -> bool:
        """Tell whether a unit fits beside the pods that do not end by themselves."""
        ending = [
            (node, info)
            for node in self._state.nodes.values()
            for info in list(node.pods.values())
            if not info.lasting or info.leaving
        ]
        for node, info in ending:
            node.remove(info.uid)
        fits = self._trial(unit) is not None
        for node, info in ending:
            node.add(info)
        return fits

    def _held_words(self, unit: Unit) -> str:
        return f"{len(self._state.nodes)} node(s) kept free for {unit.title}, which waits longer"

    # Preemption

    def _preempt(self, unit: Unit) -> str:
        """Find pods that must go for a unit; return what to say about it, after a space."""
        first = unit.pods[0]
        nodes = self._state.nodes
        if first.spec.get("preemptionPolicy") == "Never":
            return " preemption: not eligible due to preemptionPolicy=Never."
        at = first.pod["status"].get("nominatedNodeName")
        if at in nodes and any(
            info.leaving and info.priority < unit.priority for info in nodes[at].pods.values()
        ):
            self._reserve(unit, {info.uid: at for info in unit.pods})
            return " preemption: not eligible due to terminating pod on the nominated node."
        lower = [
            info
            for node in nodes.values()
            for info in node.pods.values()
            if info.priority < unit.priority
        ]
        for info in lower:
            nodes[info.node].remove(info.uid)
        where = self._trial(unit) if lower else None
        if where is None:
            text = self._no_preemption(first, tried=bool(lower))
            for info in lower:
                nodes[info.node].add(info)
            return text
        # Who matters more is spared first, as far as room is left.
        lower.sort(key=lambda info: (-info.priority, info.born))
        victims = []
        for info in lower:
            nodes[info.node].add(info)
            again = self._trial(unit)
            if again is None:
                nodes[info.node].remove(info.uid)
                victims.append(info)
            else:
                where = again
        for info in victims:
            nodes[info.node].add(info)
        self._plan.victims.extend((info, first) for info in victims if not info.leaving)
        for info in victims:
            metadata = {**info.pod["metadata"], "deletionTimestamp": ""}  # until the event comes
            info.pod = {**info.pod, "metadata": metadata}
        for info in unit.pods:
            if info.uid in where:
                self._plan.nominated.append((info, where[info.uid]))
                status = {**info.pod["status"], "nominatedNodeName": where[info.uid]}
                info.pod = {**info.pod, "status": status}
        self._reserve(unit, where)
        return ""

    def _reserve(self, unit: Unit, where: dict[str, str]) -> None:
        """Keep the room that others make from going to those behind in the queue."""
        for name in set(where.values()):
            here = [info for info in unit.pods if where.get(info.uid) == name]
            kept = self._kept.setdefault(name, {})
            for key, amount in total_requests(here).items():
                kept[key] = kept.get(key, amount * 0) + amount

    def _no_preemption(self, info: PodInfo, *, tried: bool) -> str:
        reasons: Counter[str] = Counter()
        for node in self._state.nodes.values():
            why, helped = node.obstacles(info, {})
            if why and not helped:
                reasons[_NOT_HELPFUL if not _is_shortage(why) else _NO_VICTIMS] += 1
            elif not tried or not why:
                reasons[_NO_VICTIMS] += 1
            else:
                reasons.update(why)
        words = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
        return f" preemption: {self._count(words)}." if words else ""

    def _trial(self, unit: Unit) -> dict[str, str] | None:
        """Return where the pods of a unit would be, by uid; None when too few fit."""
        placed, _ = self._place(unit)
        where = {info.uid: info.node for info in placed}
        self._undo(placed)
        return where if len(where) >= unit.needed else None


def _is_shortage(why: list[str]) -> bool:
    return all(each == "Too many pods" or each.startswith("Insufficient ") for each in why)


def make_plan(state: State, now: float) -> Plan:
    """Decide about every pod that waits; see `Pass`."""
    return Pass(state, now).run()
