"""Packages of a Python environment: which of them has a module, and in which version.

`importlib.metadata.packages_distributions` answers the same for the running Python only, and reads
the file lists of all distributions first, 0.3 CPU s or more of each compilation.
"""

from __future__ import annotations

import functools
import json
import os
import re
import site
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from fairlead.errors import SpecError

_ASK = (
    "import json, site, sys; user = [site.getusersitepackages()] * bool(site.ENABLE_USER_SITE);"
    "names = sorted(getattr(sys, 'stdlib_module_names', ()));"
    "print(json.dumps([user + site.getsitepackages(), names]))"
)
_ASK_S = 60.0

_Look = tuple[tuple[tuple[str, int], ...], frozenset[str]]
"""Folders of packages with their times of change, and the modules of the standard library."""


class Pins:
    """Finds the requirements that have some modules, each in the version of an environment.

    Parameters
    ----------
    interpreter
        Absolute path of the environment's Python; empty: the one that runs this. Its folders are
        looked at once, with the first question.

    Attributes
    ----------
    left_out : set of str
        Distributions that were needed and that no index has: editable ones, and those of a commit.
    """

    def __init__(self, interpreter: str = "") -> None:
        self._interpreter = interpreter
        self._look: _Look | None = None
        self.left_out: set[str] = set()

    def __call__(self, modules: Iterable[str]) -> list[str]:
        """Return `name==version` of each distribution that has one of the modules, sorted.

        Parameters
        ----------
        modules
            Dotted names, as import statements name them. Those of the standard library, and those
            that are in no distribution of the environment, are left out. So is the local part of a
            version (`2.3.0+cu121`), which no index has.
        """
        found: set[str] = set()
        for module in modules:
            self._look = self._look or _look(self._interpreter)
            folders, standard = self._look
            if module.split(".")[0] in standard:
                continue
            for name, requirement in _owners(module, folders):
                if requirement:
                    found.add(requirement)
                else:
                    self.left_out.add(name)
        return sorted(found)


def pinned(modules: Iterable[str], interpreter: str = "") -> list[str]:
    """Return the requirements that have some modules; see `Pins`."""
    return Pins(interpreter)(modules)


def _look(interpreter: str) -> _Look:
    # Folders of packages alone: what another folder of the path has, no index need have, and on
    # this machine it is not seen to be there.
    if not interpreter or interpreter == sys.executable:
        path = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
        path += site.getsitepackages()
        standard = sys.stdlib_module_names
    else:
        path, standard = _ask(interpreter, _changed(interpreter))
    folders = [folder for folder in dict.fromkeys(path) if os.path.isdir(folder)]
    return tuple((folder, _changed(folder)) for folder in folders), standard


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=8)
def _ask(interpreter: str, changed: int) -> tuple[list[str], frozenset[str]]:
    try:
        answer = subprocess.run(
            [interpreter, "-c", _ASK], capture_output=True, text=True, check=True, timeout=_ASK_S
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SpecError(f"The interpreter {interpreter} cannot be run: {error}") from error
    path, standard = json.loads(answer)
    # Before Python 3.10 it does not know the names of its library.
    return path, frozenset(standard or sys.stdlib_module_names)


@functools.lru_cache(maxsize=1024)
def _owners(module: str, folders: tuple[tuple[str, int], ...]) -> tuple[tuple[str, str], ...]:
    """Return names and requirements of the distributions that have a module."""
    top = module.split(".")[0]
    for folder, changed in folders:
        distributions = _distributions(folder, changed)
        same = distributions.get(_normal(top))
        if same is not None and _has(folder, top):
            return (_requirement(same),)
        owners = _tops(folder, changed).get(top, ())
        if len(owners) > 1:  # a namespace: those that have the module itself
            owners = [one for one in owners if _lists(one, module)] or owners
        if owners:
            return tuple(sorted({_requirement(one) for one in owners}))
    return ()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _has(folder: str, top: str) -> bool:
    path = Path(folder, top)
    return path.joinpath("__init__.py").is_file() or path.with_suffix(".py").is_file()


@functools.lru_cache(maxsize=32)
def _distributions(folder: str, changed: int) -> dict[str, Path]:
    """Return the distributions of a folder by their normalised names."""
    found = (Path(folder, name) for name in os.listdir(folder) if name.endswith(".dist-info"))
    return {_normal(path.name.partition("-")[0]): path for path in found}


@functools.lru_cache(maxsize=32)
def _tops(folder: str, changed: int) -> dict[str, list[Path]]:
    """Return the distributions of a folder by the names of their topmost modules."""
    found: dict[str, list[Path]] = {}
    for path in _distributions(folder, changed).values():
        for top in _top_names(path):
            found.setdefault(top, []).append(path)
    return found


def _top_names(distribution: Path) -> set[str]:
    listed = distribution / "top_level.txt"
    if listed.is_file():
        return set(listed.read_text("utf-8").split())
    names = set()
    for file in _files(distribution):
        first, slash, rest = file.partition("/")
        if slash and rest.endswith((".py", ".so", ".pyd")):
            names.add(first)
        elif not slash and file.endswith((".py", ".so", ".pyd")):
            names.add(file.split(".")[0])
    return names


def _files(distribution: Path) -> list[str]:
    record = distribution / "RECORD"
    if not record.is_file():
        return []
    return [line.split(",", 1)[0] for line in record.read_text("utf-8").splitlines()]


def _lists(distribution: Path, module: str) -> bool:
    """Tell whether a distribution has a module, or a name in it, below a namespace."""
    path = module.replace(".", "/")
    parents = {path, path.rpartition("/")[0]} - {module.split(".")[0], ""}
    starts = tuple(f"{parent}{end}" for parent in parents for end in ("/", ".py"))
    return any(file.startswith(starts) for file in _files(distribution))


def _requirement(distribution: Path) -> tuple[str, str]:
    """Return its name, and `name==version`, or an empty text where no index has that."""
    name, _, version = distribution.name.removesuffix(".dist-info").partition("-")
    name = name.replace("_", "-")
    origin = distribution / "direct_url.json"
    if origin.is_file():
        url = json.loads(origin.read_text("utf-8"))
        if "vcs_info" in url or url.get("dir_info", {}).get("editable"):
            return name, ""
    return name, f"{name}=={version.partition('+')[0]}"
