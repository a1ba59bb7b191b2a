"""A run as one glance shows it: nodes, edges, states; the same for panel, widget and static form.

The view is plain JSON:

    {id, name, state, done, total, created_at, started_at, finished_at, metrics, error, parameters,
     graph: {nodes: [Node], edges: [{source, target, names}]}}

    Node {id, name, state, cached, started_at, finished_at, pod, error, inputs, outputs, cell_ids}
    Port {name, kind: "artifact" | "parameter", type, format, size, value, uri}

States are KFP's. A node's error is `{message, cell_id, line, ename, evalue}`. Times are RFC 3339.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]

_DONE = frozenset({"SUCCEEDED", "CACHED"})
_INTERNAL_INPUTS = frozenset({"step"})


def pipeline_spec_of(record: Mapping[str, Any]) -> Json:
    """Return the pipeline spec of a run record, unwrapped from `{pipeline_spec, platform_spec}`."""
    posted: Json = record.get("pipeline_spec") or {}
    inner = posted.get("pipeline_spec")
    return inner if isinstance(inner, dict) else posted


def run_summary(record: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> Json:
    """Return the view of a run without its graph."""
    tasks = _task_details(record)
    error = record.get("error") or {}
    started = [task["start_time"] for task in tasks.values() if task.get("start_time")]
    total = len(pipeline_spec_of(record).get("root", {}).get("dag", {}).get("tasks", {}))
    return {
        "id": record["run_id"],
        "name": record.get("display_name") or record["run_id"],
        "state": record.get("state") or "PENDING",
        "done": sum(task.get("state") in _DONE for task in tasks.values()),
        "total": total or len(tasks),
        "created_at": record.get("created_at"),
        "started_at": min(started, default=None),
        "finished_at": record.get("finished_at"),
        "metrics": dict(metrics or {}),
        "error": error.get("message"),
    }


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
    spec = pipeline_spec_of(record)
    tasks = spec.get("root", {}).get("dag", {}).get("tasks", {})
    details = _task_details(record)
    given = (record.get("runtime_config") or {}).get("parameters") or {}
    parameters = _parameters(spec, given)
    nodes = [
        _node(name, task, spec, details.get(name, {}), parameters) for name, task in tasks.items()
    ]
    for node in nodes:
        _name_cell(node["error"], cell_numbers or {})
    return {
        **run_summary(record, metrics_of(record)),
        "parameters": parameters,
        "graph": {"nodes": nodes, "edges": _edges(tasks)},
    }


def metrics_of(record: Mapping[str, Any]) -> dict[str, float]:
    """Collect the numbers of a run's metrics artifacts, by name; a later one wins."""
    found: dict[str, float] = {}
    for task in _task_details(record).values():
        for artifact in _artifacts(task, "outputs").values():
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


def _task_details(record: Mapping[str, Any]) -> dict[str, Json]:
    tasks = (record.get("run_details") or {}).get("task_details") or []
    # A task's own name where the server knows it; older ones say only what its author calls it.
    return {
        task.get("name") or task["display_name"]: task
        for task in tasks
        if not task.get("parent_task_id")
    }


def _parameters(spec: Json, given: Mapping[str, Any]) -> Json:
    declared = spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    values = {name: one["defaultValue"] for name, one in declared.items() if "defaultValue" in one}
    return {**values, **given}


def _edges(tasks: Json) -> list[Json]:
    edges: dict[tuple[str, str], list[str]] = {}
    for target, task in tasks.items():
        for source in task.get("dependentTasks", []):
            edges.setdefault((source, target), [])
        inputs = task.get("inputs", {})
        for name, value in inputs.get("artifacts", {}).items():
            produced = value.get("taskOutputArtifact")
            if produced:
                edges.setdefault((produced["producerTask"], target), []).append(name)
        for name, value in inputs.get("parameters", {}).items():
            produced = value.get("taskOutputParameter")
            if produced:
                edges.setdefault((produced["producerTask"], target), []).append(name)
    return [
        {"source": source, "target": target, "names": names}
        for (source, target), names in edges.items()
    ]


def _node(name: str, task: Json, spec: Json, detail: Json, parameters: Json) -> Json:
    step = _step_of(task)
    component = spec.get("components", {}).get(task.get("componentRef", {}).get("name"), {})
    cached = detail.get("state") == "CACHED" or bool(
        (detail.get("executor_detail") or {}).get("cached")
    )
    return {
        "id": name,
        "name": task.get("taskInfo", {}).get("name") or name,
        "state": detail.get("state") or "PENDING",
        "cached": cached,
        "started_at": detail.get("start_time"),
        "finished_at": detail.get("end_time"),
        "pod": detail.get("pod_name") or None,
        "error": _error(detail),
        "inputs": _parameter_ports(task, parameters)
        + _artifact_ports(component.get("inputDefinitions", {}), _artifacts(detail, "inputs")),
        "outputs": _artifact_ports(
            component.get("outputDefinitions", {}), _artifacts(detail, "outputs")
        ),
        "cell_ids": [cell["id"] for cell in step.get("cells", [])],
    }


def _step_of(task: Json) -> Json:
    value = task.get("inputs", {}).get("parameters", {}).get("step", {})
    step = value.get("runtimeValue", {}).get("constant")
    return step if isinstance(step, dict) else {}


def _parameter_ports(task: Json, parameters: Json) -> list[Json]:
    ports = []
    for name, value in task.get("inputs", {}).get("parameters", {}).items():
        if name in _INTERNAL_INPUTS and "runtimeValue" in value:
            continue
        source = value.get("componentInputParameter")
        shown = parameters.get(source) if source else value.get("runtimeValue", {}).get("constant")
        ports.append(_port(source or name, "parameter", value=shown))
    return ports


def _artifacts(detail: Json, side: str) -> Json:
    """Return what a task read or wrote, by key: of a list of artifacts the first."""
    values = detail.get(side)
    entries = values.get("artifacts") if isinstance(values, dict) else None
    if not isinstance(entries, list):
        return {}
    return {
        entry["artifact_key"]: entry["artifacts"][0] for entry in entries if entry.get("artifacts")
    }


def _artifact_ports(definitions: Json, made: Json) -> list[Json]:
    ports = []
    for key, definition in definitions.get("artifacts", {}).items():
        artifact = made.get(key, {})
        metadata = artifact.get("metadata") or {}
        kind = definition.get("artifactType", {}).get("schemaTitle", "")
        ports.append(
            _port(
                key,
                "artifact",
                names=metadata.get("names") or [key],
                type=metadata.get("type") or kind.removeprefix("system."),
                format=metadata.get("format"),
                size=metadata.get("size"),
                uri=artifact.get("uri"),
            )
        )
    return ports


def _port(name: str, kind: str, **known: Any) -> Json:
    blank: Json = {"type": None, "format": None, "size": None, "value": None, "uri": None}
    return {"name": name, "names": [name], "kind": kind, **blank, **known}


def _error(detail: Json) -> Json | None:
    error = detail.get("error")
    if not error or not error.get("message"):
        return None
    found: Json = {}
    for item in error.get("details") or []:
        value = item.get("value")
        if isinstance(value, dict):
            found = value
    return {
        "message": error["message"],
        "cell_id": found.get("cell_id"),
        "line": found.get("line"),
        "ename": found.get("ename"),
        "evalue": found.get("evalue"),
    }


def _name_cell(error: Json | None, cell_numbers: Mapping[str, int]) -> None:
    """Put the cell's number, which a reader can count, in the place of its id."""
    if error and error["cell_id"] in cell_numbers:
        number = cell_numbers[error["cell_id"]]
        error["message"] = error["message"].replace(f"cell {error['cell_id']}", f"cell {number}")
