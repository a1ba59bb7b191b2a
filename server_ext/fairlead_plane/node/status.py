"""A pod's status as a kubelet writes it: pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..resources import Json, merge_conditions, timestamp
from .records import ExitRecord

LOST = "NodeLost"
SHUTDOWN = "NodeShutdown"
HOST_IP = "127.0.0.1"


@dataclass
class ContainerState:
    """What a kubelet knows of one container."""

    name: str
    image: str
    state: Json = field(default_factory=lambda: waiting("ContainerCreating"))
    last_state: Json = field(default_factory=dict)
    restarts: int = 0
    id: str = ""

    @property
    def exit_code(self) -> int | None:
        """Exit code of a container that has ended, else None."""
        ended = self.state.get("terminated")
        return None if ended is None else ended["exitCode"]

    def as_dict(self) -> Json:
        """Return the entry of `containerStatuses`."""
        running = "running" in self.state
        entry = {
            "name": self.name,
            "image": self.image,
            "imageID": "",
            "state": self.state,
            "lastState": self.last_state,
            "ready": running,
            "started": running,
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


def terminated(record: ExitRecord) -> Json:
    """Return the state of a container that has ended."""
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
    return {"terminated": ended}


def pod_phase(containers: list[ContainerState], verdict: Verdict | None, *, done: bool) -> str:
    """Return the phase.

    Parameters
    ----------
    containers : list of ContainerState
        All of the pod.
    verdict : Verdict or None
        Given for a pod that ends as a whole.
    done : bool
        True when no container will be started again.
    """
    if done:
        codes = [container.exit_code for container in containers]
        failed = verdict is not None or any(code != 0 for code in codes)
        return "Failed" if failed else "Succeeded"
    fresh = all("waiting" in each.state and not each.restarts for each in containers)
    return "Pending" if fresh else "Running"


def build_status(
    pod: Json,
    containers: list[ContainerState],
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
    ready = bool(containers) and all("running" in each.state for each in containers)
    why = {} if ready else {"reason": "PodCompleted" if done else "ContainersNotReady"}
    ready_text = "True" if ready else "False"
    status: Json = {
        "phase": phase,
        "qosClass": pod["status"].get("qosClass", "BestEffort"),
        "conditions": merge_conditions(
            pod["status"].get("conditions") or [],
            [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Initialized", "status": "True"},
                {"type": "ContainersReady", "status": ready_text, **why},
                {"type": "Ready", "status": ready_text, **why},
            ],
        ),
        "hostIP": HOST_IP,
        "podIP": HOST_IP,
        "podIPs": [{"ip": HOST_IP}],
        "startTime": start_time,
        "containerStatuses": [container.as_dict() for container in containers],
    }
    if verdict is not None:
        status["reason"] = verdict.reason
        status["message"] = verdict.message
    return status
