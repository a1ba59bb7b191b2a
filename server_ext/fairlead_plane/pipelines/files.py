"""Facts about the files of artifacts."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from ..artifacts.content import entries, sha256

__all__ = ["is_unchanged", "remove_tree", "sha256", "shallow_stamp", "stamp"]

_FOLDER = "folder:"


def stamp(path: str) -> tuple[str, int]:
    """Return a text that changes when a file or folder changes, and its size in bytes.

    Returns
    -------
    tuple
        `("", 0)` when nothing is there, or something that has no content, as a pipe. The stamp
        of a file is made of its size and the time of its last change, that of a folder of those
        of all that is in it.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "", 0
    if S_ISREG(status.st_mode):
        return f"{status.st_size}:{status.st_mtime_ns}", status.st_size
    if not S_ISDIR(status.st_mode):
        return "", 0
    digest = hashlib.sha256()
    total = 0
    for name, entry in entries(path):
        total += entry.st_size
        digest.update(f"{name}\0{entry.st_size}:{entry.st_mtime_ns}\0".encode())
    return f"{total}:{digest.hexdigest()[:32]}", total


def shallow_stamp(path: str) -> tuple[str, int]:
    """Like `stamp`, but of a folder only the time at which something came or went in it."""
    if not os.path.isdir(path):
        return stamp(path)
    return f"{_FOLDER}{os.stat(path).st_mtime_ns}", 0


def is_unchanged(path: str, before: str) -> bool:
    """Say whether what is at a path has the stamp that either function gave before."""
    return (shallow_stamp if before.startswith(_FOLDER) else stamp)(path)[0] == before


def remove_tree(path: Path) -> None:
    """Remove a folder of ours with all that is in it; links in it are removed, not followed."""
    for parent, folders, names in os.walk(path, topdown=False):
        for name in names:
            os.unlink(os.path.join(parent, name))
        for name in folders:
            place = os.path.join(parent, name)
            if os.path.islink(place):
                os.unlink(place)
            else:
                os.rmdir(place)
    if path.is_dir():
        path.rmdir()
