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

_PATHS, _CONFIG = "fairlead-base.pth", "pyvenv.cfg"

LEFT_MOST = 32
"""Pods that have ended whose layers are kept in mind for others."""

Stamp = tuple[int, ...]
"""Times of change of what a layer consists of."""

# It finds its Python beside itself: a layer may move.
_PIP = """\
#!/bin/sh
'''exec' "$(dirname -- "$0")/python" "$0" "$@"
' '''
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

    @property
    def present(self) -> tuple[str, ...]:
        """The site folders that there are."""
        return tuple(filter(os.path.isdir, self.folders))


class Layer(NamedTuple):
    """The layer of one pod."""

    folder: Path
    base: Base

    @property
    def python(self) -> str:
        """Its interpreter."""
        return f"{self.folder}/bin/python"

    @property
    def site(self) -> Path:
        """Where what a step installs lands."""
        return Path(f"{self.folder}/lib/{self.base.library}/site-packages")

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
            file.write(_PIP)
        os.symlink("pip", programs / "pip3")
        # A plain path would add the folder but skip its .pth files: editable installs.
        lines = [f"import site; site.addsitedir({each!r})\n" for each in self.base.present]
        (draft.site / _PATHS).write_text("".join(lines))
        (draft.folder / _CONFIG).write_text(
            f"home = {os.path.dirname(self.base.executable)}\n"
            f"include-system-site-packages = {str(self.base.system_site).lower()}\n"
            f"version = {self.base.version}\n"
        )
        draft.folder.rename(self.folder)

    def stamp(self) -> Stamp:
        """Return what changes with any of its files, but not when it is moved; () when one is gone.

        A folder's time changes when something comes or goes in it.
        """
        folder, programs = str(self.folder), f"{self.folder}/bin"
        library = f"{folder}/lib/{self.base.library}"
        site = f"{library}/site-packages"
        folders = (folder, programs, f"{folder}/lib", library, site)
        files = (f"{programs}/pip", f"{site}/{_PATHS}", f"{folder}/{_CONFIG}")
        try:
            return (
                *(os.stat(each).st_mtime_ns for each in folders),
                *(os.stat(each).st_ctime_ns for each in files),
            )
        except FileNotFoundError:
            return ()


_Key = tuple[Base, tuple[str, ...]]


class Layers:
    """Gives each pod its layer: one that a pod which has ended left as it was, or else a new one.

    To make the dozen files of a layer is the dearest part of a short step; to move it is nothing.
    """

    def __init__(self) -> None:
        # By the folder of the pod, and by the Python below with what of it was there.
        self._used: dict[Path, dict[_Key, tuple[Layer, Stamp]]] = {}
        self._left: dict[Path, dict[_Key, tuple[Layer, Stamp]]] = {}

    def put(self, layer: Layer) -> None:
        """See to it that a pod has its layer."""
        if layer.folder.exists():
            return
        key = layer.base, layer.base.present
        stamp = self._move(key, layer.folder)
        if stamp is None:
            layer.make()
            stamp = layer.stamp()
        self._used.setdefault(layer.folder.parent, {})[key] = layer, stamp

    def leave(self, pod: Path) -> None:
        """Take note that a pod has ended; `pod` is its folder."""
        if pod in self._used:
            self._left[pod] = self._used.pop(pod)
        if len(self._left) > LEFT_MOST:
            del self._left[next(iter(self._left))]

    def forget(self, pod: Path) -> None:
        """Take nothing from the folder of a pod any more: it is going to be removed."""
        self._used.pop(pod, None)
        self._left.pop(pod, None)

    def _move(self, key: _Key, folder: Path) -> Stamp | None:
        """Move a layer that fits to a folder; None when there is none."""
        for pod in [pod for pod, left in self._left.items() if key in left]:
            layer, stamp = self._left[pod].pop(key)
            if not self._left[pod]:
                del self._left[pod]
            if layer.stamp() == stamp:
                folder.parent.mkdir(parents=True, exist_ok=True)
                layer.folder.rename(folder)
                return stamp
        return None


def layer_name(base: Base) -> str:
    """Return the name of a pod's layer over a Python: its containers may have several."""
    return f"env-{hashlib.sha256(base.path.encode()).hexdigest()[:8]}"
