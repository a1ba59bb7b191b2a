"""Removing what a deleted run leaves: its rows, and its folder once no pod writes there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from fairlead.names import RUN_ID_LABEL

from ..resources import POD, WORKFLOW, Transaction
from . import cache, files
from .pods import run_folder


def delete_run(transaction: Transaction, run_id: str, namespace: str) -> None:
    """Delete a run with its pods, tasks and artifacts; a run that is not there is no error.

    Artifacts that other runs use, by the cache or as inputs, stay with their files. Files
    outside the plane's own pipeline root are never touched.
    """
    db = transaction.db
    row = db.execute(
        "SELECT workflow, pipeline_root, owns_root FROM runs WHERE run_id = ?", (run_id,)
    ).fetchone()
    if row is None:
        return
    workflow, pipeline_root, owns_root = row
    db.execute("DELETE FROM artifact_tasks WHERE run_id = ?", (run_id,))
    db.execute("DELETE FROM tasks WHERE run_id = ?", (run_id,))
    db.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))
    if transaction.find(WORKFLOW, workflow, namespace) is not None:
        transaction.delete(WORKFLOW, workflow, namespace)
    _drop_unused_artifacts(db)
    if owns_root:
        folder = str(run_folder(pipeline_root, workflow))
        db.execute("INSERT OR REPLACE INTO leftovers VALUES (?, ?)", (run_id, folder))
        sweep(transaction, namespace)


def sweep(transaction: Transaction, namespace: str) -> None:
    """Remove the files of deleted runs whose pods are all gone."""
    db = transaction.db
    for run_id, folder in db.execute("SELECT run_id, folder FROM leftovers").fetchall():
        if transaction.list(POD, namespace, label_selector=f"{RUN_ID_LABEL}={run_id}"):
            continue
        if _remove_files(db, Path(folder)):
            db.execute("DELETE FROM leftovers WHERE run_id = ?", (run_id,))


def _drop_unused_artifacts(db: sqlite3.Connection) -> None:
    unused = [
        row[0]
        for row in db.execute(
            """SELECT artifact_id FROM artifacts AS one WHERE NOT EXISTS
               (SELECT 1 FROM artifact_tasks AS link WHERE link.artifact_id = one.artifact_id)"""
        )
    ]
    cache.forget(db, unused)
    db.executemany("DELETE FROM artifacts WHERE artifact_id = ?", [(one,) for one in unused])


def _remove_files(db: sqlite3.Connection, folder: Path) -> bool:
    """Remove a run's folder but for the attempts that hold artifacts still in use.

    Returns
    -------
    bool
        Nothing of it is left.
    """
    prefix = f"{folder}/"
    kept = {
        tuple(Path(uri).relative_to(folder).parts[:2])
        for (uri,) in db.execute(
            "SELECT uri FROM artifacts WHERE uri >= ? AND uri < ?", (prefix, f"{folder}0")
        )
    }
    if not kept:
        files.remove_tree(folder)
        return True
    for task in sorted(folder.iterdir()):
        for attempt in sorted(task.iterdir()):
            if (task.name, attempt.name) not in kept:
                files.remove_tree(attempt)
    return False
