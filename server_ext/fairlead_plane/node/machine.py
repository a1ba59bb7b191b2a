"""The Kubernetes Node that stands for this machine."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from decimal import Decimal
from pathlib import Path

import psutil

from fairlead.names import dns_label

from ..resources import Json, timestamp

MAX_PODS = 110
"""As the kubelet's default."""

_CGROUP = Path("/sys/fs/cgroup")


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


def build_node(name: str, amounts: dict[str, Decimal]) -> Json:
    """Build the Node object.

    Parameters
    ----------
    name : str
        From `node_name`.
    amounts : dict
        From `capacity`; all of it is allocatable.
    """
    shown = {
        "cpu": f"{int(amounts['cpu'] * 1000)}m" if amounts["cpu"] % 1 else str(int(amounts["cpu"])),
        "memory": f"{int(amounts['memory']) // 1024}Ki",
        "ephemeral-storage": f"{int(amounts['ephemeral-storage']) // 1024}Ki",
        "pods": str(int(amounts["pods"])),
    }
    system, machine = platform.system().lower(), _architecture()
    now = timestamp()
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": system,
                "kubernetes.io/arch": machine,
            },
        },
        "spec": {},
        "status": {
            "capacity": shown,
            "allocatable": shown,
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "message": "the control plane runs",
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }
            ],
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
