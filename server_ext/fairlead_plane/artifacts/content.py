"""What the content of an artifact on this machine is known by."""

from __future__ import annotations

import hashlib
import os
from stat import S_ISREG

_CHUNK = 1 << 20


def sha256(path: str) -> str:
    """Hash the content of a file, or the names and contents of all files of a folder."""
    digest = hashlib.sha256()
    if not os.path.isdir(path):
        _feed(digest, path)
        return digest.hexdigest()
    for name, _ in entries(path):
        digest.update(f"{name}\0".encode())
        _feed(digest, os.path.join(path, name))
    return digest.hexdigest()


def entries(folder: str) -> list[tuple[str, os.stat_result]]:
    """List the files below a folder, by name; links and what has no content are left out."""
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            if S_ISREG(status.st_mode):
                found.append((os.path.relpath(path, folder), status))
    return sorted(found)


def _feed(digest: hashlib._Hash, path: str) -> None:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
