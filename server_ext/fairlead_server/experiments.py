"""Experiments over HTTP."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import SpecError
from fairlead_server.base import FairleadHandler


class ExperimentsHandler(FairleadHandler):
    """The collection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the experiments, newest first; with `?archived=1` those that were put away."""
        archived = self.get_query_argument("archived", "0") == "1"
        state = "ARCHIVED" if archived else "AVAILABLE"
        found = await self.ask(lambda runs: runs.table.experiments(state))
        self.reply({"experiments": found})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make an experiment: `{name, description?}`; answers 201."""
        body = self.read()
        name = body.get("name")
        if not isinstance(name, str) or not name.strip():
            raise SpecError("name: an experiment needs one.")
        description = str(body.get("description") or "")
        made = await self.ask(lambda runs: runs.create_experiment(name.strip(), description))
        self.reply(made, status=201)


ROUTES = [(r"experiments", ExperimentsHandler)]
