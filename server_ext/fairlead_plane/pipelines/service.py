"""The pipelines service as the plane sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from fairlead.names import PIPELINES_NAMESPACE
from starlette.types import ASGIApp

from ..environments import InterpreterError, fingerprint
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
        Takes the path of the interpreter that a pod asks for, empty for the default one, and
        returns a fingerprint of its environment: equal fingerprints, equal packages.

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
        environment: Callable[[str], str] | None = None,
    ) -> None:
        resources.store.migrate("pipelines", tables.STATEMENTS)
        pipeline_root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._controller = Controller(resources, PIPELINES_NAMESPACE, environment or _environment)
        self.app: ASGIApp = build_app(self._controller, pipeline_root)

    async def run(self) -> None:
        """Move the runs on until cancelled."""
        await self._controller.run()


def _environment(interpreter: str) -> str:
    """Return the identity of what a step finds installed; of this process' own Python for ""."""
    try:
        return fingerprint(interpreter or sys.executable)
    except InterpreterError as error:
        # The node will refuse the pod and say why; the cache must only not take it for another.
        return str(error)
