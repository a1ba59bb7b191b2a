"""What is installed where a Python runs: the identity of an environment."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

_ASK = (
    "import site, sys; folders = site.getsitepackages();"
    "folders += [site.USER_SITE] if site.ENABLE_USER_SITE and site.USER_SITE else [];"
    "print(sys.implementation.cache_tag, *sys.version_info[:3]); print(*folders, sep='\\n')"
)
_ASK_S = 60.0

_asked: dict[str, int] = {}
"""Interpreters that were asked, and the times of change of their programs then."""


class InterpreterError(Exception):
    """An interpreter does not answer."""


def fingerprint(interpreter: str) -> str:
    """Return an identity of the content of an environment.

    Parameters
    ----------
    interpreter : str
        Absolute path of its Python.

    Returns
    -------
    str
        Hex digest over the Python's version and the names and versions of all distributions in
        its site folders. Two environments of equal content have one identity, wherever they are.

    Raises
    ------
    InterpreterError
        The interpreter cannot be run.

    Notes
    -----
    Cheap while nothing changes: the interpreter is asked once, and the folders are listed again
    only when their time of change has moved. A distribution installed in place of itself with
    other content (an editable one, say) is not noticed: its version says the same.
    """
    changed = _changed(interpreter)
    version, folders = _ask(interpreter, changed)
    _asked[interpreter] = changed
    return _digest(version, tuple((folder, _changed(folder)) for folder in folders))


def is_known(interpreter: str) -> bool:
    """Tell whether `fingerprint` answers at once, since it need not run the interpreter."""
    return _asked.get(interpreter) == _changed(interpreter)


def installed(interpreter: str) -> Mapping[str, str]:
    """Return name and version of all distributions in the site folders of a Python.

    Names are normalised, as `typing-extensions`. As cheap as `fingerprint`, and raises the same.
    """
    _, folders = _ask(interpreter, _changed(interpreter))
    return _versions(tuple((folder, _changed(folder)) for folder in folders))


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


@functools.lru_cache(maxsize=32)
def _ask(interpreter: str, changed: int) -> tuple[str, tuple[str, ...]]:
    try:
        answer = subprocess.run(
            [interpreter, "-c", _ASK],
            capture_output=True,
            text=True,
            check=True,
            timeout=_ASK_S,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise InterpreterError(f"The interpreter {interpreter} cannot be run: {error}") from error
    version, *folders = answer.splitlines()
    return version, tuple(folders)


@functools.lru_cache(maxsize=64)
def _distributions(folder: str, changed: int) -> frozenset[str]:
    if not changed:
        return frozenset()
    return frozenset(
        path.stem.lower()
        for path in Path(folder).iterdir()
        if path.suffix in (".dist-info", ".egg-info")
    )


@functools.lru_cache(maxsize=32)
def _versions(folders: tuple[tuple[str, int], ...]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for folder, changed in reversed(folders):  # of two the first one on the path counts
        for stem in _distributions(folder, changed):
            name, _, version = stem.partition("-")
            found[canonicalize_name(name)] = version.partition("-py")[0]
    return found


@functools.lru_cache(maxsize=32)
def _digest(version: str, folders: tuple[tuple[str, int], ...]) -> str:
    names: set[str] = set()
    for folder, changed in folders:
        names.update(_distributions(folder, changed))
    return hashlib.sha256("\n".join([version, *sorted(names)]).encode()).hexdigest()
