"""Loops: what one goes over, and what its iterations get and leave."""

from __future__ import annotations

from typing import Any

import orjson

from fairlead.errors import SpecError

from .model import Iterator
from .problems import Reader
from .records import Task, Values
from .values import shown

Json = Any

_LOOP_ITEM = "loop-item"


def is_item(name: str) -> bool:
    """Say whether an input holds an item of a loop, or a part of one.

    The kfp compiler names them so. Where it does not know their type it declares a text, so what
    it declares of them does not count.
    """
    return name.startswith("pipelinechannel--") and _LOOP_ITEM in name


def read_iterator(spec: Json, path: str, reader: Reader) -> Iterator | None:
    """Read `parameterIterator` or `artifactIterator` of a task, and `iteratorPolicy`."""
    policy = reader.mapping(spec.get("iteratorPolicy"), f"{path}.iteratorPolicy")
    reader.fields(policy, f"{path}.iteratorPolicy", ("parallelismLimit",))
    limit = policy.get("parallelismLimit", 0)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 0 or limit % 1:
        reader.problem(
            f"{path}.iteratorPolicy.parallelismLimit", "must be a whole number, 0 or more"
        )
        limit = 0
    if "artifactIterator" in spec and "parameterIterator" in spec:
        reader.problem(
            f"{path}.artifactIterator", "a task has a parameterIterator or this, not both"
        )
    if "artifactIterator" in spec:
        return _artifacts(spec["artifactIterator"], f"{path}.artifactIterator", int(limit), reader)
    if "parameterIterator" in spec:
        return _parameters(
            spec["parameterIterator"], f"{path}.parameterIterator", int(limit), reader
        )
    return None


def loop_items(task: Task) -> list[Json]:
    """Return what a loop goes over, from its inputs.

    Raises
    ------
    SpecError
        The input has no value or holds no list.
    """
    iterator = _iterator_of(task)
    if not iterator.source:
        return list(iterator.items)
    if iterator.kind == "artifact":
        return list(task.inputs.artifacts.get(iterator.source, ()))
    if iterator.source not in task.inputs.parameters:
        raise SpecError(f"Input parameter '{iterator.source}', which the loop is over, is empty.")
    value = task.inputs.parameters[iterator.source]
    items = value
    if isinstance(value, str):
        try:
            items = orjson.loads(value)
        except orjson.JSONDecodeError:
            items = None
    if not isinstance(items, list):
        raise SpecError(
            f"A loop is over a list, and '{iterator.source}' holds none: {shown(value)}"
        )
    return items


def iteration_inputs(loop: Task, item: Json) -> Values:
    """Return the inputs of one iteration: those of the loop, and the item."""
    iterator = _iterator_of(loop)
    if iterator.kind == "artifact":
        return Values(loop.inputs.parameters, {**loop.inputs.artifacts, iterator.item: [item]})
    # Null is no value, as everywhere.
    found = {} if item is None else {iterator.item: item}
    return Values({**loop.inputs.parameters, **found}, loop.inputs.artifacts)


def own_inputs(iteration: Task) -> Values:
    """Return what only this iteration has of its inputs: the item."""
    item = _iterator_of(iteration).item
    inputs = iteration.inputs
    return Values(
        {item: inputs.parameters[item]} if item in inputs.parameters else {},
        {item: inputs.artifacts[item]} if item in inputs.artifacts else {},
    )


def with_loop_inputs(iteration: Task) -> Values:
    """Return all inputs of an iteration that holds its own only."""
    loop, own = iteration.parent, iteration.inputs
    assert loop is not None
    return Values(
        {**loop.inputs.parameters, **own.parameters}, {**loop.inputs.artifacts, **own.artifacts}
    )


def collect(loop: Task) -> Values:
    """Return the outputs of a loop: for each, what the iterations made of it, in their order.

    An iteration that made none, since a condition in it did not hold, adds nothing.
    """
    found = Values(
        {name: [] for name in loop.component.output_parameters},
        {name: [] for name in loop.component.output_artifacts},
    )
    for iteration in loop.children.values():
        for name, value in iteration.outputs.parameters.items():
            found.parameters[name].append(value)
        for name, made in iteration.outputs.artifacts.items():
            found.artifacts[name].extend(made)
    return found


def _iterator_of(task: Task) -> Iterator:
    assert task.spec is not None
    assert task.spec.iterator is not None
    return task.spec.iterator


def _parameters(value: Json, path: str, limit: int, reader: Reader) -> Iterator:
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("items", "itemInput"))
    item = reader.string(spec.get("itemInput"), f"{path}.itemInput")
    source = reader.mapping(spec.get("items"), f"{path}.items")
    reader.fields(source, f"{path}.items", ("raw", "inputParameter"))
    if "inputParameter" in source:
        name = reader.string(source["inputParameter"], f"{path}.items.inputParameter")
        return Iterator("parameter", item, name, limit=limit)
    text = reader.string(source.get("raw"), f"{path}.items.raw")
    try:
        items = orjson.loads(text)
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list):
        reader.problem(f"{path}.items", "must have an `inputParameter`, or a list in JSON as `raw`")
        items = []
    return Iterator("parameter", item, items=tuple(items), limit=limit)


def _artifacts(value: Json, path: str, limit: int, reader: Reader) -> Iterator:
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("items", "itemInput"))
    items = reader.mapping(spec.get("items"), f"{path}.items")
    reader.fields(items, f"{path}.items", ("inputArtifact",))
    return Iterator(
        "artifact",
        reader.string(spec.get("itemInput"), f"{path}.itemInput"),
        reader.string(items.get("inputArtifact"), f"{path}.items.inputArtifact"),
        limit=limit,
    )
