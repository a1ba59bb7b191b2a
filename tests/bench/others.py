"""Other tools that run pipelines or notebooks, in Pythons of their own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import textwrap
from pathlib import Path

from measuring import cpu_of_command, report
from steps import CHAIN, chain_sources, notebook

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


def measure_peers(start: float) -> None:
    """Those that the environment variables name."""
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
