"""Reading a run back from the tables, so that the engine can go on with it."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from .iterate import with_loop_inputs
from .model import ROOT
from .records import Artifact, Run, Task, Values
from .scopes import recount
from .spec import load_pipeline
from .tables import artifact_of

Json = Any


def load_run(db: sqlite3.Connection, run_id: str, namespace: str) -> Run | None:
    """Return a run with all its tasks; `None` when there is none of that id."""
    db_row = db.execute(
        """SELECT display_name, workflow, workflow_uid, pipeline_root, created_at, scheduled_at,
           finished_at, state, changes, spec, arguments, error, history, remote_root,
           workflow_labels FROM runs WHERE run_id = ?""",
        (run_id,),
    ).fetchone()
    if db_row is None:
        return None
    (name, workflow, uid, folder, created, scheduled, finished, state, changes, spec, arguments,
     error, history, remote_root, labels) = db_row  # fmt: skip
    pipeline = load_pipeline(orjson.loads(spec))
    root = Task("", ROOT, "", pipeline.root, None, None, inputs=Values(orjson.loads(arguments)))
    run = Run(
        run_id, name, workflow, uid, namespace, pipeline, folder, root, created, scheduled,
        finished, state, orjson.loads(error or b"null"), orjson.loads(history), changes,
        remote_root=remote_root, labels=orjson.loads(labels or b"{}"),
    )  # fmt: skip
    _load_tasks(db, run)
    recount(root)
    return run


def _load_tasks(db: sqlite3.Connection, run: Run) -> None:
    artifacts = {
        row[0]: artifact_of(orjson.loads(row[1]))
        for row in db.execute(
            """SELECT artifact_id, record FROM artifacts WHERE artifact_id IN
               (SELECT artifact_id FROM artifact_tasks WHERE run_id = ?)""",
            (run.run_id,),
        )
    }
    scopes = {"": run.root}
    rows = db.execute(
        """SELECT task_id, name, path, state, pod, attempt, failures, losses, cache_key, reason,
           create_time, start_time, end_time, iteration, iterations, not_before, tried_since, view
           FROM tasks WHERE run_id = ? ORDER BY position""",
        (run.run_id,),
    )
    for (identity, name, path, state, pod, attempt, failures, losses, key, reason, created, started,
         ended, index, count, not_before, since, body) in rows:  # fmt: skip
        # A scope is made before what is in it, so its row comes first.
        scope = scopes[path[: -len(name)].removesuffix(".")]
        assert scope.component.dag is not None
        spec = scope.spec if index is not None else scope.component.dag.tasks[name]
        assert spec is not None
        view = orjson.loads(body)
        task = Task(
            identity, name, path, spec.component, spec, scope, state, pod, attempt, failures,
            losses, view["executor_detail"]["failed_main_jobs"],
            _values(view["inputs"], artifacts), _values(view["outputs"], artifacts),
            view.get("error"), created, started, ended, view["state_history"], key, reason,
            iteration=index, iterations=count, not_before=not_before, tried_since=since,
        )  # fmt: skip
        if index is not None:
            # Only the item is stored with an iteration; the rest is what the loop has.
            task.inputs = with_loop_inputs(task)
        scope.children[name] = scopes[path] = task
        run.tasks[identity] = task
        if pod:
            run.pods[pod] = task
        if not_before and not task.ended:
            run.waiting[identity] = task


def _values(view: Json, artifacts: dict[str, Artifact]) -> Values:
    return Values(
        {one["parameter_key"]: one["value"] for one in view["parameters"]},
        {
            one["artifact_key"]: [
                artifacts[artifact["artifact_id"]] for artifact in one["artifacts"]
            ]
            for one in view["artifacts"]
        },
    )
