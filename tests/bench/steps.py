"""Runs of pipelines on the plane: what a trivial step costs."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from measuring import cpu_of, own_plane, plane_tree, report

CHAIN, FAN, CACHED = 50, 16, 1000


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
    from fairlead.client import connect, submit_spec
    from fairlead.sources import compile_document

    spec = compile_document(notebook(sources), Path(f"{name}.ipynb")).spec
    pipelines = connect()
    before, began = cpu_of(plane_tree()), time.monotonic()
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
    return wall, cpu_of(plane_tree()) - before


def chain_sources(length: int, salt: float) -> list[str]:
    return [f"x0 = {salt!r}"] + [f"x{n} = x{n - 1} + 1" for n in range(1, length)]


def measure_steps(start: float) -> None:
    """Chains and a fan of steps, and a chain whose steps are all cached."""
    with own_plane():
        run_pipeline(["x = 0"], "warm-up")
        time.sleep(2)
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
