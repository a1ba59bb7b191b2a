"""The pipelines service as the plane sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.types import ASGIApp

from fairlead.names import PIPELINES_NAMESPACE

from ..resources import Resources
from . import tables
from .controller import Controller
from .recurring import Schedules
from .rest import build_app
from .rest.recurring import ScheduledRuns
from .rest.run_rows import RunMaker


class PipelineService:
    """Runs pipelines, and answers KFP's REST.

    Parameters
    ----------
    resources : Resources
        Where pods and Workflows are; its store gets the tables of this package.
    pipeline_root : Path
        Folder under which artifacts go, one folder per run; made when missing.
    environment : callable
        Takes the annotations of a pod and returns a fingerprint of the Python environment that
        it will run in: equal fingerprints, equal packages.
    clock : callable, optional
        The time by which recurring runs are due, in seconds since 1970.

    Attributes
    ----------
    schedules : Schedules
        The recurring runs.
    app : ASGI application
        KFP's REST at `/apis/v2beta1`, for the service proxy of `kubeflow/ml-pipeline`.
    """

    def __init__(
        self,
        resources: Resources,
        *,
        pipeline_root: Path,
        environment: Callable[[Mapping[str, str]], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        resources.store.migrate("pipelines", tables.STATEMENTS)
        pipeline_root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._controller = Controller(resources, PIPELINES_NAMESPACE, environment)
        maker = RunMaker(self._controller, pipeline_root)
        self.schedules = Schedules(self._controller, ScheduledRuns(maker, resources.store), clock)
        self.app: ASGIApp = build_app(self._controller, maker, self.schedules)

    async def run(self) -> None:
        """Move the runs on, and start those that recur, until cancelled."""
        parts = [
            asyncio.create_task(self._controller.run(), name="runs"),
            asyncio.create_task(self.schedules.run(), name="recurring runs"),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
