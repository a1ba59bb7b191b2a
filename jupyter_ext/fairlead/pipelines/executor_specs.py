"""Executors of a pipeline spec, and their settings in the platform spec.

Written as `kfp` 2.17 and `kfp-kubernetes` 2.17 write them; a test compares the two.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable
from typing import Any

from fairlead.pipelines.claims import Claim
from fairlead.pipelines.step_settings import Reference, RetryPolicy, StepSettings

Json = dict[str, Any]

_FIND_PIP = """
if ! [ -x "$(command -v pip)" ]; then
    python3 -m ensurepip || python3 -m ensurepip --user || apt-get install python3-pip
fi

PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-warn-script-location \
"""
_HAND_OVER = ' && "$0" "$@"\n'
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)(([KMGTPE])(i?))?")


class ExecutorSpecs:
    """The executors of one pipeline; those of the same content are one.

    Parameters
    ----------
    claims
        Mounted in each of them, where its settings have nothing at the same path.
    """

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._claims = list(claims)
        self.containers: Json = {}
        self.platform: Json = {}

    def add(
        self,
        settings: StepSettings,
        command: list[str],
        packages: Iterable[str] = (),
    ) -> str:
        """Add an executor and return its label.

        Parameters
        ----------
        settings
            Of the step; what concerns its task is left to the task.
        command
            What the container executes, without the installation of packages.
        packages
            Requirements that are installed before it; `settings.packages` are not looked at.
        """
        container: Json = {
            "image": settings.image or f"python:{sys.version_info.major}.{sys.version_info.minor}",
            "command": [*_installation(packages), *command],
            "args": ["--executor_input", "{{$}}"],
        }
        if settings.env:
            container["env"] = [{"name": n, "value": v} for n, v in sorted(settings.env.items())]
        if settings.resources:
            container["resources"] = _resources(settings)
        pod = pod_settings(settings)
        mounts = [one.mount() for one in self._claims if one.path not in settings.volumes]
        if mounts:
            pod["pvcMount"] = pod.get("pvcMount", []) + mounts
        told = {**container, "command": sorted(packages), "pod": pod}
        label = "exec-step"
        if settings.image or packages or len(container) > 3 or pod:
            text = json.dumps(told, sort_keys=True)
            label += "-" + hashlib.sha256(text.encode()).hexdigest()[:8]
        self.containers.setdefault(label, {"container": container})
        if pod:
            self.platform.setdefault(label, pod)
        return label

    def platform_spec(self) -> Json:
        """Return the second document of a compiled pipeline; empty where it says nothing."""
        if not self.platform:
            return {}
        return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": self.platform}}}}


def retry_policy(policy: RetryPolicy) -> Json:
    """Write a task's `retryPolicy`."""
    return {
        "backoffDuration": f"{policy.backoff_s:g}s",
        "backoffFactor": policy.backoff_factor,
        "backoffMaxDuration": f"{policy.backoff_max_s:g}s",
        "maxRetryCount": policy.max_retry_count,
    }


def pod_settings(settings: StepSettings) -> Json:
    """Write the `KubernetesExecutorConfig` of a step; empty where it says nothing."""
    made: Json = {}
    if settings.timeout_s:
        made["activeDeadlineSeconds"] = str(settings.timeout_s)
    for key, variable, name, references in (
        ("secret", "secretKey", "secretName", settings.secrets),
        ("configMap", "configMapKey", "configMapName", settings.config_maps),
    ):
        variables = [_variables(one, variable, name) for one in references if one.env]
        files = [
            {"mountPath": one.path, "optional": False, **_named(name, one.name)}
            for one in references
            if one.path
        ]
        if variables:
            made[f"{key}AsEnv"] = variables
        if files:
            made[f"{key}AsVolume"] = files
    if settings.volumes:
        made["pvcMount"] = [
            {"mountPath": path, "constant": claim, "pvcNameParameter": _constant(claim)}
            for path, claim in settings.volumes.items()
        ]
    metadata = {"labels": dict(settings.labels), "annotations": dict(settings.annotations)}
    if any(metadata.values()):
        made["podMetadata"] = {key: value for key, value in metadata.items() if value}
    return made


def _installation(packages: Iterable[str]) -> list[str]:
    """Return KFP's first stage: a shell that installs, then becomes what follows."""
    # A marker of a requirement may hold quotes of either kind: inside, those of the other kind.
    words = " ".join("'" + one.replace("'", '"') + "'" for one in packages)
    return ["sh", "-c", _FIND_PIP + words + _HAND_OVER] if words else []


def _resources(settings: StepSettings) -> Json:
    """Write what a step asks for as both its request and its limit."""
    made: Json = {}
    for name, amount in settings.resources.items():
        if name == "cpu":
            made["resourceCpuRequest"] = made["resourceCpuLimit"] = amount
            number = float(amount[:-1]) / 1000 if amount.endswith("m") else _number(amount)
            if number is not None:  # what servers before KFP 2.4 read
                made["cpuRequest"] = made["cpuLimit"] = number
        elif name == "memory":
            made["resourceMemoryRequest"] = made["resourceMemoryLimit"] = amount
            gigabytes = _gigabytes(amount)
            if gigabytes is not None:
                made["memoryRequest"] = made["memoryLimit"] = gigabytes
        else:
            made["accelerator"] = {
                "count": amount,
                "resourceCount": amount,
                "resourceType": name,
                "type": name,
            }
    return made


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _gigabytes(quantity: str) -> float | None:
    """Return a quantity of bytes in 10**9; None where its unit is not one of bytes."""
    found = _MEMORY.fullmatch(quantity)
    if found is None:
        return None
    number, _, letter, binary = found.groups()
    power = " KMGTPE".index(letter) if letter else 0
    return float(number) * float(1024 if binary else 1000) ** power / 1e9


def _variables(reference: Reference, key: str, name: str) -> Json:
    pairs = [{"envVar": variable, key: text} for variable, text in reference.env.items()]
    return {"keyToEnv": pairs, "optional": False, **_named(name, reference.name)}


def _named(name: str, value: str) -> Json:
    return {name: value, f"{name}Parameter": _constant(value)}


def _constant(value: str) -> Json:
    return {"runtimeValue": {"constant": value}}
