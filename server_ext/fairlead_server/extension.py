"""The extension's application: routes, event schemas, and what is made at first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.extension.application import ExtensionApp
from tornado.ioloop import IOLoop

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from fairlead_server.reflect import RunsReflector
    from fairlead_server.runs_service import RunsService

T = TypeVar("T")

_API = r"fairlead/api/v1/"


class FairleadExtension(ExtensionApp):
    """Fairlead's half of the Jupyter Server."""

    name = "fairlead"
    load_other_extensions = True

    def initialize_settings(self) -> None:
        """Register the events, and what makes the service and its watch when first asked for."""
        for schema in sorted((Path(__file__).parent / "events").glob("*.yaml")):
            self._event_logger().register_event_schema(schema)
        self._started: list[RunsReflector] = []
        self._loop = IOLoop.current()
        self.settings["fairlead_service"] = _once(self._make_service)
        self.settings["fairlead_reflector"] = _once(self._make_reflector)

    def initialize_handlers(self) -> None:
        """Register the handlers."""
        # What a run is (YAML, the compiler, the Kubernetes layer) loads with the first question.
        from fairlead_server import analysis, context, runs

        for routes in (context.ROUTES, runs.ROUTES, analysis.ROUTES):
            self.handlers.extend((_API + pattern, handler) for pattern, handler in routes)

    async def stop_extension(self) -> None:
        """End the watch."""
        for reflector in self._started:
            reflector.stop()

    def _event_logger(self) -> EventLogger:
        """Return the server's own event bus, which its websocket carries to the browser."""
        logger = self.serverapp.event_logger if self.serverapp else None
        if logger is None:
            raise RuntimeError("The extension is set up before its server.")
        return logger

    def _make_service(self) -> RunsService:
        from fairlead_server.runs_service import RunsService

        return RunsService()

    def _make_reflector(self) -> RunsReflector:
        from fairlead_server.reflect import RunsReflector

        loop, logger = self._loop, self._event_logger()

        def emit(schema_id: str, data: dict[str, Any]) -> None:
            loop.add_callback(lambda: logger.emit(schema_id=schema_id, data=data))

        reflector = RunsReflector(self.settings["fairlead_service"](), emit, self.log)
        reflector.start()
        self._started.append(reflector)
        return reflector


def _once(make: Callable[[], T]) -> Callable[[], T]:
    """Return a function that calls `make` once, at its own first call, from any thread."""
    lock = threading.Lock()
    made: list[T] = []

    def get() -> T:
        with lock:
            if not made:
                made.append(make())
        return made[0]

    return get
