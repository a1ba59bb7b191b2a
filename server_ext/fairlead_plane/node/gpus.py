"""The GPUs of this machine, and which of them a container sees."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from fairlead.names import GPUS_ANNOTATION

from ..resources import Json, parse_quantity

log = logging.getLogger(__name__)

RESOURCE = "nvidia.com/gpu"
_LIBRARY = "libnvidia-ml.so.1"


class Gpu(NamedTuple):
    """One GPU, or one slice of a GPU that is divided (MIG)."""

    uuid: str
    """Its name for `CUDA_VISIBLE_DEVICES`: the same after a restart, however CUDA counts."""
    product: str
    memory: int
    """Bytes."""


def find_gpus(environ: Mapping[str, str]) -> list[Gpu]:
    """Return the GPUs that the driver lists, as far as `CUDA_VISIBLE_DEVICES` allows this process.

    Takes up to seconds, where the driver has to wake its devices; does not touch the event loop.
    """
    try:
        ctypes.CDLL(_LIBRARY)
    except OSError:
        return []  # no driver, no GPU: the bindings are not even imported
    nvml = importlib.import_module("pynvml")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        log.warning("no GPU is used: %s", error)
        return []
    try:
        return list(_visible(_devices(nvml), environ.get("CUDA_VISIBLE_DEVICES")))
    except nvml.NVMLError as error:
        log.warning("no GPU is used: %s", error)
        return []
    finally:
        nvml.nvmlShutdown()


def node_labels(gpus: Sequence[Gpu]) -> dict[str, str]:
    """Return the labels that a cluster's feature discovery puts on a node with GPUs."""
    if not gpus:
        return {}
    return {
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.count": str(len(gpus)),
        "nvidia.com/gpu.product": gpus[0].product.replace(" ", "-"),
        "nvidia.com/gpu.memory": str(gpus[0].memory >> 20),
    }


def gpu_env(pod: Json, container: Json) -> dict[str, str]:
    """Return what a container on a node with GPUs is told: its own, by name, or none.

    The devices of a pod go to its containers in the order in which they start: those that go on
    keep theirs, other init containers use them before.
    """
    spec = pod["spec"]
    held = (pod["metadata"].get("annotations") or {}).get(GPUS_ANNOTATION, "")
    # Only what was asked for: the annotation alone gives nothing.
    free = [each for each in held.split(",") if each]
    mine: list[str] = []
    first = 0
    for each in (*(spec.get("initContainers") or ()), *spec["containers"]):
        count = _count(each)
        if each["name"] == container["name"]:
            mine = free[first : first + count]
            break
        lasting = each in spec["containers"] or each.get("restartPolicy") == "Always"
        first += count if lasting else 0
    return {
        "CUDA_VISIBLE_DEVICES": ",".join(mine),
        "NVIDIA_VISIBLE_DEVICES": ",".join(mine) or "void",
    }


def _count(container: Json) -> int:
    resources = container.get("resources") or {}
    asked = (resources.get("limits") or {}).get(RESOURCE) or (resources.get("requests") or {}).get(
        RESOURCE
    )
    return int(parse_quantity(asked)) if asked is not None else 0


def _devices(nvml: Any) -> Iterator[Gpu]:
    for index in range(nvml.nvmlDeviceGetCount()):
        device = nvml.nvmlDeviceGetHandleByIndex(index)
        slices = list(_slices(nvml, device))
        yield from (_read(nvml, each) for each in slices or [device])


def _slices(nvml: Any, device: Any) -> Iterator[Any]:
    divided = 0
    with contextlib.suppress(nvml.NVMLError):  # a device that cannot be divided
        divided, _ = nvml.nvmlDeviceGetMigMode(device)
    if not divided:
        return
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(device)):
        with contextlib.suppress(nvml.NVMLError):  # numbers without a slice
            yield nvml.nvmlDeviceGetMigDeviceHandleByIndex(device, index)


def _read(nvml: Any, device: Any) -> Gpu:
    memory = nvml.nvmlDeviceGetMemoryInfo(device).total
    return Gpu(
        _text(nvml.nvmlDeviceGetUUID(device)), _text(nvml.nvmlDeviceGetName(device)), int(memory)
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value  # by release of the bindings


def _visible(gpus: Iterator[Gpu], allowed: str | None) -> Iterator[Gpu]:
    """Keep what `CUDA_VISIBLE_DEVICES` names: numbers or beginnings of names, up to a wrong one."""
    found = list(gpus)
    if allowed is None:
        yield from found
        return
    for word in filter(None, map(str.strip, allowed.split(","))):
        if word.isdigit() and int(word) < len(found):
            yield found[int(word)]
            continue
        named = [gpu for gpu in found if not word.isdigit() and gpu.uuid.startswith(word)]
        if not named:
            return
        yield named[0]


def amount(gpus: Sequence[Gpu]) -> dict[str, Decimal]:
    """Return the capacity that GPUs are; a node without any does not name the resource."""
    return {RESOURCE: Decimal(len(gpus))} if gpus else {}
