"""The files of a folder that go along with a job."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

from fairlead.errors import SpecError

IGNORE_FILE = ".fairleadignore"
ALWAYS_IGNORED = (".git", ".ipynb_checkpoints", "__pycache__", ".venv", "node_modules", IGNORE_FILE)


def read_workspace(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by relative path, but those that its ignore file names.

    The ignore file has a pattern a line (`*.csv`, `data/`, `/results`), `#` for comments. A pattern
    without a slash fits the name of a file or folder anywhere; others fit paths from the top.

    Raises
    ------
    SpecError
        There is no such folder.
    """
    if not folder.is_dir():
        raise SpecError(f"workspace: {folder} is no folder.")
    ignore = folder / IGNORE_FILE
    lines = ignore.read_text("utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    patterns += ALWAYS_IGNORED
    found: dict[str, bytes] = {}
    for place, folders, names in os.walk(folder):
        top = Path(place).relative_to(folder)
        folders[:] = sorted(n for n in folders if not _ignored(top / n, patterns, folder=True))
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not _ignored(top / name, patterns, folder=False):
                found[(top / name).as_posix()] = path.read_bytes()
    return found


def _ignored(path: Path, patterns: list[str], *, folder: bool) -> bool:
    for pattern in patterns:
        if pattern.endswith("/") and not folder:
            continue
        plain = pattern.strip("/")
        whole = "/" in pattern.rstrip("/")
        if fnmatchcase(path.as_posix() if whole else path.name, plain):
            return True
    return False
