"""Notebooks as a request names them: their file, and the Python of their kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_server.utils import ensure_async

from fairlead.errors import CapabilityError, SpecError
from fairlead_server.base import FairleadHandler


class NotebookHandler(FairleadHandler):
    """The base of handlers whose body is about a notebook: `{path, notebook?}`."""

    def local_path(self, path: Any) -> Path:
        """Return where a notebook lies; SpecError for a path out of the server's folder."""
        if not isinstance(path, str) or not path:
            raise SpecError("The body needs `path`, the notebook's path.")
        root = getattr(self.contents_manager, "root_dir", None)
        if root is None:
            raise CapabilityError("This server's notebooks are not files on its machine.")
        # Some contents managers put a drive before the path.
        found = (Path(root) / path.split(":", 1)[-1].lstrip("/")).resolve()
        if not found.is_relative_to(Path(root).resolve()):
            raise SpecError(f"{path} is outside the server's folder.")
        return found

    async def interpreter(self, notebook: dict[str, Any]) -> str:
        """Return the Python of the notebook's kernel, empty where it names none that is here."""
        name = notebook.get("metadata", {}).get("kernelspec", {}).get("name")
        if not name:
            return ""
        try:
            spec = await ensure_async(self.kernel_spec_manager.get_kernel_spec(name))
        except NoSuchKernel:
            return ""
        if spec.language.lower() != "python":
            raise SpecError(
                f"The notebook's kernel is {spec.display_name}; steps are Python.",
                hint="Choose a Python kernel.",
            )
        return str(spec.argv[0]) if Path(spec.argv[0]).is_absolute() else ""
