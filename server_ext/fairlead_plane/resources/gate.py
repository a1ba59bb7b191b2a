"""`Resources`: the only way to the objects, for the API and for every part of the plane."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import orjson

from ..store import Store
from . import tables
from .cascade import FIRST_NAMESPACES
from .changes import Change
from .errors import ApiError, bad_request, expired, not_found
from .kinds import BY_PLURAL, NAMESPACE, Json, Kind
from .selectors import parse_selectors
from .transaction import Transaction, place
from .watch import Watch

T = TypeVar("T")


class ObjectList(NamedTuple):
    """Objects of one kind at one version."""

    items: list[Json]
    resource_version: str
    next: tuple[str, str] | None = None
    """Namespace and name of the last item when more follow."""


class Resources:
    """Reads, writes and watches of objects; the same rules as over HTTP.

    Parameters
    ----------
    store : Store
        Gets the tables of objects and events.

    Notes
    -----
    Reading does not wait: it sees what is committed. Every write is one transaction in the
    store's thread, and its events reach the watches before the write returns.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        store.migrate("resources", tables.STATEMENTS)
        self._watches: dict[Kind, set[Watch]] = {}
        self._published = tables.latest_version(store.reader)

    async def start(self) -> None:
        """Make the namespaces that exist from the start."""

        def change(transaction: Transaction) -> None:
            for name in FIRST_NAMESPACES:
                if transaction.find(NAMESPACE, name) is None:
                    transaction.create(
                        {
                            "apiVersion": "v1",
                            "kind": "Namespace",
                            "metadata": {
                                "name": name,
                                "labels": {"kubernetes.io/metadata.name": name},
                            },
                        }
                    )

        await self.transaction(change)

    def close_watches(self) -> None:
        """End all watches, so that their readers can finish."""
        for watches in list(self._watches.values()):
            for watch in list(watches):
                watch.close()

    # Writing

    async def transaction(self, change: Callable[[Transaction], T]) -> T:
        """Run `change` in one transaction, in the writer's thread, and return its result.

        An exception rolls everything back and is raised here. Events reach the watches after
        the commit and before this returns.
        """
        loop = asyncio.get_running_loop()
        changes: list[Change] = []

        def run(db: sqlite3.Connection) -> T:
            transaction = Transaction(db)
            result = change(transaction)
            changes.extend(transaction.changes)
            return result

        def committed() -> None:
            if changes:
                loop.call_soon_threadsafe(self._publish, changes)

        return await self.store.transaction(run, committed)

    async def create(self, obj: Json) -> Json:
        """Create an object; see `Transaction.create`."""
        return await self.transaction(lambda transaction: transaction.create(obj))

    async def update(self, obj: Json) -> Json:
        """Replace an object; see `Transaction.update`."""
        return await self.transaction(lambda transaction: transaction.update(obj))

    async def update_status(self, obj: Json) -> Json:
        """Replace the status of an object; see `Transaction.update_status`."""
        return await self.transaction(lambda transaction: transaction.update_status(obj))

    async def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
        orphan: bool = False,
    ) -> Json:
        """Delete an object and what it owns; see `Transaction.delete`."""
        return await self.transaction(
            lambda transaction: transaction.delete(
                kind,
                name,
                namespace,
                grace_period_seconds=grace_period_seconds,
                uid=uid,
                orphan=orphan,
            )
        )

    # Reading

    async def find(self, kind: Kind, name: str, namespace: str | None = None) -> Json | None:
        """Return one object, or None."""
        body = tables.find_body(self.store.reader, kind, place(kind, namespace), name)
        return None if body is None else orjson.loads(body)

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Json:
        """Return one object; ApiError 404 without it."""
        found = await self.find(kind, name, namespace)
        if found is None:
            raise not_found(kind, name)
        return found

    async def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        after: tuple[str, str] | None = None,
    ) -> ObjectList:
        """Return the objects that match, by namespace and name.

        Parameters
        ----------
        kind : Kind
            Kind of the objects.
        namespace : str or None
            None: all namespaces.
        label_selector, field_selector : str
            As in a URL; empty selects everything.
        limit : int
            Most items of one answer; 0: all.
        after : tuple of (namespace, name), optional
            `next` of the answer before.
        """
        matches = parse_selectors(label_selector, field_selector)
        db = self.store.reader
        db.execute("BEGIN")  # objects and version from one snapshot
        try:
            version = tables.latest_version(db)
            items: list[Json] = []
            end: tuple[str, str] | None = None
            for where, name, body in tables.list_bodies(db, kind, namespace, after):
                obj = orjson.loads(body)
                if matches is not None and not matches(obj):
                    continue
                if limit and len(items) == limit:
                    return ObjectList(items, str(version), end)
                items.append(obj)
                end = (where, name)
            return ObjectList(items, str(version))
        finally:
            db.execute("COMMIT")

    def watch(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        resource_version: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Watch:
        """Watch the objects of a kind.

        Parameters
        ----------
        kind, namespace, label_selector, field_selector
            As in `list`.
        resource_version : str or None
            Events after this version. None (or "0"): first an ADDED for all that exists.

        Raises
        ------
        ApiError
            410 Expired when the log does not reach back so far.
        """
        matches = parse_selectors(label_selector, field_selector)
        fresh = resource_version in (None, "", "0")
        since = 0 if fresh else parse_version(resource_version or "")
        db = self.store.reader
        db.execute("BEGIN")
        try:
            latest, oldest = tables.latest_version(db), tables.oldest_version(db)
            if fresh:
                watch = Watch(kind, namespace, matches, latest, self._forget)
                bodies = [row[2] for row in tables.list_bodies(db, kind, namespace)]
                watch.start([b for b in bodies if matches is None or matches(orjson.loads(b))])
            else:
                if since < oldest - 1 or since > latest:
                    raise expired(f"too old resource version: {since} ({oldest})")
                watch = Watch(kind, namespace, matches, since, self._forget)
                for change in _logged(db, kind, since):
                    watch.offer(change)
        finally:
            db.execute("COMMIT")
        self._watches.setdefault(kind, set()).add(watch)
        return watch

    @property
    def version(self) -> str:
        """The version that all watches have been told of."""
        return str(self._published)

    def _publish(self, changes: Sequence[Change]) -> None:
        for change in changes:
            for watch in tuple(self._watches.get(change.kind, ())):
                watch.offer(change)
        self._published = changes[-1].version

    def _forget(self, watch: Watch) -> None:
        self._watches.get(watch.kind, set()).discard(watch)


def parse_version(text: str) -> int:
    """Parse a resourceVersion; ApiError 400 when it is none."""
    if not text.isascii() or not text.isdigit():
        raise bad_request(f'Invalid value: "{text}": resourceVersion must be an unsigned integer')
    return int(text)


def find_kind(group: str, version: str, plural: str) -> Kind:
    """Return the kind behind a URL; ApiError 404 as of an unknown path."""
    kind = BY_PLURAL.get((group, version, plural))
    if kind is None:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    return kind


def _logged(db: sqlite3.Connection, kind: Kind, since: int) -> list[Change]:
    rows = db.execute(
        """SELECT version, namespace, type, before, body FROM events
           WHERE version > ? AND kind = ? ORDER BY version""",
        (since, kind.resource),
    )
    return [
        Change(version, kind, namespace, type, orjson.loads(before) if before else None, body)
        for version, namespace, type, before, body in rows
    ]
