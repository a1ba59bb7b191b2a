"""The Kubernetes context in use."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead_server.base import FairleadHandler


class ContextHandler(FairleadHandler):
    """Which API server, and how it is."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer context, namespace and health; starts the watch behind the events."""
        reflector = await asyncio.to_thread(self.settings["fairlead_reflector"])
        self.reply(reflector.health())


ROUTES = [(r"context", ContextHandler)]
