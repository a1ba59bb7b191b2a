"""Where a task's inputs come from when it starts, and a scope's outputs when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from fairlead.errors import SpecError

from .expressions import select
from .iterate import collect, is_item
from .model import ParameterDefinition, Selectors, Source, TaskSpec
from .placeholders import fill_constant
from .records import CANCELED, FAILED, PASSED, SKIPPED, Artifact, Task, Values
from .values import to_text

Json = Any

_FINAL_STATES = {FAILED: FAILED, SKIPPED: SKIPPED, CANCELED: CANCELED}
_FIELD_OF_ITEM = "-subvar-"
"""In the name of an input that kfp's compiler made of a field of a loop's item."""
_COMPLETE = "COMPLETE"
"""What KFP calls a task that succeeded where a step asks how another one ended, up to 2.17."""


def resolve_inputs(task: Task, names: Mapping[str, str]) -> Values:
    """Collect the values of a task's inputs.

    Parameters
    ----------
    task : Task
        Its upstream tasks have ended and its parent's inputs are known.
    names : mapping
        See `placeholders.Context.names`.

    Returns
    -------
    Values
        Every parameter has the type that the component declares. An optional input without a
        value is left out; where its upstream task made none, the default counts.

    Raises
    ------
    SpecError
        A required value is missing or of another type; names the input.
    """
    spec, scope = task.spec, task.parent
    assert spec is not None
    assert scope is not None
    found = Values()
    templates: dict[str, Json] = {}
    for name, source in spec.parameters.items():
        if source.kind == "constant" and source.template:
            templates[name] = source.value
            continue
        value = resolve_parameter(source, scope, names)
        if value is not None and source.selector is not None and not _selected(source, scope):
            value = select(source.selector, value)
        if value is not None:
            found.parameters[name] = value
    for name, constant in templates.items():
        found.parameters[name] = fill_constant(constant, found.parameters, names)
    _complete(found.parameters, spec)
    for name, source in spec.artifacts.items():
        artifacts = _artifacts(source, scope)
        if artifacts is not None and (artifacts or spec.component.artifacts[name].is_list):
            found.artifacts[name] = artifacts
    for name, definition in spec.component.artifacts.items():
        if name in found.artifacts or definition.optional:
            continue
        if spec.iterator is not None and name == spec.iterator.item:
            continue
        raise SpecError(f"Input artifact '{name}' was not made: {_origin(spec.artifacts[name])}.")
    return found


def _selected(source: Source, scope: Task | None) -> bool:
    """Whether an input of a scope is already the part that a source asks for.

    kfp's compiler asks for a field of a loop's item twice, where a condition stands between the
    loop and the use: once for the condition, and of what it is given once more.
    """
    assert source.selector is not None
    if source.kind != "component" or _FIELD_OF_ITEM not in source.key:
        return False
    key = source.key
    while scope is not None and scope.spec is not None:
        above = scope.spec.parameters.get(key)
        if above is None or above.kind != "component":
            return False
        if above.selector is not None:
            return above.selector.text == source.selector.text
        key = above.key
        scope = scope.parent if scope.iteration is None else scope.parent and scope.parent.parent
    return False


def collect_outputs(scope: Task) -> Values:
    """Collect the outputs of a scope from its children; what no child made is left out.

    Raises
    ------
    SpecError
        Several children made an output of which there is only one.
    """
    if scope.is_loop:
        return collect(scope)
    dag = scope.component.dag
    assert dag is not None
    found = Values()
    for name, selectors in dag.parameters.items():
        values = [
            scope.children[child].outputs.parameters[key]
            for child, key in selectors
            if key in scope.children[child].outputs.parameters
        ]
        _check_one(name, selectors, values)
        if values:
            found.parameters[name] = values[0]
    for name, selectors in dag.artifacts.items():
        made = [
            scope.children[child].outputs.artifacts[key]
            for child, key in selectors
            if key in scope.children[child].outputs.artifacts
        ]
        definition = scope.component.output_artifacts.get(name)
        if definition is None or not definition.is_list:
            _check_one(name, selectors, made)
        if made:
            found.artifacts[name] = [artifact for artifacts in made for artifact in artifacts]
    return found


def declared_values(spec: TaskSpec, values: Mapping[str, Json]) -> dict[str, Json]:
    """Return parameters as their component declares them, for its condition."""
    definitions = spec.component.parameters
    return {
        name: to_text(value)
        if name in definitions and definitions[name].type == "STRING"
        else value
        for name, value in values.items()
    }


def _check_one(name: str, selectors: Selectors, found: list[Json]) -> None:
    if len(found) > 1:
        tasks = ", ".join(f"'{child}'" for child, _ in selectors)
        raise SpecError(f"Output '{name}' takes one value, and several of {tasks} made one.")


def resolve_parameter(source: Source, scope: Task, names: Mapping[str, str]) -> Json:
    """Return the value of a source as the tasks of a scope see it; None when there is none."""
    if source.kind == "constant":
        return source.value
    if source.kind == "component":
        return scope.inputs.parameters.get(source.key)
    producer = scope.children[source.producer]
    if source.kind == "status":
        return _final_status(producer, names)
    return producer.outputs.parameters.get(source.key)


def _final_status(task: Task, names: Mapping[str, str]) -> Json:
    """Return how a task ended, as `PipelineTaskFinalStatus` in proto JSON."""
    status: Json = {
        "state": _COMPLETE if task.state in PASSED else _FINAL_STATES[task.state],
        "pipelineTaskName": task.name,
        "pipelineJobResourceName": names["pipeline_job_resource_name"],
    }
    if task.error is not None:
        status["error"] = {"code": task.error["code"], "message": task.error["message"]}
    return status


def _artifacts(source: Source, scope: Task) -> list[Artifact] | None:
    if source.kind == "component":
        return scope.inputs.artifacts.get(source.key)
    return scope.children[source.producer].outputs.artifacts.get(source.key)


def _complete(values: dict[str, Json], spec: TaskSpec) -> None:
    """Convert the values to their declared types and add defaults."""
    for name, definition in spec.component.parameters.items():
        if name in values:
            values[name] = _converted(name, values[name], definition, spec)
        elif definition.has_default:
            values[name] = definition.default
        elif spec.iterator is not None and name == spec.iterator.item:
            continue
        elif not definition.optional:
            raise SpecError(
                f"Input parameter '{name}' has no value: {_origin(spec.parameters[name])}."
            )


def _converted(name: str, value: Json, definition: ParameterDefinition, spec: TaskSpec) -> Json:
    if spec.component.dag is not None and is_item(name):
        return value
    if definition.type == "STRING":
        # As KFP does: a text takes any value, as JSON.
        value = to_text(value)
    source = spec.parameters.get(name)
    if isinstance(value, str) and source is not None and is_item(source.key):
        # An item of no known type, which its author may have written as JSON.
        value = _parsed(value, definition.type)
    return definition.taken(value, name)


def _parsed(text: str, type_: str) -> Json:
    """Return the list or object that a text is; the text, if it is none."""
    if type_ in ("LIST", "STRUCT"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def _origin(source: Source) -> str:
    if source.kind == "output":
        return f"task '{source.producer}' wrote no output '{source.key}'"
    if source.kind == "component":
        return f"input '{source.key}' of the enclosing pipeline is empty"
    return "its constant is null"
