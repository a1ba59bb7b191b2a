"""What imports and the compilation of a notebook cost."""

from __future__ import annotations

import sys
import time

from measuring import cpu_of_command, report
from steps import chain_sources, notebook


def measure_imports(start: float) -> None:
    """Imports that a notebook or a command line waits for."""
    for code in ("import fairlead", "import fairlead.client", "import fairlead.cli"):
        cpu = sum(cpu_of_command([sys.executable, "-c", code]) for _ in range(5)) / 5
        report(code, cpu, 1, start, f"{cpu - start:.3f} s above a bare start")


def measure_compiling(start: float) -> None:
    """From cells to the pipeline's IR."""
    from fairlead.pipelines import compile_notebook

    for cells in (9, 200):
        made = notebook(chain_sources(cells, 1.5))
        compile_notebook(made, name="bench")
        before = time.process_time()
        compile_notebook(made, name="bench")
        report(f"notebook -> IR, {cells} cells, warm", time.process_time() - before, 1, start)
