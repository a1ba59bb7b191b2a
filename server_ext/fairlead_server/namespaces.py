"""The namespaces of the context in use."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import FairleadError
from fairlead.kube.types import NAMESPACES
from fairlead_server.backend import Connection
from fairlead_server.base import FairleadHandler

_FORBIDDEN = 403


class NamespacesHandler(FairleadHandler):
    """The collection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the names; where they may not be listed, none and the reason."""
        names, reason = await self.ask_cluster(_namespaces)
        self.reply({"namespaces": names, "reason": reason})


def _namespaces(connection: Connection) -> tuple[list[str], str]:
    try:
        found = connection.kube.list(NAMESPACES)
        return sorted(one["metadata"]["name"] for one in found), ""
    except FairleadError as error:
        if error.code != _FORBIDDEN:
            raise
        return [], error.what


ROUTES = [(r"namespaces", NamespacesHandler)]
