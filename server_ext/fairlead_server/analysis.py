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


class SettingsHandler(FairleadHandler):
    """What the settings of a step may be."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the JSON Schema of `cell.metadata.fairlead`; a form can be drawn from it."""
        # Loaded with the first question: the server's start does without the pipelines.
        from fairlead.pipelines.step_settings import SCHEMA

        self.reply(SCHEMA)


ROUTES = [(r"analysis", AnalysisHandler), (r"analysis/settings", SettingsHandler)]
