"""Clones over HTTP: a run once more, with other values or from a step on."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import SpecError
from fairlead_server.base import FairleadHandler

_TEXTS = ("name", "experiment_id", "rerun_from")


class DraftHandler(FairleadHandler):
    """What a form needs to clone a run."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Answer the run's name, experiment and parameters, each with its type and value."""
        self.reply(await self.ask(lambda runs: runs.draft(run_id)))


class CloneHandler(FairleadHandler):
    """The clones of a run."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        """Start one: `{name?, experiment_id?, parameters?, rerun_from?}`; answers 201.

        With `preview: true` nothing is started; the answer is `{yaml, python, runs_again}`.
        """
        given = _read(self.read())
        if given.pop("preview"):
            self.reply(await self.ask(lambda runs: runs.preview_clone(run_id, **given)))
        else:
            self.reply(await self.ask(lambda runs: runs.clone(run_id, **given)), status=201)


def _read(body: dict[str, Any]) -> dict[str, Any]:
    unknown = set(body) - {*_TEXTS, "parameters", "preview"}
    if unknown:
        raise SpecError(f"The body has no '{min(unknown)}'.")
    found: dict[str, Any] = {name: body.get(name) or "" for name in _TEXTS}
    for name, value in found.items():
        if not isinstance(value, str):
            raise SpecError(f"{name}: must be a text.")
    parameters = body.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise SpecError("parameters: must be an object.")
    return {**found, "parameters": parameters, "preview": body.get("preview") is True}


ROUTES = [
    (r"runs/(?P<run_id>[^/]+)/draft", DraftHandler),
    (r"runs/(?P<run_id>[^/]+)/clone", CloneHandler),
]
