"""Files that change all at once, as the kubelet writes those of a ConfigMap or Secret.

A reader sees `name -> ..data/name`, and `..data` is a link that is moved from one folder with a
time for a name to the next.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from .payload import File

_DATA = "..data"


def write_files(folder: Path, files: Mapping[str, File]) -> None:
    """Make a folder hold these files and no others; nothing is touched where nothing changes.

    Parameters
    ----------
    folder : Path
        Of the volume; made when it is not there.
    files : mapping
        Path in the folder -> file.

    Notes
    -----
    Safe over a kill at any point: what a reader sees is whole, and the next call tidies up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    now = folder / _DATA
    old = os.readlink(now) if now.is_symlink() else ""
    if not (old and _holds(folder / old, files)):
        stamp = time.strftime("..%Y_%m_%d_%H_%M_%S") + f".{time.time_ns() % 10**9:09d}"
        _write(folder / stamp, files)
        draft = folder / "..data_tmp"
        draft.unlink(missing_ok=True)
        draft.symlink_to(stamp)
        draft.rename(now)
    heads = {path.partition("/")[0] for path in files}
    for head in heads:
        if not (folder / head).is_symlink():
            (folder / head).symlink_to(f"{_DATA}/{head}")
    current = os.readlink(now)
    for entry in list(os.scandir(folder)):
        if entry.name in heads or entry.name in (_DATA, current):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _write(folder: Path, files: Mapping[str, File]) -> None:
    folder.mkdir(0o755)
    folder.chmod(0o755)
    for path, file in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(file.content)
        target.chmod(file.mode)


def _holds(folder: Path, files: Mapping[str, File]) -> bool:
    """Tell whether a folder holds exactly these files."""
    try:
        found = {
            str(path.relative_to(folder)): File(path.read_bytes(), path.stat().st_mode & 0o7777)
            for path in folder.rglob("*")
            if path.is_file()
        }
    except OSError:
        return False
    return found == dict(files)
