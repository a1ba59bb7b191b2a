"""Steps of a notebook that is being edited, for the chips over its cells."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead_server.base import FairleadHandler


class AnalysisHandler(FairleadHandler):
    """The analysis of one notebook."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer steps, parameters and problems of `{notebook}`; nothing is started."""
        notebook = self.read().get("notebook")
        self.reply(await self.ask(lambda runs: runs.analysis(notebook)))


ROUTES = [(r"analysis", AnalysisHandler)]
