"""Limits of volumes that live with their pod: who fills more is evicted."""

from __future__ import annotations

import os
from pathlib import Path

from ...resources import Json, parse_quantity
from .sources import memory_folder

EVERY_S = 10.0
"""Seconds between two looks, as of the kubelet's eviction manager."""


def find_excess(pod: Json, folder: Path) -> str:
    """Return why a pod is to be evicted, in the kubelet's words; empty when it is not.

    Parameters
    ----------
    pod : dict
        The Pod.
    folder : Path
        Its own folder.
    """
    for volume in pod["spec"].get("volumes") or ():
        limit = (volume.get("emptyDir") or {}).get("sizeLimit")
        if not limit or not (most := parse_quantity(limit)):
            continue
        places = (folder / "volumes" / volume["name"], _memory(pod, volume["name"]))
        if any(_size(str(place)) > most for place in places):
            return f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
    return ""


def has_limits(pod: Json) -> bool:
    """Tell whether there is anything to look at."""
    volumes = pod["spec"].get("volumes") or ()
    return any((volume.get("emptyDir") or {}).get("sizeLimit") for volume in volumes)


def _memory(pod: Json, volume: str) -> Path:
    return memory_folder(pod["metadata"]["uid"], volume)


def _size(folder: str) -> int:
    """Return the bytes that a folder takes of its disk."""
    size = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    size += _size(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        pass  # gone since it was listed
    return size
