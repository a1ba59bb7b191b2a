"""The tables of runs, tasks, artifacts and lineage, and writing them.

Reading for REST is in `views`, reading back for the engine in `restore`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from .events import Changes
from .iterate import own_inputs
from .records import Artifact, Run, Task, Values

Json = Any

STATEMENTS = [
    """CREATE TABLE experiments (
        experiment_id TEXT PRIMARY KEY, display_name TEXT NOT NULL UNIQUE,
        description TEXT NOT NULL, created_at TEXT NOT NULL, storage_state TEXT NOT NULL,
        last_run_created_at TEXT NOT NULL)""",
    """CREATE TABLE pipelines (
        pipeline_id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
        description TEXT NOT NULL, created_at TEXT NOT NULL)""",
    """CREATE TABLE pipeline_versions (
        pipeline_version_id TEXT PRIMARY KEY, pipeline_id TEXT NOT NULL, name TEXT NOT NULL,
        display_name TEXT NOT NULL, description TEXT NOT NULL, created_at TEXT NOT NULL,
        spec BLOB NOT NULL, UNIQUE (pipeline_id, name))""",
    """CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, workflow TEXT NOT NULL, workflow_uid TEXT NOT NULL,
        display_name TEXT NOT NULL, description TEXT NOT NULL, experiment_id TEXT NOT NULL,
        service_account TEXT NOT NULL, pipeline_id TEXT NOT NULL,
        pipeline_version_id TEXT NOT NULL, storage_state TEXT NOT NULL, state TEXT NOT NULL,
        created_at TEXT NOT NULL, scheduled_at TEXT NOT NULL, finished_at TEXT NOT NULL,
        pipeline_root TEXT NOT NULL, owns_root INTEGER NOT NULL, changes INTEGER NOT NULL,
        spec BLOB NOT NULL, runtime_config BLOB NOT NULL, arguments BLOB NOT NULL,
        error BLOB, history BLOB NOT NULL)""",
    "CREATE INDEX runs_by_time ON runs (created_at, run_id)",
    "CREATE INDEX runs_by_state ON runs (state)",
    # `view` is the task as REST shows it; the columns are what the engine reads back.
    """CREATE TABLE tasks (
        task_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, position INTEGER NOT NULL,
        name TEXT NOT NULL, path TEXT NOT NULL, state TEXT NOT NULL, pod TEXT NOT NULL,
        attempt INTEGER NOT NULL, failures INTEGER NOT NULL, losses INTEGER NOT NULL,
        cache_key TEXT NOT NULL, reason TEXT NOT NULL, create_time TEXT NOT NULL,
        start_time TEXT NOT NULL, end_time TEXT NOT NULL, view BLOB NOT NULL)""",
    "CREATE INDEX tasks_by_run ON tasks (run_id, position)",
    """CREATE TABLE artifacts (
        artifact_id TEXT PRIMARY KEY, created_at TEXT NOT NULL, name TEXT NOT NULL,
        type TEXT NOT NULL, uri TEXT NOT NULL, record BLOB NOT NULL, view BLOB NOT NULL)""",
    "CREATE INDEX artifacts_by_uri ON artifacts (uri)",
    """CREATE TABLE artifact_tasks (
        id INTEGER PRIMARY KEY AUTOINCREMENT, artifact_id TEXT NOT NULL, run_id TEXT NOT NULL,
        task_id TEXT NOT NULL, type TEXT NOT NULL, producer TEXT NOT NULL, key TEXT NOT NULL)""",
    "CREATE INDEX artifact_tasks_by_artifact ON artifact_tasks (artifact_id)",
    "CREATE INDEX artifact_tasks_by_run ON artifact_tasks (run_id)",
    "CREATE INDEX artifact_tasks_by_task ON artifact_tasks (task_id)",
    """CREATE TABLE cache (
        key TEXT PRIMARY KEY, task_id TEXT NOT NULL, origin TEXT NOT NULL,
        outputs BLOB NOT NULL)""",
    """CREATE TABLE cache_artifacts (
        artifact_id TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (artifact_id, key)) WITHOUT ROWID""",
    # Folders of deleted runs in which pods still write, or other runs still have artifacts.
    "CREATE TABLE leftovers (run_id TEXT PRIMARY KEY, folder TEXT NOT NULL)",
    "ALTER TABLE pipelines ADD COLUMN tags TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE pipeline_versions ADD COLUMN tags TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE pipeline_versions ADD COLUMN code_source_url TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN remote_root TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE tasks ADD COLUMN display_name TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE tasks ADD COLUMN type TEXT NOT NULL DEFAULT 'RUNTIME'",
    "ALTER TABLE tasks ADD COLUMN parent TEXT NOT NULL DEFAULT ''",
    # Which iteration of a loop a task is, and how many a loop has.
    "ALTER TABLE tasks ADD COLUMN iteration INTEGER",
    "ALTER TABLE tasks ADD COLUMN iterations INTEGER",
    # Of a task that waits to be tried again: until when, and since when it has been tried.
    "ALTER TABLE tasks ADD COLUMN not_before TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE tasks ADD COLUMN tried_since TEXT NOT NULL DEFAULT ''",
    # Runs that hold a mutex or a place of a semaphore, or wait for one, in the order of coming.
    """CREATE TABLE locks (
        position INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, run_id TEXT NOT NULL,
        held INTEGER NOT NULL, UNIQUE (name, run_id))""",
    "CREATE INDEX locks_by_run ON locks (run_id)",
    # When the objects of an ended run go.
    "CREATE TABLE expiries (run_id TEXT PRIMARY KEY, at TEXT NOT NULL)",
    # `object` is the name of its ScheduledWorkflow; `spec` is NULL where a version is referred to.
    # `last_scheduled` is the time, in seconds since 1970, for which a run was started last.
    """CREATE TABLE recurring_runs (
        recurring_run_id TEXT PRIMARY KEY, object TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL, description TEXT NOT NULL, experiment_id TEXT NOT NULL,
        service_account TEXT NOT NULL, pipeline_id TEXT NOT NULL,
        pipeline_version_id TEXT NOT NULL, spec BLOB, runtime_config BLOB NOT NULL,
        timing BLOB NOT NULL, max_concurrency INTEGER NOT NULL, no_catchup INTEGER NOT NULL,
        status TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
        last_index INTEGER NOT NULL, last_scheduled INTEGER, error BLOB)""",
    "ALTER TABLE runs ADD COLUMN recurring_run_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN workflow_labels TEXT NOT NULL DEFAULT '{}'",
    "CREATE INDEX runs_by_schedule ON runs (recurring_run_id) WHERE recurring_run_id != ''",
]

_INPUT_TYPES = {
    "constant": "RUNTIME_VALUE_INPUT",
    "component": "COMPONENT_INPUT",
    "output": "TASK_OUTPUT_INPUT",
    "status": "TASK_FINAL_STATUS_OUTPUT",
}
"""Source of an input -> word of upstream's `IOType` (`backend/api/v2beta1/artifact.proto`)."""


def save_run(db: sqlite3.Connection, run: Run) -> None:
    """Write what changes of a run."""
    db.execute(
        """UPDATE runs SET state = ?, finished_at = ?, changes = ?, error = ?, history = ?
           WHERE run_id = ?""",
        (
            run.state, run.finished_at, run.changes,
            None if run.error is None else orjson.dumps(run.error),
            orjson.dumps(run.history), run.run_id,
        ),
    )  # fmt: skip


def save_changes(db: sqlite3.Connection, run: Run, changes: Changes) -> None:
    """Write the tasks, artifacts and links of a pass."""
    if changes.created:
        _insert_tasks(db, run, changes.created)
    created = {task.task_id for task in changes.created}
    db.executemany(
        """UPDATE tasks SET state = ?, pod = ?, attempt = ?, failures = ?, losses = ?,
           cache_key = ?, reason = ?, create_time = ?, start_time = ?, end_time = ?, view = ?,
           display_name = ?, type = ?, parent = ?, iteration = ?, iterations = ?,
           not_before = ?, tried_since = ?
           WHERE task_id = ?""",
        [
            (*_columns(run, task), task.task_id)
            for task in changes.tasks.values()
            if task.task_id not in created
        ],
    )
    db.executemany(
        "INSERT OR IGNORE INTO artifacts VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.artifact_id, one.created_at, one.name, one.type, one.uri,
                orjson.dumps(record_of(one)), orjson.dumps(one.view()),
            )
            for one in changes.artifacts
        ],
    )  # fmt: skip
    again = [(task.task_id,) for task in changes.restarted]
    db.executemany("DELETE FROM artifact_tasks WHERE task_id = ?", again)
    scopes = [(task.task_id,) for task in changes.ended if task.children]
    db.executemany("DELETE FROM artifact_tasks WHERE task_id = ? AND type = 'OUTPUT'", scopes)
    db.executemany(
        """INSERT INTO artifact_tasks (artifact_id, run_id, task_id, type, producer, key)
           VALUES (?, ?, ?, ?, ?, ?)""",
        [
            *(link for task in changes.started for link in _input_links(run, task)),
            *(link for task in changes.ended for link in _output_links(run, task)),
        ],
    )


def record_of(artifact: Artifact) -> Json:
    """Return an artifact as JSON from which `artifact_of` makes it again."""
    return [
        artifact.artifact_id, artifact.name, artifact.schema, artifact.uri, artifact.metadata,
        artifact.created_at, artifact.sha256, artifact.size, artifact.stamp,
    ]  # fmt: skip


def artifact_of(record: Json) -> Artifact:
    """Make an artifact from its record."""
    return Artifact(*record)


def _insert_tasks(db: sqlite3.Connection, run: Run, tasks: Iterable[Task]) -> None:
    (position,) = db.execute(
        "SELECT count(*) FROM tasks WHERE run_id = ?", (run.run_id,)
    ).fetchone()
    db.executemany(
        f"INSERT INTO tasks VALUES ({', '.join('?' * 23)})",
        [
            (task.task_id, run.run_id, number, task.name, task.path, *_columns(run, task))
            for number, task in enumerate(tasks, position)
        ],
    )


def _columns(run: Run, task: Task) -> tuple[Json, ...]:
    assert task.parent is not None
    return (
        task.state, task.pod, task.attempt, task.failures, task.losses, task.cache_key,
        task.reason, task.create_time, task.start_time, task.end_time,
        orjson.dumps(task_view(run, task)), task.display_name, task.type, task.parent.task_id,
        task.iteration, task.iterations, task.not_before, task.tried_since,
    )  # fmt: skip


def task_view(run: Run, task: Task) -> Json:
    """Return a task as REST shows it.

    Notes
    -----
    The fields of `PipelineTaskDetail` as kfp 2.17's client knows them and, beside them, those of
    upstream's newer proto, which replace them there: `name`, `type`, `pods`, `status_metadata`,
    `cache_fingerprint`, and `inputs` and `outputs` with parameters and artifacts.
    """
    scope = task.parent
    assert scope is not None
    assert scope.component.dag is not None
    assert task.spec is not None
    below = () if task.iteration is not None else scope.component.dag.downstream[task.name]
    view: Json = {
        "run_id": run.run_id,
        "task_id": task.task_id,
        "display_name": task.display_name,
        "name": task.spec.name,
        "type": task.type,
        "create_time": task.create_time,
        "state": task.state,
        "state_history": task.history,
        "executor_detail": {
            "main_job": task.pod,
            "failed_main_jobs": task.failed_pods,
            "cached": task.state == "CACHED",
        },
        "inputs": _inputs_view(task),
        "outputs": _values_view(task.outputs, lambda name: {"type": _output_type(task, name)}),
        "child_tasks": [{"task_id": scope.children[name].task_id, "name": name} for name in below],
    }
    if task.iteration is not None:
        view["type_attributes"] = {"iteration_index": task.iteration}
    elif task.iterations is not None:
        view["type_attributes"] = {"iteration_count": task.iterations}
    if task.start_time:
        view["start_time"] = task.start_time
    if task.end_time:
        view["end_time"] = task.end_time
    if task.pod:
        view["pod_name"] = task.pod
        view["pods"] = [{"name": task.pod, "type": "EXECUTOR"}]
    if scope.parent is not None:
        view["parent_task_id"] = scope.task_id
    if task.error is not None:
        view["error"] = task.error
        view["status_metadata"] = {"message": task.error["message"]}
    elif task.held:
        view["status_metadata"] = {"message": task.held}
    if task.cache_key:
        view["cache_fingerprint"] = task.cache_key
    if task.reason:
        view.setdefault("status_metadata", {})["custom_properties"] = {"cache": task.reason}
    return view


def _inputs_view(task: Task) -> Json:
    if task.iteration is not None:
        # The loop above holds what its iterations share, which may be much.
        return _values_view(own_inputs(task), lambda name: {"type": "ITERATOR_INPUT"})
    return _values_view(task.inputs, lambda name: _origin(task, name))


def _origin(task: Task, name: str) -> Json:
    """Return where an input comes from, as upstream's `IOType` and `IOProducer`."""
    assert task.spec is not None
    assert task.parent is not None
    source = task.spec.parameters.get(name) or task.spec.artifacts.get(name)
    if source is None:
        return {"type": "COMPONENT_DEFAULT_INPUT"}
    if not source.producer:
        return {"type": _INPUT_TYPES[source.kind]}
    type_ = _INPUT_TYPES[source.kind]
    if source.kind == "output" and task.parent.children[source.producer].is_loop:
        type_ = "COLLECTED_INPUTS"
    return {"type": type_, "producer": {"task_name": source.producer}}


def _output_type(task: Task, name: str) -> str:
    dag = task.component.dag
    if dag is None:
        return "OUTPUT"
    if task.is_loop:
        return "ITERATOR_OUTPUT"
    several = dag.parameters.get(name) or dag.artifacts.get(name) or ()
    return "ONE_OF_OUTPUT" if len(several) > 1 else "OUTPUT"


def _values_view(values: Values, more: Callable[[str], Json]) -> Json:
    """Return inputs or outputs as upstream's `InputOutputs`; `more` says what they are."""
    return {
        "parameters": [
            {"parameter_key": name, "value": value, **more(name)}
            for name, value in values.parameters.items()
        ],
        "artifacts": [
            {"artifact_key": name, "artifacts": [one.view() for one in artifacts], **more(name)}
            for name, artifacts in values.artifacts.items()
        ],
    }


def _input_links(run: Run, task: Task) -> Iterable[tuple[str, ...]]:
    inputs = task.inputs if task.iteration is None else own_inputs(task)
    for name, artifacts in inputs.artifacts.items():
        iteration = task.iteration is not None
        origin: Json = {"type": "ITERATOR_INPUT"} if iteration else _origin(task, name)
        producer = origin.get("producer", {}).get("task_name", "")
        for one in artifacts:
            yield (
                one.artifact_id, run.run_id, task.task_id, origin["type"], producer, name,
            )  # fmt: skip


def _output_links(run: Run, task: Task) -> Iterable[tuple[str, ...]]:
    for name, artifacts in task.outputs.artifacts.items():
        for one in artifacts:
            yield one.artifact_id, run.run_id, task.task_id, "OUTPUT", task.name, name
