"""Runs over HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from fairlead.errors import FairleadError
from fairlead.kube import Stream
from fairlead_server.base import FairleadHandler
from fairlead_server.notebooks import NotebookHandler

if TYPE_CHECKING:
    from fairlead_server.runs_service import RunsService

Json = dict[str, Any]

_TEXT = "text/plain; charset=utf-8"
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


class LogHandler(FairleadHandler):
    """The output of a step."""

    _lines: Iterable[str] = ()

    @web.authenticated
    @authorized
    async def get(self, run_id: str, node: str) -> None:
        """Send the log as text, with `?follow=1` as it comes until the step has ended."""
        follow = self.get_query_argument("follow", "0") == "1"
        self.set_header("Content-Type", _TEXT)
        lines = await self.ask(lambda runs: runs.logs(run_id, node, follow))
        self._lines = lines
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        _pump(lines, asyncio.get_running_loop(), queue)
        while (line := await queue.get()) is not None:
            self.write(f"{line}\n")
            try:
                await self.flush()
            except StreamClosedError:
                return
        self.finish(set_content_type=_TEXT)

    def on_connection_close(self) -> None:
        """Let go of the log when its reader has left."""
        if isinstance(self._lines, Stream):
            self._lines.close()


def _pump(
    lines: Iterable[str], loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[str | None]
) -> None:
    """Put lines into a queue as they come, and `None` at the end.

    A daemon thread: one of the loop's own would keep the server from ending while a log is open.
    """

    def run() -> None:
        try:
            for line in lines:
                loop.call_soon_threadsafe(queue.put_nowait, line)
        except FairleadError as error:
            loop.call_soon_threadsafe(queue.put_nowait, f"[the log broke off: {error.what}]")
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=run, name="fairlead-log", daemon=True).start()


ROUTES = [
    (r"runs", RunsHandler),
    (r"runs/(?P<run_id>[^/]+)", RunHandler),
    (r"runs/(?P<run_id>[^/]+)/manifest", ManifestHandler),
    (r"runs/(?P<run_id>[^/]+)/stop", StopHandler),
    (r"runs/(?P<run_id>[^/]+)/retry", RetryHandler),
    (_NODE + r"/log", LogHandler),
]
