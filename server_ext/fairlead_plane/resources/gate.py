"""`Resources`: the only way to the objects, for the API and for every part of the plane."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import orjson

from ..store import Store
from . import tables
from .cascade import BACKGROUND, FIRST_NAMESPACES
from .changes import Change
from .conversion import in_version
from .errors import bad_request, expired, not_found, too_new
from .history import list_at
from .kinds import CRD, NAMESPACE, Json, Kind
from .registry import Registry
from .rows import place
from .selectors import parse_selectors
from .transaction import Transaction
from .watch import Watch

T = TypeVar("T")


class BodyList(NamedTuple):
    """Objects of one kind at one version, as JSON."""

    bodies: list[bytes]
    resource_version: str
    next: tuple[str, str] | None = None
    """Namespace and name of the last item when more follow."""
    remaining: int | None = None
    """How many follow; None where a selector would have to look at each."""


class ObjectList(NamedTuple):
    """Objects of one kind at one version."""

    items: list[Json]
    resource_version: str


class Resources:
    """Reads, writes and watches of objects; the same rules as over HTTP.

    Parameters
    ----------
    store : Store
        Gets the tables of objects and events.

    Attributes
    ----------
    registry : Registry
        The kinds that are served.

    Notes
    -----
    Reading does not wait: it sees what is committed. Every write is one transaction in the
    store's thread, and its events reach the watches before the write returns.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        store.migrate("resources", tables.STATEMENTS)
        self.registry = Registry()
        for _, _, body in tables.list_bodies(store.reader, CRD, None):
            self.registry.put(orjson.loads(body))
        self._watches: dict[str, set[Watch]] = {}
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

    async def transaction(self, change: Callable[[Transaction], T], *, short: bool = False) -> T:
        """Run `change` in one transaction and return its result; see `Store.transaction`.

        An exception rolls everything back and is raised here. Events reach the watches after
        the commit and before this returns.
        """
        changes: list[Change] = []

        def run(db: sqlite3.Connection) -> T:
            transaction = Transaction(db, self.registry)
            result = change(transaction)
            changes.extend(transaction.changes)
            return result

        def committed() -> None:
            if changes:
                self._publish(changes)

        return await self.store.transaction(run, committed, short=short)

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
        propagation: str = BACKGROUND,
    ) -> Json:
        """Delete an object and what it owns; see `Transaction.delete`."""
        return await self.transaction(
            lambda transaction: transaction.delete(
                kind,
                name,
                namespace,
                grace_period_seconds=grace_period_seconds,
                uid=uid,
                propagation=propagation,
            )
        )

    # Reading

    async def find(self, kind: Kind, name: str, namespace: str | None = None) -> Json | None:
        """Return one object, or None."""
        body = self.find_body(kind, name, namespace)
        return None if body is None else orjson.loads(body)

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Json:
        """Return one object; ApiError 404 without it."""
        found = await self.find(kind, name, namespace)
        if found is None:
            raise not_found(kind, name)
        return found

    def find_body(self, kind: Kind, name: str, namespace: str | None = None) -> bytes | None:
        """Return one object as JSON, or None."""
        body = tables.find_body(self.store.reader, kind, place(kind, namespace), name)
        return None if body is None else in_version(kind, body)

    async def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ObjectList:
        """Return the objects that match, by namespace and name; see `list_bodies`."""
        found = self.list_bodies(
            kind, namespace, label_selector=label_selector, field_selector=field_selector
        )
        return ObjectList([orjson.loads(body) for body in found.bodies], found.resource_version)

    def list_bodies(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        after: tuple[str, str] | None = None,
        version: int | None = None,
    ) -> BodyList:
        """Return the objects that match as JSON, by namespace and name.

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
        version : int, optional
            As it was then; the latest by default.

        Raises
        ------
        ApiError
            400 for a selector that cannot be read; 410 for a version that the log has no more.
        """
        matches = parse_selectors(label_selector, field_selector, kind)
        db = self.store.reader
        db.execute("BEGIN")  # objects and version from one snapshot
        try:
            latest = tables.latest_version(db)
            version = latest if version is None else version
            if version > latest:
                raise too_new(version, latest)
            bodies: list[bytes] = []
            end: tuple[str, str] | None = None
            for where, name, body in list_at(db, kind, namespace, version, after):
                if matches is not None and not matches(orjson.loads(body)):
                    continue
                if limit and len(bodies) == limit:
                    assert end is not None
                    left = None if matches else tables.count(db, kind, namespace, end)
                    return BodyList(bodies, str(version), end, left)
                bodies.append(in_version(kind, body))
                end = (where, name)
            return BodyList(bodies, str(version))
        finally:
            db.execute("COMMIT")

    def count_objects(self) -> dict[str, int]:
        """Return how many objects there are, by `Kind.storage`."""
        rows = self.store.reader.execute("SELECT kind, count(*) FROM objects GROUP BY kind")
        return dict(rows.fetchall())

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
        matches = parse_selectors(label_selector, field_selector, kind)
        fresh = resource_version in (None, "", "0")
        since = 0 if fresh else parse_version(resource_version or "")
        db = self.store.reader
        db.execute("BEGIN")
        try:
            latest, oldest = tables.latest_version(db), tables.oldest_version(db)
            if fresh:
                watch = Watch(kind, namespace, matches, latest, self._forget)
                bodies = [row[2] for row in tables.list_bodies(db, kind, namespace)]
                watch.start(
                    [
                        in_version(kind, body)
                        for body in bodies
                        if matches is None or matches(orjson.loads(body))
                    ]
                )
            else:
                if since < oldest - 1 or since > latest:
                    raise expired(f"too old resource version: {since} ({oldest})")
                watch = Watch(kind, namespace, matches, since, self._forget)
                for change in tables.read_log(db, kind, since):
                    watch.offer(change)
        finally:
            db.execute("COMMIT")
        self._watches.setdefault(kind.storage, set()).add(watch)
        return watch

    @property
    def version(self) -> str:
        """The version that all watches have been told of."""
        return str(self._published)

    @property
    def latest_version(self) -> str:
        """The version of the last change that is committed."""
        return str(tables.latest_version(self.store.reader))

    def _publish(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.resource == CRD.resource:
                self._serve(change)
            for watch in tuple(self._watches.get(change.resource, ())):
                watch.offer(change)
        self._published = changes[-1].version

    def _serve(self, change: Change) -> None:
        if change.type != "DELETED":
            self.registry.put(change.object)
            return
        definition = change.object
        self.registry.drop(definition["metadata"]["name"])
        for watch in tuple(self._watches.get(definition["metadata"]["name"], ())):
            watch.close()

    def _forget(self, watch: Watch) -> None:
        watches = self._watches.get(watch.kind.storage)
        if watches is not None:
            watches.discard(watch)
            if not watches:  # kinds come and go with their definitions
                del self._watches[watch.kind.storage]


def parse_version(text: str) -> int:
    """Parse a resourceVersion; ApiError 400 when it is none."""
    if not text.isascii() or not text.isdigit():
        message = f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise bad_request(f"resourceVersion: {message}")
    return int(text)
