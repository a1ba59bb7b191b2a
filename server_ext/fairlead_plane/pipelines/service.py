"""The pipelines service as the plane sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.types import ASGIApp

from fairlead.names import PIPELINES_NAMESPACE

from ..resources import Resources
from . import tables
from .controller import Controller
from .rest import build_app


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

    Attributes
    ----------
    app : ASGI application
        KFP's REST at `/apis/v2beta1`, for the service proxy of `kubeflow/ml-pipeline`.
    """

    def __init__(
        self,
        resources: Resources,
        *,
        pipeline_root: Path,
        environment: Callable[[Mapping[str, str]], str],
    ) -> None:
        resources.store.migrate("pipelines", tables.STATEMENTS)
        pipeline_root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._controller = Controller(resources, PIPELINES_NAMESPACE, environment)
        self.app: ASGIApp = build_app(self._controller, pipeline_root)

    async def run(self) -> None:
        """Move the runs on until cancelled."""
        await self._controller.run()
