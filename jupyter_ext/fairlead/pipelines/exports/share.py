"""One file with all that a notebook's pipeline needs, for another machine.

A zip: the notebook without its outputs, the compiled pipeline, the notebook's own modules, small
data, the versions of its packages, and a manifest with the checksum of each. The same content
always gives the same bytes, so that the file's digest stands for it.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from fairlead._version import __version__
from fairlead.errors import SpecError

Json = dict[str, Any]

MANIFEST = "fairlead-share.json"
PIPELINE = "pipeline.yaml"
REQUIREMENTS = "requirements.txt"
_FORMAT = 1
_LARGEST = 256 * 2**20
"""Bytes of a share file's content, more than which is not read."""
_KEPT = frozenset({"kernelspec", "language_info", "fairlead", "kubeflow_notebook"})
_PLACES = frozenset({"abs_working_dir", "notebook_path", "marshal_path", "kfp_host"})
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, LookupError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""What reading a zip raises where bytes of it are others."""

_WHEN = (1980, 1, 1, 0, 0, 0)


def bare_notebook(notebook: Json) -> Json:
    """Return a notebook without outputs, and without what tells of the machine it was on."""
    metadata = {k: v for k, v in notebook.get("metadata", {}).items() if k in _KEPT}
    if isinstance(metadata.get("kubeflow_notebook"), dict):
        kale = metadata["kubeflow_notebook"]
        metadata["kubeflow_notebook"] = {k: v for k, v in kale.items() if k not in _PLACES}
    cells = []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags")
        own = {k: v for k, v in cell["metadata"].items() if k in ("fairlead", "notebook_path")}
        kept = {"id": cell["id"], "cell_type": cell["cell_type"], "source": cell["source"]}
        kept["metadata"] = {**({"tags": tags} if tags else {}), **own}
        if cell["cell_type"] == "code":
            kept |= {"execution_count": None, "outputs": []}
        cells.append(kept)
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def build_share(name: str, python: str, files: Mapping[str, bytes]) -> bytes:
    """Build a share file.

    Parameters
    ----------
    name
        The notebook's path among the files.
    python
        Version of Python that the packages are of, `3.11`.
    files
        Content by path.
    """
    sums = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}
    manifest = {
        "format": _FORMAT,
        "fairlead": __version__,
        "notebook": name,
        "python": python,
        "files": sums,
    }
    text = json.dumps(manifest, indent=1, sort_keys=True).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in [(MANIFEST, text), *sorted(files.items())]:
            info = zipfile.ZipInfo(path, _WHEN)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return target.getvalue()


def read_share(data: bytes, name: str) -> tuple[Json, dict[str, bytes]]:
    """Read a share file and check every part of it.

    Parameters
    ----------
    name
        Name of the file, for messages.

    Returns
    -------
    tuple
        The manifest, and the content of each file by path.

    Raises
    ------
    SpecError
        It is not a share file, or is not as it was written; nothing of it should be used.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except _BROKEN as error:
        raise SpecError(f"{name} is not a share file of Fairlead: {error}") from error
    names = [entry.filename for entry in entries]
    if MANIFEST not in names:
        raise SpecError(f"{name} is not a share file of Fairlead: it has no {MANIFEST}.")
    if sum(entry.file_size for entry in entries) > _LARGEST:
        raise _changed(name, f"it holds more than {_LARGEST // 2**20} MiB")
    if len(set(names)) != len(names):
        raise _changed(name, "a file is in it twice")
    contents = {}
    for entry in entries:
        try:
            contents[entry.filename] = archive.read(entry)
        except _BROKEN as error:
            raise _changed(name, f"{entry.filename} cannot be read ({error})") from error
    manifest = _manifest(contents.pop(MANIFEST), name)
    sums = manifest["files"]
    for path in sorted(set(sums) ^ set(contents)):
        raise _changed(name, f"{path} is {'missing' if path in sums else 'not of it'}")
    for path, content in contents.items():
        _check_path(path, name)
        if hashlib.sha256(content).hexdigest() != sums[path]:
            raise _changed(name, f"{path} is not what was put in")
    if manifest["notebook"] not in contents:
        raise _changed(name, "its notebook is missing")
    return manifest, contents


def _manifest(data: bytes, name: str) -> Json:
    try:
        manifest = json.loads(data)
    except ValueError as error:
        raise _changed(name, f"{MANIFEST} is not JSON") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise _changed(name, f"{MANIFEST} lists no files")
    if manifest.get("format") != _FORMAT:
        raise SpecError(
            f"{name} is of format {manifest.get('format')}, and {_FORMAT} is understood.",
            hint="Install the newest Fairlead.",
        )
    return manifest


def _check_path(path: str, name: str) -> None:
    """Refuse a path that would lead out of the folder that it is written to."""
    parts = PurePosixPath(path).parts
    strange = "\\" in path or ":" in path or "\0" in path or path.endswith("/")
    if not parts or strange or path.startswith("/") or ".." in parts:
        raise _changed(name, f"{path!r} is no path inside of a folder")


def _changed(name: str, what: str) -> SpecError:
    return SpecError(
        f"{name} is not as it was written: {what}. Nothing has been imported.",
        hint="Get it again from where it comes from.",
    )
