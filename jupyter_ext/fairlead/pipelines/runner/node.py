"""A whole file as a step: a notebook or a script in a folder of its own, with files beside it."""

from __future__ import annotations

import base64
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types
import typing

from fairlead.pipelines.runner.artifacts import local_path
from fairlead.pipelines.runner.displays import PAGE, install_displays
from fairlead.pipelines.runner.execution import Step, StepFailed
from fairlead.pipelines.runner.program import write_json

Json = typing.Dict[str, typing.Any]  # noqa: UP006


class NodeFailed(Exception):
    """The file has run, and what it promised is not there."""

    args: tuple[typing.Any, ...]


def lay_out(spec: Json, inputs: dict[str, str]) -> str:
    """Make the folder that a node runs in; return its path.

    Parameters
    ----------
    inputs
        Path of each input artifact by key; those that were not made are left out.
    """
    place = tempfile.mkdtemp(prefix="node-")
    for key, path in spec.get("takes", {}).items():
        copy(inputs[key], place, path)
    for path, data in spec.get("files", {}).items():
        target = os.path.join(place, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(
                base64.b64decode(data["base64"]) if isinstance(data, dict) else data.encode()
            )
    return place


def copy(source: str, place: str, path: str) -> None:
    """Put an artifact where the file will look for it: a pattern's files, or one file or folder."""
    if not os.path.exists(source):
        return
    several = glob.has_magic(path)
    target = place if several else os.path.join(place, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source):
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def hand_over(place: str, path: str, target: str) -> None:
    """Copy what a node has made to an output artifact."""
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    found = sorted(glob.glob(os.path.join(place, path), recursive=True))
    if not found:
        raise NodeFailed("it has not made its output %s" % path)  # noqa: UP031
    if not glob.has_magic(path):
        if os.path.isdir(found[0]):
            shutil.copytree(found[0], target, dirs_exist_ok=True)
        else:
            shutil.copyfile(found[0], target)
        return
    for each in found:
        inner = os.path.join(target, os.path.relpath(each, place))
        os.makedirs(os.path.dirname(inner), exist_ok=True)
        if os.path.isdir(each):
            shutil.copytree(each, inner, dirs_exist_ok=True)
        else:
            shutil.copyfile(each, inner)


def metrics_of(place: str) -> Json:
    """Read the numbers that a file has left for Kubeflow Pipelines."""
    try:
        with open(os.path.join(place, "mlpipeline-metrics.json"), encoding="utf-8") as file:
            listed = json.load(file)["metrics"]
        return {str(one["name"]): float(one["numberValue"]) for one in listed}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        sys.stderr.write("Warning: mlpipeline-metrics.json is not understood: %s\n" % error)  # noqa: UP031
        return {}


def run_script(program: list[str], name: str) -> None:
    """Run a script; its output goes where this program's goes."""
    words = [sys.executable if program == ["python"] else program[0], name]
    sys.stdout.flush()
    try:
        status = subprocess.call(words)
    except FileNotFoundError as error:
        told = "there is no %s here to run it: install it, or use an image that has it"
        raise NodeFailed(told % program[0]) from error
    if status:
        raise NodeFailed("it ended with status %d" % status)  # noqa: UP031


def run_node(arguments: list[str]) -> int:
    """Run the node that KFP's ExecutorInput describes; return the exit status."""
    task = json.loads(arguments[arguments.index("--executor_input") + 1])
    own = types.ModuleType("fairlead_step")
    vars(own).update(globals())
    sys.modules["fairlead_step"] = own
    given = task.get("inputs", {})
    parameters = given.get("parameterValues", {})
    spec = parameters.pop("step")
    step = Step(spec)
    inputs = {k: v["artifacts"][0] for k, v in given.get("artifacts", {}).items()}
    outputs = {k: v["artifacts"][0] for k, v in task["outputs"].get("artifacts", {}).items()}
    paths = {k: os.path.abspath(local_path(v["uri"])) for k, v in outputs.items()}
    result = os.path.abspath(task["outputs"]["outputFile"])
    place = lay_out(spec, {k: local_path(v["uri"]) for k, v in inputs.items()})
    for key, variable in spec.get("variables", {}).items():
        if key in parameters:
            value = parameters[key]
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            text = value if isinstance(value, str) else json.dumps(value)
            os.environ.setdefault(variable, text)
    status = 0
    os.chdir(place)
    try:
        if "program" in spec:
            run_script(spec["program"], spec["file"])
        else:
            install_displays(paths.get("notebook"))
            sys.path.insert(0, place)
            step.run({}, {})
        for key, path in spec.get("gives", {}).items():
            hand_over(place, path, paths[key])
    except StepFailed:
        status = 1
    except NodeFailed as error:
        status = 1
        text = "%s: %s" % (spec["file"], error)  # noqa: UP031
        step.fail("", None, "NodeFailed", text, ["%s\n" % text])  # noqa: UP031
    except Exception as error:  # the boundary of the process: whatever failed is reported
        status = 1
        step.report(error, {"id": ""})
    if status:
        write_json(os.path.join(os.path.dirname(result), "error.json"), step.error or {})
    PAGE.write()
    metadata: Json = {"notebook": {"mime": "application/x-ipynb+json"}}
    metadata["metrics"] = metrics_of(place)
    artifacts = {}
    for key, made in outputs.items():
        if key in metadata or not status:
            entry = {"name": made.get("name", key), "uri": made["uri"]}
            artifacts[key] = {"artifacts": [dict(entry, metadata=metadata.get(key, {}))]}
    write_json(result, {"artifacts": artifacts})
    os.chdir("/")
    shutil.rmtree(place, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    return status
