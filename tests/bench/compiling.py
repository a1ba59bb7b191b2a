"""What imports and the compilation of a notebook cost, beside Kale and kfp's compiler."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import cpu_of_command, report
from steps import chain_sources, notebook

SIZES = 9, 200
WRITTEN = 250, 500, 1000, 2000
STARTS = 5

KALE = """
import os, resource, sys, time
from kale.common import kfputils
from kale.compiler import Compiler
from kale.processors import NotebookProcessor

def cpu():
    whole = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in whole)

def compile_notebook():
    processor = NotebookProcessor(sys.argv[1], {"pipeline_name": "bench", "experiment_name": "b"})
    pipeline = processor.run()
    script = Compiler(pipeline, processor.get_imports_and_functions()).compile()
    return kfputils.compile_pipeline(script, "bench")

compile_notebook()
before = cpu()
compile_notebook()
open(sys.argv[2], "w").write(repr(cpu() - before))
"""


def measure_imports(start: float) -> None:
    """Imports that a notebook or a command line waits for."""
    for code in ("import fairlead", "import fairlead.client", "import fairlead.cli"):
        cpu = sum(cpu_of_command([sys.executable, "-c", code]) for _ in range(STARTS)) / STARTS
        report(code, cpu, 1, start, f"{cpu - start:.3f} s above a bare start")


def measure_compiling(start: float) -> None:
    """From a notebook's file to the pipeline's YAML: warm, and as a process; then the writing."""
    kale = os.environ.get("FAIRLEAD_BENCH_KALE_PYTHON", "")
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        for cells in SIZES:
            path = Path(folder) / f"chain{cells}.ipynb"
            path.write_text(json.dumps(_tagged(cells)))
            warm, cold = _ours(path)
            report(f"notebook -> YAML, {cells} cells, warm", warm, 1, start)
            report(f"notebook -> YAML, {cells} cells, a process", cold, 1, start)
            if kale:
                their_warm, their_cold = _kales(kale, path)
                times = f"{their_warm / warm:.0f} times ours"
                report(f"  Kale, {cells} cells, warm", their_warm, 1, start, times)
                times = f"{their_cold / cold:.0f} times ours"
                report(f"  Kale, {cells} cells, a process", their_cold, 1, start, times)
    for steps in WRITTEN:
        report(f"plan -> YAML, {steps} tasks", _writing(steps), steps, start)


def _tagged(cells: int) -> dict[str, Any]:
    """Return a chain whose tags both tools understand."""
    made = notebook(chain_sources(cells, 1.5))
    for number, cell in enumerate(made.cells):
        cell.metadata["tags"] = [f"step:s{number}", *[f"prev:s{number - 1}"] * (number > 0)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {**made, "metadata": {"kernelspec": kernel}}


def _ours(path: Path) -> tuple[float, float]:
    from fairlead.client import compile_notebook
    from fairlead.documents import dump_pipeline

    out = path.with_suffix(".yaml")
    warm = _second(lambda: out.write_text(dump_pipeline(*compile_notebook(path))))
    command = [sys.executable, "-m", "fairlead.cli", "compile", str(path), "-o", str(out)]
    return warm, sum(cpu_of_command(command) for _ in range(STARTS)) / STARTS


def _kales(python: str, path: Path) -> tuple[float, float]:
    program, result = path.with_suffix(".py"), path.with_suffix(".txt")
    program.write_text(KALE)
    cpu_of_command([python, str(program), str(path), str(result)], cwd=path.parent)
    kale = [str(Path(python).parent / "kale"), "--nb", str(path)]
    return float(result.read_text()), cpu_of_command(kale, cwd=path.parent)


def _writing(steps: int) -> float:
    from fairlead.documents import dump_pipeline
    from fairlead.environment import Pins
    from fairlead.pipelines.ir import build_spec
    from fairlead.pipelines.plan import plan_notebook

    plan = plan_notebook(notebook(chain_sources(steps, 1.5)))
    return _second(
        lambda: dump_pipeline(*build_spec(plan, name="bench", modules={}, versions=Pins()))
    )


def _second(act: Callable[[], object]) -> float:
    """Return the CPU seconds of doing something for the second time."""
    act()
    before = time.process_time()
    act()
    return time.process_time() - before
