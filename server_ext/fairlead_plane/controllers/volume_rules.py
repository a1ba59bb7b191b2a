"""Rules of claims and volumes: pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..resources import PV, STORAGE_CLASS, Json, parse_quantity, parse_timestamp
from .pods import is_leaving, selects

CLASS = "standard"
PROVISIONER = "fairlead.dev/folder"
MADE_BY = "pv.kubernetes.io/provisioned-by"
PROTECTION = "kubernetes.io/pv-protection"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def build_class() -> Json:
    """Build the storage class of this machine's folders."""
    return {
        "apiVersion": STORAGE_CLASS.api_version,
        "kind": STORAGE_CLASS.kind,
        "metadata": {"name": CLASS, "annotations": {_DEFAULT: "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    }


def default_class(classes: Iterable[Json]) -> str | None:
    """Return the name of the default class, of several the newest; None without one."""
    marked = [
        each
        for each in classes
        if (each["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
    ]
    marked.sort(key=lambda each: parse_timestamp(each["metadata"]["creationTimestamp"]))
    return marked[-1]["metadata"]["name"] if marked else None


def claims_of(pod: Json) -> list[str]:
    """Return the names of the claims that a pod mounts."""
    return [
        volume["persistentVolumeClaim"]["claimName"]
        if volume.get("persistentVolumeClaim")
        else f"{pod['metadata']['name']}-{volume['name']}"
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("persistentVolumeClaim") or volume.get("ephemeral")
    ]


def claim_reference(claim: Json) -> Json:
    """Return what a volume says about the claim that has it."""
    metadata = claim["metadata"]
    return {
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": "v1",
        "resourceVersion": metadata["resourceVersion"],
    }


def may_have(volume: Json, claim: Json) -> bool:
    """Tell whether a volume is nobody's, or this claim's."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return True
    metadata = claim["metadata"]
    names = (reference.get("namespace"), reference["name"])
    uid = reference.get("uid")
    return names == (metadata["namespace"], metadata["name"]) and uid in (None, metadata["uid"])


def choose(volumes: Iterable[Json], claim: Json) -> Json | None:
    """Return the smallest volume that is enough for a claim; one made for it goes first."""
    spec = claim["spec"]
    wanted = parse_quantity((spec.get("resources") or {}).get("requests", {}).get("storage", "0"))
    found = []
    for volume in volumes:
        given = volume["spec"]
        size = parse_quantity((given.get("capacity") or {}).get("storage", "0"))
        reserved = bool(given.get("claimRef"))
        if (
            not is_leaving(volume)
            and may_have(volume, claim)
            and (volume.get("status") or {}).get("phase") not in ("Released", "Failed")
            and (given.get("storageClassName") or "") == (spec.get("storageClassName") or "")
            and set(spec.get("accessModes") or ()) <= set(given.get("accessModes") or ())
            and given.get("volumeMode", "Filesystem") == spec.get("volumeMode", "Filesystem")
            and size >= wanted
            and selects(spec.get("selector") or {}, volume["metadata"].get("labels") or {})
        ):
            found.append((not reserved, size, volume["metadata"]["name"], volume))
    return min(found, key=lambda each: each[:3])[3] if found else None


def build_volume(claim: Json, storage_class: Json, folder: Path) -> Json:
    """Build the volume for a claim: a folder of its own."""
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    return {
        "apiVersion": PV.api_version,
        "kind": PV.kind,
        "metadata": {
            "name": name,
            "annotations": {MADE_BY: PROVISIONER},
            "finalizers": [PROTECTION],
        },
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec.get("accessModes") or [],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "claimRef": claim_reference(claim),
            "hostPath": {
                "path": str(folder / folder_name(name, claim_reference(claim))),
                "type": "DirectoryOrCreate",
            },
        },
    }


def folder_name(volume: str, reference: Json) -> str:
    """Return the folder's name: a person finds it by namespace and claim."""
    return f"{reference['namespace']}_{reference['name']}_{volume}"
