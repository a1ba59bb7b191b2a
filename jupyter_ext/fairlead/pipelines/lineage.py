"""Where an artifact comes from and what was made with it. Pure: how to ask is handed in.

The graph is plain JSON, drawn by the same component as a run's:

    {nodes: [{id, name, kind: "artifact" | "task", type, state, run_id, run_name, ref}],
     edges: [{source, target, names}], more}

`ref` is the artifact's or the task's id. `more` says that the graph goes on where it was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fairlead.pipelines.plots import artifact_type

Json = dict[str, Any]
Ask = Callable[[Iterable[str]], list[Json]]

MADE = "OUTPUT"
"""Type of the link of a task to what it made; every other type is a way of reading."""
_DEPTH = 4
_MOST_NODES = 80


class Tasks:
    """The tasks of runs, by id; runs are read when a task of them is first met.

    Parameters
    ----------
    read_run : callable
        Returns a run's record; `None` for one that is no more.
    """

    def __init__(self, read_run: Callable[[str], Json | None]) -> None:
        self._read_run = read_run
        self._runs: dict[str, Json] = {}
        self._tasks: dict[str, Json] = {}
        self._scopes: set[str] = set()

    def run_name(self, run_id: str) -> str:
        """Return a run's display name; its id where it has none, or is no more."""
        self._load(run_id)
        return str(self._runs[run_id].get("display_name") or run_id)

    def run(self, run_id: str) -> Json:
        """Return a run's record, an empty one where it is no more."""
        self._load(run_id)
        return self._runs[run_id]

    def task(self, link: Mapping[str, Any]) -> Json:
        """Return the record of the task of a link, an empty one where its run is no more."""
        self._load(str(link["run_id"]))
        return self._tasks.get(str(link["task_id"]), {})

    def is_scope(self, link: Mapping[str, Any]) -> bool:
        """Whether the task of a link only holds others: what it takes or gives, they do."""
        self._load(str(link["run_id"]))
        return str(link["task_id"]) in self._scopes

    def _load(self, run_id: str) -> None:
        if run_id in self._runs:
            return
        record = self._runs[run_id] = self._read_run(run_id) or {}
        for task in (record.get("run_details") or {}).get("task_details") or []:
            self._tasks[task["task_id"]] = task
            if task.get("parent_task_id"):
                self._scopes.add(task["parent_task_id"])


def lineage_of(
    artifact: Json,
    links_of_artifacts: Ask,
    links_of_tasks: Ask,
    read_artifacts: Callable[[Iterable[str]], Mapping[str, Json]],
    tasks: Tasks,
) -> Json:
    """Return the graph around an artifact: some steps back to its sources, some to its uses."""
    graph = _Graph(tasks, links_of_artifacts, links_of_tasks)
    root = str(artifact["artifact_id"])
    graph.artifacts[root] = artifact
    for back in (True, False):
        graph.walk(root, back=back)
    unknown = [one for one in graph.artifacts if not graph.artifacts[one]]
    graph.artifacts.update(read_artifacts(unknown) if unknown else {})
    return graph.as_json()


class _Graph:
    def __init__(self, tasks: Tasks, of_artifacts: Ask, of_tasks: Ask) -> None:
        self.artifacts: dict[str, Json] = {}
        self._tasks = tasks
        self._of_artifacts = of_artifacts
        self._of_tasks = of_tasks
        self._links: dict[str, Json] = {}
        self._edges: dict[tuple[str, str], list[str]] = {}
        self._more = False

    def walk(self, root: str, *, back: bool) -> None:
        """Follow the links away from the root, level by level."""
        level = [root]
        for _ in range(_DEPTH):
            links = [link for link in self._of_artifacts(level) if (link["type"] == MADE) == back]
            reached = self._add(links)
            if not reached:
                return
            others = [link for link in self._of_tasks(reached) if (link["type"] == MADE) != back]
            known = set(self.artifacts)
            self._add(others)
            level = [one for one in self.artifacts if one not in known]
            if not level:
                return
        self._more = True

    def _add(self, links: Iterable[Json]) -> list[str]:
        """Add links as edges; returns the tasks that are new."""
        new = []
        for link in links:
            if self._tasks.is_scope(link):
                continue
            task, artifact = str(link["task_id"]), str(link["artifact_id"])
            if len(self._links) + len(self.artifacts) >= _MOST_NODES and not (
                task in self._links and artifact in self.artifacts
            ):
                self._more = True
                continue
            if task not in self._links:
                self._links[task] = link
                new.append(task)
            self.artifacts.setdefault(artifact, {})
            made = link["type"] == MADE
            edge = (f"task/{task}", f"artifact/{artifact}")
            names = self._edges.setdefault(edge if made else (edge[1], edge[0]), [])
            if link.get("key") and link["key"] not in names:
                names.append(link["key"])
        return new

    def as_json(self) -> Json:
        nodes = [self._artifact_node(one, self.artifacts[one]) for one in self.artifacts]
        nodes += [self._task_node(link) for link in self._links.values()]
        edges = [
            {"source": source, "target": target, "names": names}
            for (source, target), names in self._edges.items()
        ]
        return {"nodes": nodes, "edges": edges, "more": self._more}

    def _artifact_node(self, artifact_id: str, artifact: Json) -> Json:
        return {
            "id": f"artifact/{artifact_id}",
            "ref": artifact_id,
            "kind": "artifact",
            "name": artifact.get("name") or artifact_id,
            "type": artifact_type(artifact),
            "state": "",
            "run_id": "",
            "run_name": "",
        }

    def _task_node(self, link: Json) -> Json:
        task = self._tasks.task(link)
        return {
            "id": f"task/{link['task_id']}",
            "ref": link["task_id"],
            "kind": "task",
            "name": task_name(task, link),
            "type": str(task.get("type") or ""),
            "state": str(task.get("state") or ""),
            "run_id": link["run_id"],
            "run_name": self._tasks.run_name(str(link["run_id"])),
        }


def task_name(task: Mapping[str, Any], link: Mapping[str, Any]) -> str:
    """Return a task's name; of one whose run is no more, what the link remembers."""
    made = link.get("producer") or {} if link["type"] == MADE else {}
    return str(task.get("name") or task.get("display_name") or made.get("task_name") or "")


def link_view(link: Json, tasks: Tasks) -> Json:
    """Return who made or read an artifact, for a list: run, task, key, state."""
    task = tasks.task(link)
    return {
        "run_id": link["run_id"],
        "run_name": tasks.run_name(str(link["run_id"])),
        "task_id": link["task_id"],
        "task_name": task_name(task, link),
        "key": link.get("key") or "",
        "state": str(task.get("state") or ""),
        "gone": not task,
    }
