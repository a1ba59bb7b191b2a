"""Volumes of the platform spec, and the containers that run before a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .model import PodChange, Source
from .platform_target import Target, read_source, require
from .problems import Reader
from .task_specs import read_parameter_source

Json = Any
Read = Callable[[Json, str, Reader], PodChange]

STORAGE_CLASS = "standard"
"""Storage class of this machine's folders."""

_SHARED_MEMORY = "/dev/shm"


def _mount_path(spec: Json, path: str, reader: Reader) -> str:
    found = reader.string(spec.get("mountPath"), f"{path}.mountPath")
    if not found:
        reader.problem(f"{path}.mountPath", "is required")
    return found


def read_files(kind: str, field: str) -> Read:
    """Return the reader of `secretAsVolume` or `configMapAsVolume`.

    Parameters
    ----------
    kind : str
        `secret` or `configMap`, also the field of a volume.
    field : str
        Field in it that holds the name.
    """

    def read(value: Json, path: str, reader: Reader) -> PodChange:
        spec = reader.mapping(value, path)
        name = f"{kind}Name"
        reader.fields(spec, path, (name, f"{name}Parameter", "mountPath", "optional"))
        source = read_source(spec, name, path, reader)
        mount_path = _mount_path(spec, path, reader)
        optional = bool(spec.get("optional"))

        def change(target: Target) -> None:
            found = target.text(source)
            if found is not None:
                volume = {kind: {field: found, "optional": optional}}
                target.add_volume(found, volume, mount_path)

        return change

    return read


def read_claim(value: Json, path: str, reader: Reader) -> PodChange:
    """Read a `pvcMount`."""
    spec = reader.mapping(value, path)
    older = ("taskOutputParameter", "componentInputParameter", "constant")
    reader.fields(spec, path, ("pvcNameParameter", "mountPath", "subPath", *older))
    mount_path = _mount_path(spec, path, reader)
    sub_path = reader.string(spec.get("subPath"), f"{path}.subPath")
    if spec.get("pvcNameParameter") is not None:
        source = read_parameter_source(spec["pvcNameParameter"], f"{path}.pvcNameParameter", reader)
    elif spec.get("constant"):
        source = Source("constant", value=reader.string(spec["constant"], f"{path}.constant"))
    else:
        chosen = {name: spec[name] for name in older if spec.get(name)}
        source = read_parameter_source(chosen, path, reader)

    def change(target: Target) -> None:
        name = require(target.text(source), "name of the PersistentVolumeClaim to mount")
        volume = {"persistentVolumeClaim": {"claimName": name}}
        target.add_volume(name, volume, mount_path, sub_path)

    return change


def claim_spec(
    access_modes: list[str], size: str, storage_class: str | None, notice: Callable[[str], None]
) -> Json:
    """Return the spec of a claim on this machine, whose one storage class are its folders."""
    if storage_class not in (None, STORAGE_CLASS):
        notice(f"storage class '{storage_class}' is not used: volumes are folders of this machine")
    return {
        "accessModes": access_modes or ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": STORAGE_CLASS,
    }


def read_ephemeral(value: Json, path: str, reader: Reader) -> PodChange:
    """Read a `genericEphemeralVolume`."""
    spec = reader.mapping(value, path)
    reader.fields(
        spec,
        path,
        (
            "volumeName", "mountPath", "accessModes", "size", "defaultStorageClass",
            "storageClassName", "metadata",
        ),
    )  # fmt: skip
    name = reader.string(spec.get("volumeName"), f"{path}.volumeName")
    mount_path = _mount_path(spec, path, reader)
    modes = reader.strings(spec.get("accessModes"), f"{path}.accessModes")
    size = reader.string(spec.get("size"), f"{path}.size")
    metadata = reader.mapping(spec.get("metadata"), f"{path}.metadata")
    asked = reader.string(spec.get("storageClassName"), f"{path}.storageClassName")
    storage_class = None if spec.get("defaultStorageClass") or not asked else asked

    def change(target: Target) -> None:
        template: Json = {"spec": claim_spec(modes, size, storage_class, target.notice)}
        if metadata:
            template["metadata"] = metadata
        target.add_volume(name, {"ephemeral": {"volumeClaimTemplate": template}}, mount_path)

    return change


def read_empty_dir(value: Json, path: str, reader: Reader) -> PodChange:
    """Read one of `emptyDirMounts`."""
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("volumeName", "mountPath", "medium", "sizeLimit"))
    name = reader.string(spec.get("volumeName"), f"{path}.volumeName")
    mount_path = _mount_path(spec, path, reader)
    found = {
        field: reader.string(spec[field], f"{path}.{field}")
        for field in ("medium", "sizeLimit")
        if spec.get(field)
    }
    return lambda target: target.add_volume(name, {"emptyDir": found}, mount_path)


def read_shared_memory(value: Json, path: str, reader: Reader) -> PodChange:
    """Read `enabledSharedMemory`."""
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("volumeName", "size"))
    name = reader.string(spec.get("volumeName"), f"{path}.volumeName") or "shm"
    found = {"medium": "Memory"}
    if size := reader.string(spec.get("size"), f"{path}.size"):
        found["sizeLimit"] = size
    return lambda target: target.add_volume(name, {"emptyDir": found}, _SHARED_MEMORY)


def read_init_container(value: Json, path: str, reader: Reader) -> PodChange:
    """Read one of `initContainers`."""
    spec = reader.mapping(value, path)
    plain = ("name", "image", "command", "args", "env", "resources", "restartPolicy")
    reader.fields(spec, path, (*plain, "volumeMounts"))
    container = {field: spec[field] for field in plain if spec.get(field)}
    mounts = []
    for item in spec.get("volumeMounts") or ():
        mount = reader.mapping(item, f"{path}.volumeMounts")
        mounts.append({"name": mount.get("volumeName"), "mountPath": mount.get("mountPath")})

    def change(target: Target) -> None:
        found = {**container, "volumeMounts": mounts} if mounts else container
        target.spec.setdefault("initContainers", []).append(dict(found))

    return change
