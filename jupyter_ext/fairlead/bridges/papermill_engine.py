"""`papermill in.ipynb out.ipynb --engine fairlead`: the notebook's steps run as a pipeline.

What each step shows comes back into the notebook's own cells as soon as the step has ended, with
papermill's states of the cells; independent steps run side by side, unchanged ones come from the
cache.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from papermill.engines import Engine
from papermill.log import logger

from fairlead.client import Run, connect, submit_spec
from fairlead.errors import FairleadError, NotFoundError, SpecError
from fairlead.pipelines import NotebookError
from fairlead.pipelines.client import FINAL_STATES
from fairlead.sources import compile_document

_INJECTED = "injected-parameters"


class FairleadEngine(Engine):
    """Runs a notebook as a pipeline, in the context in use."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        input_path: str | None = None,
        stdout_file: Any = None,
        stderr_file: Any = None,
        execution_timeout: int | None = None,
        **_: Any,
    ) -> None:
        """Run `nb_man.nb`; outputs, states and errors go into it.

        Parameters
        ----------
        stdout_file, stderr_file
            Files that what the steps print goes to.
        """
        if execution_timeout:
            logger.warning("The engine fairlead has no timeout for cells; steps have `timeout`.")
        cells = _Cells(nb_man, stdout_file, stderr_file)
        # papermill runs a notebook in the working directory, not where its file is.
        path = Path.cwd() / Path(input_path or "notebook.ipynb").name
        interpreter = _interpreter(kernel_name)
        try:
            found = compile_document(cells.plain(), path, interpreter)
        except NotebookError as error:
            cells.refuse(error)
            return
        for warning in found.warnings:
            logger.warning(warning)
        run = submit_spec(
            connect(),
            found.spec,
            found.platform,
            name=path.stem,
            experiment=found.experiment,
            parameters={},
            interpreter=interpreter,
            working_dir=path.parent,
        )
        logger.info(f"Run {run.name} ({run.run_id})")
        try:
            for _now in run.changes(notice=logger.warning):
                cells.follow(run)
        except KeyboardInterrupt:
            run.stop()
            raise
        cells.finish(run)


def _interpreter(kernel_name: str) -> str:
    """Return the Python of a kernel."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(kernel_name)
    except NoSuchKernel as error:
        raise NotFoundError(
            f"There is no kernel '{kernel_name}'.", hint="`jupyter kernelspec list` lists them."
        ) from error
    if spec.language.lower() != "python":
        raise SpecError(
            f"The kernel '{kernel_name}' is of {spec.language}; steps run in Python.",
            hint="Leave out `--engine fairlead`.",
        )
    program = spec.argv[0] if spec.argv else ""
    own = {"python", "python3", f"python3.{sys.version_info[1]}"}
    if program in own:  # As Jupyter starts it: the Python that runs this, whatever PATH says.
        return sys.executable
    return program if os.path.isabs(program) else shutil.which(program) or sys.executable


def _outermost(node: dict[str, Any], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the scope at the top that a node is in; the node itself where it is in none."""
    while node["parent"] in known:
        node = known[node["parent"]]
    return node


def _left_out(node: dict[str, Any], known: dict[str, dict[str, Any]]) -> bool:
    """Tell whether a node is, or is in, a branch that was not taken."""
    while node["state"] != "SKIPPED" and node["parent"] in known:
        node = known[node["parent"]]
    return bool(node["state"] == "SKIPPED")


def _add_outputs(cell: Any, outputs: list[dict[str, Any]]) -> None:
    """Add outputs to a cell; text of the same stream is joined."""
    for output in outputs:
        last: Any = cell.outputs[-1] if cell.outputs else {}
        stream = output["output_type"] == "stream" == last.get("output_type")
        if stream and last.name == output["name"]:
            last.text += output["text"]
        else:
            cell.outputs.append(nbformat.from_dict(output))


class _Cells:
    """The cells of the notebook that papermill writes."""

    def __init__(self, nb_man: Any, stdout_file: Any, stderr_file: Any) -> None:
        self._man = nb_man
        self._files = {"stdout": stdout_file, "stderr": stderr_file}
        self._index: dict[str, int] = {}
        self._started: set[int] = set()
        self._done: set[int] = set()
        self._read: set[tuple[str, ...]] = set()
        for index, cell in enumerate(nb_man.nb.cells):
            name = str(cell.get("id") or f"cell-{index}")
            self._index[name if name not in self._index else f"cell-{index}"] = index

    def plain(self) -> dict[str, Any]:
        """Return the notebook as plain JSON, in which injected parameters are parameters."""
        notebook: dict[str, Any] = json.loads(json.dumps(self._man.nb))
        for name, index in self._index.items():
            cell = notebook["cells"][index]
            cell["id"] = name
            tags = cell["metadata"].get("tags") or []
            if _INJECTED in tags:
                cell["metadata"]["tags"] = ["parameters", *tags]
        return notebook

    def refuse(self, error: NotebookError) -> None:
        """Show at its cell why the notebook cannot become a pipeline."""
        problem = next(one for one in error.problems if one.severity == "error")
        index = problem.cell_index
        if index < 0:
            raise error
        self._start(index)
        self._fail(index, "NotebookError", str(error))

    def follow(self, run: Run) -> None:
        """Take over what has begun or ended since the last time."""
        nodes = run.view()["graph"]["nodes"]
        known = {node["id"]: node for node in nodes}
        steps: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for node in nodes:
            if node["cell_ids"] and not _left_out(node, known):
                steps.setdefault(tuple(node["cell_ids"]), []).append(node)
        for ids, tasks in steps.items():
            cells = [self._index[key] for key in ids if key in self._index]
            if not cells or ids in self._read:
                continue
            if cells[0] not in self._started and any(task["started_at"] for task in tasks):
                self._start(cells[0])
            # Turns of a loop are as many as its scope says when it has ended.
            whole = [_outermost(task, known) for task in tasks]
            ended = [task for task in tasks if task["state"] in FINAL_STATES]
            stopped = run.state in FINAL_STATES and ended
            if stopped or all(one["state"] in FINAL_STATES for one in [*tasks, *whole]):
                self._read.add(ids)
                for task in ended:
                    self._take(run, task, cells, again=len(tasks) > 1)

    def finish(self, run: Run) -> None:
        """Give numbers to what has run; raise where no cell tells why the run did not succeed."""
        count = 0
        for index, cell in enumerate(self._man.nb.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            # What only comments is in no step.
            if run.state == "SUCCEEDED" and "skip" not in cell.metadata.get("tags", []):
                if index not in self._done:
                    self._start(index)
                    self._complete(index)
            elif index not in self._done:
                continue
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
        if not any(cell.metadata.papermill.get("exception") is True for cell in self._man.nb.cells):
            run.raise_for_state()

    def _take(
        self, run: Run, task: dict[str, Any], cells: list[int], *, again: bool = False
    ) -> None:
        """Put what a step has shown into its cells, and into those that run before every step.

        Parameters
        ----------
        again
            Other turns of a loop show what they show in the same cells, too.
        """
        failed = task["state"] != "SUCCEEDED"
        try:
            page = run.notebook(task["id"])["cells"]
        except FairleadError:
            if not failed:
                raise
            page = []  # it failed before it could show anything
        if page:
            self._bind_parameters()
        told = False
        for shown in page:
            index = self._index.get(shown["id"])
            if index is None or (index in self._done and not (again and index in cells)):
                continue
            self._start(index)
            cell = self._man.nb.cells[index]
            _add_outputs(cell, shown["outputs"])
            self._print(shown["outputs"])
            error = next((o for o in shown["outputs"] if o["output_type"] == "error"), None)
            if error is not None and failed and shown is page[-1]:
                told = True
                self._man.cell_exception(cell, cell_index=index)
            if index not in self._done:
                self._complete(index)
        if failed and not told:
            index = next((one for one in cells if one not in self._done), cells[-1])
            self._start(index)
            error = task["error"] or {}
            text = error.get("message") or f"The step ended {task['state'].capitalize()}."
            self._fail(index, error.get("ename") or "StepFailed", text)

    def _bind_parameters(self) -> None:
        """Complete the cells of parameters that show nothing: every step has their values."""
        for index, cell in enumerate(self._man.nb.cells):
            tags = cell.metadata.get("tags") or []
            plain = cell.cell_type == "code" and cell.source.strip()
            if plain and index not in self._done and {"parameters", _INJECTED} & set(tags):
                self._start(index)
                self._complete(index)

    def _start(self, index: int) -> None:
        if index not in self._started:
            self._started.add(index)
            self._man.cell_start(self._man.nb.cells[index], index)

    def _complete(self, index: int) -> None:
        self._done.add(index)
        self._man.cell_complete(self._man.nb.cells[index], cell_index=index)

    def _fail(self, index: int, name: str, text: str) -> None:
        cell = self._man.nb.cells[index]
        if cell.cell_type == "code":
            lines = text.split("\n")
            cell.outputs.append(
                nbformat.v4.new_output("error", ename=name, evalue=text, traceback=lines)
            )
        self._man.cell_exception(cell, cell_index=index)
        self._complete(index)

    def _print(self, outputs: list[dict[str, Any]]) -> None:
        for output in outputs:
            if output["output_type"] != "stream":
                continue
            text = output["text"] if isinstance(output["text"], str) else "".join(output["text"])
            if self._man.log_output:
                (logger.info if output["name"] == "stdout" else logger.warning)(text)
            file = self._files.get(output["name"])
            if file is not None:
                file.write(text)
                file.flush()
