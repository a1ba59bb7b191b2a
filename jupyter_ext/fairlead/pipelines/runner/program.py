"""The program of a step, as KFP starts it: what it is given, and the record of what it gave."""

from __future__ import annotations

import json
import os
import sys
import types
import typing

from fairlead.pipelines.runner.artifacts import local_path
from fairlead.pipelines.runner.displays import PAGE, install_displays
from fairlead.pipelines.runner.execution import Step, StepFailed

Json = typing.Dict[str, typing.Any]  # noqa: UP006


def write_json(path: str, content: Json) -> None:
    """Write a JSON file whose readers never see half of it."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(path + ".part", path)


def run_program(arguments: list[str]) -> int:
    """Run the step that KFP's ExecutorInput describes; return the exit status."""
    task = json.loads(arguments[arguments.index("--executor_input") + 1])
    own = types.ModuleType("fairlead_step")
    vars(own).update(globals())
    sys.modules["fairlead_step"] = own
    given = task.get("inputs", {})
    parameters = given.get("parameterValues", {})
    step = Step(parameters.pop("step"))
    inputs = {
        k: [local_path(one["uri"]) for one in v.get("artifacts", [])]
        for k, v in given.get("artifacts", {}).items()
    }
    outputs = {k: v["artifacts"][0] for k, v in task["outputs"].get("artifacts", {}).items()}
    paths = {k: local_path(v["uri"]) for k, v in outputs.items()}
    install_displays(paths.get("notebook"))
    result = task["outputs"]["outputFile"]
    status, kept = 0, {}
    try:
        step.run(parameters, inputs)
        kept = step.keep(paths)
    except Exception as error:  # the boundary of the process: whatever failed is reported
        if not isinstance(error, StepFailed):
            step.report(error, {"id": step.first_cell()})
        status = 1
        write_json(os.path.join(os.path.dirname(result), "error.json"), step.error or {})
    PAGE.write()
    metadata = dict(kept, notebook={"mime": "application/x-ipynb+json"})
    metadata["metrics"] = step.metrics
    write_json(
        result,
        {
            "parameterValues": step.decided,
            "artifacts": {
                k: {
                    "artifacts": [
                        {"name": v.get("name", k), "uri": v["uri"], "metadata": metadata[k]}
                    ]
                }
                for k, v in outputs.items()
                if k in metadata
            },
        },
    )
    sys.stdout.flush()
    sys.stderr.flush()
    return status
