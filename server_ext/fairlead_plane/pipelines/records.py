"""A run in memory: the tree of its tasks, and what they read and wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from .clock import later
from .model import WORKSPACE_PATH, Component, Pipeline, TaskSpec

Json = Any

PENDING = "PENDING"
RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
SKIPPED = "SKIPPED"
FAILED = "FAILED"
CANCELING = "CANCELING"
CANCELED = "CANCELED"
CACHED = "CACHED"
"""Of a task only: it succeeded without running. Word of upstream's `PipelineTaskDetail.TaskState`;
the other words are those of `RuntimeState` (`backend/api/v2beta1/run.proto`)."""

PASSED = frozenset({SUCCEEDED, CACHED})
ENDED = frozenset({SUCCEEDED, CACHED, SKIPPED, FAILED, CANCELED})

ARTIFACT_TYPES = {
    "system.Model": "Model",
    "system.Dataset": "Dataset",
    "system.HTML": "HTML",
    "system.Markdown": "Markdown",
    "system.Metrics": "Metric",
    "system.ClassificationMetrics": "ClassificationMetric",
    "system.SlicedClassificationMetrics": "SlicedClassificationMetric",
}


@dataclass(slots=True)
class Artifact:
    """One artifact that a task wrote."""

    artifact_id: str
    name: str
    schema: Json
    """`artifactType` of the IR."""
    uri: str
    metadata: dict[str, Json]
    created_at: str
    sha256: str = ""
    """Of the content; of the metadata when there is no file."""
    size: int = 0
    """Bytes of the content, 0 when there is no file."""
    stamp: str = ""
    """Changes when the file changes, see `files.stamp`; empty when there is no file."""
    _view: bytes = b""

    @property
    def type(self) -> str:
        """Word of upstream's `Artifact.ArtifactType`."""
        return ARTIFACT_TYPES.get(self.schema.get("schemaTitle", ""), "Artifact")

    def runtime(self) -> Json:
        """Return the `RuntimeArtifact` of an ExecutorInput."""
        return {
            "name": self.name,
            "type": self.schema,
            "uri": self.uri,
            "metadata": self.metadata,
        }

    def view(self) -> orjson.Fragment:
        """Return the artifact in the shape of upstream's `artifact.proto`, as JSON."""
        if not self._view:
            view = {
                "artifact_id": self.artifact_id,
                "name": self.name,
                "type": self.type,
                "uri": self.uri,
                "metadata": self.metadata,
                "created_at": self.created_at,
                "namespace": "",
                "schema_title": self.schema.get("schemaTitle", ""),
                "size": self.size,
                "sha256": self.sha256,
            }
            number = self.number_value
            if number is not None:
                view["number_value"] = number
            self._view = orjson.dumps(view)
        return orjson.Fragment(self._view)

    @property
    def number_value(self) -> float | None:
        """The value of a metrics artifact that holds a single number."""
        if self.type != "Metric":
            return None
        numbers = [
            value
            for value in self.metadata.values()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        return float(numbers[0]) if len(numbers) == 1 else None


Artifacts = dict[str, list[Artifact]]


@dataclass(slots=True)
class Values:
    """What goes into a task or comes out of it."""

    parameters: dict[str, Json] = field(default_factory=dict)
    artifacts: Artifacts = field(default_factory=dict)


@dataclass(slots=True)
class Task:
    """One task of a run, or a scope of tasks: a task whose component is a DAG."""

    task_id: str
    name: str
    path: str
    """Names from the root down, joined by `.`; empty for the root."""
    component: Component
    spec: TaskSpec | None
    """`None` for the root."""
    parent: Task | None
    state: str = PENDING
    pod: str = ""
    attempt: int = 0
    """Counts the pods made for it, so the first has 1."""
    failures: int = 0
    """Attempts that failed by themselves, since the last retry of the run."""
    losses: int = 0
    """Attempts whose process was lost by the node, since the last retry of the run."""
    failed_pods: list[str] = field(default_factory=list)
    inputs: Values = field(default_factory=Values)
    outputs: Values = field(default_factory=Values)
    error: Json = None
    create_time: str = ""
    start_time: str = ""
    end_time: str = ""
    history: list[Json] = field(default_factory=list)
    cache_key: str = ""
    reason: str = ""
    """Why it was or was not taken from the cache, and what of it has no effect here."""
    held: str = ""
    """What its pod waits for, in words; not stored: the pod says it again."""
    children: dict[str, Task] = field(default_factory=dict)
    waiting: int = 0
    """Upstream tasks that have not ended."""
    open: int = 0
    """Children that have not ended."""
    iteration: int | None = None
    """Which iteration of the loop above it this scope is, from 0."""
    iterations: int | None = None
    """How many iterations a loop has, once it has begun."""
    idle: int = 0
    """Iterations of a loop that wait for their turn."""
    cursor: int = 0
    """Before this one, none of a loop's iterations waits for its turn."""
    not_before: str = ""
    """When it is tried again after a failure; empty while it does not wait for that."""
    tried_since: str = ""
    """When the first of its attempts began that a retry policy counts."""

    @property
    def type(self) -> str:
        """Word of upstream's `PipelineTaskDetail.TaskType`."""
        if self.spec is None:
            return "ROOT"
        return self.spec.type if self.iteration is None else "DAG"

    @property
    def display_name(self) -> str:
        """Name for people."""
        if self.spec is None:
            return self.name
        if self.iteration is not None:
            return f"Iteration {self.iteration}"
        return self.spec.display_name

    @property
    def is_loop(self) -> bool:
        """Whether its children are iterations."""
        return self.spec is not None and self.spec.iterator is not None and self.iteration is None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state in ENDED

    def walk(self) -> Iterator[Task]:
        """Yield all tasks below, scopes before what is in them."""
        for child in self.children.values():
            yield child
            yield from child.walk()


@dataclass(slots=True)
class Run:
    """One run that has not ended, or ended in this pass."""

    run_id: str
    name: str
    workflow: str
    """Name of its Workflow object; begins the names of its pods and is its artifacts' folder."""
    workflow_uid: str
    namespace: str
    pipeline: Pipeline
    pipeline_root: str
    """Folder under which its artifacts go, absolute, without the run's own folder."""
    root: Task
    created_at: str
    scheduled_at: str = ""
    finished_at: str = ""
    state: str = PENDING
    error: Json = None
    history: list[Json] = field(default_factory=list)
    changes: int = 0
    """Passes that changed it."""
    tasks: dict[str, Task] = field(default_factory=dict)
    """All tasks in the tree but the root, by id."""
    pods: dict[str, Task] = field(default_factory=dict)
    """Tasks by the pods that were made for them."""
    waiting: dict[str, Task] = field(default_factory=dict)
    """Tasks that wait to be tried again after a failure, by id."""
    waits_for: str = ""
    """What it waits for before it begins, in words; not stored: it is asked again."""
    remote_root: str = ""
    """URI of an object store under which its artifacts go instead, without the run's own folder."""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels of its Workflow beside that of the run's id: of the schedule that started it."""

    @property
    def root_uri(self) -> str:
        """The pipeline root as its steps and users know it."""
        return self.remote_root or self.pipeline_root

    def names(self) -> dict[str, str]:
        """Return the words of placeholders that are the same for all of its tasks."""
        names = {
            "pipeline_job_name": self.workflow,
            "pipeline_job_resource_name": self.workflow,
            "pipeline_job_uuid": self.run_id,
            "pipeline_root": self.root_uri,
            "pipeline_job_create_time_utc": self.created_at,
            "pipeline_job_schedule_time_utc": self.scheduled_at or self.created_at,
        }
        if self.pipeline.workspace is not None:
            names["workspace_path"] = WORKSPACE_PATH
        return names

    @property
    def deadline(self) -> str:
        """When it has been active for as long as it may; empty: it may be for ever."""
        seconds = self.pipeline.config.deadline_s
        if not seconds or self.state != RUNNING:
            return ""
        began = [entry["update_time"] for entry in self.history if entry["state"] == RUNNING]
        return later(began[-1], seconds)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self.state == CANCELING

    def counts(self) -> tuple[int, int]:
        """Return how many steps have passed or were skipped, and how many are known so far."""
        done = total = 0
        for task in self.tasks.values():
            if task.children or task.iterations == 0:
                continue
            # A scope that has not begun stands for what is in it.
            total += task.component.size
            if task.state in PASSED or task.state == SKIPPED:
                done += task.component.size
        return done, total


def task_id(run_id: str, path: str) -> str:
    """Return the id of a task, in the form of a UUID: the same whoever builds the run's tree."""
    # A hash cut to shape: uuid5 takes four times as long, and a run may have a thousand tasks.
    digest = hashlib.sha1(f"{run_id}/{path}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def failure(code: int, message: str, details: list[Json] | None = None) -> Json:
    """Build a google.rpc.Status; `code` is a google.rpc.Code."""
    return {"code": code, "message": message, "details": details or []}
