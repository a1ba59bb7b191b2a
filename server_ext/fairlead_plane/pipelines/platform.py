"""What the platform spec adds to an executor: `kfp-kubernetes`' settings of its pod.

Source of the format: `kubernetes_platform/proto/kubernetes_executor_config.proto` of
kubeflow/pipelines; meaning: `backend/src/v2/driver/k8s.go` there. Each setting is read and checked
before a run starts, and becomes a function that changes a pod when its task starts: names may come
from parameters. What decides on which machine a pod runs has no meaning here, where there is one;
that is said on the task. What would change the result and cannot be had is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import platform_volumes as volumes
from .model import PodChange, Source
from .platform_target import Target, read_source
from .problems import Reader

Json = Any
Read = Callable[[Json, str, Reader], PodChange]

_POLICIES = ("", "Always", "Never", "IfNotPresent")
_ONE_NODE = "there is one node: this machine"


def read_platform(config: Json, path: str, reader: Reader) -> tuple[PodChange, ...]:
    """Read the settings of one executor.

    Parameters
    ----------
    config : JSON
        A `KubernetesExecutorConfig`.
    path : str
        Where it stands.
    reader : Reader
        Takes the problems.
    """
    spec = reader.mapping(config, path)
    reader.fields(spec, path, (*_SINGLE, *_SEVERAL, "podMetadata", "podResourceClaims"))
    if spec.get("podResourceClaims"):
        reader.problem(
            f"{path}.podResourceClaims",
            "no driver on this machine allocates devices to claims (DRA); "
            "a GPU is asked for as `nvidia.com/gpu`: `task.set_accelerator_type`",
        )
    found = []
    # In this order, so that what mounts volumes finds those of the others.
    for name, read in _SINGLE.items():
        if spec.get(name) not in (None, "", 0, "0"):
            found.append(read(spec[name], f"{path}.{name}", reader))
    for name, read in _SEVERAL.items():
        for at, value in _items(spec.get(name), f"{path}.{name}", reader):
            found.append(read(value, at, reader))
    return tuple(found)


def _items(value: Json, path: str, reader: Reader) -> Iterator[tuple[str, Json]]:
    if value is not None and not isinstance(value, list):
        reader.problem(path, "must be a list")
        return
    for index, item in enumerate(value or []):
        yield f"{path}[{index}]", item


# Variables


def _env_from(kind: str, key: str, reference: str) -> Read:
    """Read `secretAsEnv` or `configMapAsEnv`."""

    def read(value: Json, path: str, reader: Reader) -> PodChange:
        spec = reader.mapping(value, path)
        name = f"{kind}Name"
        reader.fields(spec, path, (name, f"{name}Parameter", "keyToEnv", "optional"))
        source = read_source(spec, name, path, reader)
        pairs = []
        for at, item in _items(spec.get("keyToEnv"), f"{path}.keyToEnv", reader):
            pair = reader.mapping(item, at)
            reader.fields(pair, at, (key, "envVar"))
            found = [reader.string(pair.get(each), f"{at}.{each}") for each in (key, "envVar")]
            if not all(found):
                reader.problem(at, f"`{key}` and `envVar` are required")
            pairs.append(found)
        optional = spec.get("optional")

        def change(target: Target) -> None:
            found = target.text(source)
            if found is None:
                return
            for field, variable in pairs:
                more = {} if optional is None else {"optional": bool(optional)}
                chosen = {"name": found, "key": field, **more}
                target.add_env({"name": variable, "valueFrom": {reference: chosen}})

        return change

    return read


def _field_path(value: Json, path: str, reader: Reader) -> PodChange:
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("name", "fieldPath"))
    name = reader.string(spec.get("name"), f"{path}.name")
    field = reader.string(spec.get("fieldPath"), f"{path}.fieldPath")
    entry = {"name": name, "valueFrom": {"fieldRef": {"fieldPath": field}}}
    return lambda target: target.add_env(entry)


# The pod


def _deadline(value: Json, path: str, reader: Reader) -> PodChange:
    try:
        seconds = int(value)  # 64 bits are a string in proto JSON
    except (TypeError, ValueError):
        reader.problem(path, "must be a whole number of seconds")
        seconds = 0
    if seconds < 0:
        reader.problem(path, "must not be negative")
    return lambda target: target.spec.update(activeDeadlineSeconds=seconds)


def _pull_policy(value: Json, path: str, reader: Reader) -> PodChange:
    policy = reader.string(value, path)
    if policy not in _POLICIES:
        reader.problem(path, f"must be one of {', '.join(_POLICIES[1:])}")
    return lambda target: target.container.update(imagePullPolicy=policy)


def _pull_secret(value: Json, path: str, reader: Reader) -> PodChange:
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("secretName", "secretNameParameter"))
    source = read_source(spec, "secretName", path, reader)

    def change(target: Target) -> None:
        name = target.text(source)
        if name is not None:
            target.spec.setdefault("imagePullSecrets", []).append({"name": name})
            target.notice("its image pull secrets are not used: no image is pulled")

    return change


def _security(value: Json, path: str, reader: Reader) -> PodChange:
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("runAsUser", "runAsGroup", "runAsNonRoot"))
    found: Json = {}
    for name in ("runAsUser", "runAsGroup"):
        if spec.get(name) is not None:
            try:
                found[name] = int(spec[name])
            except (TypeError, ValueError):
                reader.problem(f"{path}.{name}", "must be a whole number")
    if spec.get("runAsNonRoot") is not None:
        found["runAsNonRoot"] = bool(spec["runAsNonRoot"])
    return lambda target: target.container.update(securityContext=found)


# Where it runs


def _toleration(value: Json, path: str, reader: Reader) -> PodChange:
    spec = reader.mapping(value, path)
    fields = ("key", "operator", "value", "effect", "tolerationSeconds")
    reader.fields(spec, path, (*fields, "tolerationJson"))
    source = _json_source(spec, "tolerationJson", path, reader)
    plain = {name: spec[name] for name in fields if spec.get(name) not in (None, "")}
    if "tolerationSeconds" in plain:
        plain["tolerationSeconds"] = int(plain["tolerationSeconds"])

    def change(target: Target) -> None:
        found = target.value(source) if source is not None else plain
        several = found if isinstance(found, list) else [found]
        wanted = [one for one in several if one]
        if wanted:
            target.spec.setdefault("tolerations", []).extend(wanted)

    return change


def _node_selector(value: Json, path: str, reader: Reader) -> PodChange:
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("labels", "nodeSelectorJson"))
    return _placement(spec, "nodeSelectorJson", path, reader, "node selector")


def _node_affinity(value: Json, path: str, reader: Reader) -> PodChange:
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("matchExpressions", "matchFields", "weight", "nodeAffinityJson"))
    return _placement(spec, "nodeAffinityJson", path, reader, "node affinity")


def _pod_affinity(value: Json, path: str, reader: Reader) -> PodChange:
    reader.mapping(value, path)
    return lambda target: target.notice(f"its pod affinity is not used: {_ONE_NODE}")


def _placement(spec: Json, name: str, path: str, reader: Reader, what: str) -> PodChange:
    source = _json_source(spec, name, path, reader)
    plain = {key: value for key, value in spec.items() if key != name}

    def change(target: Target) -> None:
        if plain if source is None else target.value(source):
            target.notice(f"its {what} is not used: {_ONE_NODE}")

    return change


def _json_source(spec: Json, name: str, path: str, reader: Reader) -> Source | None:
    if spec.get(name) is None:
        return None
    return read_source({f"{name}Parameter": spec[name]}, name, path, reader)


_SINGLE: dict[str, Read] = {
    "activeDeadlineSeconds": _deadline,
    "imagePullPolicy": _pull_policy,
    "securityContext": _security,
    "nodeSelector": _node_selector,
    "enabledSharedMemory": volumes.read_shared_memory,
}
_SEVERAL: dict[str, Read] = {
    "pvcMount": volumes.read_claim,
    "secretAsVolume": volumes.read_files("secret", "secretName"),
    "configMapAsVolume": volumes.read_files("configMap", "name"),
    "genericEphemeralVolume": volumes.read_ephemeral,
    "emptyDirMounts": volumes.read_empty_dir,
    "secretAsEnv": _env_from("secret", "secretKey", "secretKeyRef"),
    "configMapAsEnv": _env_from("configMap", "configMapKey", "configMapKeyRef"),
    "fieldPathAsEnv": _field_path,
    "imagePullSecret": _pull_secret,
    "tolerations": _toleration,
    "nodeAffinity": _node_affinity,
    "podAffinity": _pod_affinity,
    "initContainers": volumes.read_init_container,
}
