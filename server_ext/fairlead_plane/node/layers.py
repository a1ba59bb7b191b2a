"""The pod's own layer over a Python environment, and the warm interpreters under it.

A layer is a virtual environment of a few small files in the pod's folder. It sees all that the
environment below has, and what a step installs lands in the layer. pip never uninstalls what lies
outside of the environment that it runs in, so the one below stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .runtime import Runtime

WARM_MOST = 3
"""Warm interpreters kept at a time; each takes about 10 MB."""

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
        draft = self._replace(folder=self.folder.with_name(f"{self.folder.name}.draft"))
        shutil.rmtree(draft.folder, ignore_errors=True)
        programs = draft.folder / "bin"
        programs.mkdir(parents=True)
        draft.site.mkdir(parents=True)
        for name in ("python", "python3", self.base.library):
            os.symlink(self.base.executable, programs / name)
        for name in ("pip", "pip3"):
            # The one in the environment below would name that one's interpreter.
            script = programs / name
            script.write_text(_PIP.format(python=self.python))
            script.chmod(0o755)
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


class Interpreters:
    """Describes interpreters and keeps them warm, by the runtime.

    Parameters
    ----------
    runtime : Runtime
        Starts them.
    env : mapping
        Variables that they are started with: those that every pod has.
    """

    def __init__(self, runtime: Runtime, env: Mapping[str, str]) -> None:
        self._runtime = runtime
        self.env = dict(env)
        self._signatures: dict[str, tuple[object, ...]] = {}
        self._used: dict[str, None] = {}

    async def get(self, path: str) -> Base:
        """Return the environment of an interpreter, which is warm then.

        One that has changed since its start (packages, `.pth` files, the program itself) is
        replaced: a fork of it would not equal an exec.

        Raises
        ------
        StartError
            It cannot be started.
        """
        known = self._runtime.warm.get(path)
        fresh = (
            known is not None
            and known["env"] == self.env
            and self._signatures.get(path) == _signature(known["hello"], path)
        )
        if known is None or not fresh:
            hello = await self._runtime.make_warm(path, self.env)
            self._signatures[path] = _signature(hello, path)
        else:
            hello = known["hello"]
        self._used.pop(path, None)
        self._used[path] = None
        while len(self._used) > WARM_MOST:
            oldest = next(iter(self._used))
            del self._used[oldest]
            self._signatures.pop(oldest, None)
            self._runtime.retire(oldest)
        return Base(
            path=path,
            version=hello["version"],
            executable=hello["base_executable"],
            library=hello["library"],
            folders=tuple(hello["user_site"] + (hello["system_site"] if hello["venv"] else [])),
            system_site=not hello["venv"],
        )


def _signature(hello: dict[str, Any], path: str) -> tuple[object, ...]:
    """Return times of change of all that an interpreter reads when it starts."""
    config = os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg")
    return tuple(
        (name, _changed(name))
        for name in (
            *(hello["base_executable"], config),
            *hello["user_site"],
            *hello["system_site"],
            *hello["pth"],
        )
    )


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0
