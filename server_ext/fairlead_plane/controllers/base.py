"""What every controller is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ..resources import Json, Kind, Resources, Transaction

Key = tuple[str, str]
"""Namespace and name; the namespace is empty for cluster kinds."""


REFUSED = -1.0
"""What `look` returns when the API refused something, by quota for one: it is tried again soon, and
less and less often."""


class Controller:
    """Keeps the objects of one kind as they ask to be; level-triggered.

    Attributes
    ----------
    kind : Kind
        What it reconciles.
    watched : tuple of Kind
        Other kinds whose events can make it look again.
    """

    kind: Kind
    watched: ClassVar[tuple[Kind, ...]] = ()

    async def start(self, resources: Resources) -> None:
        """Make what must be there before the first request."""

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Return the objects to look at because of an event about `obj`.

        By default: of a watched kind, whoever controls it.
        """
        metadata = obj["metadata"]
        if kind == self.kind:
            yield metadata.get("namespace", ""), metadata["name"]
            return
        for owner in metadata.get("ownerReferences") or ():
            if owner.get("controller") and owner["kind"] == self.kind.kind:
                yield metadata.get("namespace", ""), owner["name"]

    async def look(self, resources: Resources, key: Key) -> float | None:
        """Reconcile one object; return the seconds after which to look again, if any."""
        namespace, name = key

        def change(transaction: Transaction) -> float | None:
            obj = transaction.find(self.kind, name, namespace or None)
            if obj is None:
                return self.missing(transaction, namespace, name)
            return self.reconcile(transaction, obj)

        return await resources.transaction(change)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Make true what `obj` asks for, in this transaction; returns as `look`."""
        raise NotImplementedError

    def missing(self, transaction: Transaction, namespace: str, name: str) -> float | None:
        """Clean up after an object that is gone, where owner references do not."""
        return None
