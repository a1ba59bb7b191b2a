"""Runs over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead_server.base import FairleadHandler
from fairlead_server.lines import LinesHandler
from fairlead_server.notebooks import NotebookHandler

if TYPE_CHECKING:
    from fairlead_server.runs_service import RunsService

Json = dict[str, Any]

_NODE = r"runs/(?P<run_id>[^/]+)/nodes/(?P<node>[^/]+)"


class RunsHandler(NotebookHandler):
    """The collection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the summaries of all runs, newest first; with a query, one page of them.

        The query is that of `run_table.Wish`; then the answer has `total_size` and
        `next_page_token` too.
        """
        query = self.query()
        if not query:
            self.reply({"runs": await self.ask(lambda runs: runs.list())})
            return

        def page(runs: RunsService) -> Json:
            from fairlead_server.run_table import Wish

            return runs.table.page(Wish.read(query))

        self.reply(await self.ask(page))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a run of a notebook: `{path, notebook?, parameters?}`; answers 201."""
        body = self.read()
        path = self.local_path(body.get("path"))
        notebook = body.get("notebook")
        interpreter = await self.interpreter(notebook or {})
        started = await self.ask(
            lambda runs: runs.submit(path, notebook, body.get("parameters") or {}, interpreter)
        )
        self.reply(started, status=201)


class RunHandler(FairleadHandler):
    """One run."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Answer the run with its graph."""
        self.reply(await self.ask(lambda runs: runs.view(run_id)))

    @web.authenticated
    @authorized
    async def delete(self, run_id: str) -> None:
        """Delete the run and its history."""
        await self.ask(lambda runs: runs.delete(run_id))
        self.set_status(204)
        self.finish()


class ManifestHandler(FairleadHandler):
    """The pipeline spec of a run."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Answer the spec as YAML."""
        text = await self.ask(lambda runs: runs.manifest(run_id))
        self.finish(text, set_content_type="application/yaml")


class StopHandler(FairleadHandler):
    """Stopping a run."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        """Stop the run."""
        self.reply(await self.ask(lambda runs: runs.stop(run_id)))


class RetryHandler(FairleadHandler):
    """Resuming a run."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        """Run again what failed or did not run."""
        self.reply(await self.ask(lambda runs: runs.retry(run_id)))


class LogHandler(LinesHandler):
    """The output of a step."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, node: str) -> None:
        """Send the log as text, with `?follow=1` as it comes until the step has ended."""
        await self.send(await self.ask(lambda runs: runs.logs(run_id, node, self.follow)))


ROUTES = [
    (r"runs", RunsHandler),
    (r"runs/(?P<run_id>[^/]+)", RunHandler),
    (r"runs/(?P<run_id>[^/]+)/manifest", ManifestHandler),
    (r"runs/(?P<run_id>[^/]+)/stop", StopHandler),
    (r"runs/(?P<run_id>[^/]+)/retry", RetryHandler),
    (_NODE + r"/log", LogHandler),
]
