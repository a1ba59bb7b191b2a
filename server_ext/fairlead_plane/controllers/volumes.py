"""PersistentVolume: what becomes of it when its claim goes."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..resources import PV, PVC, Json, Kind, Resources, Transaction
from . import volume_rules as rules
from .base import Controller, Key
from .pods import is_leaving, save_status

log = logging.getLogger(__name__)

_TRASH = ".removed"
"""Folder beside the volumes: what is in it is on its way out."""


class VolumeController(Controller):
    """Frees or removes volumes whose claims are gone.

    Parameters
    ----------
    folder : Path
        Where the folders of the volumes are that this plane has made.
    """

    kind = PV
    watched = (PVC,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def start(self, resources: Resources) -> None:
        """Finish what a plane before was removing."""
        self._folder.mkdir(exist_ok=True)
        self._empty_trash()

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Return, of a claim that is gone, its volume."""
        if kind == PV:
            yield "", obj["metadata"]["name"]
        elif gone and obj["spec"].get("volumeName"):
            yield "", obj["spec"]["volumeName"]

    async def look(self, resources: Resources, key: Key) -> float | None:
        """Reconcile, and then remove the folder of a volume that is not needed any more."""
        doomed = await resources.transaction(lambda transaction: self._judge(transaction, key[1]))
        if doomed is None:
            return None
        self._throw_away(doomed)
        await resources.transaction(lambda transaction: _remove(transaction, doomed))
        return None

    def _judge(self, transaction: Transaction, name: str) -> Json | None:
        """Write the phase; returns the volume when it is to be removed."""
        volume = transaction.find(PV, name)
        if volume is None:
            return None
        reference = volume["spec"].get("claimRef")
        claim = None
        if reference:
            claim = transaction.find(PVC, reference["name"], reference.get("namespace"))
            if claim is not None and reference.get("uid") not in (None, claim["metadata"]["uid"]):
                claim = None
        if is_leaving(volume):
            if claim is None:
                return volume
            return None
        finalizers = volume["metadata"].setdefault("finalizers", [])
        if rules.PROTECTION not in finalizers:
            finalizers.append(rules.PROTECTION)
            volume = transaction.update(volume)
        if not reference or not reference.get("uid"):
            save_status(transaction, volume, {"phase": "Available"})
        elif claim is None:
            return self._release(transaction, volume)
        return None

    def _release(self, transaction: Transaction, volume: Json) -> Json | None:
        policy = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
        if policy != "Delete":
            save_status(transaction, volume, {"phase": "Released"})
            return None
        if self._path(volume) is not None:
            save_status(transaction, volume, {"phase": "Released"})
            return volume
        words = (
            f'error getting deleter volume plugin for volume "{volume["metadata"]["name"]}": '
            "no deletable volume plugin matched"
        )
        if (volume.get("status") or {}).get("phase") != "Failed":
            volume = save_status(transaction, volume, {"phase": "Failed", "message": words})
            transaction.record_event(
                volume, "VolumeFailedDelete", words,
                type="Warning", component="persistentvolume-controller",
            )  # fmt: skip
        return None

    def _path(self, volume: Json) -> Path | None:
        """Return the folder of a volume that this plane has made, and nothing else's."""
        metadata, spec = volume["metadata"], volume["spec"]
        made_by = (metadata.get("annotations") or {}).get(rules.MADE_BY)
        if made_by != rules.PROVISIONER or not spec.get("claimRef"):
            return None
        path = self._folder / rules.folder_name(metadata["name"], spec["claimRef"])
        given = (spec.get("hostPath") or {}).get("path")
        return path if given == str(path) and path.parent == self._folder else None

    def _throw_away(self, volume: Json) -> None:
        path = self._path(volume)
        policy = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
        if path is None or policy != "Delete" or not os.path.lexists(path):
            return
        trash = self._folder / _TRASH
        trash.mkdir(exist_ok=True)
        os.rename(path, trash / path.name)
        self._empty_trash()

    def _empty_trash(self) -> None:
        # In a thread: there may be much in it.
        trash = self._folder / _TRASH
        if trash.exists():
            asyncio.get_running_loop().run_in_executor(None, _remove_tree, trash)


def _remove(transaction: Transaction, volume: Json) -> None:
    name = volume["metadata"]["name"]
    found = transaction.find(PV, name)
    if found is None or found["metadata"]["uid"] != volume["metadata"]["uid"]:
        return
    finalizers = found["metadata"].get("finalizers") or []
    if rules.PROTECTION in finalizers:
        found["metadata"]["finalizers"] = [each for each in finalizers if each != rules.PROTECTION]
        transaction.update(found)
    if transaction.find(PV, name) is not None:
        transaction.delete(PV, name)


def _remove_tree(folder: Path) -> None:
    def report(function: object, path: str, info: object) -> None:
        if os.path.lexists(path):
            log.warning("%s cannot be removed: %s", path, info)

    shutil.rmtree(folder, onerror=report)
