"""Locks between runs: mutexes, semaphores, and how many runs of a version are active at once.

They are rows, so that a lock outlives the plane as long as the run does that holds it. A run takes
all that it needs at once or waits for all, in the order of coming, so no two wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.errors import SpecError

from ..resources import CONFIG_MAP, Transaction
from .records import Run

SEMAPHORES = "semaphore-config"
"""ConfigMap with the places of each semaphore by its key, as on a cluster; absent: one."""


@dataclass(frozen=True, slots=True)
class _Lock:
    name: str
    words: str
    places: int


def acquire(transaction: Transaction, run: Run) -> str:
    """Take the locks of a run that has not begun.

    Returns
    -------
    str
        What it waits for, in words; empty: it may begin.
    """
    if not run.pipeline.config.locks:
        return ""
    db = transaction.db
    try:
        locks = _locks(transaction, run)
    except SpecError as error:
        return error.what  # It begins when that is put right.
    for lock in locks:
        db.execute(
            "INSERT OR IGNORE INTO locks (name, run_id, held) VALUES (?, ?, 0)",
            (lock.name, run.run_id),
        )
    for lock in locks:
        before = db.execute(
            """SELECT run_id FROM locks WHERE name = ? AND run_id != ? AND (held OR position <
               (SELECT position FROM locks WHERE name = ? AND run_id = ?)) ORDER BY position""",
            (lock.name, run.run_id, lock.name, run.run_id),
        ).fetchall()
        if len(before) >= lock.places:
            return f"Waits for {lock.words}, after run {before[0][0]}."
    db.execute("UPDATE locks SET held = 1 WHERE run_id = ?", (run.run_id,))
    return ""


def release(transaction: Transaction, run_id: str) -> list[str]:
    """Give back what a run holds or waits for; returns the runs that wait for it, first first."""
    db = transaction.db
    waiting = db.execute(
        """SELECT run_id FROM locks WHERE NOT held AND run_id != ? AND name IN
           (SELECT name FROM locks WHERE run_id = ?) GROUP BY run_id ORDER BY MIN(position)""",
        (run_id, run_id),
    ).fetchall()
    db.execute("DELETE FROM locks WHERE run_id = ?", (run_id,))
    return [row[0] for row in waiting]


def _locks(transaction: Transaction, run: Run) -> list[_Lock]:
    config = run.pipeline.config
    found = []
    if config.mutex:
        found.append(_Lock(f"mutex/{config.mutex}", f"the mutex '{config.mutex}'", 1))
    if config.semaphore:
        places = _places(transaction, run.namespace, config.semaphore)
        found.append(
            _Lock(
                f"semaphore/{config.semaphore}",
                f"a place of the semaphore '{config.semaphore}' (it has {places})",
                places,
            )
        )
    if config.version_limit:
        row = transaction.db.execute(
            "SELECT pipeline_version_id FROM runs WHERE run_id = ?", (run.run_id,)
        ).fetchone()
        version = (row and row[0]) or f"name/{run.pipeline.name}"
        words = f"one of the {config.version_limit} active runs of its pipeline version to end"
        found.append(_Lock(f"version/{version}", words, config.version_limit))
    return found


def _places(transaction: Transaction, namespace: str, key: str) -> int:
    found = transaction.find(CONFIG_MAP, SEMAPHORES, namespace)
    text = ((found or {}).get("data") or {}).get(key, "1")
    if not text.strip().isdigit() or not int(text):
        raise SpecError(
            f"ConfigMap {namespace}/{SEMAPHORES} must give semaphore '{key}' a whole number of "
            f"places, 1 or more, not {text!r}."
        )
    return int(text)
