"""From a task that is about to run to its Pod: folders, ExecutorInput, command."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from fairlead.names import RUN_ID_LABEL, TASK_LABEL, dns_label

from .executors import node_resource
from .inputs import resolve_parameter
from .model import WORKSPACE_PATH
from .placeholders import Context, Template, resolve_all
from .platform_target import Target
from .records import Run, Task
from .task_config import take_config

Json = Any

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PRIVATE = ".run"
"""Folder beside a task's artifacts; no artifact can have this name."""
ERROR_FILE = "error.json"


class Folders:
    """Where the files of one attempt of a task are.

    Parameters
    ----------
    run : Run
        Gives the pipeline root.
    task : Task
        Its `attempt` counts.
    """

    def __init__(self, run: Run, task: Task) -> None:
        inner = f"{segment(task.path)}/{task.attempt}"
        # Text, since a step asks for a dozen of these and a Path takes its time.
        self._base = f"{run_folder(run.pipeline_root, run.workflow)}/{inner}"
        self._private = f"{self._base}/{_PRIVATE}"
        self._artifacts = (
            f"{run.remote_root.rstrip('/')}/{run.workflow}/{inner}"
            if run.remote_root
            else self._base
        )

    @property
    def base(self) -> Path:
        """The folder of them all."""
        return Path(self._base)

    def artifact(self, name: str) -> str:
        """Return the uri of an output artifact: a path, but under a root in an object store."""
        return f"{self._artifacts}/{segment(name)}"

    def parameter(self, name: str) -> str:
        """Return the path of the file of an output parameter."""
        return f"{self._private}/parameters/{segment(name)}"

    @property
    def output_file(self) -> str:
        """Path of the ExecutorOutput."""
        return f"{self._private}/executor_output.json"

    @property
    def error_file(self) -> str:
        """Path of the file in which the notebook runner says what went wrong."""
        return f"{self._private}/{ERROR_FILE}"

    @property
    def source_file(self) -> str:
        """Path of the source of a Python component, under the name that kfp gives it."""
        return f"{self._private}/ephemeral_component.py"

    @property
    def report_file(self) -> str:
        """Path of the file in which the launcher says what it put into an object store."""
        return f"{self._private}/objects.json"

    def make(self, source: str = "") -> None:
        """Make the folders, and the file of a Python component; the step makes the others."""
        task = os.path.dirname(self._base)
        # From the top, one by one: asking for the deepest first costs a call more at each level.
        folders = [os.path.dirname(task), task, self._base, self._private]
        if not source:  # kfp's executor makes this one where it needs it
            folders.append(f"{self._private}/parameters")
        for folder in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o700)
        if source:
            with open(self.source_file, "w", encoding="utf-8") as file:
                file.write(source)


@lru_cache(maxsize=64)
def run_folder(pipeline_root: str, workflow: str) -> Path:
    """Return the folder of a run's artifacts."""
    return Path(pipeline_root) / workflow


def segment(name: str) -> str:
    """Return a name as one safe part of a path: itself where that is one, else made so.

    No two names have the same: those of a loop's iterations differ by little, far from their start.
    """
    if _SEGMENT.fullmatch(name):
        return name
    return f"{dns_label(name, max_length=50)}-{hashlib.sha256(name.encode()).hexdigest()[:20]}"


def executor_input(task: Task, folders: Folders) -> Json:
    """Build the ExecutorInput message of a task in proto JSON; empty fields are left out."""
    component = task.component
    inputs: Json = {}
    if task.inputs.parameters:
        inputs["parameterValues"] = task.inputs.parameters
    if task.inputs.artifacts:
        inputs["artifacts"] = {
            name: {"artifacts": [artifact.runtime() for artifact in artifacts]}
            for name, artifacts in task.inputs.artifacts.items()
        }
    outputs: Json = {}
    if component.output_parameters:
        outputs["parameters"] = {
            name: {"outputFile": folders.parameter(name)} for name in component.output_parameters
        }
    if component.output_artifacts:
        outputs["artifacts"] = {
            name: {
                "artifacts": [
                    {
                        "name": name,
                        "type": definition.schema,
                        "uri": folders.artifact(name),
                        "metadata": {},
                    }
                ]
            }
            for name, definition in component.output_artifacts.items()
        }
    outputs["outputFile"] = folders.output_file
    return {"inputs": inputs, "outputs": outputs} if inputs else {"outputs": outputs}


def build_pod(run: Run, task: Task, suffix: str, claim: str = "") -> tuple[Json, list[str]]:
    """Build the Pod of one attempt.

    Parameters
    ----------
    run : Run
        The pod is owned by its Workflow.
    task : Task
        A container task with its inputs resolved and its attempt counted.
    suffix : str
        Letters and digits that make the name unique.
    claim : str
        Claim of the run's workspace, to be mounted; empty: none.

    Returns
    -------
    tuple
        The Pod, and what is asked for and has no effect on this machine.

    Raises
    ------
    SpecError
        A setting of the platform spec has no value.
    """
    executor = task.component.executor
    assert executor is not None
    folders = Folders(run, task)
    message = executor_input(task, folders)
    context = _context(run, task, message)
    container: Json = {
        "name": "main",
        "image": Template.parse(executor.image).resolve(context),
        # What a program says last is what went wrong.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if executor.env:
        container["env"] = [
            {"name": name, "value": value.resolve(context)} for name, value in executor.env
        ]
    resources: Json = {}
    for side, name, quantity in executor.resources:
        amount = quantity.resolve(context)
        if "{{" in name:  # an accelerator's type that an input gives; without one there is none
            name = Template.parse(name).resolve(context)
            if not name or amount in ("", "0"):
                continue
            name = node_resource(name)
        resources.setdefault(side, {})[name] = amount
    if resources:
        container["resources"] = resources
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{dns_label(f'{run.workflow}-{task.path}', max_length=57)}-{suffix}",
            "namespace": run.namespace,
            "labels": {
                **executor.pod_labels,
                RUN_ID_LABEL: run.run_id,
                TASK_LABEL: task.path if _LABEL.fullmatch(task.path) else dns_label(task.path),
            },
            "annotations": dict(executor.pod_annotations),
            "ownerReferences": [
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Workflow",
                    "name": run.workflow,
                    "uid": run.workflow_uid,
                    "controller": True,
                }
            ],
        },
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    target = make_target(pod, task)
    for change in executor.changes:
        change(target)
    if claim:
        volume = {"persistentVolumeClaim": {"claimName": claim}}
        target.add_volume(claim, volume, WORKSPACE_PATH)
    if configs := take_config(pod, task.component):
        # Only now it is known; the command may hold it.
        inputs = message.get("inputs", {})
        values = {**inputs.get("parameterValues", {}), **configs}
        message = {**message, "inputs": {**inputs, "parameterValues": values}}
        context = _context(run, task, message)
    command = resolve_all(executor.command, context)
    if executor.source:
        command += ["--component_module_path", _without_references(folders.source_file)]
    container["command"] = command
    container["args"] = resolve_all(executor.args, context)
    return pod, target.notices


def _context(run: Run, task: Task, message: Json) -> Context:
    return Context(
        message,
        orjson.dumps(message).decode(),
        {
            **run.names(),
            "pipeline_task_name": task.name,
            "pipeline_task_uuid": task.task_id,
        },
        task.component.declared,
        _without_references,
    )


def make_target(pod: Json, task: Task) -> Target:
    """Return a pod as the settings of a task's platform spec see it."""
    scope = task.parent
    assert scope is not None
    return Target(pod, lambda source: resolve_parameter(source, scope, {}))


def _without_references(value: str) -> str:
    """Escape a value so that the `$(NAME)` in it stays text; Kubernetes expands those of a spec."""
    return value.replace("$", "$$")
