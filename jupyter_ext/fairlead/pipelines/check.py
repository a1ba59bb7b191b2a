"""Checks of a pipeline spec that need no back end: form, references, required inputs, cycles."""

from __future__ import annotations

from typing import Any

from fairlead.errors import SpecError

Json = dict[str, Any]


def check_spec(spec: Json) -> None:
    """Check a PipelineSpec; see `fairlead.pipelines.check_pipeline`."""
    _check_form(spec)
    components = spec.get("components", {})
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    for name, component in components.items():
        label = component.get("executorLabel")
        if label is not None and label not in executors:
            raise _error(f"components.{name}.executorLabel", f"no executor is named '{label}'")
        if "dag" in component:
            _check_dag(component, components, f"components.{name}")
    if "dag" not in spec.get("root", {}):
        raise _error("root.dag", "a pipeline has a DAG at its root")
    _check_dag(spec["root"], components, "root")


def _error(path: str, what: str) -> SpecError:
    return SpecError(
        f"The pipeline spec is not valid at {path}: {what}.",
        hint="Compile it again, or correct that field.",
    )


def _check_form(spec: Json) -> None:
    # Loaded here: protobuf takes longer to import than all of this package.
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    if not isinstance(spec, dict):
        raise _error("the top", "it is not an object")
    try:
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        # The deployment is an untyped struct inside a PipelineSpec: it has a message of its own.
        deployment = pipeline_spec_pb2.PipelineDeploymentConfig()
        json_format.ParseDict(spec.get("deploymentSpec", {}), deployment)
    except (json_format.ParseError, TypeError, AttributeError) as error:
        raise _error("the top", str(error).rstrip(".")) from error


def _check_dag(component: Json, components: Json, path: str) -> None:
    tasks = component["dag"].get("tasks", {})
    inputs = component.get("inputDefinitions", {})
    edges: dict[str, set[str]] = {}
    for name, task in tasks.items():
        where = f"{path}.dag.tasks.{name}"
        reference = task.get("componentRef", {}).get("name")
        if reference not in components:
            raise _error(f"{where}.componentRef", f"no component is named '{reference}'")
        edges[name] = set(task.get("dependentTasks", []))
        for kind in ("parameters", "artifacts"):
            given = task.get("inputs", {}).get(kind, {})
            for key, value in given.items():
                producer = _check_input(
                    value, kind, tasks, components, inputs, f"{where}.inputs.{key}"
                )
                if producer:
                    edges[name].add(producer)
            _check_required(components[reference], kind, given, task, where)
        unknown = edges[name] - set(tasks)
        if unknown:
            raise _error(f"{where}.dependentTasks", f"no task is named '{min(unknown)}'")
    _check_cycles(edges, path)


def _check_required(component: Json, kind: str, given: Json, task: Json, where: str) -> None:
    for key, definition in component.get("inputDefinitions", {}).get(kind, {}).items():
        optional = definition.get("isOptional") or "defaultValue" in definition
        looped = key in str(task.get("parameterIterator", "")) + str(
            task.get("artifactIterator", "")
        )
        if key not in given and not optional and not looped:
            raise _error(f"{where}.inputs.{kind}", f"the required input '{key}' is missing")


def _check_input(
    value: Json, kind: str, tasks: Json, components: Json, inputs: Json, where: str
) -> str:
    """Check where one input comes from; return the task that gives it, or an empty string."""
    for word, key_name, outputs in (
        ("taskOutputParameter", "outputParameterKey", "parameters"),
        ("taskOutputArtifact", "outputArtifactKey", "artifacts"),
    ):
        if word in value:
            producer, key = value[word].get("producerTask"), value[word].get(key_name)
            if producer not in tasks:
                raise _error(where, f"no task is named '{producer}'")
            reference = tasks[producer].get("componentRef", {}).get("name")
            made = components.get(reference, {}).get("outputDefinitions", {}).get(outputs, {})
            if key not in made:
                raise _error(where, f"task '{producer}' has no output '{key}'")
            return str(producer)
    for word, group in (
        ("componentInputParameter", "parameters"),
        ("componentInputArtifact", "artifacts"),
    ):
        name = value.get(word)
        # Names that KFP's compiler makes for the item of a loop are not among the definitions.
        if name is not None and name not in inputs.get(group, {}) and "loop-item" not in name:
            raise _error(where, f"the pipeline has no input '{name}'")
    return ""


def _check_cycles(edges: dict[str, set[str]], path: str) -> None:
    circle = find_cycle(edges)
    if circle:
        raise _error(f"{path}.dag.tasks", "tasks wait for each other: " + " -> ".join(circle))


def find_cycle(edges: dict[str, set[str]]) -> list[str]:
    """Return a cycle of a graph as its nodes, the first one again at the end; empty if none.

    Parameters
    ----------
    edges
        For each node the nodes that it waits for.
    """
    state: dict[str, int] = {}
    for start in sorted(edges):
        stack = [(start, iter(sorted(edges[start])))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            node, waiting = stack[-1]
            after = next(waiting, None)
            if after is None:
                state[node] = 2
                stack.pop()
            elif state.get(after) == 1:
                path = [entry[0] for entry in stack]
                return [*path[path.index(after) :], after]
            elif after not in state:
                state[after] = 1
                stack.append((after, iter(sorted(edges.get(after, ())))))
    return []
