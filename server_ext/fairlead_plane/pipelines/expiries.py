"""Removing the objects of an ended run when the time is over that its pipeline gives them.

As on a cluster these are its Workflow and what belongs to it: its pods with their logs, and its
workspace. The run itself, its tasks and artifacts stay, and it can be tried again.
"""

from __future__ import annotations

import logging

from ..resources import WORKFLOW, Resources, Transaction
from .alarms import Alarms
from .clock import later, now, seconds_between
from .records import SUCCEEDED, Run

_LOG = logging.getLogger(__name__)


class Expiries:
    """Knows when the objects of which runs go, and removes them.

    Parameters
    ----------
    resources : Resources
        Where the objects and the table `expiries` are.
    namespace : str
        Of the Workflows.
    """

    def __init__(self, resources: Resources, namespace: str) -> None:
        self._resources = resources
        self._namespace = namespace
        self._alarms = Alarms(self._wake)

    def start(self) -> None:
        """Begin, in the running event loop; what was noted before the plane started counts."""
        self._alarms.start()
        db = self._resources.store.reader
        for run_id, at in db.execute("SELECT run_id, at FROM expiries").fetchall():
            self._set(run_id, at)

    async def close(self) -> None:
        """Remove nothing any more."""
        await self._alarms.close()

    def note(self, transaction: Transaction, run: Run) -> None:
        """Note when the objects go of a run that has just ended; for use inside a transaction."""
        config = run.pipeline.config
        seconds = config.ttl_success_s if run.state == SUCCEEDED else config.ttl_failure_s
        if seconds is None:
            return
        at = later(run.finished_at, seconds)
        transaction.db.execute("INSERT OR REPLACE INTO expiries VALUES (?, ?)", (run.run_id, at))
        self._set(run.run_id, at)

    def cancel(self, transaction: Transaction, run_id: str) -> None:
        """Keep what there is of a run that is tried again; for use inside a transaction."""
        transaction.db.execute("DELETE FROM expiries WHERE run_id = ?", (run_id,))
        self._alarms.set(run_id, [])

    def _set(self, run_id: str, at: str) -> None:
        self._alarms.set(run_id, [(at, max(0.0, seconds_between(now(), at)))])

    async def _wake(self, run_id: str, at: str) -> None:
        try:
            await self._resources.transaction(lambda transaction: self._remove(transaction, run_id))
        except Exception:
            _LOG.exception("The objects of run %s could not be removed", run_id)

    def _remove(self, transaction: Transaction, run_id: str) -> None:
        db = transaction.db
        row = db.execute(
            """SELECT runs.workflow, expiries.at FROM expiries JOIN runs USING (run_id)
               WHERE run_id = ?""",
            (run_id,),
        ).fetchone()
        if row is None:
            return
        workflow, at = row
        if at > now():
            self._set(run_id, at)  # An alarm rings early when the time is far.
            return
        db.execute("DELETE FROM expiries WHERE run_id = ?", (run_id,))
        if transaction.find(WORKFLOW, workflow, self._namespace) is not None:
            transaction.delete(WORKFLOW, workflow, self._namespace)
