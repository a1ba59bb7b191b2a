"""Measures, side by side in one run: `python tests/bench`. Nothing here passes or fails.

CPU seconds of whole process trees, since wall time depends on what else the machine does; the
yardstick is a bare `python -c pass`. `FAIRLEAD_BENCH_KFP_PYTHON` and
`FAIRLEAD_BENCH_PAPERMILL_PYTHON` name Pythons in which those peers are installed.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

CHAIN, FAN, CACHED, STARTS = 50, 16, 1000, 40


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


def plane_tree():
    """The control plane, its shim and its warm interpreters."""
    import psutil

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
            ):
                if process.pid != os.getpid():
                    found.add(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def plane_cpu() -> float:
    """CPU seconds that the control plane and all its pods have used so far."""
    import psutil

    total = 0.0
    for process in plane_tree():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def notebook(sources: list[str]) -> dict:
    import nbformat

    made = nbformat.v4.new_notebook()
    for number, source in enumerate(sources):
        tags = {"tags": [f"step:s{number}"]}
        cell = nbformat.v4.new_code_cell(source, metadata=tags)
        cell["id"] = f"c{number}"
        made.cells.append(cell)
    return made


def run_pipeline(sources: list[str], name: str) -> tuple[float, float]:
    """Wall seconds until the client knows of the end, and CPU seconds, of one run."""
    from fairlead.client import compile_document, connect, submit_spec

    spec = compile_document(notebook(sources), Path(f"{name}.ipynb"))
    pipelines = connect()
    before, began = plane_cpu(), time.monotonic()
    run = submit_spec(
        pipelines,
        spec,
        name=name,
        parameters={},
        interpreter=sys.executable,
        working_dir=Path(tempfile.gettempdir()),
    )
    run.wait()
    wall = time.monotonic() - began
    time.sleep(0.3)
    return wall, plane_cpu() - before


def chain_sources(length: int, salt: float) -> list[str]:
    return [f"x0 = {salt!r}"] + [f"x{n} = x{n - 1} + 1" for n in range(1, length)]


def report(title: str, cpu: float, per: int, start: float, note: str = "") -> None:
    each = cpu / per
    print(
        f"{title:<44} {cpu:8.3f} CPU s  {each * 1000:8.2f} ms each  "
        f"{each / start:7.2f} starts  {note}"
    )


def compile_times(start: float) -> None:
    from fairlead.pipelines import compile_notebook

    for cells in (9, 200):
        made = notebook(chain_sources(cells, 1.5))
        compile_notebook(made, name="bench")
        before = time.process_time()
        compile_notebook(made, name="bench")
        report(f"notebook -> IR, {cells} cells, warm", time.process_time() - before, 1, start)


def import_times(start: float) -> None:
    for code in ("import fairlead", "import fairlead.client", "import fairlead.cli"):
        cpu = sum(cpu_of_command([sys.executable, "-c", code]) for _ in range(5)) / 5
        report(code, cpu, 1, start, f"{cpu - start:.3f} s above a bare start")


def memory() -> None:
    total = 0.0
    for process in sorted(plane_tree(), key=lambda one: one.pid):
        pss = process.memory_full_info().pss / 2**20
        total += pss
        print(f"    {' '.join(process.cmdline())[:70]:<70} {pss:6.1f} MB")
    print(f"{'idle plane, shim, warm interpreter, PSS':<44} {total:8.1f} MB  (aim: 80)")


KFP_CODE = """
from kfp import dsl, local
local.init(local.SubprocessRunner(use_venv=False))
@dsl.component(install_kfp_package=False)
def add(x: int) -> int:
    return x + 1
@dsl.pipeline
def chain(start: int = 0):
    task = add(x=start)
    for _ in range({length} - 1):
        task = add(x=task.output)
chain()
"""


def peers(start: float) -> None:
    kfp = os.environ.get("FAIRLEAD_BENCH_KFP_PYTHON")
    if kfp:
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "chain.py"
            script.write_text(textwrap.dedent(KFP_CODE.format(length=10)))
            cpu = cpu_of_command([kfp, str(script)], cwd=folder)
            report("kfp.local, barest mode, chain of 10", cpu, 10, start, "with the import of kfp")
    papermill = os.environ.get("FAIRLEAD_BENCH_PAPERMILL_PYTHON") or (
        sys.executable if shutil.which("papermill") else None
    )
    if papermill:
        import nbformat

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chain.ipynb"
            made = notebook(chain_sources(CHAIN, 1.5))
            made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(made, path)
            command = [papermill, "-m", "papermill", str(path), str(path.with_suffix(".out.ipynb"))]
            cpu = cpu_of_command(command)
            report(
                f"papermill, one notebook of {CHAIN} cells", cpu, 1, start, "one process, no cache"
            )


def with_plane(measure: Callable[[], None]) -> None:
    from fairlead.kube.contexts import start_plane, stop_plane

    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        os.environ["FAIRLEAD_DATA_DIR"] = folder
        start_plane()
        try:
            measure()
        finally:
            stop_plane()


def main() -> None:
    start = bare_start()
    print(f"{'python -c pass':<44} {start:8.4f} CPU s  = 1 start\n")
    import_times(start)
    compile_times(start)

    def measure() -> None:
        run_pipeline(["x = 0"], "warm-up")
        time.sleep(2)
        memory()
        wall, cpu = run_pipeline(chain_sources(CHAIN, time.time()), "chain")
        report(f"chain of {CHAIN} trivial steps", cpu, CHAIN, start, f"wall {wall:.2f} s")
        naps = [f"import time; time.sleep(1); y{n} = {time.time()!r}" for n in range(FAN)]
        wall, cpu = run_pipeline(naps, "fan")
        report(f"fan-out of {FAN} one-second naps", cpu, FAN, start, f"wall {wall:.2f} s")
        sources = chain_sources(CACHED, time.time())
        first, cpu = run_pipeline(sources, "thousand")
        report(f"chain of {CACHED}, first run", cpu, CACHED, start, f"wall {first:.2f} s")
        second, cpu = run_pipeline(sources, "thousand")
        report(f"chain of {CACHED}, all cached", cpu, CACHED, start, f"wall {second:.3f} s")
        print(f"{'cached / first run, wall':<44} 1/{first / max(second, 1e-9):.0f}  (aim: 1/100)")

    with_plane(measure)
    peers(start)


if __name__ == "__main__":
    main()
