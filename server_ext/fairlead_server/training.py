"""Training jobs over HTTP. Lists and states come through the topic `training`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead_server.base import FairleadHandler
from fairlead_server.lines import LinesHandler

if TYPE_CHECKING:
    from fairlead_server.training_service import TrainingService

T = TypeVar("T")

_JOB = r"training/(?P<resource>[a-z]+\.[a-z0-9]+\.[a-z.]+)/(?P<name>[^/]+)"


class _Training(FairleadHandler):
    async def train(self, question: Callable[[TrainingService], T]) -> T:
        """Ask for training jobs in a thread."""
        return await self.ask_cluster(lambda connection: question(connection.training))


class JobHandler(_Training):
    """One job."""

    @web.authenticated
    @authorized
    async def delete(self, resource: str, name: str) -> None:
        """Delete the job with its pods."""
        await self.train(lambda training: training.delete(resource, name))
        self.set_status(204)
        self.finish()


class JobManifestHandler(_Training):
    """The object."""

    @web.authenticated
    @authorized
    async def get(self, resource: str, name: str) -> None:
        """Answer the job as YAML."""
        text = await self.train(lambda training: training.manifest(resource, name))
        self.finish(text, set_content_type="application/yaml")


class JobEventsHandler(_Training):
    """What happened."""

    @web.authenticated
    @authorized
    async def get(self, resource: str, name: str) -> None:
        """Answer `{events: [{object, type, reason, message, count, last}]}`, newest last."""
        self.reply({"events": await self.train(lambda training: training.events(resource, name))})


class SuspendHandler(_Training):
    """Waiting and going on."""

    @web.authenticated
    @authorized
    async def post(self, resource: str, name: str, verb: str) -> None:
        """Take the job's pods away and keep the job, or let it go on."""
        await self.train(lambda training: training.suspend(resource, name, verb == "suspend"))
        self.set_status(204)
        self.finish()


class JobLogHandler(_Training, LinesHandler):
    """The output of the replicas."""

    @web.authenticated
    @authorized
    async def get(self, resource: str, name: str, pod: str | None = None) -> None:
        """Send the log of one replica, or of all with their names before the lines."""
        follow = self.follow
        await self.send(await self.train(lambda jobs: jobs.logs(resource, name, pod, follow)))


ROUTES = [
    (_JOB, JobHandler),
    (_JOB + r"/manifest", JobManifestHandler),
    (_JOB + r"/events", JobEventsHandler),
    (_JOB + r"/(?P<verb>suspend|resume)", SuspendHandler),
    (_JOB + r"/log", JobLogHandler),
    (_JOB + r"/replicas/(?P<pod>[^/]+)/log", JobLogHandler),
]
