"""What a node of Elyra asks for, as a container and a platform's executor of KFP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

_DEFAULT_IMAGE = "python:3.11"


@dataclass
class NodeSettings:
    """What a node asks for.

    Parameters
    ----------
    image : str
        Image of its container.
    env : dict
        Environment variables.
    resources : dict
        `resources` of KFP's container spec.
    platform : dict
        Its executor in the platform spec of kubernetes.
    cache : bool
        Whether an unchanged node is taken from the cache.
    """

    image: str = _DEFAULT_IMAGE
    env: dict[str, str] = field(default_factory=dict)
    resources: Json = field(default_factory=dict)
    platform: Json = field(default_factory=dict)
    cache: bool = True


def read_node_settings(
    given: Json, defaults: Json, label: str, warnings: list[str]
) -> NodeSettings:
    """Read a node's properties; what it leaves out is as the pipeline's defaults have it.

    Parameters
    ----------
    warnings
        Added to: what has no effect.
    """
    made = NodeSettings()
    made.image = str(given.get("runtime_image") or defaults.get("runtime_image") or _DEFAULT_IMAGE)
    pairs = [*_pairs(defaults.get("env_vars")), *_pairs(given.get("env_vars"))]
    made.env = {variable: value for variable, value in pairs if variable}
    made.resources = _resources(given)
    caching = given.get("disable_node_caching", defaults.get("disable_node_caching"))
    made.cache = str(caching).lower() != "true"
    made.platform = _platform(given, defaults, label, warnings)
    if defaults.get("cos_object_prefix"):
        said = "`cos_object_prefix` has no effect: artifacts go to the run's pipeline root."
        if said not in warnings:
            warnings.append(said)
    return made


def _pairs(listed: Any) -> Iterator[tuple[str, str]]:
    """Yield names and values of variables, as objects or as `NAME=VALUE`."""
    for one in listed or []:
        if isinstance(one, dict):
            yield str(one.get("env_var") or ""), str(one.get("value") or "")
        else:
            name, _, value = str(one).partition("=")
            yield name.strip(), value


def _resources(given: Json) -> Json:
    made: Json = {}
    for key, field_name, unit in (
        ("cpu", "resourceCpuRequest", ""),
        ("cpu_limit", "resourceCpuLimit", ""),
        ("memory", "resourceMemoryRequest", "Gi"),
        ("memory_limit", "resourceMemoryLimit", "Gi"),
    ):
        if given.get(key):
            made[field_name] = f"{given[key]}{unit}"
    if given.get("gpu"):
        made["accelerator"] = {
            "resourceType": str(given.get("gpu_vendor") or "nvidia.com/gpu"),
            "resourceCount": str(given["gpu"]),
        }
    return made


def _platform(given: Json, defaults: Json, label: str, warnings: list[str]) -> Json:
    def listed(key: str, unique: str) -> list[Json]:
        """Join the node's list and the pipeline's, of which the node's entries win."""
        both = [*(defaults.get(key) or []), *(given.get(key) or [])]
        found = [one for one in both if isinstance(one, dict)]
        return list({str(one.get(unique)).strip("/"): one for one in found}.values())

    made: Json = {}
    secrets = [
        {
            **_named("secretName", str(one["name"])),
            "keyToEnv": [{"secretKey": str(one.get("key")), "envVar": str(one.get("env_var"))}],
        }
        for one in listed("kubernetes_secrets", "env_var")
        if one.get("name")
    ]
    mounts = [
        _mount(one, label, warnings)
        for one in listed("mounted_volumes", "path")
        if one.get("pvc_name")
    ]
    tolerations = [
        {
            key: str(one[key])
            for key in ("key", "operator", "value", "effect")
            if one.get(key) not in (None, "")
        }
        for one in listed("kubernetes_tolerations", "key")
    ]
    metadata = {
        side: {str(one["key"]): str(one.get("value") or "") for one in pairs if one.get("key")}
        for side, pairs in (
            ("annotations", listed("kubernetes_pod_annotations", "key")),
            ("labels", listed("kubernetes_pod_labels", "key")),
        )
    }
    memory = given.get("kubernetes_shared_mem_size") or defaults.get("kubernetes_shared_mem_size")
    parts: Json = {
        "secretAsEnv": secrets,
        "pvcMount": mounts,
        "tolerations": tolerations,
        "podMetadata": {side: found for side, found in metadata.items() if found},
    }
    if isinstance(memory, dict) and memory.get("size"):
        size = f"{memory['size']}{memory.get('units') or 'G'}"
        parts["enabledSharedMemory"] = {"volumeName": "shm", "size": size}
    made.update({key: value for key, value in parts.items() if value})
    return made


def _mount(one: Json, label: str, warnings: list[str]) -> Json:
    mount = {
        "pvcNameParameter": {"runtimeValue": {"constant": str(one["pvc_name"])}},
        "constant": str(one["pvc_name"]),
        "mountPath": "/" + str(one.get("path")).strip("/"),
    }
    if one.get("sub_path"):
        mount["subPath"] = str(one["sub_path"])
    if one.get("read_only"):
        warnings.append(
            f"Node '{label}': the volume at {mount['mountPath']} can be written to; KFP has no "
            "claims that are mounted for reading only."
        )
    return mount


def _named(key: str, name: str) -> Json:
    """Write a name in both ways of the platform spec, so that older servers read it."""
    return {key: name, f"{key}Parameter": {"runtimeValue": {"constant": name}}}
