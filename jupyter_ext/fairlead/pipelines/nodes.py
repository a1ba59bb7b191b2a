"""The nodes and edges of a run: what the spec says there is, and what the run tells of it.

Scopes (sub-pipelines, loops and their iterations, branches, exit handlers) are nodes too; what is
in one names it as its `parent`. Edges are between nodes of one scope only, as in the spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

_INTERNAL_INPUTS = frozenset({"step"})
_CHANNEL = "pipelinechannel--"
"""How the KFP compiler begins the names of values that it passes into scopes."""


def build_graph(spec: Json, details: list[Json], parameters: Json) -> Json:
    """Return `{nodes, edges}` of a run.

    Parameters
    ----------
    spec : dict
        The pipeline spec.
    details : list
        `run_details.task_details` of the run.
    parameters : dict
        Values of the pipeline's parameters.
    """
    graph = _Graph(spec, details)
    graph.add_scope(spec.get("root", {}).get("dag", {}), "", None, graph.top, parameters)
    return {"nodes": graph.nodes, "edges": graph.edges}


def leaf_states(details: list[Json]) -> list[str]:
    """Return the states of the tasks that run something, without the scopes around them."""
    return [
        task.get("state") or "PENDING"
        for task in details
        if task.get("type") in (None, "RUNTIME", "IMPORTER")
    ]


def iterations_of(details: list[Json]) -> Iterator[tuple[int, Json]]:
    """Yield the iterations among the children of a loop, each with its index."""
    for detail in details:
        index = (detail.get("type_attributes") or {}).get("iteration_index")
        if index is not None:
            # A 64-bit number, which protobuf's JSON writes as text.
            yield int(index), detail


class _Graph:
    """Collects nodes and edges, scope by scope."""

    def __init__(self, spec: Json, details: list[Json]) -> None:
        self.nodes: list[Json] = []
        self.edges: list[Json] = []
        self._components: Json = spec.get("components", {})
        self._executors: Json = spec.get("deploymentSpec", {}).get("executors", {})
        self._children: dict[str, list[Json]] = {}
        for detail in details:
            self._children.setdefault(detail.get("parent_task_id") or "", []).append(detail)
        roots = [one for one in self._children.get("", []) if one.get("type") == "ROOT"]
        self.top: Json = roots[0] if roots else {}
        """The task that stands for the whole run, where the server tells of one."""

    def add_scope(
        self, dag: Json, prefix: str, parent: str | None, scope: Json, parameters: Json
    ) -> None:
        """Add the tasks of a scope.

        Parameters
        ----------
        prefix : str
            Begins the ids of its nodes.
        parent : str, optional
            Id of the scope's own node.
        scope : dict
            What the run tells of the scope.
        parameters : dict
            Values of its inputs, as far as they are known.
        """
        tasks: Json = dag.get("tasks", {})
        made = {task_name(one): one for one in self._children.get(scope.get("task_id", ""), [])}
        if not scope and parent is not None:
            made = {}
        for name, task in tasks.items():
            self._add_task(name, task, prefix, parent, made.get(name, {}), parameters)
        for edge in _edges(tasks):
            source, target = prefix + edge["source"], prefix + edge["target"]
            self.edges.append({"source": source, "target": target, "names": edge["names"]})

    def _add_task(
        self,
        name: str,
        task: Json,
        prefix: str,
        parent: str | None,
        detail: Json,
        parameters: Json,
    ) -> None:
        component = self._components.get(task.get("componentRef", {}).get("name", ""), {})
        node = _node(name, task, component, detail, parameters)
        node.update(id=prefix + name, parent=parent, type=self._type(task, component, detail))
        self.nodes.append(node)
        dag = component.get("dag")
        if node["type"] == "LOOP":
            self._add_iterations(node, dag, detail)
        elif dag:
            inside = {port["name"]: port["value"] for port in node["inputs"]}
            self.add_scope(dag, f"{node['id']}.", node["id"], detail, inside)

    def _add_iterations(self, loop: Json, dag: Json | None, detail: Json) -> None:
        children = self._children.get(detail.get("task_id", ""), []) if detail else []
        found = sorted(iterations_of(children), key=lambda pair: pair[0])
        count = (detail.get("type_attributes") or {}).get("iteration_count")
        loop["iterations"] = int(count) if count is not None else len(found) or None
        for index, iteration in found:
            node = _node(str(index), {}, {}, iteration, {})
            node.update(
                id=f"{loop['id']}.{index}",
                name=f"{loop['name']}[{index}]",
                parent=loop["id"],
                type=iteration.get("type") or ("DAG" if dag else "RUNTIME"),
                iteration=index,
            )
            self.nodes.append(node)
            if dag:
                self.add_scope(dag, f"{node['id']}.", node["id"], iteration, {})
        if dag and not found:
            # Before it is known how many there are: once, as the spec says it.
            self.add_scope(dag, f"{loop['id']}.", loop["id"], {}, {})

    def _type(self, task: Json, component: Json, detail: Json) -> str:
        told = detail.get("type")
        if "parameterIterator" in task or "artifactIterator" in task:
            return "LOOP"
        if told and told not in ("ROOT", "DAG"):
            return str(told)
        inside = component.get("dag", {}).get("tasks", {})
        if "condition" in task.get("triggerPolicy", {}):
            return "CONDITION"
        if not component.get("dag"):
            executor = self._executors.get(component.get("executorLabel", ""), {})
            return "IMPORTER" if "importer" in executor else "RUNTIME"
        conditions = ["condition" in one.get("triggerPolicy", {}) for one in inside.values()]
        name = task.get("taskInfo", {}).get("name", "")
        if conditions and all(conditions) and name.startswith("condition-branches"):
            return "CONDITION_BRANCH"
        return "EXIT_HANDLER" if name.startswith("exit-handler-") else "DAG"


def task_name(detail: Mapping[str, Any]) -> str:
    """Name of a task in its scope; older servers tell it as `display_name` only."""
    return str(detail.get("name") or detail.get("display_name") or "")


def _edges(tasks: Json) -> list[Json]:
    edges: dict[tuple[str, str], list[str]] = {}
    for target, task in tasks.items():
        for source in task.get("dependentTasks", []):
            edges.setdefault((source, target), [])
        inputs = task.get("inputs", {})
        for kind, key in (
            ("artifacts", "taskOutputArtifact"),
            ("parameters", "taskOutputParameter"),
            ("parameters", "taskFinalStatus"),
        ):
            for name, value in inputs.get(kind, {}).items():
                produced = value.get(key)
                if produced:
                    shown = name.removeprefix(_CHANNEL)
                    edges.setdefault((produced["producerTask"], target), []).append(shown)
    return [
        {"source": source, "target": target, "names": names}
        for (source, target), names in edges.items()
    ]


def _node(name: str, task: Json, component: Json, detail: Json, parameters: Json) -> Json:
    step = _step_of(task)
    cached = detail.get("state") == "CACHED" or bool(
        (detail.get("executor_detail") or {}).get("cached")
    )
    status = detail.get("status_metadata") or {}
    properties = status.get("custom_properties") or {}
    state = detail.get("state") or "PENDING"
    return {
        "id": name,
        "name": task.get("taskInfo", {}).get("name") or name,
        "task_id": detail.get("task_id"),
        "parent": None,
        "type": "RUNTIME",
        "iteration": None,
        "iterations": None,
        "condition": task.get("triggerPolicy", {}).get("condition"),
        "state": state,
        "waits_for": status.get("message") or None if state == "PENDING" else None,
        "cached": cached,
        "cache_reason": properties.get("cache"),
        "started_at": detail.get("start_time"),
        "finished_at": detail.get("end_time"),
        "pod": detail.get("pod_name") or None,
        "failed_pods": (detail.get("executor_detail") or {}).get("failed_main_jobs") or [],
        "error": _error(detail),
        "inputs": _parameter_ports(task, detail, parameters)
        + _artifact_ports(component.get("inputDefinitions", {}), _artifacts(detail, "inputs")),
        "outputs": _output_parameters(detail)
        + _artifact_ports(component.get("outputDefinitions", {}), _artifacts(detail, "outputs")),
        "cell_ids": [cell["id"] for cell in step.get("cells", [])],
    }


def _step_of(task: Json) -> Json:
    value = task.get("inputs", {}).get("parameters", {}).get("step", {})
    step = value.get("runtimeValue", {}).get("constant")
    return step if isinstance(step, dict) else {}


def _parameter_ports(task: Json, detail: Json, parameters: Json) -> list[Json]:
    told = _parameters(detail, "inputs")
    ports = []
    for name, value in task.get("inputs", {}).get("parameters", {}).items():
        if name in _INTERNAL_INPUTS and "runtimeValue" in value:
            continue
        source = value.get("componentInputParameter")
        shown = parameters.get(source) if source else value.get("runtimeValue", {}).get("constant")
        label = source if source and not source.startswith(_CHANNEL) else name
        ports.append(_port(label, "parameter", value=told.pop(name, shown)))
    # An iteration has no task of its own in the spec: what it takes is told by the run alone.
    ports += [
        _port(name, "parameter", value=value)
        for name, value in told.items()
        if name not in _INTERNAL_INPUTS
    ]
    return ports


def _output_parameters(detail: Json) -> list[Json]:
    told = _parameters(detail, "outputs")
    return [_port(name, "parameter", value=value) for name, value in told.items()]


def _parameters(detail: Json, side: str) -> Json:
    values = detail.get(side)
    entries = values.get("parameters") if isinstance(values, dict) else None
    if not isinstance(entries, list):
        return {}
    return {entry["parameter_key"]: entry.get("value") for entry in entries}


def _artifacts(detail: Json, side: str) -> dict[str, list[Json]]:
    """Return what a task read or wrote, by key."""
    values = detail.get(side)
    entries = values.get("artifacts") if isinstance(values, dict) else None
    if not isinstance(entries, list):
        return {}
    return {entry["artifact_key"]: entry["artifacts"] for entry in entries if entry["artifacts"]}


def _artifact_ports(definitions: Json, made: dict[str, list[Json]]) -> list[Json]:
    ports = []
    for key, definition in definitions.get("artifacts", {}).items():
        artifacts = made.get(key, [])
        artifact = artifacts[0] if artifacts else {}
        metadata = artifact.get("metadata") or {}
        kind = definition.get("artifactType", {}).get("schemaTitle", "")
        ports.append(
            _port(
                key,
                "artifact",
                names=metadata.get("names") or [key.removeprefix(_CHANNEL)],
                type=metadata.get("type") or kind.removeprefix("system."),
                format=metadata.get("format"),
                size=metadata.get("size") or artifact.get("size") or None,
                uri=artifact.get("uri"),
                artifacts=artifacts,
            )
        )
    return ports


def _port(name: str, kind: str, **known: Any) -> Json:
    blank: Json = {"type": None, "format": None, "size": None, "value": None, "uri": None}
    names = [name.removeprefix(_CHANNEL)]
    return {"name": name, "names": names, "kind": kind, **blank, "artifacts": [], **known}


def _error(detail: Json) -> Json | None:
    error = detail.get("error")
    if not error or not error.get("message"):
        return None
    found: Json = {}
    for item in error.get("details") or []:
        metadata = item.get("metadata")  # of a google.rpc.ErrorInfo: texts alone
        if isinstance(metadata, dict):
            found = metadata
    line = str(found.get("line") or "")
    return {
        "message": error["message"],
        "cell_id": found.get("cell_id"),
        "line": int(line) if line.isdigit() else None,
        "ename": found.get("ename"),
        "evalue": found.get("evalue"),
    }
