"""Where a task's inputs come from when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import SpecError

from .model import Source, TaskSpec
from .placeholders import fill_constant
from .records import Artifact, Task, Values
from .values import convert

Json = Any


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
        value = _parameter(source, scope)
        if value is not None:
            found.parameters[name] = value
    for name, constant in templates.items():
        found.parameters[name] = fill_constant(constant, found.parameters, names)
    _complete(found.parameters, spec)
    for name, source in spec.artifacts.items():
        artifacts = _artifacts(source, scope)
        if artifacts:
            found.artifacts[name] = artifacts
    for name, definition in spec.component.artifacts.items():
        if name not in found.artifacts and not definition.optional and not definition.is_list:
            raise SpecError(
                f"Input artifact '{name}' was not made: {_origin(spec.artifacts[name])}."
            )
    return found


def collect_outputs(scope: Task) -> Values:
    """Collect the outputs of a scope from its children; what no child made is left out."""
    dag = scope.component.dag
    assert dag is not None
    found = Values()
    for name, (child, key) in dag.parameters.items():
        parameters = scope.children[child].outputs.parameters
        if key in parameters:
            found.parameters[name] = parameters[key]
    for name, selectors in dag.artifacts.items():
        made = [
            artifact
            for child, key in selectors
            for artifact in scope.children[child].outputs.artifacts.get(key, ())
        ]
        if made:
            found.artifacts[name] = made
    return found


def _parameter(source: Source, scope: Task) -> Json:
    if source.kind == "constant":
        return source.value
    if source.kind == "component":
        return scope.inputs.parameters.get(source.key)
    return scope.children[source.producer].outputs.parameters.get(source.key)


def _artifacts(source: Source, scope: Task) -> list[Artifact] | None:
    if source.kind == "component":
        return scope.inputs.artifacts.get(source.key)
    return scope.children[source.producer].outputs.artifacts.get(source.key)


def _complete(values: dict[str, Json], spec: TaskSpec) -> None:
    """Convert the values to their declared types and add defaults."""
    for name, definition in spec.component.parameters.items():
        if name in values:
            values[name] = convert(values[name], definition.type, name)
        elif definition.has_default:
            values[name] = definition.default
        elif not definition.optional:
            raise SpecError(
                f"Input parameter '{name}' has no value: {_origin(spec.parameters[name])}."
            )


def _origin(source: Source) -> str:
    if source.kind == "output":
        return f"task '{source.producer}' wrote no output '{source.key}'"
    if source.kind == "component":
        return f"input '{source.key}' of the enclosing pipeline is empty"
    return "its constant is null"
