"""The extension's application: routes, and what is made at first use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_server.extension.application import ExtensionApp

if TYPE_CHECKING:
    from fairlead_server.backend import Backend, Connection
    from fairlead_server.reflect import Reflector

_API = r"fairlead/api/v1/"


class FairleadExtension(ExtensionApp):
    """Fairlead's half of the Jupyter Server."""

    name = "fairlead"
    load_other_extensions = True

    def initialize_settings(self) -> None:
        """Register the context in use, and what gives the watches when first asked for."""
        from fairlead_server.backend import Backend

        self._backend: Backend = Backend()
        self._reflector: Reflector | None = None
        self._making = asyncio.Lock()
        self.settings["fairlead_backend"] = self._backend
        self.settings["fairlead_reflector"] = self._get_reflector
        self.settings["fairlead_move"] = self._move

    def initialize_handlers(self) -> None:
        """Register the handlers."""
        # Clients are made, and the compiler is loaded, with the first question.
        from fairlead_server import (
            analysis,
            archive,
            artifacts,
            capabilities,
            clones,
            comparisons,
            contexts,
            experiments,
            exports,
            namespaces,
            recurring,
            runs,
            training,
            viewers,
        )

        for part in (
            analysis,
            archive,
            artifacts,
            capabilities,
            clones,
            comparisons,
            contexts,
            experiments,
            exports,
            namespaces,
            recurring,
            runs,
            training,
            viewers,
        ):
            self.handlers.extend((_API + pattern, handler) for pattern, handler in part.ROUTES)

    async def stop_extension(self) -> None:
        """End the watches."""
        if self._reflector is not None:
            self._reflector.close()

    async def _move(self, connection: Connection) -> None:
        """Let the watches go where the handlers are now."""
        async with self._making:
            if self._reflector is not None:
                self._reflector.move(connection)

    async def _get_reflector(self) -> Reflector:
        """Return the watches of this server, made for the first viewer."""
        from fairlead_server.reflect import Reflector

        async with self._making:
            if self._reflector is None:
                connection = await asyncio.to_thread(self._backend.connection)
                self._reflector = Reflector(connection, self.log)
        return self._reflector
