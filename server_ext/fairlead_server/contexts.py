"""The contexts that can be used, and the one that is."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import FairleadError, SpecError
from fairlead.kube import Context, list_contexts
from fairlead_server.base import FairleadHandler
from fairlead_server.reachable import problems_of

Json = dict[str, Any]


class ContextsHandler(FairleadHandler):
    """The collection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the contexts, and which one this server uses; none where that one is no more."""
        found = await asyncio.to_thread(list_contexts)
        problems = await problems_of(found)
        rows = [_row_of(*one) for one in zip(found, problems, strict=True)]
        try:
            current = await self.ask_cluster(lambda connection: connection.place())
        except FairleadError as error:
            # Pages are told by their topic; this list is the way out.
            self.log.info("No context is in use: %s", error.what)
            current = None
        self.reply({"current": current, "contexts": rows})


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


def _row_of(context: Context, problem: str) -> Json:
    files = ", ".join(str(file) for file in context.files)
    return {
        "name": context.name,
        "source": context.source,
        # For a reader: who has several files looks for the one that holds it.
        "files": files,
        "cluster": context.cluster,
        "namespace": context.namespace,
        "problem": problem,
    }


def _text(body: Json, field: str) -> str | None:
    found = body.get(field)
    if found is not None and (not isinstance(found, str) or not found):
        raise SpecError(f"{field}: must be a name.")
    return found


ROUTES = [(r"contexts", ContextsHandler), (r"contexts/current", CurrentContextHandler)]
