"""Steps of a notebook that is being edited, for the chips over its cells."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import SpecError
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


class LiveHandler(FairleadHandler):
    """What the values of a notebook's kernel say of its pipeline; the front end has the kernel."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer `{question}`: an expression for the kernel, to be called with a list of names."""
        from fairlead.pipelines.live import question

        self.reply({"question": await asyncio.to_thread(question)})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer the problems that `{notebook, answer}` tells of; the answer is the kernel's."""
        from fairlead.pipelines.live import problems_of

        body = self.read()
        notebook, answer = body.get("notebook"), body.get("answer")
        if not isinstance(notebook, dict) or not isinstance(answer, dict):
            raise SpecError("`notebook` and `answer` must be objects.")
        problems = await asyncio.to_thread(problems_of, notebook, answer)
        self.reply({"problems": [asdict(problem) for problem in problems]})


ROUTES = [
    (r"analysis", AnalysisHandler),
    (r"analysis/settings", SettingsHandler),
    (r"analysis/live", LiveHandler),
]
