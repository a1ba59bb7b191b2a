"""Tasks inside of tasks: loops and conditions, as kfp's compiler nests them.

A group is a component with a DAG of its own. What a task inside takes from outside goes through the
inputs of the groups around it; what it gives, through their outputs.
"""

from __future__ import annotations

import json
from typing import Any

from fairlead.pipelines.conditions import CHANNEL, channel
from fairlead.pipelines.split_records import Branches, Control, Loop, Split

Json = dict[str, Any]

CONTROL_TYPES = {"items": "LIST", "branch": "NUMBER_INTEGER"}
"""Type of the output parameter of a control task, by its key."""

_ITEM = "loop-item"
"""Input parameter of a turn; no variable can have this name."""


def task_name(step: str, split: Split | None) -> str:
    """Return the name of the task at the top that stands for a step."""
    # As kfp names its groups: servers tell them by the beginnings of their names.
    if isinstance(split, Loop):
        return f"for-loop-{step}"
    return f"condition-branches-{step}" if isinstance(split, Branches) else step


def control_json(control: Control) -> Json:
    """Return what the step runner is told of a control task."""
    told = {"cell": control.cell_id, "line": control.line, "sources": list(control.sources)}
    return {"control": {"key": control.key, **told}}


class Groups:
    """Adds groups to the components and the topmost tasks of a pipeline."""

    def __init__(self, components: Json, tasks: Json) -> None:
        self._components = components
        self._tasks = tasks

    def add_control(self, control: Control, component: Json, task: Json) -> None:
        """Add the task that evaluates what a loop or a condition depends on."""
        self._components[f"comp-{control.name}"] = component
        self._tasks[control.name] = task

    def add_loop(self, step: str, loop: Loop, component: Json, task: Json) -> None:
        """Add a step whose turns are tasks."""
        item = f"{CHANNEL}{step}-{_ITEM}"
        group, inner, outer = _nest(task, component)
        inner["inputs"]["parameters"][_ITEM] = {"componentInputParameter": item}
        _step_of(inner)["loop"] = {
            "key": _ITEM,
            **({"type": loop.item_type} if loop.parameter else {}),
        }
        item_type = {"parameterType": loop.item_type}
        component["inputDefinitions"]["parameters"][_ITEM] = item_type
        given = group.setdefault("inputDefinitions", {}).setdefault("parameters", {})
        given[item] = item_type
        if loop.items is None:
            items: Json = {"inputParameter": f"{CHANNEL}{step}-items"}
            source = self._items(outer, loop)
            given[items["inputParameter"]] = {"parameterType": "LIST"}
            outer["inputs"].setdefault("parameters", {})[items["inputParameter"]] = source
        else:
            items = {"raw": json.dumps(list(loop.items))}
        if loop.parallelism:
            outer["iteratorPolicy"] = {"parallelismLimit": loop.parallelism}
        outer["parameterIterator"] = {"itemInput": item, "items": items}
        outputs = [
            key for key in component["outputDefinitions"]["artifacts"] if key in _given_keys(task)
        ]
        if outputs:
            definitions = component["outputDefinitions"]["artifacts"]
            group["outputDefinitions"] = {
                "artifacts": {key: {**definitions[key], "isArtifactList": True} for key in outputs}
            }
        _fill(group, {step: inner}, {key: [(step, key)] for key in outputs})
        self._components[f"comp-{step}"] = component
        self._place(task_name(step, loop), group, outer)

    def _items(self, outer: Json, loop: Loop) -> Json:
        if loop.control is None:
            return {"componentInputParameter": loop.parameter}
        _await(outer, loop.control)
        return _output_of(loop.control)

    def add_branches(
        self, step: str, split: Branches, component: Json, task: Json, plain: str
    ) -> None:
        """Add a step whose branches are tasks.

        Parameters
        ----------
        plain
            Executor of the branch that only hands on what was there before.
        """
        outputs = _given_keys(task)
        asked: Json = {
            f"{CHANNEL}{name}": {"componentInputParameter": name} for name in split.asked
        }
        types = {
            f"{CHANNEL}{name}": {
                "parameterType": component["inputDefinitions"]["parameters"][name]["parameterType"]
            }
            for name in split.asked
        }
        top, _, outer = _nest(task, component)
        if split.control is not None:
            _await(outer, split.control)
            asked = {f"{CHANNEL}{step}-branch": _output_of(split.control)}
            types = {f"{CHANNEL}{step}-branch": {"parameterType": "NUMBER_INTEGER"}}
        top.setdefault("inputDefinitions", {}).setdefault("parameters", {}).update(types)
        outer["inputs"].setdefault("parameters", {}).update(asked)
        branches: Json = {}
        names = split.names if split.written or outputs else split.names[:-1]
        for number, name in enumerate(names):
            keeps = number == len(split.names) - 1 and not split.written
            group, inner, middle = _nest(json.loads(json.dumps(task)), component)
            inner["taskInfo"] = {"name": name}
            inner["componentRef"] = {"name": f"comp-{name}"}
            _step_of(inner)["branch"] = number
            if keeps:
                inner["cachingOptions"] = {"enableCache": True}
                inner.pop("retryPolicy", None)
            own = {**component, "executorLabel": plain} if keeps else component
            self._components[f"comp-{name}"] = own
            group.setdefault("inputDefinitions", {}).setdefault("parameters", {}).update(types)
            definitions = component["outputDefinitions"]["artifacts"]
            if outputs:
                group["outputDefinitions"] = {
                    "artifacts": {key: definitions[key] for key in outputs}
                }
            _fill(group, {name: inner}, {key: [(name, key)] for key in outputs})
            _pass_on(middle)
            middle.pop("dependentTasks", None)
            given = middle["inputs"].setdefault("parameters", {})
            given.update({key: {"componentInputParameter": key} for key in asked})
            label = f"condition-{name}"
            middle["triggerPolicy"] = {"condition": _condition(step, split, number)}
            middle["taskInfo"] = {"name": label}
            middle["componentRef"] = {"name": f"comp-{label}"}
            self._components[f"comp-{label}"] = group
            branches[label] = middle
        selectors = {key: [(label, key) for label in branches] for key in outputs}
        if outputs:
            definitions = component["outputDefinitions"]["artifacts"]
            top["outputDefinitions"] = {"artifacts": {key: definitions[key] for key in outputs}}
        _fill(top, branches, selectors)
        self._place(task_name(step, split), top, outer)

    def _place(self, name: str, group: Json, task: Json) -> None:
        self._components[f"comp-{name}"] = group
        self._tasks[name] = {
            **task,
            "componentRef": {"name": f"comp-{name}"},
            "taskInfo": {"name": name},
        }


def _given_keys(task: Json) -> list[str]:
    """Return the keys of what a task gives to others, besides its notebook and metrics."""
    return list(_step_of(task).get("outputs", {}))


def _step_of(task: Json) -> Json:
    constant: Json = task["inputs"]["parameters"]["step"]["runtimeValue"]["constant"]
    return constant


def _nest(task: Json, component: Json) -> tuple[Json, Json, Json]:
    """Put a task inside of a group.

    Returns
    -------
    tuple
        The component of the group, so far its inputs; the task inside; the task of the group.
    """
    group: Json = {}
    inner = {key: value for key, value in task.items() if key != "dependentTasks"}
    inner["inputs"] = {kind: dict(given) for kind, given in task["inputs"].items()}
    outer: Json = {"inputs": {}}
    if "dependentTasks" in task:
        outer["dependentTasks"] = list(task["dependentTasks"])
    words = {"parameters": "componentInputParameter", "artifacts": "componentInputArtifact"}
    for kind, given in task["inputs"].items():
        passed = {key: value for key, value in given.items() if "runtimeValue" not in value}
        inner["inputs"][kind].update({key: {words[kind]: key} for key in passed})
        if passed:
            outer["inputs"][kind] = passed
            declared = component["inputDefinitions"][kind]
            inputs = group.setdefault("inputDefinitions", {})
            inputs[kind] = {key: declared[key] for key in passed}
    return group, inner, outer


def _pass_on(task: Json) -> None:
    """Let a task take its inputs from the inputs of the group that it is in."""
    words = {"parameters": "componentInputParameter", "artifacts": "componentInputArtifact"}
    for kind, given in task["inputs"].items():
        task["inputs"][kind] = {key: {words[kind]: key} for key in given}


def _fill(group: Json, tasks: Json, outputs: dict[str, list[tuple[str, str]]]) -> None:
    """Give a group its tasks, and its outputs as `(task, key)` of those that may give them."""
    group["dag"] = {"tasks": tasks}
    if outputs:
        group["dag"]["outputs"] = {
            "artifacts": {
                key: {
                    "artifactSelectors": [
                        {"outputArtifactKey": inner, "producerSubtask": name}
                        for name, inner in sources
                    ]
                }
                for key, sources in outputs.items()
            }
        }


def _await(task: Json, control: Control) -> None:
    task["dependentTasks"] = [*task.get("dependentTasks", []), control.name]


def _output_of(control: Control) -> Json:
    key = {"outputParameterKey": control.key, "producerTask": control.name}
    return {"taskOutputParameter": key}


def _condition(step: str, split: Branches, number: int) -> str:
    if split.control is not None:
        return f"int({channel(f'{step}-branch')}) == {number}"
    before = [f"!({text})" for text in split.conditions[:number]]
    return " && ".join([*before, *[f"({t})" for t in split.conditions[number : number + 1]]])
