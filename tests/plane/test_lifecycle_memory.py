"""Memory limits: real processes that take more than they may."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from fairlead_plane.node.memory import MemoryGuard

EATER = """
import time
held = []
for _ in range(100):
    held.append(bytearray(b"x") * (8 << 20))
    time.sleep(0.01)
"""
LIMIT = {"resources": {"limits": {"memory": "128Mi"}, "requests": {"memory": "1Mi"}}}


def ended(pod):
    return pod.status.container_statuses[0].state.terminated


def test_a_container_over_its_memory_limit_is_killed_and_says_so(pods) -> None:
    pod = pods.run("pod", EATER, container=LIMIT)
    assert (pod.status.phase, ended(pod).exit_code, ended(pod).reason) == (
        "Failed",
        137,
        "OOMKilled",
    )
    [event] = pods.core.list_namespaced_event(
        pods.namespace, field_selector="involvedObject.name=pod,reason=OOMKilled"
    ).items
    assert event.type == "Warning"
    assert event.message.endswith("more than its limit of 128Mi, and was killed")


def test_all_processes_of_a_container_count_and_are_killed(shared_plane, pods) -> None:
    # Each is below the limit; one of them is in a session of its own.
    source = (
        "import subprocess, sys, time\n"
        "child = [sys.executable, '-c', 'import time; held = bytearray(b\"x\") * (80 << 20);"
        " time.sleep(1000)']\n"
        "for more in ({}, {'start_new_session': True}):\n"
        "    print(subprocess.Popen(child, **more).pid, flush=True)\n"
        "time.sleep(1000)"
    )
    pod = pods.run("pod", source, container=LIMIT)
    assert ended(pod).reason == "OOMKilled"
    children = [int(line) for line in pods.log("pod").splitlines()]
    shared_plane.wait_for(lambda: not any(map(psutil.pid_exists, children)), "children stay")


def test_a_killed_container_is_restarted_and_its_last_state_tells_why(pods) -> None:
    pods.create("pod", EATER, container=LIMIT, restartPolicy="OnFailure")
    pod = pods.wait(
        "pod",
        lambda pod: (
            pod.status.container_statuses and pod.status.container_statuses[0].restart_count == 1
        ),
    )
    assert pod.status.container_statuses[0].last_state.terminated.reason == "OOMKilled"


def test_a_container_below_its_limit_is_left_alone(pods) -> None:
    source = "held = bytearray(b'x') * (40 << 20); import time; time.sleep(1.5)"
    assert pods.run("pod", source, container=LIMIT).status.phase == "Succeeded"


def test_files_that_are_mapped_do_not_count(pods, tmp_path) -> None:
    with open(tmp_path / "data", "wb") as file:
        file.truncate(300 << 20)
    source = (
        "import mmap, time\n"
        f"with open({str(tmp_path / 'data')!r}, 'rb') as file:\n"
        "    data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        "total = sum(data[at] for at in range(0, len(data), 4096))\n"
        "time.sleep(1.5)"
    )
    assert pods.run("pod", source, container=LIMIT).status.phase == "Succeeded"


FAMILY = """
import os, sys, time
held = bytearray(b"x") * (60 << 20)
for _ in range(4):
    if os.fork() == 0:
        break
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what is shared")
def test_memory_that_forks_share_counts_once() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        exceeded = asyncio.run(_watch(process.pid, limit=200 << 20, seconds=0.5))
        assert exceeded == []
        exceeded = asyncio.run(_watch(process.pid, limit=50 << 20, seconds=20))
        [(used, count)] = exceeded
        assert 60 << 20 < used < 120 << 20
        assert count == 5
    finally:
        os.killpg(process.pid, 9)
        process.wait()


async def _watch(pid: int, *, limit: int, seconds: float) -> list[tuple[int, int]]:
    guard, found = MemoryGuard(), []
    over = asyncio.Event()

    def exceed(used: int, pids: set[int]) -> None:
        found.append((used, len(pids)))
        over.set()

    note: Callable[[int, set[int]], None] = exceed
    guard.watch("run", pid, limit, note)
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except asyncio.TimeoutError:
        guard.forget("run")
    return found
