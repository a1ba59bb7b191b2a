"""A run as one glance shows it: nodes, edges, states; the same for panel, widget and static form.

The view is plain JSON:

    {id, name, state, waits_for, done, total, created_at, started_at, finished_at, metrics, error,
     parameters, graph: {nodes: [Node], edges: [{source, target, names}]}}

    Node {id, name, task_id, parent, type, iteration, iterations, condition, state, waits_for,
          cached, cache_reason, started_at, finished_at, pod, failed_pods, error, inputs, outputs,
          cell_ids}
    Port {name, names, kind: "artifact" | "parameter", type, format, size, value, uri, artifacts}

`parent` is the id of the scope that a node is in, null at the top; `type` is the word of KFP's
`PipelineTaskDetail`. Only a LOOP has `iterations`, their number once it is known; its children are
one node each, with their `iteration`, from 0. `artifacts` of a port are as REST tells them. States
are KFP's. A node's error is `{message, cell_id, line, ename, evalue}`. Times are RFC 3339.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from fairlead.pipelines.nodes import build_graph, leaf_states

Json = dict[str, Any]

_DONE = frozenset({"SUCCEEDED", "CACHED"})


def pipeline_spec_of(record: Mapping[str, Any]) -> Json:
    """Return the pipeline spec of a run record, unwrapped from `{pipeline_spec, platform_spec}`."""
    posted: Json = record.get("pipeline_spec") or {}
    inner = posted.get("pipeline_spec")
    return inner if isinstance(inner, dict) else posted


def run_summary(record: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> Json:
    """Return the view of a run without its graph."""
    tasks = _task_details(record)
    error = record.get("error") or {}
    started = [task["start_time"] for task in tasks if task.get("start_time")]
    states = leaf_states(tasks)
    total = len(pipeline_spec_of(record).get("root", {}).get("dag", {}).get("tasks", {}))
    return {
        "id": record["run_id"],
        "name": record.get("display_name") or record["run_id"],
        "state": record.get("state") or "PENDING",
        "waits_for": _waits_for(record),
        "done": sum(state in _DONE for state in states),
        # Of a loop or a branch only the run tells how many tasks it makes.
        "total": max(total, len(states)),
        "created_at": record.get("created_at"),
        "started_at": min(started, default=None),
        "finished_at": record.get("finished_at"),
        "metrics": dict(metrics or {}),
        "error": error.get("message"),
    }


def _waits_for(record: Mapping[str, Any]) -> str | None:
    """Return what keeps a run from beginning, in words: the error of a state that is not final."""
    history = record.get("state_history") or []
    if record.get("state") != "PENDING" or not history:
        return None
    message = (history[-1].get("error") or {}).get("message")
    return str(message) if message else None


def run_view(record: Mapping[str, Any], cell_numbers: Mapping[str, int] | None = None) -> Json:
    """Return the whole view of a run.

    Parameters
    ----------
    record : mapping
        The run as KFP's REST gives it. Artifacts are shown where its tasks hold them, as those of
        newer servers do; an older server's hold numbers that only its own store explains.
    cell_numbers : mapping, optional
        Position of each cell in the notebook, by cell id, for the words of errors.
    """
    parameters = parameters_of(record)
    graph = build_graph(pipeline_spec_of(record), _task_details(record), parameters)
    for node in graph["nodes"]:
        _name_cell(node["error"], cell_numbers or {})
    return {
        **run_summary(record, metrics_of(record)),
        "parameters": parameters,
        "graph": graph,
    }


def parameters_of(record: Mapping[str, Any]) -> Json:
    """Return the values of a run's parameters, with the defaults of those that it was not given."""
    spec = pipeline_spec_of(record)
    given = (record.get("runtime_config") or {}).get("parameters") or {}
    declared = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    values = {name: one["defaultValue"] for name, one in declared.items() if "defaultValue" in one}
    return {**values, **given}


def metrics_of(record: Mapping[str, Any]) -> dict[str, float]:
    """Collect the numbers of a run's metrics artifacts, by name; a later one wins."""
    found: dict[str, float] = {}
    for artifact in _made(record):
        if artifact.get("type") != "Metric":
            continue
        numbers = {
            name: value
            for name, value in (artifact.get("metadata") or {}).items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        if not numbers and artifact.get("number_value") is not None:
            numbers = {artifact["name"]: artifact["number_value"]}
        found.update(numbers)
    return found


def seconds_between(start: str, end: str) -> float:
    """Seconds from one RFC 3339 time to another."""
    # Before Python 3.11, `fromisoformat` does not know the Z.
    first, last = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (start, end))
    return (last - first).total_seconds()


def _task_details(record: Mapping[str, Any]) -> list[Json]:
    found: list[Json] = (record.get("run_details") or {}).get("task_details") or []
    return found


def _made(record: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the artifacts that a run's tasks hold as theirs, in the order of the tasks."""
    for task in _task_details(record):
        outputs = task.get("outputs")
        entries = outputs.get("artifacts") if isinstance(outputs, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            yield from entry["artifacts"]


def _name_cell(error: Json | None, cell_numbers: Mapping[str, int]) -> None:
    """Put the cell's number, which a reader can count, in the place of its id."""
    if error and error["cell_id"] in cell_numbers:
        number = cell_numbers[error["cell_id"]]
        error["message"] = error["message"].replace(f"cell {error['cell_id']}", f"cell {number}")
