"""Looking at objects of a store in the middle of a pass, which must not wait for a network.

A pass that needs to know an object ends with `UncheckedError`, so that nothing of it is written.
The objects are looked at outside, and the pass is done again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from ..artifacts.access import AccessError
from ..artifacts.objects import StoreError
from ..artifacts.places import remote
from ..resources import Resources, Transaction
from .remote import finder, store_of

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class UncheckedError(Exception):
    """Objects have to be looked at first.

    Parameters
    ----------
    uris : list of str
        Those.
    """

    def __init__(self, uris: list[str]) -> None:
        super().__init__(", ".join(uris))
        self.uris = uris


class Looks:
    """What is known of objects while passes are done again.

    Parameters
    ----------
    resources : Resources
        Transactions, settings and Secrets.
    namespace : str
        Of the settings and Secrets.
    """

    def __init__(self, resources: Resources, namespace: str) -> None:
        self._resources = resources
        self._namespace = namespace
        self._stamps: dict[str, str] = {}

    def stamp(self, *uris: str) -> list[str]:
        """Return the stamps of objects, empty for what is gone or cannot be looked at.

        Raises
        ------
        UncheckedError
            One is not known yet.
        """
        unknown = [uri for uri in uris if uri not in self._stamps]
        if unknown:
            raise UncheckedError(unknown)
        return [self._stamps[uri] for uri in uris]

    async def transaction(self, change: Callable[[Transaction], T], *, short: bool = False) -> T:
        """Do a change that may ask for stamps; again after each look, so it must bear that.

        `short` is that of `Store.transaction`.
        """
        looked: list[str] = []
        try:
            while True:
                try:
                    return await self._resources.transaction(change, short=short)
                except UncheckedError as unchecked:
                    looked += unchecked.uris
                    await asyncio.gather(*map(self._look, unchecked.uris))
        finally:
            # The next pass looks anew: what was true a moment ago is no answer then.
            for uri in looked:
                self._stamps.pop(uri, None)

    async def _look(self, uri: str) -> None:
        place = remote(uri)
        assert place is not None
        try:
            opening = store_of(place, finder(self._resources, self._namespace))
            stamp, _ = await asyncio.to_thread(lambda: opening().stamp(place))
        except (AccessError, StoreError) as error:
            _LOG.warning("%s cannot be looked at: %s", uri, error)
            stamp = ""
        self._stamps[uri] = stamp
