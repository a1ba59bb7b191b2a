"""The code of a pipeline's steps, as a reader compares it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

SETUP = "setup"
"""Stands for the cells that run at the start of every step of a notebook."""


def step_sources(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the code of each step by the id of its node: its name, in a scope `scope.name`.

    The steps of a notebook are their cells; what they all begin with is there once, as `setup`.
    Other steps are the image and the program that it runs; a function of `kfp` is its source.

    Parameters
    ----------
    spec : mapping
        A PipelineSpec.
    """
    components: Json = spec.get("components") or {}
    executors: Json = (spec.get("deploymentSpec") or {}).get("executors") or {}
    found: dict[str, str] = {}
    shared: dict[str, str] = {}
    for place, task in _tasks((spec.get("root") or {}).get("dag") or {}, components, ""):
        component = _component(task, components)
        notebook = _notebook_step(task)
        if notebook is not None:
            found[place] = _joined(notebook.get("cells") or [])
            for cell in notebook.get("setup") or []:
                if cell.get("source"):
                    shared[cell["id"]] = cell["source"]
        elif "executorLabel" in component:
            found[place] = _program(executors.get(component["executorLabel"]) or {})
    return {SETUP: "\n\n".join(shared.values()), **found} if shared else found


def _tasks(dag: Json, components: Json, prefix: str) -> Iterator[tuple[str, Json]]:
    for name, task in (dag.get("tasks") or {}).items():
        yield prefix + name, task
        component = _component(task, components)
        if "dag" in component:
            yield from _tasks(component["dag"], components, f"{prefix}{name}.")


def _component(task: Json, components: Json) -> Json:
    found: Json = components.get((task.get("componentRef") or {}).get("name", ""), {})
    return found


def _notebook_step(task: Json) -> Json | None:
    given = ((task.get("inputs") or {}).get("parameters") or {}).get("step") or {}
    constant = (given.get("runtimeValue") or {}).get("constant")
    return constant if isinstance(constant, dict) and "cells" in constant else None


def _joined(cells: list[Json]) -> str:
    return "\n\n".join(str(cell.get("source", "")) for cell in cells)


def _program(executor: Json) -> str:
    if "importer" in executor:
        uri = executor["importer"].get("artifactUri") or {}
        return f"# imports {uri.get('constant') or uri.get('runtimeParameter') or ''}"
    container: Json = executor.get("container") or {}
    command = [str(part) for part in container.get("command") or []]
    words = [*command, *(str(part) for part in container.get("args") or [])]
    # A program that is given as an argument is its last and longest word.
    programs = [word for word in command if "\n" in word.strip()]
    text = programs[-1].strip("\n") if programs else " ".join(words)
    return f"# image: {container.get('image', '')}\n{text}"
