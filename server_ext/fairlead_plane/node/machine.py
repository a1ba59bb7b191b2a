"""The Kubernetes Node that stands for this machine."""

from __future__ import annotations

import copy
import os
import platform
import shutil
import socket
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import psutil

from fairlead.names import GPUS_ANNOTATION, dns_label

from ..resources import Json, timestamp
from .gpus import RESOURCE as GPU_RESOURCE
from .gpus import Gpu, node_labels

MAX_PODS = 110
"""As the kubelet's default."""

_CGROUP = Path("/sys/fs/cgroup")

_CONDITIONS = (
    (
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node_name() -> str:
    """Return the name of this machine as a node."""
    return dns_label(socket.gethostname())


def capacity(folder: Path) -> dict[str, Decimal]:
    """Return what this machine has: `cpu` in cores, `memory` and storage in bytes, `pods`.

    A limit that a container or a service sets on this process counts as the machine's end.

    Parameters
    ----------
    folder : Path
        On the file system that pods write to.
    """
    return {
        "cpu": _cpus(),
        "memory": Decimal(_memory()),
        "ephemeral-storage": Decimal(shutil.disk_usage(folder).total),
        "pods": Decimal(MAX_PODS),
    }


def build_node(name: str, amounts: dict[str, Decimal], gpus: Sequence[Gpu] = ()) -> Json:
    """Build the Node object.

    Parameters
    ----------
    name : str
        From `node_name`.
    amounts : dict
        From `capacity`; all of it is allocatable: nothing is kept for the system, as the machine
        is the user's own and the control plane small.
    gpus : sequence of Gpu
        What it has of them.
    """
    shown = {
        "cpu": f"{int(amounts['cpu'] * 1000)}m" if amounts["cpu"] % 1 else str(int(amounts["cpu"])),
        "memory": f"{int(amounts['memory']) // 1024}Ki",
        "ephemeral-storage": f"{int(amounts['ephemeral-storage']) // 1024}Ki",
        "pods": str(int(amounts["pods"])),
    }
    if gpus:
        shown[GPU_RESOURCE] = str(len(gpus))
    system, machine = platform.system().lower(), _architecture()
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": system,
                "kubernetes.io/arch": machine,
                **node_labels(gpus),
            },
            "annotations": {GPUS_ANNOTATION: ",".join(gpu.uuid for gpu in gpus)} if gpus else {},
        },
        "spec": {},
        "status": {
            "capacity": shown,
            "allocatable": shown,
            "conditions": conditions(None),
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "architecture": machine,
                "operatingSystem": system,
                "osImage": platform.platform(),
                "kernelVersion": platform.release(),
                "kubeletVersion": "v1.32.0+fairlead",
                "kubeProxyVersion": "",
                "containerRuntimeVersion": "process://1",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        },
    }


def renew(known: Json, fresh: Json) -> Json:
    """Return the stored Node with the labels and annotations of this machine as it is now.

    What others have set stays: labels, taints, a cordon.
    """
    kept = copy.deepcopy(known)
    for field, mine in (("labels", "nvidia.com/gpu."), ("annotations", GPUS_ANNOTATION)):
        before = kept["metadata"].get(field) or {}
        others = {key: value for key, value in before.items() if not key.startswith(mine)}
        kept["metadata"][field] = {**others, **(fresh["metadata"].get(field) or {})}
    return kept


def conditions(known: Json | None) -> list[Json]:
    """Return the conditions of a machine that runs pods, as a kubelet reports them.

    Parameters
    ----------
    known : dict or None
        The stored Node: a condition that has not turned keeps its time.
    """
    now = timestamp()
    before = {
        each["type"]: each for each in ((known or {}).get("status") or {}).get("conditions") or ()
    }
    found = []
    for type, status, reason, message in _CONDITIONS:
        old = before.get(type)
        same = old is not None and old["status"] == status
        found.append(
            {
                "type": type,
                "status": status,
                "lastHeartbeatTime": now,
                "lastTransitionTime": old["lastTransitionTime"] if old and same else now,
                "reason": reason,
                "message": message,
            }
        )
    return found


def _architecture() -> str:
    machine = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _cpus() -> Decimal:
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    words = _cgroup("cpu.max").split()
    if len(words) == 2 and words[0].isdigit():
        return min(Decimal(usable), Decimal(words[0]) / Decimal(words[1]))
    return Decimal(usable)


def _memory() -> int:
    total = int(psutil.virtual_memory().total)
    limit = _cgroup("memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def _cgroup(name: str) -> str:
    """Read a limit of the control group that this process sees as the root."""
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""  # no limit, or no control groups here
