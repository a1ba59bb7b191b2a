"""Runs a compiled notebook step by step without a control plane, for tests.

`run_processes` starts each step as the control plane does, in a process of its own; `run_here` runs
the same program inside the test's process, for tests that run thousands of steps.
"""

from __future__ import annotations

import builtins
import json
import linecache
import os
import subprocess
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.pipelines import compile_notebook
from fairlead.pipelines.runner import runner_source

Json = dict[str, Any]


def code(source: str, *tags: str, id: str = "", **metadata: Any) -> Json:
    """Build a code cell."""
    made: Json = {"cell_type": "code", "metadata": dict(metadata), "source": source}
    if tags:
        made["metadata"]["tags"] = list(tags)
    if id:
        made["id"] = id
    return made


def text(source: str) -> Json:
    """Build a markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: Json) -> Json:
    """Build a notebook; cells without an id get `c0`, `c1`, ... by position."""
    made = [{"id": f"c{number}", **cell} for number, cell in enumerate(cells)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}


@dataclass
class Outcome:
    """What a run left behind."""

    folder: Path
    logs: dict[str, str] = field(default_factory=dict)
    errors: dict[str, Json] = field(default_factory=dict)
    artifacts: dict[str, Json] = field(default_factory=dict)

    def page(self, step: str) -> Json:
        """Return the executed notebook of a step."""
        return json.loads((self.folder / step / "notebook").read_text())

    def metadata(self, step: str, key: str) -> Json:
        """Return the metadata of an output artifact."""
        return self.artifacts[step][key]["artifacts"][0]["metadata"]


def ordered_tasks(spec: Json) -> list[str]:
    """Return the tasks of a pipeline so that each comes after those it waits for."""
    tasks = spec["root"]["dag"]["tasks"]
    done: list[str] = []
    while len(done) < len(tasks):
        ready = [
            name
            for name, task in tasks.items()
            if name not in done and set(task.get("dependentTasks", [])) <= set(done)
        ]
        assert ready, "the tasks wait for each other"
        done.extend(ready)
    return done


def executor_input(spec: Json, name: str, folder: Path, parameters: Json) -> Json:
    """Build KFP's ExecutorInput of a task, as the engine does."""
    task = spec["root"]["dag"]["tasks"][name]
    component = spec["components"][task["componentRef"]["name"]]
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    values: Json = {}
    for key, source in task["inputs"]["parameters"].items():
        if "runtimeValue" in source:
            values[key] = source["runtimeValue"]["constant"]
        else:
            wanted = source["componentInputParameter"]
            if wanted in parameters:
                values[key] = parameters[wanted]
            elif "defaultValue" in declared[wanted]:
                values[key] = declared[wanted]["defaultValue"]
    inputs: Json = {}
    for key, source in task["inputs"].get("artifacts", {}).items():
        producer = source["taskOutputArtifact"]
        path = folder / producer["producerTask"] / producer["outputArtifactKey"]
        inputs[key] = {"artifacts": [{"uri": str(path)}]}
    outputs = {
        key: {"artifacts": [{"name": key, "uri": str(folder / name / key)}]}
        for key in component["outputDefinitions"]["artifacts"]
    }
    return {
        "inputs": {"parameterValues": values, "artifacts": inputs},
        "outputs": {
            "outputFile": str(folder / name / "executor_output.json"),
            "artifacts": outputs,
        },
    }


def run_processes(
    source: Json,
    folder: Path,
    *,
    parameters: Json | None = None,
    python: list[str] | None = None,
    modules: dict[str, str] | None = None,
) -> Outcome:
    """Compile a notebook and run each step in a process; steps after a failed one do not run."""
    spec = compile_notebook(source, name="test", modules=modules)
    return run_spec(spec, folder, parameters=parameters, python=python)


def run_spec(
    spec: Json, folder: Path, *, parameters: Json | None = None, python: list[str] | None = None
) -> Outcome:
    """Run each task of a pipeline spec in a process."""
    spec = json.loads(json.dumps(spec))
    outcome = Outcome(folder)
    for name in ordered_tasks(spec):
        task = spec["root"]["dag"]["tasks"][name]
        if set(task.get("dependentTasks", [])) & set(outcome.errors):
            outcome.errors[name] = {}
            continue
        given = executor_input(spec, name, folder, parameters or {})
        component = spec["components"][task["componentRef"]["name"]]
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        arguments = [a.replace("{{$}}", json.dumps(given)) for a in container["args"]]
        (folder / name).mkdir(parents=True, exist_ok=True)
        variables = {one["name"]: one["value"] for one in container.get("env", [])}
        done = subprocess.run(
            [*(python or [sys.executable]), *container["command"][1:], *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        outcome.logs[name] = done.stdout + done.stderr
        if done.returncode:
            error = folder / name / "error.json"
            outcome.errors[name] = json.loads(error.read_text()) if error.exists() else {}
            assert error.exists(), outcome.logs[name]
        result = folder / name / "executor_output.json"
        if result.exists():
            outcome.artifacts[name] = json.loads(result.read_text())["artifacts"]
    return outcome


class LocalRunner:
    """Runs steps inside this process: one copy of the runner program per step.

    Artifacts stay in memory, as the bytes that would have been written.
    """

    def __init__(self) -> None:
        self._code = compile(runner_source(), "<runner>", "exec")
        self.decided: Json = {}
        """Output parameters of the last step."""

    def run(self, spec: Json, parameters: Json | None = None) -> dict[str, Json]:
        """Run all steps of a pipeline.

        Returns
        -------
        dict
            For each step the variables that its code left behind.
        """
        files: dict[str, bytes] = {}
        spaces: dict[str, Json] = {}
        for name in ordered_tasks(spec):
            given = executor_input(spec, name, Path("/"), parameters or {})
            spaces[name] = self._step(given, files)
        return spaces

    def _step(self, given: Json, files: dict[str, bytes]) -> Json:
        program = types.ModuleType("fairlead_step")
        kept = (sys.modules.get("__main__"), sys.stdout, sys.stderr, dict(vars(builtins)))
        sys.modules["fairlead_step"] = program
        try:
            exec(self._code, vars(program))
            values = dict(given["inputs"]["parameterValues"])
            step = program.Step(values.pop("step"))
            inputs = {
                k: [one["uri"] for one in v["artifacts"]]
                for k, v in given["inputs"]["artifacts"].items()
            }
            outputs = {
                k: v["artifacts"][0]["uri"] for k, v in given["outputs"]["artifacts"].items()
            }
            program.load = lambda path, names: program.decode(files[path], names)
            program.save = lambda path, names, found, explain: files.update(
                {path: program.encode(names, found)[0]}
            )
            program.show_result = lambda value: None
            try:
                step.run(values, inputs)
                step.keep(outputs)
            except program.StepFailed as error:
                raise AssertionError((step.error or {}).get("traceback", error)) from error
            self.decided = step.decided
            return step.space
        finally:
            sys.modules["__main__"], sys.stdout, sys.stderr = kept[:3]
            for added in set(vars(builtins)) - set(kept[3]):
                delattr(builtins, added)
            for name in [n for n in linecache.cache if n.startswith("Cell [")]:
                del linecache.cache[name]


def run_plainly(source: Json) -> Json:
    """Run a notebook's code cells top to bottom in one namespace, as Jupyter does."""
    module = types.ModuleType("__main__")
    kept = sys.modules.get("__main__")
    sys.modules["__main__"] = module
    try:
        for cell in source["cells"]:
            if cell["cell_type"] == "code":
                exec(compile(cell["source"], f"Cell [{cell['id']}]", "exec"), vars(module))
    finally:
        sys.modules["__main__"] = kept  # type: ignore[assignment]
    return vars(module)
