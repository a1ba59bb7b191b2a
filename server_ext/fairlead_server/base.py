"""The base of all handlers: the one place where errors become HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin

from fairlead.errors import FairleadError, SpecError

if TYPE_CHECKING:
    from fairlead_server.backend import Backend, Connection
    from fairlead_server.runs_service import RunsService

T = TypeVar("T")

AUTH_RESOURCE = "fairlead"
"""What Jupyter's authorizer is asked for."""


class FairleadHandler(ExtensionHandlerMixin, APIHandler):
    """Reads the body, replies with JSON, and answers a `FairleadError` with its own status."""

    auth_resource = AUTH_RESOURCE

    async def ask(self, question: Callable[[RunsService], T]) -> T:
        """Ask for runs in a thread, so that the server goes on meanwhile.

        What that needs is imported by the first question.
        """
        return await self.ask_cluster(lambda connection: question(connection.runs))

    async def ask_cluster(self, question: Callable[[Connection], T]) -> T:
        """Ask the context in use in a thread."""
        backend: Backend = self.settings["fairlead_backend"]
        return await asyncio.to_thread(lambda: question(backend.connection()))

    def read(self) -> dict[str, Any]:
        """Read the body as a JSON object."""
        body = self.get_json_body()
        if not isinstance(body, dict):
            raise SpecError("The body must be a JSON object.")
        return body

    def query(self) -> dict[str, str]:
        """Return the query of the URL, without the time that JupyterLab adds against caches."""
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        return {name: value for name, value in query.items() if value or not name.isdigit()}

    def reply(self, value: Any, status: int = 200) -> None:
        """Send plain values as JSON."""
        self.set_status(status)
        self.finish(json.dumps(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer a `FairleadError` with its status, message, hint and, for a notebook, problems."""
        error = kwargs.get("exc_info", (None, None))[1]
        if not isinstance(error, FairleadError):
            super().write_error(status_code, **kwargs)
            return
        problems = [asdict(problem) for problem in getattr(error, "problems", [])]
        answer = {"message": error.what, "hint": error.hint, "kind": type(error).__name__}
        self.set_header("Content-Type", "application/json")
        self.set_status(error.status)
        self.finish(json.dumps(answer | ({"problems": problems} if problems else {})))

    def log_exception(self, *exc_info: Any) -> None:
        """Log an expected error as one line, and any other with its traceback."""
        error = exc_info[1]
        if isinstance(error, FairleadError):
            self.log.info("%s %s: %s", self.request.method, self.request.path, error.what)
        else:
            super().log_exception(*exc_info)
