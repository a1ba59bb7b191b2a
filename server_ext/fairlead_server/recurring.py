"""Recurring runs over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import SpecError
from fairlead_server.base import FairleadHandler
from fairlead_server.notebooks import NotebookHandler

if TYPE_CHECKING:
    from fairlead_server.recurring_service import Origin, Wish

_TIMES = ("cron", "every", "time_zone", "start", "end")
_TEXTS = ("name", "experiment_id", *_TIMES)
_ORIGIN = ("run", "path", "notebook")
_REST = ("parameters", "max_concurrency", "catchup", "enabled", "preview")


class _OriginHandler(NotebookHandler):
    """What is about a run, or about a notebook: `{run}` or `{path, notebook?}`."""

    async def origin(self, body: dict[str, Any]) -> Origin:
        """Return where the pipeline comes from."""
        from fairlead_server.recurring_service import Origin

        run = body.get("run")
        if run:
            return Origin(run_id=str(run))
        path = self.local_path(body.get("path"))
        notebook = body.get("notebook")
        interpreter = await self.interpreter(notebook or {})
        return Origin(
            path=path, shown_path=str(body["path"]), notebook=notebook, interpreter=interpreter
        )


class DraftHandler(_OriginHandler):
    """What a form needs to make one."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer name, experiment, parameters and warnings of `{run}` or `{path, notebook?}`."""
        origin = await self.origin(self.read())
        self.reply(await self.ask_cluster(lambda connection: connection.recurring.draft(origin)))


class RecurringRunsHandler(_OriginHandler):
    """The collection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer all of them, newest first, each with its next times and its last run."""
        found = await self.ask_cluster(lambda connection: connection.recurring.list())
        self.reply({"recurring_runs": found})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make one of `{run}` or `{path, notebook?}`; answers 201.

        Beside that `cron` or `every`, `time_zone`, `start`, `end`, `max_concurrency`, `catchup`,
        `enabled`, `name`, `experiment_id` and `parameters`. With `preview: true` nothing is made:
        the request is answered as `{yaml, python, when, time_zone, next}`.
        """
        body = self.read()
        origin, wish = await self.origin(body), _read(body)
        if body.get("preview") is True:
            shown = await self.ask_cluster(
                lambda connection: connection.recurring.preview(origin, wish)
            )
            self.reply(shown)
        else:
            made = await self.ask_cluster(
                lambda connection: connection.recurring.create(origin, wish)
            )
            self.reply(made, status=201)


class RecurringRunHandler(FairleadHandler):
    """One of them."""

    @web.authenticated
    @authorized
    async def delete(self, recurring_run_id: str) -> None:
        """Delete it; its runs stay."""
        await self.ask_cluster(lambda connection: connection.recurring.delete(recurring_run_id))
        self.set_status(204)
        self.finish()


class SwitchHandler(FairleadHandler):
    """Letting one start runs, or no longer."""

    @web.authenticated
    @authorized
    async def post(self, recurring_run_id: str, verb: str) -> None:
        """Do so; answers it as it is then."""
        enabled = verb == "enable"
        found = await self.ask_cluster(
            lambda connection: connection.recurring.enable(recurring_run_id, enabled)
        )
        self.reply(found)


def _read(body: dict[str, Any]) -> Wish:
    from fairlead.pipelines.recurring import Timing
    from fairlead_server.recurring_service import Wish

    unknown = set(body) - {*_ORIGIN, *_TEXTS, *_REST}
    if unknown:
        raise SpecError(f"The body has no '{min(unknown)}'.")
    texts = {name: body.get(name) or "" for name in _TEXTS}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise SpecError(f"{name}: must be a text.")
    most = body.get("max_concurrency", 1)
    if not isinstance(most, int) or isinstance(most, bool):
        raise SpecError("max_concurrency: must be a whole number.")
    parameters = body.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise SpecError("parameters: must be an object.")
    catchup, enabled = body.get("catchup") is not False, body.get("enabled") is not False
    timing = Timing(**{name: texts[name] for name in _TIMES}, max_concurrency=most, catchup=catchup)
    given = {
        "parameters": parameters or None,
        **{name: texts[name] or None for name in _TIMES},
        "max_concurrency": most if most != 1 else None,
        "catchup": None if catchup else False,
        "enabled": None if enabled else False,
        "name": texts["name"] or None,
    }
    return Wish(timing, texts["name"], texts["experiment_id"], parameters, enabled, given)


ROUTES = [
    (r"recurringruns", RecurringRunsHandler),
    (r"recurringruns/draft", DraftHandler),
    (r"recurringruns/(?P<recurring_run_id>[^/]+)", RecurringRunHandler),
    (r"recurringruns/(?P<recurring_run_id>[^/]+)/(?P<verb>enable|disable)", SwitchHandler),
]
