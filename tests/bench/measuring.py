"""What the measures share: CPU seconds of process trees, and how a figure is printed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

STARTS = 40


def cpu_of_command(command: list[str], **more: object) -> float:
    """CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def bare_start() -> float:
    """CPU seconds of `python -c pass`, the mean of several."""
    command = [sys.executable, "-c", "pass"]
    return sum(cpu_of_command(command) for _ in range(STARTS)) / STARTS


def plane_tree() -> set[psutil.Process]:
    """The control plane, its shim and its warm interpreters."""
    from fairlead.kube.contexts import plane_pid
    from fairlead.settings import data_dir

    plane = psutil.Process(plane_pid())
    found = {plane, *plane.children(recursive=True)}
    mark = str(data_dir())
    for process in psutil.process_iter():
        try:
            if (
                mark in " ".join(process.cmdline())
                or process.environ().get("FAIRLEAD_DATA_DIR") == mark
            ) and process.pid != os.getpid():
                found.add(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def cpu_of(processes: set[psutil.Process]) -> float:
    """CPU seconds that processes and their ended children have used so far."""
    total = 0.0
    for process in processes:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def report(title: str, cpu: float, per: int, start: float, note: str = "") -> None:
    """Print CPU seconds, those of each of `per` things, and the same in bare starts."""
    each = cpu / per
    print(
        f"{title:<44} {cpu:8.3f} CPU s  {each * 1000:8.2f} ms each  "
        f"{each / start:7.2f} starts  {note}",
        flush=True,
    )


@contextmanager
def own_plane() -> Iterator[None]:
    """A plane over an empty data directory, for as long as the block lasts."""
    from fairlead.kube.contexts import start_plane, stop_plane

    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        os.environ["FAIRLEAD_DATA_DIR"] = folder
        start_plane()
        try:
            yield
        finally:
            stop_plane()
