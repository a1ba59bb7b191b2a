"""Pipelines of notebooks in other forms, written beside the notebook."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from fairlead.errors import ConflictError, SpecError
from fairlead_server.notebooks import NotebookHandler


class ExportsHandler(NotebookHandler):
    """What a notebook is exported to."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Write an export: `{path, to, name, overwrite?}`; answers 201 with its path and remarks.

        `name` is that of a file or folder beside the notebook, whose file is read.
        """
        body = self.read()
        path = self.local_path(body.get("path"))
        name = body.get("name")
        if not isinstance(name, str) or not name.strip("./ ") or Path(name).name != name:
            raise SpecError("The body needs `name`, that of a file beside the notebook.")
        output = path.parent / name
        if output.exists() and not body.get("overwrite"):
            raise ConflictError(f"{name} is there already.", hint="Send `overwrite`, or rename it.")
        interpreter = await self.interpreter(_read(path))
        remarks = await asyncio.to_thread(_export, path, str(body.get("to")), output, interpreter)
        folder = str(body["path"]).rpartition("/")[0]
        self.reply({"path": f"{folder}/{name}".lstrip("/"), "remarks": remarks}, status=201)


def _read(path: Path) -> dict[str, Any]:
    """Return a notebook's JSON for its kernel's name; what is no notebook names none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the export says what is wrong with it
        return {}
    return found if isinstance(found, dict) else {}


def _export(path: Path, to: str, output: Path, interpreter: str) -> list[str]:
    # Loaded here: the compiler is, with the first question.
    from fairlead.exchange import export

    return export(path, to, output, interpreter=interpreter)


ROUTES = [(r"exports", ExportsHandler)]
