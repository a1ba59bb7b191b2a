"""The pod's own layer over a Python environment.

A layer is a virtual environment of a few small files in the pod's folder. It sees all that the
environment below has, and what a step installs lands in the layer. pip never uninstalls what lies
outside of the environment that it runs in, so the one below stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

_PIP = """\
#!{python}
from pip._internal.cli.main import main
import sys
sys.exit(main())
"""


class Base(NamedTuple):
    """A Python environment, as its interpreter describes it."""

    path: str
    version: str
    executable: str
    """The Python behind it, itself no virtual environment."""
    library: str
    """`python3.11`: last part of the folder of its standard library."""
    folders: tuple[str, ...]
    """Site folders that a layer has to name, in order."""
    system_site: bool
    """It is no virtual environment: a layer sees its site folders by itself, but the user's."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Folders without which it does not run."""
        places = (os.path.dirname(os.path.dirname(each)) for each in (self.path, self.executable))
        return tuple(each for each in (*places, *self.folders) if os.path.isdir(each))


class Layer(NamedTuple):
    """The layer of one pod."""

    folder: Path
    base: Base

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin" / "python")

    @property
    def site(self) -> Path:
        """Where what a step installs lands."""
        return self.folder / "lib" / self.base.library / "site-packages"

    def make(self) -> None:
        """Write its files, unless they are there."""
        if self.folder.exists():
            return
        # Made beside its place and moved there: a plane that is killed leaves it whole or not.
        # Most of what a short step costs are calls like these, so none is made in vain.
        draft = self._replace(folder=self.folder.with_name(f"{self.folder.name}.draft"))
        if draft.folder.exists():
            shutil.rmtree(draft.folder)
        if not self.folder.parent.exists():
            self.folder.parent.mkdir(parents=True)
        programs = draft.folder / "bin"
        for folder in (draft.folder, programs, *reversed(draft.site.parents[:2]), draft.site):
            os.mkdir(folder)
        for name in ("python", "python3", self.base.library):
            os.symlink(self.base.executable, programs / name)
        # The one in the environment below would name that one's interpreter.
        script = os.open(programs / "pip", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
        with open(script, "w") as file:
            file.write(_PIP.format(python=self.python))
        os.symlink("pip", programs / "pip3")
        # A plain path would add the folder but skip its .pth files: editable installs.
        folders = filter(os.path.isdir, self.base.folders)
        lines = [f"import site; site.addsitedir({folder!r})\n" for folder in folders]
        (draft.site / "fairlead-base.pth").write_text("".join(lines))
        (draft.folder / "pyvenv.cfg").write_text(
            f"home = {os.path.dirname(self.base.executable)}\n"
            f"include-system-site-packages = {str(self.base.system_site).lower()}\n"
            f"version = {self.base.version}\n"
        )
        draft.folder.rename(self.folder)


def layer_name(base: Base) -> str:
    """Return the name of a pod's layer over a Python: its containers may have several."""
    return f"env-{hashlib.sha256(base.path.encode()).hexdigest()[:8]}"
