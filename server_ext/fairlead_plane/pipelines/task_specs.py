"""Reading one task of a DAG: its inputs, when it runs, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.errors import SpecError

from .expressions import Expression, read_condition, read_selector
from .iterate import read_iterator
from .model import Component, Source, TaskSpec
from .placeholders import refers_to_channels
from .problems import Reader
from .retries import read_policy

Json = Any

_ALWAYS = "ALL_UPSTREAM_TASKS_COMPLETED"
_STRATEGIES = ("TRIGGER_STRATEGY_UNSPECIFIED", "ALL_UPSTREAM_TASKS_SUCCEEDED", _ALWAYS, "", None)
_FIELDS = (
    "taskInfo", "componentRef", "inputs", "dependentTasks", "cachingOptions", "triggerPolicy",
    "retryPolicy", "parameterIterator", "artifactIterator", "iteratorPolicy",
)  # fmt: skip


def read_task(
    name: str, value: Json, path: str, component: Component | None, reader: Reader
) -> TaskSpec | None:
    """Read a task.

    Parameters
    ----------
    component : Component, optional
        What `componentRef` names; without one, a problem was noted and the task is not made.
    """
    spec = reader.mapping(value, path)
    if cell := _first_cell(spec):
        reader.cells[name] = cell
    reader.fields(spec, path, _FIELDS)
    if "." in name:
        reader.problem(path, "a task's name must not contain a dot")
    inputs = reader.mapping(spec.get("inputs"), f"{path}.inputs")
    reader.fields(inputs, f"{path}.inputs", ("parameters", "artifacts"))
    parameters = _sources(
        inputs.get("parameters"), f"{path}.inputs.parameters", reader, "Parameter"
    )
    artifacts = _sources(inputs.get("artifacts"), f"{path}.inputs.artifacts", reader, "Artifact")
    trigger = reader.mapping(spec.get("triggerPolicy"), f"{path}.triggerPolicy")
    reader.fields(trigger, f"{path}.triggerPolicy", ("strategy", "condition"))
    if trigger.get("strategy") not in _STRATEGIES:
        reader.problem(
            f"{path}.triggerPolicy.strategy", f"unknown strategy {trigger['strategy']!r}"
        )
    caching = reader.mapping(spec.get("cachingOptions"), f"{path}.cachingOptions")
    upstream = list(reader.strings(spec.get("dependentTasks"), f"{path}.dependentTasks"))
    sources = (*parameters.values(), *artifacts.values())
    upstream += [source.producer for source in sources if source.kind in ("output", "status")]
    info = reader.mapping(spec.get("taskInfo"), f"{path}.taskInfo")
    display_name = reader.string(info.get("name"), f"{path}.taskInfo.name")
    condition = _expression(
        trigger.get("condition"), f"{path}.triggerPolicy.condition", reader, read_condition
    )
    iterator = read_iterator(spec, path, reader)
    retry = read_policy(spec.get("retryPolicy"), f"{path}.retryPolicy", reader)
    if component is None:
        return None
    return TaskSpec(
        name=name,
        component=component,
        parameters=parameters,
        artifacts=artifacts,
        upstream=tuple(dict.fromkeys(upstream)),
        use_cache=bool(caching.get("enableCache")),
        cache_key=reader.string(caching.get("cacheKey"), f"{path}.cachingOptions.cacheKey"),
        always=trigger.get("strategy") == _ALWAYS,
        retry=retry,
        display_name=display_name or name,
        condition=condition,
        iterator=iterator,
    )


def read_parameter_source(value: Json, path: str, reader: Reader) -> Source:
    """Read where one parameter comes from."""
    return _source(value, path, reader, "Parameter")


def _first_cell(spec: Json) -> str:
    """Return the id of the first cell of a step made from a notebook; empty for other tasks."""
    value = spec
    for key in ("inputs", "parameters", "step", "runtimeValue", "constant", "cells"):
        value = value.get(key) if isinstance(value, dict) else None
    first = value[0] if isinstance(value, list) and value else None
    return str(first["id"]) if isinstance(first, dict) and "id" in first else ""


def _expression(
    value: Json, path: str, reader: Reader, read: Callable[[str], Expression]
) -> Expression | None:
    text = reader.string(value, path)
    if not text:
        return None
    try:
        return read(text)
    except SpecError as error:
        reader.problem(path, error.what)
        return None


def _sources(value: Json, path: str, reader: Reader, kind: str) -> dict[str, Source]:
    """Read where inputs come from; `kind` is "Parameter" or "Artifact"."""
    return {
        name: _source(item, f"{path}.{name}", reader, kind)
        for name, item in reader.mapping(value, path).items()
    }


def _source(value: Json, path: str, reader: Reader, kind: str) -> Source:
    spec = reader.mapping(value, path)
    known = [f"componentInput{kind}", f"taskOutput{kind}"]
    selector = None
    if kind == "Parameter":
        known += ["runtimeValue", "taskFinalStatus", "parameterExpressionSelector"]
        selector = _expression(
            spec.get("parameterExpressionSelector"), f"{path}.parameterExpressionSelector",
            reader, read_selector,
        )  # fmt: skip
    reader.fields(spec, path, known)
    if f"componentInput{kind}" in spec:
        return Source("component", key=str(spec[f"componentInput{kind}"]), selector=selector)
    if f"taskOutput{kind}" in spec:
        produced = reader.mapping(spec[f"taskOutput{kind}"], f"{path}.taskOutput{kind}")
        key = str(produced.get(f"output{kind}Key", ""))
        producer = str(produced.get("producerTask", ""))
        return Source("output", key=key, producer=producer, selector=selector)
    if kind == "Parameter" and "taskFinalStatus" in spec:
        of = reader.mapping(spec["taskFinalStatus"], f"{path}.taskFinalStatus")
        return Source("status", producer=str(of.get("producerTask", "")), selector=selector)
    if kind == "Parameter" and "runtimeValue" in spec:
        at = f"{path}.runtimeValue"
        runtime = reader.mapping(spec["runtimeValue"], at)
        reader.fields(runtime, at, ("constant",), ("runtimeParameter", "constantValue"))
        constant = runtime.get("constant")
        template = refers_to_channels(constant)
        return Source("constant", value=constant, template=template, selector=selector)
    if set(spec) <= {"parameterExpressionSelector"}:
        reader.problem(path, "the input has no source")
    return Source("constant")
