"""Elyra's nodes as a pipeline spec of KFP v2.

Each node is a task that runs its file whole, in a folder of its own: with the files that it depends
on beside it, which travel inside of the spec, and with the outputs of all nodes before it, which
travel as artifacts. So it needs nothing of Elyra, Fairlead or Jupyter where it runs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from fairlead._version import __version__
from fairlead.errors import SpecError
from fairlead.names import dns_label
from fairlead.pipelines.cells import read_plain_cells
from fairlead.pipelines.check import find_cycle
from fairlead.pipelines.elyra import ElyraNode, ElyraPipeline
from fairlead.pipelines.ir import STEP, cell_json
from fairlead.pipelines.records import NotebookError, Problem
from fairlead.pipelines.runner import node_source

Json = dict[str, Any]
Files = Mapping[str, bytes]

_ARTIFACT = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
_METRICS = {"schemaTitle": "system.Metrics", "schemaVersion": "0.0.1"}
_RUN_NAME = "ELYRA_RUN_NAME"
"""Variable with the run's name. Only a node whose files mention it is told: another in each run,
it keeps a node from being taken from the cache."""

_VIEWS = "mlpipeline-ui-metadata.json"
"""File in which a node describes tables, curves and pages for the first version of KFP."""

_LARGEST = 8 * 2**20
"""Bytes of files that a node may take along inside of the spec."""


def build_elyra_spec(
    pipeline: ElyraPipeline,
    files_of: Callable[[ElyraNode], Files],
    read_notebook: Callable[[str], Json],
) -> tuple[Json, Json]:
    """Build the PipelineSpec and PlatformSpec of a pipeline of Elyra.

    Parameters
    ----------
    files_of
        Returns what a node takes along: its own file under its name, and its dependencies, each by
        its path relative to the file's folder.
    read_notebook
        Takes a node's file and returns the notebook of version 4.

    What of the files has no effect is added to the pipeline's problems.

    Raises
    ------
    SpecError
        A file is not there or too large, a notebook cannot run in a step, or nodes wait for each
        other; the message names the node.
    """
    _check_order(pipeline)
    outputs = {node.name: _outputs(node) for node in pipeline.nodes}
    before = _before(pipeline)
    executors: Json = {}
    components: Json = {}
    tasks: Json = {}
    platform: Json = {}
    for node in pipeline.nodes:
        label = _add_executor(executors, platform, node)
        sources = {
            f"{name}.{key}": (name, key) for name in before[node.name] for key in outputs[name]
        }
        files = files_of(node)
        if any(_VIEWS.encode() in data for data in files.values()):
            pipeline.problems.append(_not_shown(node))
        constant = _constant(node, files, read_notebook, outputs[node.name])
        constant["takes"] = {key: outputs[name][output] for key, (name, output) in sources.items()}
        named = f"env.{_RUN_NAME}" in constant["variables"]
        component = _component(pipeline, node, label, sources, outputs, named)
        components[f"comp-{node.name}"] = component
        tasks[node.name] = _task(node, constant, sources)
    root: Json = {"dag": {"tasks": tasks}}
    if pipeline.parameters:
        root["inputDefinitions"] = {"parameters": pipeline.parameters}
    info = {"name": dns_label(pipeline.name)}
    if pipeline.description:
        info["description"] = pipeline.description
    spec = {
        "components": components,
        "deploymentSpec": {"executors": executors},
        "pipelineInfo": info,
        "root": root,
        "schemaVersion": "2.1.0",
        "sdkVersion": f"fairlead-{__version__}",
    }
    if not platform:
        return spec, {}
    return spec, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": platform}}}}


def _not_shown(node: ElyraNode) -> Problem:
    message = f"`{_VIEWS}`, which its files mention, is not shown: KFP v2 has no viewers for it."
    hint = "Show it in a notebook, whose outputs are kept; numbers go to mlpipeline-metrics.json."
    return Problem("warning", "", -1, 0, _VIEWS, message, hint, "", node.name)


def _check_order(pipeline: ElyraPipeline) -> None:
    circle = find_cycle({node.name: set(node.after) for node in pipeline.nodes})
    if circle:
        raise SpecError(f"The nodes wait for each other: {' -> '.join(circle)}.")


def _before(pipeline: ElyraPipeline) -> dict[str, list[str]]:
    """Return all nodes before each node, the nearest last, so that their outputs win."""
    after = {node.name: node.after for node in pipeline.nodes}
    found: dict[str, list[str]] = {}

    def collect(name: str) -> list[str]:
        if name not in found:
            listed = [far for near in after[name] for far in collect(near)] + after[name]
            found[name] = list(reversed(dict.fromkeys(reversed(listed))))
        return found[name]

    for name in after:
        collect(name)
    return found


def _outputs(node: ElyraNode) -> dict[str, str]:
    """Return the path or pattern of each output artifact of a node, by key."""
    made: dict[str, str] = {}
    for path in node.outputs:
        _check_inside(node, path)
        plain = re.sub(r"[^\w.-]+", "-", path).strip("-.") or "output"
        key, count = plain, 1
        while key in made or key in ("notebook", "metrics", STEP):
            count += 1
            key = f"{plain}-{count}"
        made[key] = path
    return made


def _check_inside(node: ElyraNode, path: str) -> None:
    parts = PurePosixPath(path).parts
    if ".." in parts or path.startswith("/"):
        raise SpecError(
            f"Node '{node.name}': {path} leads out of the folder of {node.file}.",
            hint="Move it beside the file, or below.",
        )


def _add_executor(executors: Json, platform: Json, node: ElyraNode) -> str:
    """Add the executor of a node; nodes of the same settings share one."""
    settings = node.settings
    container: Json = {
        "image": settings.image,
        "command": ["python3", "-c", node_source()],
        "args": ["--executor_input", "{{$}}"],
        "env": [{"name": name, "value": value} for name, value in sorted(settings.env.items())],
    }
    container["env"].append({"name": "ELYRA_RUNTIME_ENV", "value": "kfp"})
    if settings.resources:
        container["resources"] = settings.resources
    told = json.dumps([container, settings.platform], sort_keys=True)
    label = "exec-node-" + hashlib.sha256(told.encode()).hexdigest()[:8]
    executors[label] = {"container": container}
    if settings.platform:
        platform[label] = settings.platform
    return label


def _component(
    pipeline: ElyraPipeline,
    node: ElyraNode,
    label: str,
    sources: dict[str, tuple[str, str]],
    outputs: dict[str, dict[str, str]],
    named: bool,
) -> Json:
    parameters: Json = {STEP: {"parameterType": "STRUCT"}}
    for name in node.parameters:
        if name not in pipeline.parameters:
            known = ", ".join(pipeline.parameters) or "none"
            raise SpecError(
                f"Node '{node.name}' is told the parameter '{name}', which the pipeline has not.",
                hint=f"It has: {known}.",
            )
        kind = pipeline.parameters[name]["parameterType"]
        parameters[f"env.{name}"] = {"parameterType": kind, "isOptional": True}
    if named:
        parameters[f"env.{_RUN_NAME}"] = {"parameterType": "STRING"}
    inputs: Json = {"parameters": parameters}
    if sources:
        inputs["artifacts"] = {key: {"artifactType": _ARTIFACT} for key in sources}
    artifacts: Json = {key: {"artifactType": _ARTIFACT} for key in outputs[node.name]}
    if node.kind == "notebook":
        artifacts["notebook"] = {"artifactType": _ARTIFACT}
    artifacts["metrics"] = {"artifactType": _METRICS}
    return {
        "executorLabel": label,
        "inputDefinitions": inputs,
        "outputDefinitions": {"artifacts": artifacts},
    }


def _task(node: ElyraNode, constant: Json, sources: dict[str, tuple[str, str]]) -> Json:
    parameters: Json = {STEP: {"runtimeValue": {"constant": constant}}}
    for name in node.parameters:
        parameters[f"env.{name}"] = {"componentInputParameter": name}
    if f"env.{_RUN_NAME}" in constant["variables"]:
        placeholder = "{{$.pipeline_job_name}}"
        parameters[f"env.{_RUN_NAME}"] = {"runtimeValue": {"constant": placeholder}}
    inputs: Json = {"parameters": parameters}
    if sources:
        inputs["artifacts"] = {
            key: {"taskOutputArtifact": {"producerTask": name, "outputArtifactKey": output}}
            for key, (name, output) in sources.items()
        }
    needed = list(dict.fromkeys([*node.after, *[name for name, _ in sources.values()]]))
    task: Json = {
        "cachingOptions": {"enableCache": True} if node.settings.cache else {},
        "componentRef": {"name": f"comp-{node.name}"},
        "inputs": inputs,
        "taskInfo": {"name": node.name},
    }
    if needed:
        task["dependentTasks"] = needed
    return task


def _constant(
    node: ElyraNode,
    files: Files,
    read_notebook: Callable[[str], Json],
    outputs: dict[str, str],
) -> Json:
    """Build the `step` parameter: what the node runs, and the files beside it."""
    size = sum(map(len, files.values()))
    if size > _LARGEST:
        largest = max(files, key=lambda path: len(files[path]))
        raise SpecError(
            f"Node '{node.name}' takes {size / 2**20:.1f} MiB of files along, of which {largest} "
            f"is the largest; more than {_LARGEST // 2**20} MiB do not fit into a pipeline.",
            hint="Read it from a volume or an object store, or make it an output of a node before.",
        )
    constant: Json = {
        "name": node.name,
        "cells": [],
        "file": PurePosixPath(node.file).name,
        "files": {path: _packed(data) for path, data in sorted(files.items())},
        "gives": outputs,
        "variables": {f"env.{name}": name for name in node.parameters},
    }
    if any(_RUN_NAME.encode() in data for data in files.values()):
        constant["variables"][f"env.{_RUN_NAME}"] = _RUN_NAME
    if node.kind != "notebook":
        constant["program"] = ["Rscript"] if node.kind == "r" else ["python"]
        return constant
    notebook = read_notebook(node.file)
    language = (notebook.get("metadata") or {}).get("kernelspec", {}).get("language", "python")
    if str(language).lower() != "python":
        raise SpecError(
            f"Node '{node.name}': {node.file} is a notebook of {language}, not of Python.",
            hint="Make it a script.",
        )
    cells, problems = read_plain_cells(notebook)
    if problems:
        error = NotebookError(problems)
        raise SpecError(f"Node '{node.name}', {node.file}: {error.what}", hint=error.hint)
    constant["cells"] = [cell_json(cell) for cell in cells]
    return constant


def _packed(data: bytes) -> str | Json:
    """Return a file as text where it is text, so that a spec can be read."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
