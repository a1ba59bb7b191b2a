"""Reading the executors of a pipeline spec, and what the platform spec adds to them."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from fairlead.errors import SpecError
from fairlead.names import PACKAGES_ANNOTATION

from .bootstrap import EXECUTOR, RUNTIME_VARIABLE, Bootstrap, recognise
from .claims import CLAIM_IMAGES
from .model import Executor, PodChange, RunConfig, Workspace
from .placeholders import Argument, Template, parse_argument
from .platform import read_platform
from .problems import Reader
from .run_config import read_config
from .workspace import read_workspace

Json = Any

_CONTAINER_FIELDS = ("image", "command", "args", "env", "resources")
_QUANTITIES = {
    # The strings are newer and win over the numbers, which are cores and gigabytes.
    "resourceCpuRequest": ("requests", "cpu"),
    "resourceCpuLimit": ("limits", "cpu"),
    "resourceMemoryRequest": ("requests", "memory"),
    "resourceMemoryLimit": ("limits", "memory"),
}
_NUMBERS = {
    "cpuRequest": ("requests", "cpu", ""),
    "cpuLimit": ("limits", "cpu", ""),
    "memoryRequest": ("requests", "memory", "G"),
    "memoryLimit": ("limits", "memory", "G"),
}


GPU = "nvidia.com/gpu"


class Executors:
    """The executors of one pipeline spec; each is read once, when first asked for.

    Parameters
    ----------
    deployment : JSON
        `deploymentSpec` of the pipeline spec.
    platform : JSON
        The platform spec; of it, only `kubernetes` is known.
    """

    def __init__(self, deployment: Json, platform: Json, reader: Reader) -> None:
        self._reader = reader
        self.workspace: Workspace | None = None
        self.config = RunConfig()
        deployment = reader.mapping(deployment, "deploymentSpec")
        reader.fields(deployment, "deploymentSpec", ("executors",))
        self._specs = reader.mapping(deployment.get("executors"), "deploymentSpec.executors")
        self._platform = self._read_platform(reader.mapping(platform, "platformSpec"))
        self._read: dict[str, Executor | None] = {}

    def get(self, label: str, path: str) -> Executor | None:
        """Return an executor; `None` with a problem noted at `path` when there is none to run."""
        if label not in self._specs:
            self._reader.problem(path, f"there is no executor '{label}'")
            return None
        if label not in self._read:
            task, self._reader.task = self._reader.task, ""
            self._read[label] = self._container(label)
            self._reader.task = task
        return self._read[label]

    def importer(self, label: str) -> Json:
        """Return the `importer` of an executor as it stands in the spec; `None` without one."""
        spec = self._specs.get(label)
        return spec.get("importer") if isinstance(spec, dict) else None

    def _container(self, label: str) -> Executor | None:
        reader = self._reader
        path = f"deploymentSpec.executors.{label}"
        spec = reader.mapping(self._specs[label], path)
        reader.fields(
            spec, path, ("container",), ("importer", "resolver", "customJob", "aiPlatformCustomJob")
        )
        if "container" not in spec:
            if not spec:
                reader.problem(path, "must have a container")
            return None
        path += ".container"
        container = reader.mapping(spec["container"], path)
        reader.fields(container, path, _CONTAINER_FIELDS, ("lifecycle",))
        image = reader.string(container.get("image"), f"{path}.image")
        command = reader.strings(container.get("command"), f"{path}.command")
        args = reader.strings(container.get("args"), f"{path}.args")
        env = self._env(container.get("env"), f"{path}.env")
        if not command and not args and image not in CLAIM_IMAGES:
            reader.problem(
                f"{path}.command", "must not be empty: no image is pulled on this machine"
            )
        digest = hashlib.sha256(
            orjson.dumps([image, command, args, env, self._settings(label)])
        ).digest()
        annotations = self._metadata(label, "annotations")
        bootstrap = recognise(command)
        if bootstrap is not None:
            command = list(bootstrap.program)
            if bootstrap.program == EXECUTOR:
                env = [*env, (RUNTIME_VARIABLE, "true")]
            annotations = _with_packages(annotations, bootstrap)
        return Executor(
            label=label,
            image=image,
            command=self._arguments(command, f"{path}.command"),
            args=self._arguments(args, f"{path}.args"),
            source=bootstrap.source if bootstrap is not None else "",
            env=tuple((name, Template.parse(value)) for name, value in env),
            resources=tuple(self._resources(container.get("resources"), f"{path}.resources")),
            pod_labels=self._metadata(label, "labels"),
            pod_annotations=annotations,
            changes=self._changes(label),
            digest=digest,
        )

    def _arguments(self, texts: list[str], path: str) -> tuple[Argument, ...]:
        found = []
        for index, text in enumerate(texts):
            try:
                found.append(parse_argument(text))
            except SpecError as error:
                self._reader.problem(f"{path}[{index}]", error.what)
        return tuple(found)

    def _env(self, value: Json, path: str) -> list[tuple[str, str]]:
        reader = self._reader
        if value is not None and not isinstance(value, list):
            reader.problem(path, "must be a list")
            return []
        found = []
        for index, item in enumerate(value or []):
            entry = reader.mapping(item, f"{path}[{index}]")
            reader.fields(entry, f"{path}[{index}]", ("name", "value"))
            name = reader.string(entry.get("name"), f"{path}[{index}].name")
            found.append((name, reader.string(entry.get("value"), f"{path}[{index}].value")))
        return found

    def _resources(self, value: Json, path: str) -> list[tuple[str, str, Template]]:
        reader = self._reader
        spec = reader.mapping(value, path)
        reader.fields(spec, path, (*_QUANTITIES, *_NUMBERS, "accelerator"))
        found: dict[tuple[str, str], str] = {}
        for name, (side, resource, unit) in _NUMBERS.items():
            amount = spec.get(name)
            if isinstance(amount, int | float) and not isinstance(amount, bool) and amount:
                found[side, resource] = f"{amount:g}{unit}"
            elif amount:
                reader.problem(f"{path}.{name}", "must be a number")
        for name, (side, resource) in _QUANTITIES.items():
            if text := reader.string(spec.get(name), f"{path}.{name}"):
                found[side, resource] = text
        accelerator = reader.mapping(spec.get("accelerator"), f"{path}.accelerator")
        kind = str(accelerator.get("resourceType") or accelerator.get("type") or "")
        count = accelerator.get("resourceCount") or accelerator.get("count") or 0
        if count not in (0, "0"):
            if "{{" not in kind:
                try:
                    kind = node_resource(kind)
                except SpecError as error:
                    reader.problem(f"{path}.accelerator.resourceType", error.what)
            found["limits", kind] = str(count)
        return [(side, name, Template.parse(text)) for (side, name), text in found.items()]

    def _read_platform(self, platform: dict[str, Json]) -> dict[str, Json]:
        """Return `{executor label: KubernetesExecutorConfig}`."""
        reader = self._reader
        reader.fields(platform, "platformSpec", ("platforms",))
        platforms = reader.mapping(platform.get("platforms"), "platformSpec.platforms")
        for name in platforms:
            if name == "kubernetes":
                continue
            reader.problem(f"platformSpec.platforms.{name}", f"platform '{name}' is not known")
        path = "platformSpec.platforms.kubernetes"
        single = reader.mapping(platforms.get("kubernetes"), path)
        reader.fields(
            single, path, ("deploymentSpec", "pipelineConfig", "platform"), ("version", "config")
        )
        at = f"{path}.pipelineConfig"
        config = reader.mapping(single.get("pipelineConfig"), at)
        self.workspace = read_workspace(config.get("workspace"), f"{at}.workspace", reader)
        self.config = read_config(config, at, reader)
        deployment = reader.mapping(single.get("deploymentSpec"), f"{path}.deploymentSpec")
        reader.fields(deployment, f"{path}.deploymentSpec", ("executors",))
        path += ".deploymentSpec.executors"
        return {
            label: reader.mapping(value, f"{path}.{label}")
            for label, value in reader.mapping(deployment.get("executors"), path).items()
        }

    def _changes(self, label: str) -> tuple[PodChange, ...]:
        path = f"platformSpec.platforms.kubernetes.deploymentSpec.executors.{label}"
        return read_platform(self._platform.get(label), path, self._reader)

    def _metadata(self, label: str, side: str) -> Json:
        """Return `labels` or `annotations` of an executor's pod."""
        reader = self._reader
        path = f"platformSpec.platforms.kubernetes.deploymentSpec.executors.{label}.podMetadata"
        metadata = reader.mapping((self._platform.get(label) or {}).get("podMetadata"), path)
        reader.fields(metadata, path, ("labels", "annotations"))
        found = reader.mapping(metadata.get(side), f"{path}.{side}")
        for key, text in found.items():
            reader.string(text, f"{path}.{side}.{key}")
        return found

    def _settings(self, label: str) -> Json:
        config = self._platform.get(label) or {}
        return {name: value for name, value in config.items() if name != "podMetadata"}


def node_resource(accelerator: str) -> str:
    """Return the resource of a node that a type of accelerator stands for; raises SpecError."""
    if "/" in accelerator:
        return accelerator
    if accelerator.lower().startswith("nvidia"):
        return GPU  # a model of Vertex AI or GKE: here they are as the machine has them
    raise SpecError(f"'{accelerator}' is no resource of a node; GPUs are `{GPU}`")


def _with_packages(annotations: Json, bootstrap: Bootstrap) -> Json:
    """Add what pip was to install to what the spec's annotations ask for."""
    lines = [*annotations.get(PACKAGES_ANNOTATION, "").splitlines(), *bootstrap.packages]
    return {**annotations, PACKAGES_ANNOTATION: "\n".join(lines)} if lines else annotations
