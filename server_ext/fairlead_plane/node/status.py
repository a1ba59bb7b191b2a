"""A pod's status as a kubelet writes it: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..resources import Json, merge_conditions, timestamp
from .conditions import pod_conditions
from .records import ExitRecord

LOST = "NodeLost"
SHUTDOWN = "NodeShutdown"
HOST_IP = "127.0.0.1"


class Role(Enum):
    """What a container is to its pod."""

    INIT = "init"
    """Runs to its end before the next one starts."""
    SIDECAR = "sidecar"
    """An init container with `restartPolicy: Always`: goes on beside the main ones."""
    MAIN = "main"

    @staticmethod
    def of(spec: Json, *, init: bool) -> Role:
        """Return the role of a container of `initContainers` or of `containers`."""
        if not init:
            return Role.MAIN
        return Role.SIDECAR if spec.get("restartPolicy") == "Always" else Role.INIT


@dataclass
class ContainerState:
    """What a kubelet knows of one container.

    Attributes
    ----------
    ready : bool
        What its readiness probe says; True without one. Counts while it runs and has started.
    started : bool
        True when it runs, its `postStart` hook is done and its startup probe has succeeded.
    """

    name: str
    image: str
    role: Role = Role.MAIN
    state: Json = field(default_factory=lambda: waiting("ContainerCreating"))
    last_state: Json = field(default_factory=dict)
    restarts: int = 0
    id: str = ""
    ready: bool = False
    started: bool = False

    @property
    def exit_code(self) -> int | None:
        """Exit code of a container that has ended, else None."""
        ended = self.state.get("terminated")
        return None if ended is None else ended["exitCode"]

    @property
    def running(self) -> bool:
        """True while there is a process."""
        return "running" in self.state

    @property
    def is_started(self) -> bool:
        """What `started` in the status says."""
        return self.running and self.started and self.role is not Role.INIT

    @property
    def is_ready(self) -> bool:
        """What `ready` in the status says."""
        if self.role is Role.INIT:
            return self.exit_code == 0
        return self.is_started and self.ready

    @property
    def is_initialized(self) -> bool:
        """True when an init container has succeeded, or a sidecar has started."""
        return self.is_ready if self.role is Role.INIT else self.is_started

    @property
    def begun(self) -> bool:
        """True when it runs or has run."""
        return self.running or self.exit_code is not None or bool(self.last_state)

    def as_dict(self) -> Json:
        """Return the entry of `containerStatuses` or `initContainerStatuses`."""
        entry = {
            "name": self.name,
            "image": self.image,
            "imageID": "",
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.is_ready,
            "started": self.is_started,
            "restartCount": self.restarts,
        }
        if self.id:
            entry["containerID"] = f"process://{self.id}"
        return entry


@dataclass(frozen=True)
class Verdict:
    """Why a pod as a whole ends, whatever its containers did."""

    reason: str
    message: str


def waiting(reason: str, message: str = "") -> Json:
    """Return the state of a container that does not run yet, or not just now."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def running(started: float) -> Json:
    """Return the state of a container that runs since `started`, in seconds since 1970."""
    return {"running": {"startedAt": timestamp(started)}}


def terminated(record: ExitRecord, id: str = "") -> Json:
    """Return the state of a container that has ended; `id` names the run."""
    reason = record.reason or ("Completed" if record.exit_code == 0 else "Error")
    ended: dict[str, Any] = {"exitCode": record.exit_code, "reason": reason}
    if record.lost:
        ended["reason"] = "ContainerStatusUnknown"
        ended["message"] = "the process was lost with the shim that watched it"
    if record.signal:
        ended["signal"] = record.signal
    if record.message:
        ended["message"] = record.message
    ended["startedAt"] = timestamp(record.started_at)
    ended["finishedAt"] = timestamp(record.finished_at or record.started_at)
    if id:
        ended["containerID"] = f"process://{id}"
    return {"terminated": ended}


def pod_phase(containers: Sequence[ContainerState], verdict: Verdict | None, *, done: bool) -> str:
    """Return the phase.

    Parameters
    ----------
    containers : sequence of ContainerState
        All of the pod, init containers first.
    verdict : Verdict or None
        Given for a pod that ends as a whole.
    done : bool
        True when no container will be started again.
    """
    main = [each for each in containers if each.role is Role.MAIN]
    if done:
        failed = verdict is not None or any(each.exit_code != 0 for each in main)
        return "Failed" if failed else "Succeeded"
    return "Running" if all(each.begun for each in main) else "Pending"


def build_status(
    pod: Json,
    containers: Sequence[ContainerState],
    verdict: Verdict | None,
    *,
    done: bool,
    start_time: str,
) -> Json:
    """Build the status of a pod that is bound to this node.

    Parameters
    ----------
    pod : dict
        As stored: its conditions keep their times where they do not change.
    containers, verdict, done
        As of `pod_phase`.
    start_time : str
        When the node took the pod.
    """
    phase = pod_phase(containers, verdict, done=done)
    init = [each for each in containers if each.role is not Role.MAIN]
    main = [each for each in containers if each.role is Role.MAIN]
    status: Json = {
        "phase": phase,
        "qosClass": pod["status"].get("qosClass", "BestEffort"),
        "conditions": merge_conditions(
            pod["status"].get("conditions") or [],
            pod_conditions(
                pod,
                phase,
                incomplete=[each.name for each in init if not each.is_initialized],
                unready=[
                    each.name
                    for each in containers
                    if each.role is not Role.INIT and not each.is_ready
                ],
                begun=any(each.begun for each in main),
            ),
        ),
        "hostIP": HOST_IP,
        "hostIPs": [{"ip": HOST_IP}],
        "podIP": HOST_IP,
        "podIPs": [{"ip": HOST_IP}],
        "startTime": start_time,
    }
    if init:
        status["initContainerStatuses"] = [each.as_dict() for each in init]
    status["containerStatuses"] = [each.as_dict() for each in main]
    if verdict is not None:
        status["reason"] = verdict.reason
        status["message"] = verdict.message
    return status
