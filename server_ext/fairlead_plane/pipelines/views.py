"""Runs as REST shows them, from their rows."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

Json = Any


def run_view(
    db: sqlite3.Connection, row: sqlite3.Row, *, spec: bool = False, values: bool = False
) -> Json:
    """Return a run in the shape of upstream's `run.proto`.

    Parameters
    ----------
    row : sqlite3.Row
        Of table `runs`.
    spec : bool
        With the pipeline spec as posted.
    values : bool
        Tasks with all that is known of them, not only with names, states and times.
    """
    view: Json = {
        "experiment_id": row["experiment_id"],
        "run_id": row["run_id"],
        "display_name": row["display_name"],
        "storage_state": row["storage_state"],
        "description": row["description"],
        "runtime_config": orjson.Fragment(row["runtime_config"]),
        "service_account": row["service_account"],
        "created_at": row["created_at"],
        "scheduled_at": row["scheduled_at"],
        "state": row["state"],
        "state_history": orjson.Fragment(row["history"]),
        "recurring_run_id": row["recurring_run_id"],
    }
    if row["pipeline_id"]:
        view["pipeline_version_reference"] = {
            "pipeline_id": row["pipeline_id"],
            "pipeline_version_id": row["pipeline_version_id"],
        }
    if row["finished_at"]:
        view["finished_at"] = row["finished_at"]
    if row["error"] is not None:
        view["error"] = orjson.Fragment(row["error"])
    if spec:
        view["pipeline_spec"] = orjson.Fragment(row["spec"])
    if values:
        tasks = [
            orjson.Fragment(body)
            for (body,) in db.execute(
                "SELECT view FROM tasks WHERE run_id = ? ORDER BY position", (row["run_id"],)
            )
        ]
    else:
        tasks = _brief_tasks(db, row["run_id"])
    view["run_details"] = {"task_details": tasks}
    return view


def find_run(db: sqlite3.Connection, run_id: str) -> sqlite3.Row | None:
    """Return the row of a run."""
    cursor = db.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,))
    cursor.row_factory = sqlite3.Row
    row: sqlite3.Row | None = cursor.fetchone()
    return row


def _brief_tasks(db: sqlite3.Connection, run_id: str) -> list[Json]:
    rows = db.execute(
        """SELECT task_id, name, display_name, path, state, type, parent, iteration, iterations,
           create_time, start_time, end_time FROM tasks WHERE run_id = ? ORDER BY position""",
        (run_id,),
    )
    tasks = []
    for (identity, name, display, path, state, type_, parent, index, count, created, started,
         ended) in rows:  # fmt: skip
        if index is not None:
            name = path.split(".")[-2]  # An iteration has the name of its loop.
        task = {
            "run_id": run_id,
            "task_id": identity,
            "display_name": display or name,
            "name": name,
            "type": type_,
            "state": state,
            "create_time": created,
        }
        if parent:
            task["parent_task_id"] = parent
        if index is not None:
            task["type_attributes"] = {"iteration_index": index}
        elif count is not None:
            task["type_attributes"] = {"iteration_count": count}
        if started:
            task["start_time"] = started
        if ended:
            task["end_time"] = ended
        tasks.append(task)
    return tasks
