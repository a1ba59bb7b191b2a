"""A run once more: the request that starts it, and from which step on nothing is cached.

Belongs here: pure functions from a run's record to the body of `POST runs`. No I/O.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fairlead.errors import SpecError
from fairlead.pipelines.graph import pipeline_spec_of

Json = dict[str, Any]

_KEPT = ("description", "service_account")
"""Fields of a run that its clone has too."""


def clone_request(
    record: Mapping[str, Any],
    *,
    name: str = "",
    experiment_id: str = "",
    parameters: Mapping[str, Any] | None = None,
    rerun_from: str = "",
) -> Json:
    """Return the request that starts a run of the same pipeline.

    Parameters
    ----------
    record : mapping
        The run as KFP's REST gives it.
    name, experiment_id : str, optional
        Default: those of the run.
    parameters : mapping, optional
        Values, already of their types; default: those of the run.
    rerun_from : str, optional
        Id of a node: it, and all that comes after it, takes nothing from the cache.
    """
    config = dict(record.get("runtime_config") or {})
    if parameters is not None:
        config["parameters"] = dict(parameters)
    request: Json = {
        "display_name": name or record.get("display_name") or "",
        "experiment_id": experiment_id or record.get("experiment_id") or "",
        **{field: record[field] for field in _KEPT if record.get(field)},
        "runtime_config": config,
    }
    reference = record.get("pipeline_version_reference")
    if reference and not rerun_from:
        request["pipeline_version_reference"] = reference
    elif not record.get("pipeline_spec"):
        raise SpecError(
            f"Run {record.get('display_name') or record['run_id']} does not say its pipeline.",
            hint="Its pipeline version may have been deleted.",
        )
    else:
        request["pipeline_spec"] = _posted(record, rerun_from)
    return request


def pipeline_source(record: Mapping[str, Any]) -> Json:
    """Return what a run's pipeline is, as a request says it: by reference, or the spec itself."""
    request = clone_request(record)
    names = ("pipeline_version_reference", "pipeline_spec")
    return {name: request[name] for name in names if name in request}


def without_cache_from(spec: Mapping[str, Any], node: str) -> Json:
    """Return a pipeline spec in which caching is off for a task and all that comes after it.

    In a scope this holds for the tasks after it there, and for what comes after the scope; other
    uses of the scope's component keep their caching.

    Parameters
    ----------
    node : str
        Id of the task's node, as `pipelines.nodes` makes it. Of a loop all iterations are meant.

    Raises
    ------
    SpecError
        The pipeline has no such task.
    """
    fresh: Json = copy.deepcopy(dict(spec))
    _Fresh(fresh).begin_at(fresh.get("root", {}).get("dag", {}), node.split("."), node)
    return fresh


def runs_again(spec: Mapping[str, Any], node: str) -> list[str]:
    """Return the steps that run too when a run begins anew at one: their caching is off.

    Parameters
    ----------
    node : str
        As in `without_cache_from`.

    Returns
    -------
    list of str
        Their ids, without the numbers of iterations; those from the node on are not among them.
    """
    components: Json = spec.get("components", {})
    executors: Json = spec.get("deploymentSpec", {}).get("executors", {})

    def walk(dag: Json, prefix: str, path: list[str]) -> Iterator[str]:
        tasks: Json = dag.get("tasks", {})
        begin, rest = _first(tasks, path)
        asked = {begin, *_after(tasks, begin)} if begin else set()
        for name, task in tasks.items():
            component = components.get(task.get("componentRef", {}).get("name", ""), {})
            inner = component.get("dag")
            within = name == begin and rest
            if name in asked and not within:
                continue
            if inner:
                below = rest if within else []
                if below and below[0].isdigit() and below[0] not in inner.get("tasks", {}):
                    below = below[1:]  # An iteration: the spec has one body for all.
                if not within or below:
                    yield from walk(inner, f"{prefix}{name}.", below)
            elif not _cached(task) and "importer" not in executors.get(
                component.get("executorLabel", ""), {}
            ):
                yield prefix + name

    return list(walk(spec.get("root", {}).get("dag", {}), "", node.split(".")))


def _cached(task: Json) -> bool:
    return bool((task.get("cachingOptions") or {}).get("enableCache"))


def _posted(record: Mapping[str, Any], rerun_from: str) -> Json:
    posted: Json = record["pipeline_spec"]
    if not rerun_from:
        return posted
    fresh = without_cache_from(pipeline_spec_of(record), rerun_from)
    return {**posted, "pipeline_spec": fresh} if "pipeline_spec" in posted else fresh


class _Fresh:
    """Turns caching off in a spec, in place."""

    def __init__(self, spec: Json) -> None:
        self._components: Json = spec.get("components", {})

    def begin_at(self, dag: Json, path: list[str], node: str) -> None:
        """Turn it off from the task at the end of a path on."""
        tasks: Json = dag.get("tasks", {})
        name, rest = _first(tasks, path)
        if not name:
            raise SpecError(f"The pipeline has no step '{node}'.")
        inner = self._component(tasks[name]).get("dag")
        if inner and rest and rest[0] not in inner.get("tasks", {}) and rest[0].isdigit():
            rest = rest[1:]  # An iteration: the spec has one body for all.
        if rest and not inner:
            raise SpecError(f"The pipeline has no step '{node}'.")
        if rest:
            self.begin_at(self._own(tasks[name])["dag"], rest, node)
        else:
            self._turn_off(tasks[name])
        for later in _after(tasks, name):
            self._turn_off(tasks[later])

    def _turn_off(self, task: Json) -> None:
        task["cachingOptions"] = {}
        if self._component(task).get("dag"):
            for inner in self._own(task)["dag"].get("tasks", {}).values():
                self._turn_off(inner)

    def _component(self, task: Json) -> Json:
        found: Json = self._components.get(task.get("componentRef", {}).get("name", ""), {})
        return found

    def _own(self, task: Json) -> Json:
        """Give a task a component that no other task uses, and return it."""
        name = task["componentRef"]["name"]
        number = 2
        while f"{name}-{number}" in self._components:
            number += 1
        own: Json = copy.deepcopy(self._components[name])
        self._components[f"{name}-{number}"] = own
        task["componentRef"] = {**task["componentRef"], "name": f"{name}-{number}"}
        return own


def _first(tasks: Json, path: list[str]) -> tuple[str, list[str]]:
    """Split a path after the task that it begins with; a name may have dots itself."""
    for end in range(1, len(path) + 1):
        name = ".".join(path[:end])
        if name in tasks:
            return name, path[end:]
    return "", path


def _after(tasks: Json, name: str) -> Iterable[str]:
    """Names of the tasks that come after one in its scope, however far."""
    reached = [name]
    for source in reached:
        reached += [
            other
            for other, task in tasks.items()
            if other not in reached and source in _upstream(task)
        ]
    return reached[1:]


def _upstream(task: Json) -> set[str]:
    found = set(task.get("dependentTasks", []))
    inputs = task.get("inputs", {})
    for values in (inputs.get("parameters", {}), inputs.get("artifacts", {})):
        for value in values.values():
            for key in ("taskOutputParameter", "taskOutputArtifact", "taskFinalStatus"):
                if key in value:
                    found.add(value[key]["producerTask"])
    return found
