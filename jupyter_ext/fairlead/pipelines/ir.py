"""A plan as a pipeline spec of KFP v2, in plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fairlead._version import __version__
from fairlead.names import dns_label
from fairlead.pipelines.cells import Cell, CellStep
from fairlead.pipelines.claims import add_claims
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.executor_specs import ExecutorSpecs, retry_policy
from fairlead.pipelines.groups import CONTROL_TYPES, Groups, control_json, task_name
from fairlead.pipelines.imports import Imports, Versions
from fairlead.pipelines.plan import Plan
from fairlead.pipelines.runner import runner_source
from fairlead.pipelines.split_records import Control, Loop
from fairlead.pipelines.syntax import is_silent

Json = dict[str, Any]
STEP = "step"
"""Input parameter of every task: the cells and what to do with their values."""

_ARTIFACT = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
_TYPES = {"metrics": {"schemaTitle": "system.Metrics", "schemaVersion": "0.0.1"}}


def build_spec(
    plan: Plan, *, name: str, modules: Mapping[str, str], versions: Versions
) -> tuple[Json, Json]:
    """Build the PipelineSpec of a plan, and its PlatformSpec, which may be empty.

    Parameters
    ----------
    plan
        A plan without errors.
    name
        Name of the pipeline; made a DNS label.
    modules
        Source of local modules by relative path; only steps that import one carry it.
    versions
        Asked for the packages of what a step imports, where its settings name none.
    """
    claims = plan.translation.claims
    executors = ExecutorSpecs(claims)
    imports = Imports(plan.layout, plan.steps, modules)
    components: Json = {}
    tasks: Json = {}
    for planned in plan.steps:
        step = planned.step.name
        pins = versions(imports.foreign(step))
        carried = imports.local(step)
        split = plan.splits.get(step)
        component = _component(plan, planned, _executor(executors, planned, pins))
        task = _task(plan, planned, carried)
        if split is None:
            components[f"comp-{step}"], tasks[step] = component, task
            continue
        groups = Groups(components, tasks)
        if split.control is not None:
            control = _control_plan(split.control)
            made = _component(plan, control, _executor(executors, control, pins))
            key = split.control.key
            made["outputDefinitions"] = {"parameters": {key: {"parameterType": CONTROL_TYPES[key]}}}
            told = control_json(split.control)
            groups.add_control(split.control, made, _task(plan, control, carried, told))
        if isinstance(split, Loop):
            groups.add_loop(step, split, component, task)
        else:
            plain = replace(planned, step=CellStep(step, planned.step.title))
            groups.add_branches(step, split, component, task, _executor(executors, plain, pins))
    add_claims(claims, executors.containers, components, tasks)
    parameters = {
        p.name: _parameter(p.type, p.default, bool(p.literal) and p.default is not None, p.optional)
        for p in plan.parameters.parameters.values()
    }
    root: Json = {"dag": {"tasks": tasks}}
    if parameters:
        root["inputDefinitions"] = {"parameters": parameters}
    info = {"name": dns_label(plan.translation.name or name)}
    if plan.translation.description:
        info["description"] = plan.translation.description
    spec = {
        "components": components,
        "deploymentSpec": {"executors": executors.containers},
        "pipelineInfo": info,
        "root": root,
        "schemaVersion": "2.1.0",
        "sdkVersion": f"fairlead-{__version__}",
    }
    return spec, executors.platform_spec()


def _parameter(kind: str, default: Any, has_default: bool, optional: bool) -> Json:
    made: Json = {"parameterType": kind}
    if has_default:
        made["defaultValue"] = default
    if optional:
        made["isOptional"] = True
    return made


def _executor(executors: ExecutorSpecs, planned: StepPlan, pins: list[str]) -> str:
    settings = planned.step.settings
    packages = pins if settings.packages is None else settings.packages
    return executors.add(settings, ["python3", "-c", runner_source()], packages)


def _component(plan: Plan, planned: StepPlan, label: str) -> Json:
    known = plan.parameters.parameters
    parameters: Json = {STEP: {"parameterType": "STRUCT"}}
    for name in planned.parameters:
        parameters[_parameter_key(name)] = _parameter(known[name].type, None, False, True)
    inputs: Json = {"parameters": parameters}
    if planned.inputs:
        inputs["artifacts"] = {
            source.key: {"artifactType": _ARTIFACT, **({"isArtifactList": True} if loop else {})}
            for source in planned.inputs
            for loop in [isinstance(plan.splits.get(source.step), Loop)]
        }
    keys = [slot.key for slot in planned.outputs] + ["notebook"]
    if _has_metrics(planned):
        keys.append("metrics")
    outputs = {key: {"artifactType": _TYPES.get(key, _ARTIFACT)} for key in keys}
    return {
        "executorLabel": label,
        "inputDefinitions": inputs,
        "outputDefinitions": {"artifacts": outputs},
    }


def _parameter_key(name: str) -> str:
    return f"value.{name}" if name == STEP else name


def _has_metrics(planned: StepPlan) -> bool:
    return any("metrics" in cell.tags or cell.metrics for cell in planned.step.cells)


def _control_plan(control: Control) -> StepPlan:
    """Return a control task as a step without cells."""
    step = CellStep(control.name, control.name)
    parts = (list(control.parameters), list(control.definitions), list(control.inputs))
    return StepPlan(step, *parts)


def _task(plan: Plan, planned: StepPlan, carried: dict[str, str], more: Json | None = None) -> Json:
    """Build the task of a step; `more` is added to what its runner is told."""
    step = planned.step
    constant = {**_step_constant(plan, planned, carried), **(more or {})}
    parameters: Json = {STEP: {"runtimeValue": {"constant": constant}}}
    for name in planned.parameters:
        parameters[_parameter_key(name)] = {"componentInputParameter": name}
    inputs: Json = {"parameters": parameters}
    artifacts = {
        source.key: {
            "taskOutputArtifact": {
                "outputArtifactKey": source.slot.key,
                "producerTask": task_name(source.step, plan.splits.get(source.step)),
            }
        }
        for source in planned.inputs
    }
    if artifacts:
        inputs["artifacts"] = artifacts
    task: Json = {
        # As kfp writes it: what is not enabled is left out.
        "cachingOptions": {"enableCache": True} if step.settings.cache else {},
        "componentRef": {"name": f"comp-{step.name}"},
        "inputs": inputs,
        "taskInfo": {"name": step.name},
    }
    if planned.depends_on:
        awaited = [task_name(name, plan.splits.get(name)) for name in planned.depends_on]
        task["dependentTasks"] = awaited
    if step.settings.retries is not None:
        task["retryPolicy"] = retry_policy(step.settings.retries)
    return task


def _step_constant(plan: Plan, planned: StepPlan, carried: dict[str, str]) -> Json:
    """Build the `step` parameter: what the runner executes, binds and keeps."""
    constant: Json = {
        "name": planned.step.name,
        "cells": [cell_json(cell) for cell in planned.step.cells],
    }
    setup: list[Json] = []
    for cell in plan.common:
        if cell.role == "setup":
            setup.append(cell_json(cell))
        else:
            code = cell_json(cell) if cell.id in plan.parameters.with_code else {}
            setup.append({**code, "parameters": True})
    while setup and len(setup[-1]) == 1:
        setup.pop()  # parameters are bound after the last cell in any case
    known = plan.parameters.parameters
    parameters = {}
    for name in planned.parameters:
        info = {"name": name, "type": known[name].type}
        if known[name].literal:
            info["default"] = known[name].literal
        parameters[_parameter_key(name)] = info
    definitions = [
        # The line matters to the traceback of a function; an import may move freely.
        {"id": d.cell_id, "source": d.source, **({"line": d.line} if d.name else {})}
        for d in planned.definitions
    ]
    inputs: Json = {}
    # The order of an object's keys is lost on the way through protobuf.
    for order, source in enumerate(planned.inputs):
        told = {"order": order, "file": list(source.slot.names), "bind": list(source.bind)}
        if source.changed:
            told["changed"] = list(source.changed)
        split = plan.splits.get(source.step)
        if isinstance(split, Loop):
            told["collect"] = {name: split.collects[name] for name in source.slot.names}
        inputs[source.key] = told
    outputs = {slot.key: list(slot.names) for slot in planned.outputs}
    parts = {
        "setup": setup,
        "parameters": parameters,
        "definitions": definitions,
        "inputs": inputs,
        "outputs": outputs,
        "modules": carried,
    }
    constant.update((key, value) for key, value in parts.items() if value)
    return constant


def cell_json(cell: Cell) -> Json:
    """Return a cell as the step runner takes it."""
    made: Json = {"id": cell.id, "source": cell.source}
    if cell.code != cell.source:
        made["code"] = cell.code
    if cell.tags:
        made["tags"] = cell.tags
    if is_silent(cell.code):
        made["silent"] = True
    if "metrics" in cell.tags or cell.metrics:
        made["metrics"] = cell.metrics or True
    if "raises-exception" in cell.tags:
        made["raises"] = True
    return made
