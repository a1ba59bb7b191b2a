"""Artifacts over HTTP. What tasks wrote is never sent as something that a browser would run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from fairlead_server.base import FairleadHandler

if TYPE_CHECKING:
    from fairlead_server.artifacts_service import ArtifactsService
    from fairlead_server.runs_service import RunsService

T = TypeVar("T")

_OUTPUT = r"runs/(?P<run_id>[^/]+)/nodes/(?P<node>[^/]+)/artifacts/(?P<name>[^/]+)"


class ArtifactsBase(FairleadHandler):
    """Asks for artifacts, and sends their bytes."""

    async def ask_artifacts(self, question: Callable[[ArtifactsService], T]) -> T:
        """Ask in a thread, so that the server goes on meanwhile."""

        def ask(runs: RunsService) -> T:
            # Loaded with the first question, as all that it imports.
            from fairlead_server.artifacts_service import ArtifactsService

            return question(ArtifactsService(runs.pipelines))

        return await self.ask(ask)

    async def send_file(self, name: str, pieces: Iterator[bytes]) -> None:
        """Send bytes as they come, as a file to keep."""
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            self.write(piece)
            try:
                await self.flush()
            except StreamClosedError:
                # The reader has left: nothing more is asked of the back end.
                pieces.close()  # type: ignore[attr-defined]
                return
        self.finish(set_content_type="application/octet-stream")


class ArtifactsHandler(ArtifactsBase):
    """The collection."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer a page of artifacts; `?run=`, `?type=` and `?name=` choose."""
        asked = {
            field: self.get_query_argument(field, "")
            for field in ("run", "name", "type", "page_token")
        }
        self.reply(await self.ask_artifacts(lambda artifacts: artifacts.list(**asked)))


class ArtifactHandler(ArtifactsBase):
    """One artifact."""

    @web.authenticated
    @authorized
    async def get(self, artifact_id: str) -> None:
        """Answer the artifact with its lineage."""
        self.reply(await self.ask_artifacts(lambda artifacts: artifacts.view(artifact_id)))


class PreviewHandler(ArtifactsBase):
    """What can be shown of an artifact."""

    @web.authenticated
    @authorized
    async def get(self, artifact_id: str) -> None:
        """Answer the preview as JSON."""
        self.reply(await self.ask_artifacts(lambda artifacts: artifacts.preview(artifact_id)))


class ContentHandler(ArtifactsBase):
    """The bytes of an artifact."""

    @web.authenticated
    @authorized
    async def get(self, artifact_id: str) -> None:
        """Send the artifact as a file."""
        name, pieces = await self.ask_artifacts(lambda artifacts: artifacts.read(artifact_id))
        await self.send_file(plain_name(name), pieces)


class OutputPreviewHandler(ArtifactsBase):
    """What can be shown of a task's output."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, node: str, name: str) -> None:
        """Answer the preview as JSON."""
        self.reply(
            await self.ask_artifacts(
                lambda artifacts: artifacts.preview_of_output(run_id, node, name)
            )
        )


class OutputHandler(ArtifactsBase):
    """The bytes of a task's output."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, node: str, name: str) -> None:
        """Send the output as a file, also while the task runs."""
        file_name, pieces = await self.ask_artifacts(
            lambda artifacts: artifacts.read_output(run_id, node, name)
        )
        await self.send_file(plain_name(file_name), pieces)


def plain_name(name: str) -> str:
    """Return a name for a file that needs no quoting in a header."""
    return "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name
    )


ROUTES = [
    (r"artifacts", ArtifactsHandler),
    (r"artifacts/(?P<artifact_id>[^/]+)", ArtifactHandler),
    (r"artifacts/(?P<artifact_id>[^/]+)/preview", PreviewHandler),
    (r"artifacts/(?P<artifact_id>[^/]+)/content", ContentHandler),
    (_OUTPUT + r"/preview", OutputPreviewHandler),
    (_OUTPUT, OutputHandler),
]
