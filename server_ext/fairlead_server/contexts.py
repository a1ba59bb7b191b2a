"""The contexts that can be used, and the one that is."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import SpecError
from fairlead_server.base import FairleadHandler

Json = dict[str, Any]


class ContextsHandler(FairleadHandler):
    """The collection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the contexts, and which one this server uses."""
        from fairlead_server.reachable import with_problems

        backend = self.settings["fairlead_backend"]
        found = await asyncio.to_thread(backend.contexts)
        current = await self.ask_cluster(lambda connection: connection.place())
        self.reply({"current": current, "contexts": await with_problems(found)})


class CurrentContextHandler(FairleadHandler):
    """The context in use."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the context and namespace in use."""
        self.reply(await self.ask_cluster(lambda connection: connection.place()))

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Use another one: `{context, namespace?}`. Kept; all pages hear of it and move over."""
        body = self.read()
        name, namespace = _text(body, "context"), _text(body, "namespace")
        if name is None:
            raise SpecError("context: the body needs the name of a context.")
        backend = self.settings["fairlead_backend"]
        connection = await asyncio.to_thread(backend.switch, name, namespace)
        await self.settings["fairlead_move"](connection)
        self.reply(connection.place())


def _text(body: Json, field: str) -> str | None:
    found = body.get(field)
    if found is not None and (not isinstance(found, str) or not found):
        raise SpecError(f"{field}: must be a name.")
    return found


ROUTES = [(r"contexts", ContextsHandler), (r"contexts/current", CurrentContextHandler)]
