"""Where the content of each kind of volume lies on this machine."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

from ...resources import PV, PVC, Json, Resources
from ..problems import HoldError
from ..runtime import StartError
from .atomic import write_files
from .payload import Context, build_payload, failed_mount

WRITTEN = ("configMap", "secret", "downwardAPI", "projected")
"""Kinds of volume whose files the node writes."""

MEMORY = Path("/dev/shm")
"""Where volumes of medium Memory lie; a system without has them on disk."""

_HOST_TYPES = {
    "Directory": (stat.S_ISDIR, "is not a directory"),
    "File": (stat.S_ISREG, "is not a file"),
    "Socket": (stat.S_ISSOCK, "is not a socket"),
    "CharDevice": (stat.S_ISCHR, "is not a character device"),
    "BlockDevice": (stat.S_ISBLK, "is not a block device"),
}


async def set_up(context: Context, volume: Json, folder: Path) -> tuple[str, bool]:
    """Make what a volume shows, and return its path and whether it may only be read.

    Parameters
    ----------
    context : Context
        The pod and where to look.
    volume : dict
        Entry of `spec.volumes`.
    folder : Path
        For the volumes of this pod that live and end with it.

    Raises
    ------
    HoldError
        It cannot be set up now.
    StartError
        This machine has no such volumes.
    """
    name = volume["name"]
    where = folder / name
    if any(key in volume for key in WRITTEN):
        write_files(where, await build_payload(context, volume))
        return str(where), True
    if "hostPath" in volume:
        return _host_path(name, volume["hostPath"]), False
    if "persistentVolumeClaim" in volume:
        claim = volume["persistentVolumeClaim"]
        namespace = context.pod["metadata"]["namespace"]
        path = await _claim(context.resources, name, claim["claimName"], namespace)
        return path, bool(claim.get("readOnly"))
    if "ephemeral" in volume:
        namespace = context.pod["metadata"]["namespace"]
        claim_name = f"{context.pod['metadata']['name']}-{name}"
        return await _claim(context.resources, name, claim_name, namespace), False
    kinds = [key for key in volume if key != "name"]
    if kinds and kinds != ["emptyDir"]:
        raise StartError(
            f'volume "{name}" is of type {kinds[0]}, which this machine does not have: use a '
            "persistentVolumeClaim, a hostPath or an emptyDir"
        )
    medium = (volume.get("emptyDir") or {}).get("medium") or ""
    if medium == "Memory" and MEMORY.is_dir():
        where = memory_folder(context.pod["metadata"]["uid"], name)
    elif medium not in ("", "Memory"):
        raise StartError(f'volume "{name}" asks for medium {medium}, which is not supported here')
    where.mkdir(parents=True, exist_ok=True)
    where.chmod(0o777)
    return str(where), False


def memory_folder(uid: str, volume: str) -> Path:
    """Return where a volume of medium Memory lies: in memory, for all containers of its pod."""
    return MEMORY / f"fairlead-{os.getuid()}-{uid}" / volume


def has_memory(pod: Json) -> bool:
    """Tell whether a pod has a volume of medium Memory."""
    volumes = pod["spec"].get("volumes") or ()
    return any((each.get("emptyDir") or {}).get("medium") == "Memory" for each in volumes)


def remove_memory(uid: str) -> None:
    """Give back the memory of a pod that is gone."""
    if sys.platform == "linux":
        shutil.rmtree(memory_folder(uid, "x").parent, ignore_errors=True)


def _host_path(name: str, source: Json) -> str:
    path: str = source["path"]
    kind: str = source.get("type") or ""
    try:
        # Without a type, the runtime makes what is not there.
        if kind == "DirectoryOrCreate" or (not kind and not os.path.lexists(path)):
            os.makedirs(path, mode=0o755, exist_ok=True)
        elif kind == "FileOrCreate" and not os.path.lexists(path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
        mode = os.stat(path).st_mode
    except OSError as error:
        if kind and isinstance(error, FileNotFoundError):
            raise failed_mount(name, _type_failed(path, kind)) from error
        raise failed_mount(name, f"{error.strerror}: {path}") from error
    wanted = _HOST_TYPES.get(kind.removesuffix("OrCreate"))
    if wanted is not None and not wanted[0](mode):
        raise failed_mount(name, _type_failed(path, kind))
    return path


def _type_failed(path: str, kind: str) -> str:
    return f"hostPath type check failed: {path} {_HOST_TYPES[kind.removesuffix('OrCreate')][1]}"


async def _claim(resources: Resources, volume: str, name: str, namespace: str) -> str:
    claim = await resources.find(PVC, name, namespace)
    if claim is None:
        raise _unbound(f'persistentvolumeclaim "{name}" not found')
    bound = claim["spec"].get("volumeName")
    if not bound:
        raise _unbound("pod has unbound immediate PersistentVolumeClaims")
    found = await resources.find(PV, bound)
    if found is None:
        raise failed_mount(volume, f'persistentvolume "{bound}" not found')
    spec = found["spec"]
    for field in ("local", "hostPath"):
        if field in spec:
            path = Path(spec[field]["path"])
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise failed_mount(volume, f"{error.strerror}: {path}") from error
            return str(path)
    kinds = sorted(set(spec) & {"nfs", "csi", "iscsi", "cephfs", "rbd", "fc"})
    raise StartError(
        f'the claim "{name}" is bound to "{bound}", a volume of type '
        f"{kinds[0] if kinds else 'unknown'}, which this machine does not have"
    )


def _unbound(why: str) -> HoldError:
    return HoldError("ContainerCreating", "", event=("FailedScheduling", why))
