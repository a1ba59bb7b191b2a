"""Runs beside each other, and runs that are kept, over HTTP."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import SpecError
from fairlead_server.base import FairleadHandler

_MOST_RUNS = 50


class ComparisonHandler(FairleadHandler):
    """Runs beside each other."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the comparison of the runs in `?run=ID,ID`; the first is the baseline."""
        asked = self.get_query_argument("run", "").split(",")
        ids = list(dict.fromkeys(filter(None, asked)))
        if not 0 < len(ids) <= _MOST_RUNS:
            raise SpecError(f"run: from 1 to {_MOST_RUNS} runs can be compared.")
        self.reply(await self.ask(lambda runs: runs.compare(ids)))


class PinHandler(FairleadHandler):
    """Whether a run is kept."""

    @web.authenticated
    @authorized
    async def put(self, run_id: str) -> None:
        """Keep it, with `{baseline: true}` as what others of its experiment are held against."""
        baseline = self.read().get("baseline") is True
        await self.ask(lambda runs: runs.pin(run_id, baseline=baseline))
        self.reply({})

    @web.authenticated
    @authorized
    async def delete(self, run_id: str) -> None:
        """Keep it no longer."""
        await self.ask(lambda runs: runs.unpin(run_id))
        self.set_status(204)
        self.finish()


class LabelsHandler(FairleadHandler):
    """What a run is found by."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        """Change labels, `{changes: ["team=vision", "stage-"]}`; answers all that it has then."""
        changes = self.read().get("changes")
        if not isinstance(changes, list) or not all(isinstance(one, str) for one in changes):
            raise SpecError("changes: must be a list of texts.")
        self.reply({"labels": await self.ask(lambda runs: runs.label(run_id, changes))})


ROUTES = [
    (r"comparison", ComparisonHandler),
    (r"runs/(?P<run_id>[^/]+)/pin", PinHandler),
    (r"runs/(?P<run_id>[^/]+)/labels", LabelsHandler),
]
