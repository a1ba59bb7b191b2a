"""SQLite in WAL mode with one writer, which has a thread for what takes time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from .. import heap

T = TypeVar("T")

log = logging.getLogger(__name__)

CHECKPOINT_EVERY = 500
"""Commits between two moves from the write-ahead log to the database."""

_MIGRATIONS = """
CREATE TABLE IF NOT EXISTS migrations (
    part TEXT PRIMARY KEY, applied INTEGER NOT NULL) WITHOUT ROWID
"""


class StoreError(Exception):
    """The file is damaged or takes no change; the message names it and says what to do."""


class Store:
    """One SQLite file: a reader for the event loop, and one writer.

    Parameters
    ----------
    path : Path
        File of the database; it is made when missing. Readable by its owner only, by the
        umask of the process.

    Attributes
    ----------
    reader : sqlite3.Connection
        Sees what is committed. For short reads in the thread of the event loop: in WAL mode
        they never wait for the writer.

    Notes
    -----
    `synchronous=NORMAL` loses nothing when the process is killed, and at most the last
    transactions when the machine loses power; the file stays whole in both cases
    (sqlite.org/pragma.html, "synchronous").

    Raises
    ------
    StoreError
        The file cannot be read or written. It is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._writer = _connect(path)
            self._writer.execute("PRAGMA journal_mode=WAL")
            # Usually `_count` is there before; this bounds the log when changes are large.
            self._writer.execute("PRAGMA wal_autocheckpoint=8000")
            self._writer.execute(_MIGRATIONS)
            self.reader = _connect(path)
            self.reader.execute("PRAGMA query_only=ON")
        except sqlite3.DatabaseError as error:
            raise _explained(path, error) from error
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._queued = 0  # by the event loop, for the thread
        self._commits = 0

    def migrate(self, part: str, statements: Sequence[str]) -> None:
        """Bring the tables of one part up to date; blocks, so only before serving.

        Parameters
        ----------
        part : str
            Name of the part that owns the tables.
        statements : sequence of str
            All statements that the part ever needed, oldest first. Those applied before are
            skipped, so a later version only appends to the list.
        """
        self._thread.submit(self._run, lambda db: _apply(db, part, statements)).result()

    async def transaction(
        self,
        change: Callable[[sqlite3.Connection], T],
        committed: Callable[[], None] | None = None,
        *,
        short: bool = False,
    ) -> T:
        """Run `change` inside one transaction, in the writer thread.

        An exception from `change` rolls everything back and is raised here. The transaction
        is finished even when the caller is cancelled while it waits. StoreError when the disk
        does not take it (full, read-only).

        Parameters
        ----------
        change : callable
            Gets the connection. Must not commit.
        committed : callable, optional
            Called in the event loop after the commit, in the order of commits, and before this
            returns.
        short : bool
            True for a change of some objects at most: it is made here and now when the thread has
            nothing to do. To hand it over and to be woken up takes longer than the change.
        """
        if short and not self._queued:
            result = self._run(change)
            if committed is not None:
                committed()
            self._count()
            return result
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            # One call for all that the loop has to do then: each wakes it up through a socket.
            try:
                result = self._run(change)
            except BaseException as error:
                loop.call_soon_threadsafe(self._fail, done, error)
            else:
                loop.call_soon_threadsafe(self._finish, done, result, committed)

        self._queued += 1
        self._thread.submit(run)
        return await done

    def _finish(
        self, done: asyncio.Future[T], result: T, committed: Callable[[], None] | None
    ) -> None:
        try:
            if committed is not None:
                committed()
        finally:
            self._queued -= 1
            self._count()
            if not done.done():  # else its caller has been cancelled
                done.set_result(result)

    def _fail(self, done: asyncio.Future[T], error: BaseException) -> None:
        self._queued -= 1
        if not done.done():
            done.set_exception(error)

    def _count(self) -> None:
        """Move what has been written from the log to the database from time to time.

        In the thread: only this waits for the disk.
        """
        self._commits += 1
        if self._commits % CHECKPOINT_EVERY == 0:
            self._queued += 1
            loop = asyncio.get_running_loop()
            self._thread.submit(self._checkpoint, loop)

    def _checkpoint(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.DatabaseError as error:  # a full disk: nothing is lost, the log grows
            log.warning("%s", _explained(self.path, error))
        finally:
            heap.trim()  # what the changes since the last one have left free
            loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._queued -= 1

    def close(self) -> None:
        """Wait for the writer, then close the file."""
        self._thread.shutdown(wait=True)
        self.reader.close()
        self._writer.close()

    def _run(self, change: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            result = change(self._writer)
            self._writer.execute("COMMIT")
        except BaseException as error:
            # A full disk may have ended the transaction already, or may let it stand at COMMIT.
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError):
                raise _explained(self.path, error) from error
            raise
        return result


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are ours (isolation_level None); the two connections each belong to one
    # thread after start, which sqlite3 cannot know as both are opened by the starting one.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA cache_size=-2000")
    return db


def _explained(path: Path, error: sqlite3.DatabaseError) -> Exception:
    """Return the error as StoreError if it comes from the disk, else itself: a mistake of ours."""
    # By the words: Python 3.10 has no code of SQLite's errors.
    words = str(error)
    if "malformed" in words or "not a database" in words:
        return StoreError(
            f"{path} is damaged: {words}. It is left as it is. Put back a copy, or move it away "
            f"together with {path.name}-wal and {path.name}-shm to begin with an empty one."
        )
    if "full" in words:
        return StoreError(
            f"{path} cannot be written: {words}. Nothing was changed; make room on its disk, then "
            "try again."
        )
    if any(known in words for known in ("readonly", "disk I/O", "unable to open", "locked")):
        return StoreError(
            f"{path} cannot be written: {words}. Nothing was changed; see to its disk and its "
            "permissions, then try again."
        )
    return error


def _apply(db: sqlite3.Connection, part: str, statements: Sequence[str]) -> None:
    row = db.execute("SELECT applied FROM migrations WHERE part = ?", (part,)).fetchone()
    applied = row[0] if row else 0
    for statement in statements[applied:]:
        db.execute(statement)
    db.execute(
        "INSERT OR REPLACE INTO migrations VALUES (?, ?)",
        (part, max(applied, len(statements))),
    )
