"""Pipelines of many tasks that cost nothing: each waits until a file of its name appears."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

Json = dict[str, Any]
# The tasks of one pipeline, or of one of its sub-pipelines: after which others each runs.
Tasks = dict[str, list[str]]
GATE = "gate"


def waiting_pipeline(
    name: str, tasks: Tasks, folder: Path, *, inside: dict[str, Tasks] | None = None
) -> Json:
    """A pipeline whose tasks end when their files are there; `inside` are its sub-pipelines."""
    inner = inside or {}
    executors: Json = {}
    components: Json = {}

    def dag_of(some: Tasks) -> Json:
        for one in some:
            if one in inner:
                components[f"comp-{one}"] = {"dag": dag_of(inner[one])}
            else:
                components[f"comp-{one}"] = {"executorLabel": f"exec-{one}"}
                script = f"until [ -e '{folder / one}' ]; do sleep 0.1; done"
                executors[f"exec-{one}"] = {
                    "container": {"image": "python:3.11", "command": ["sh", "-c", script]}
                }
        return {
            "tasks": {
                one: {
                    "taskInfo": {"name": one},
                    "componentRef": {"name": f"comp-{one}"},
                    **({"dependentTasks": after} if after else {}),
                }
                for one, after in some.items()
            }
        }

    root = {"dag": dag_of(tasks)}
    return {
        "pipelineInfo": {"name": name},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "deploymentSpec": {"executors": executors},
        "components": components,
        "root": root,
    }


def names(count: int, word: str = "task") -> list[str]:
    """Names in their order."""
    return [f"{word}-{number:03}" for number in range(count)]


def layers(count: int, width: int) -> Tasks:
    """`gate`, then rows of `width`: each task after two of the row before."""
    made: Tasks = {GATE: []}
    every = names(count - 1)
    for number, one in enumerate(every):
        above = every[number - number % width - width : number - number % width]
        place = number % width
        made[one] = sorted({above[place], above[(place + 1) % width]}) if above else [GATE]
    return made


def chain(count: int) -> Tasks:
    """`gate`, then one after the other."""
    every = [GATE, *names(count - 1)]
    return {one: every[number - 1 : number] if number else [] for number, one in enumerate(every)}


def fan(count: int) -> Tasks:
    """`gate`, then all at once, then one after them all."""
    middle = names(count - 2)
    return {GATE: [], **{one: [GATE] for one in middle}, "last": middle}


def tangle(count: int) -> Tasks:
    """`gate`, then each after two others of those before, the same in every run."""
    chance = random.Random(7)
    every = [GATE, *names(count - 1)]
    return {
        one: sorted({chance.choice(every[:number]) for _ in range(2)}) if number else []
        for number, one in enumerate(every)
    }
