"""A notebook run from top to bottom in one kernel, and its variables as steps end."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from fairlead.errors import FairleadError
from fairlead.pipelines.runner import describing_source

Json = dict[str, Any]


class ThisPython(AsyncKernelManager):
    """Kernels of the Python that runs this, as the steps have it."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """A kernel of IPython."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python", language="python")


def run_plainly(notebook: Json, folder: Path, asked: Mapping[str, list[str]]) -> dict[str, Json]:
    """Run the cells of a notebook in order; outputs are put into it.

    Parameters
    ----------
    asked
        Names of variables, by the id of the cell after which they are described.

    Returns
    -------
    dict
        Descriptions of the variables by name, by the id of the cell. Where a cell raised, those of
        later cells are missing.
    """
    page: Any = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    found: dict[str, Json] = {}

    async def describe(cell: Any, **_: Any) -> None:
        if names := asked.get(cell["id"], []):
            found[cell["id"]] = await _ask(client.kc, names)

    client = NotebookClient(
        page,
        kernel_manager_class=ThisPython,
        timeout=None,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=describe,
    )
    try:
        # What a kernel says of itself is not of the notebook.
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except CellExecutionError:
        pass  # the cell's output says so
    except DeadKernelError as error:
        raise FairleadError(
            "The kernel died while the notebook was run from top to bottom.",
            hint="Run it in Jupyter and look for the cell that takes too much memory, or exits.",
        ) from error
    notebook["cells"] = json.loads(json.dumps(page))["cells"]
    return found


async def _ask(kernel: Any, names: list[str]) -> Json:
    """Ask a kernel, which does nothing else, to describe variables; its state stays as it is."""
    sent = kernel.execute(
        "",
        silent=True,
        store_history=False,
        user_expressions={"answer": f"{_question()}({names!r})"},
    )
    while True:
        reply = await kernel.get_shell_msg()
        if reply["parent_header"].get("msg_id") == sent:
            break
    answer = reply["content"]["user_expressions"]["answer"]
    return unpacked(answer["data"]["text/plain"].strip("'")) if answer["status"] == "ok" else {}


def unpacked(answer: str) -> Json:
    """Return what a description says."""
    found: Json = json.loads(zlib.decompress(base64.b64decode(answer)))
    return found


@lru_cache(maxsize=1)
def _question() -> str:
    packed = base64.b64encode(zlib.compress(describing_source().encode(), 9)).decode()
    source = f"__import__('zlib').decompress(__import__('base64').b64decode('{packed}')).decode()"
    run = f"__import__('builtins').exec({source}, space)"
    space = "__import__('IPython').get_ipython().user_ns"
    return f"(lambda names: (lambda space: ({run}, space['ask'](names, {space}))[1])({{}}))"
