"""Putting runs and experiments away, and bringing them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead_server.base import FairleadHandler

if TYPE_CHECKING:
    from fairlead_server.runs_service import RunsService


class ArchiveHandler(FairleadHandler):
    """One run or one experiment."""

    @web.authenticated
    @authorized
    async def post(self, noun: str, identity: str, verb: str) -> None:
        """Do so; the runs of an experiment that is put away go with it."""

        def act(runs: RunsService) -> None:
            pipelines = runs.pipelines
            archive = pipelines.archive if noun == "runs" else pipelines.archive_experiment
            archive(identity, back=verb == "unarchive")

        await self.ask(act)
        self.reply({})


ROUTES = [
    (
        r"(?P<noun>runs|experiments)/(?P<identity>[^/]+)/(?P<verb>archive|unarchive)",
        ArchiveHandler,
    )
]
