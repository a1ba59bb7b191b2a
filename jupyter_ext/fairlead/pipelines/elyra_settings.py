"""What a node of Elyra asks for, as a container and a platform's executor of KFP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fairlead.pipelines.elyra_properties import Entry, Properties

Json = dict[str, Any]

DEFAULT_IMAGE = "python:3.11"

_FOR_ALL = frozenset(
    "runtime_image env_vars kubernetes_secrets kubernetes_tolerations mounted_volumes"
    " kubernetes_pod_annotations kubernetes_pod_labels disable_node_caching"
    " kubernetes_shared_mem_size cos_object_prefix".split()
)
"""Properties that the pipeline can have for all nodes."""
_KNOWN = _FOR_ALL | frozenset(
    "filename cpu cpu_limit memory memory_limit gpu gpu_vendor pipeline_parameters dependencies"
    " include_subdirectories outputs".split()
)
"""Properties of a node that runs a file."""
_EFFECTS = ("", "NoExecute", "NoSchedule", "PreferNoSchedule")


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

    image: str = DEFAULT_IMAGE
    env: dict[str, str] = field(default_factory=dict)
    resources: Json = field(default_factory=dict)
    platform: Json = field(default_factory=dict)
    cache: bool = True


def read_node_settings(properties: Properties) -> NodeSettings:
    """Read a node's properties; what it leaves out is as the pipeline's defaults have it.

    Raises
    ------
    SpecError
        A property is wrong; the message names the node and the field.
    """
    image = properties.one("runtime_image")
    made = NodeSettings()
    if image.text("runtime_image"):
        made.image = image.check("runtime_image", image.text("runtime_image"), "image")
    made.resources = _resources(properties)
    secrets = _secrets(properties)
    made.env = {
        name: value
        for name, value in _variables(properties).items()
        if all(name != one["keyToEnv"][0]["envVar"] for one in secrets)  # as in Elyra, those win
    }
    caching = properties.one("disable_node_caching").text("disable_node_caching")
    made.cache = caching.lower() != "true"
    parts: Json = {
        "secretAsEnv": secrets,
        "pvcMount": _mounts(properties),
        "tolerations": _tolerations(properties),
        "podMetadata": _metadata(properties),
        "enabledSharedMemory": _shared_memory(properties),
    }
    made.platform = {key: value for key, value in parts.items() if value}
    prefix = properties.one("cos_object_prefix")
    if prefix.text("cos_object_prefix"):
        hint = "Set the pipeline root of the run."
        properties.notice(
            prefix, "cos_object_prefix", "artifacts go to the run's pipeline root", hint
        )
    properties.notice_others(_KNOWN, _FOR_ALL)
    return made


def _variables(properties: Properties) -> dict[str, str]:
    made: dict[str, str] = {}
    for one in properties.listed("env_vars", ("env_var", "value"), ("env_var",)):
        if one.text("value"):  # without one it is not set, in Elyra neither
            made[one.need("env_var", "variable")] = one.text("value")
    return made


def _resources(properties: Properties) -> Json:
    made: Json = {}
    own = properties.own
    for key, field_name in (
        ("cpu", "resourceCpuRequest"),
        ("cpu_limit", "resourceCpuLimit"),
        ("memory", "resourceMemoryRequest"),
        ("memory_limit", "resourceMemoryLimit"),
    ):
        text = own.text(key)
        if text in ("", "0"):
            continue
        # Elyra's memory is in units of 10**9 bytes.
        unit = "G" if key.startswith("memory") and text[-1].isdigit() else ""
        made[field_name] = own.check(key, text + unit, "quantity")
    for key in ("cpu", "memory"):
        asked, most = own.text(key), own.text(f"{key}_limit")
        if _number(asked) > _number(most) > 0:
            own.refuse(f"{key}_limit", f"is less than `{key}`", "Raise the limit.")
    count = own.text("gpu")
    vendor = own.text("gpu_vendor") or "nvidia.com/gpu"
    if count not in ("", "0"):
        if not count.isdecimal():
            own.refuse("gpu", f"must be a whole number, not {count!r}", "Correct it in Elyra.")
        kind = own.check("gpu_vendor", vendor, "resource")
        made["accelerator"] = {"resourceType": kind, "resourceCount": count}
    elif own.text("gpu_vendor"):
        properties.notice(own, "gpu_vendor", "`gpu` asks for none", "Set `gpu`, or remove it.")
    return made


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _secrets(properties: Properties) -> list[Json]:
    return [
        {
            **_named("secretName", one.need("name", "name")),
            "keyToEnv": [
                {
                    "secretKey": one.need("key", "key"),
                    "envVar": one.need("env_var", "variable"),
                }
            ],
        }
        for one in properties.listed("kubernetes_secrets", ("env_var", "name", "key"), ("env_var",))
    ]


def _mounts(properties: Properties) -> list[Json]:
    known = ("path", "pvc_name", "sub_path", "read_only")
    made: list[Json] = []
    for one in properties.listed("mounted_volumes", known, ("path",)):
        if not (one.text("path") or one.text("pvc_name") or one.text("sub_path")):
            continue  # an empty row of the editor
        claim = one.need("pvc_name", "name")
        mount: Json = {
            "pvcNameParameter": {"runtimeValue": {"constant": claim}},
            "constant": claim,
            "mountPath": one.check("path", "/" + one.need("path").strip("/"), "path"),
        }
        if inner := one.text("sub_path"):
            if inner.startswith("/") or ".." in inner.split("/"):
                one.refuse("sub_path", f"leads out of the volume: {inner}", "Make it relative.")
            mount["subPath"] = inner
        if one.values.get("read_only") not in (None, "", False, "False", "false"):
            why = f"KFP mounts no claim for reading only, so {mount['mountPath']} can be written to"
            hint = f"Give the claim '{claim}' the access mode ReadOnlyMany."
            properties.notice(one, "read_only", why, hint)
        made.append(mount)
    return made


def _tolerations(properties: Properties) -> list[Json]:
    fields = ("key", "operator", "value", "effect")
    made: list[Json] = []
    for one in properties.listed("kubernetes_tolerations", fields, fields):
        operator = one.text("operator") or "Equal"
        if operator not in ("Equal", "Exists"):
            one.refuse("operator", f"must be Equal or Exists, not {operator}", "Correct it.")
        if operator == "Equal" and not one.text("key"):
            one.refuse("key", "is missing", "Without one, `operator` must be Exists.")
        if operator == "Exists" and one.text("value"):
            one.refuse("value", "must be empty where `operator` is Exists", "Remove it.")
        if one.text("effect") not in _EFFECTS:
            one.refuse("effect", f"must be one of {', '.join(_EFFECTS[1:])}", "Correct it.")
        if key := one.text("key"):
            one.check("key", key, "metadata-key")
        found = {"operator": operator, **{name: one.text(name) for name in fields[2:]}, "key": key}
        made.append({name: found[name] for name in fields if found[name]})
    return made


def _metadata(properties: Properties) -> Json:
    made: Json = {}
    for side in ("annotations", "labels"):
        listed = properties.listed(f"kubernetes_pod_{side}", ("key", "value"), ("key",))
        found = {one.need("key", "metadata-key"): _metadata_value(one, side) for one in listed}
        if found:
            made[side] = found
    return made


def _metadata_value(one: Entry, side: str) -> str:
    return one.check("value", one.text("value"), "label") if side == "labels" else one.text("value")


def _shared_memory(properties: Properties) -> Json:
    for node, path, side in (
        (properties.label, "", properties.given),
        ("", "pipeline_defaults.", properties.defaults),
    ):
        value = side.get("kubernetes_shared_mem_size") or {}
        found = Entry(f"{path}kubernetes_shared_mem_size", node, value)
        if not isinstance(value, dict):
            found.refuse("", "must be an object with fields", "Correct it in Elyra.")
        if found.text("size") not in ("", "0"):
            units = found.text("units") or "G"
            if units != "G":
                found.refuse("units", f"must be G, not {units}", "Give the size in 10**9 bytes.")
            size = found.check("size", found.text("size"), "quantity")
            return {"volumeName": "shm", "size": size + units}
    return {}


def _named(key: str, name: str) -> Json:
    """Write a name in both ways of the platform spec, so that older servers read it."""
    return {key: name, f"{key}Parameter": {"runtimeValue": {"constant": name}}}
