"""Settings of a step: what `cell.metadata.fairlead` of its cells may hold, and where it goes.

`SCHEMA` is the one description of them, in the words of JSON Schema: cells are checked against it,
and a form can be drawn from it. The settings stand in the first cell of a step; a later cell of the
step may add others. In the order of the schema:

step          name of the step that this cell belongs to; a name of its own begins a step.
              KFP: the name of the task, `root.dag.tasks.NAME` and its `taskInfo.name`.
after         steps that it waits for, also where no value goes between them.
              KFP: `dependentTasks` of the task.
resources     what a step asks for, as request and limit: `cpu`, `memory`, and one extended resource
              such as `nvidia.com/gpu`, by Kubernetes' names and quantities.
              KFP: `resources` of the executor's container (`resourceCpuLimit` and its like,
              `accelerator.resourceType` and `resourceCount`).
packages      what its environment needs beside the image, a requirement of pip each. Absent: what
              the step imports, and the steps whose values it takes, each in the version of the
              kernel's environment. On this machine, where that environment is the step's, nothing
              is installed: what is asked for is there. An empty list: nothing at all.
              KFP: `packages_to_install`, the first stage of shell of the container's `command`.
image         image of its container. Absent: `python:X.Y` of the kernel's Python; on this machine
              that is the environment of the kernel.
              KFP: `container.image`.
cache         `false`: it runs anew in every run. Absent: it is cached.
              KFP: `cachingOptions.enableCache` of the task.
retries       how often it is tried again when it failed: a number, or all four fields of KFP.
              KFP: `retryPolicy` of the task.
timeout       after so long it is stopped, and has failed. Seconds, or a duration as Go writes it.
              KFP: `activeDeadlineSeconds` of the platform's executor (kubernetes.set_timeout).
env           environment variables.
              KFP: `container.env`.
secrets       keys of Secrets as variables (`env`: variable -> key), or a Secret as a folder of
              files (`path`).
              KFP: `secretAsEnv`, `secretAsVolume` of the platform's executor.
configMaps    the same of ConfigMaps. KFP: `configMapAsEnv`, `configMapAsVolume`.
volumes       PersistentVolumeClaims at a path. KFP: `pvcMount` of the platform's executor.
labels, annotations
              of the step's pod. KFP: `podMetadata` of the platform's executor.
forEach       `true`: the cell is one `for` statement, and each of its turns is a task of its own.
              KFP: a sub-DAG with `parameterIterator`. See "How cells become steps" in the README.
parallelism   how many turns run at a time. KFP: `iteratorPolicy.parallelismLimit`.
if            `true`: the cell is one `if` statement, and a branch runs only where it holds.
              KFP: a sub-DAG with `triggerPolicy.condition`.
metrics       names whose numbers are metrics of the run, as those that a cell tagged `metrics`
              assigns. KFP: metadata of the output `metrics`.
component     `true`: the cell is one typed function, and a component of its own. Not with others.
              KFP: an entry of `components`; `fairlead compile --component NAME` writes it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.pipelines.setting_checks import SettingProblem, check_settings
from fairlead.pipelines.setting_formats import seconds_of
from fairlead.pipelines.setting_schema import SCHEMA

__all__ = [
    "SCHEMA",
    "Reference",
    "RetryPolicy",
    "SettingProblem",
    "StepSettings",
    "check_settings",
    "check_step",
    "merge_settings",
    "read_settings",
    "write_settings",
]

Json = dict[str, Any]


@dataclass(frozen=True)
class RetryPolicy:
    """KFP's `retryPolicy`; durations in seconds."""

    max_retry_count: int
    backoff_s: float = 0.0
    backoff_factor: float = 2.0
    backoff_max_s: float = 3600.0


@dataclass(frozen=True)
class Reference:
    """A Secret or ConfigMap that a step uses: keys as variables, or all of it under a path."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True)
class StepSettings:
    """The settings of one step, in Python's types; each as `SCHEMA` has it.

    Parameters
    ----------
    packages
        None where the notebook says nothing of them.
    image
        Empty where the notebook says nothing of it.
    timeout_s
        0 is no limit.
    parallelism
        0 is no limit.
    """

    resources: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] | None = None
    image: str = ""
    cache: bool = True
    retries: RetryPolicy | None = None
    timeout_s: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Reference, ...] = ()
    config_maps: tuple[Reference, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Claim by path."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    for_each: bool = False
    parallelism: int = 0
    condition: bool = False


def merge_settings(first: Json, second: Json) -> tuple[Json, list[SettingProblem]]:
    """Add the settings of a later cell of a step to those of its earlier cells.

    Both have passed `check_settings`. Lists and objects are joined; what both say must be the same.
    """
    merged, problems = dict(first), []
    for key, value in second.items():
        known = merged.get(key)
        if key == "step" or known is None:
            merged[key] = value
        elif isinstance(known, dict) and isinstance(value, dict):
            for name, inner in value.items():
                if known.get(name, inner) != inner:
                    problems.append(_different(f"fairlead.{key}.{name}", name))
            merged[key] = {**value, **known}
        elif isinstance(known, list) and isinstance(value, list):
            merged[key] = known + [item for item in value if item not in known]
        elif known != value:
            problems.append(_different(f"fairlead.{key}", key))
    return merged, problems


def check_step(given: Json) -> list[SettingProblem]:
    """Check what the settings of a whole step say together."""
    problems: list[SettingProblem] = []
    used: dict[str, str] = {}
    for path, where in _targets(given):
        if where in used:
            what = f"`{path}` and `{used[where]}` both set `{where}`"
            problems.append(SettingProblem(path, where, f"{what}.", "Keep one of the two."))
        used.setdefault(where, path)
    extended = [name for name in given.get("resources", {}) if "/" in name]
    if len(extended) > 1:
        names = " and ".join(f"`{name}`" for name in sorted(extended))
        message = f"`fairlead.resources` asks for {names}; a task can have one kind of accelerator."
        problems.append(SettingProblem("fairlead.resources", extended[1], message, "Keep one."))
    for name in extended:
        if not str(given["resources"][name]).isdecimal():
            path = f"fairlead.resources.{name}"
            message = f"`{path}` must be a whole number, not {given['resources'][name]!r}."
            problems.append(SettingProblem(path, name, message, "Write it in digits only."))
    if "parallelism" in given and not given.get("forEach"):
        message = "`fairlead.parallelism` is that of a loop, and `fairlead.forEach` is not set."
        hint = 'Add "forEach": true, or drop it.'
        problems.append(SettingProblem("fairlead.parallelism", "parallelism", message, hint))
    if given.get("forEach") and given.get("if"):
        message = "`fairlead.forEach` and `fairlead.if` cannot be set on one step."
        hint = "Put the `if` inside the loop without a mark, or make two steps."
        problems.append(SettingProblem("fairlead.if", "if", message, hint))
    return problems


def read_settings(given: Json) -> StepSettings:
    """Return the settings of a step in Python's types; `given` has passed the checks."""
    retries = given.get("retries")
    if isinstance(retries, int):
        retries = {"maxRetryCount": retries}
    packages = given.get("packages")
    return StepSettings(
        resources={name: str(amount) for name, amount in given.get("resources", {}).items()},
        packages=None if packages is None else tuple(packages),
        image=given.get("image", ""),
        cache=given.get("cache", True),
        retries=_retry_policy(retries) if retries is not None else None,
        timeout_s=int(seconds_of(given.get("timeout", 0)) or 0),
        env=dict(given.get("env", {})),
        secrets=tuple(_reference(one, "secret") for one in given.get("secrets", ())),
        config_maps=tuple(_reference(one, "configMap") for one in given.get("configMaps", ())),
        volumes={one["path"]: one["claim"] for one in given.get("volumes", ())},
        labels=dict(given.get("labels", {})),
        annotations=dict(given.get("annotations", {})),
        for_each=given.get("forEach", False),
        parallelism=given.get("parallelism", 0),
        condition=given.get("if", False),
    )


def write_settings(settings: StepSettings) -> Json:
    """Return settings as `metadata.fairlead` holds them, without what is as by default."""
    made: Json = {
        "resources": dict(settings.resources),
        "packages": None if settings.packages is None else list(settings.packages),
        "image": settings.image,
        "cache": None if settings.cache else False,
        "retries": _written_retries(settings.retries),
        "timeout": settings.timeout_s,
        "env": dict(settings.env),
        "secrets": [_written_reference(one, "secret") for one in settings.secrets],
        "configMaps": [_written_reference(one, "configMap") for one in settings.config_maps],
        "volumes": [{"claim": claim, "path": path} for path, claim in settings.volumes.items()],
        "labels": dict(settings.labels),
        "annotations": dict(settings.annotations),
        "forEach": settings.for_each or None,
        "parallelism": settings.parallelism,
        "if": settings.condition or None,
    }
    said = ("packages", "cache", "retries")  # empty or 0 says something there
    return {
        key: value
        for key, value in made.items()
        if (value is not None if key in said else bool(value))
    }


def _retry_policy(given: Json) -> RetryPolicy:
    return RetryPolicy(
        given["maxRetryCount"],
        seconds_of(given.get("backoffDuration", 0)) or 0.0,
        float(given.get("backoffFactor", 2)),
        seconds_of(given.get("backoffMaxDuration", 3600)) or 0.0,
    )


def _written_retries(policy: RetryPolicy | None) -> object:
    if policy is None or policy == RetryPolicy(policy.max_retry_count):
        return policy and policy.max_retry_count
    return {
        "maxRetryCount": policy.max_retry_count,
        "backoffDuration": f"{policy.backoff_s:g}s",
        "backoffFactor": policy.backoff_factor,
        "backoffMaxDuration": f"{policy.backoff_max_s:g}s",
    }


def _reference(given: Json, word: str) -> Reference:
    return Reference(given[word], dict(given.get("env", {})), given.get("path", ""))


def _written_reference(reference: Reference, word: str) -> Json:
    made: Json = {word: reference.name}
    if reference.env:
        made["env"] = dict(reference.env)
    if reference.path:
        made["path"] = reference.path
    return made


def _targets(given: Json) -> Iterator[tuple[str, str]]:
    """Yield each field that sets a variable or mounts something, and which or where."""
    for name in given.get("env", {}):
        yield f"fairlead.env.{name}", name
    for key in ("secrets", "configMaps", "volumes"):
        for index, one in enumerate(given.get(key, ())):
            path = f"fairlead.{key}[{index}]"
            for name in one.get("env", {}):
                yield f"{path}.env.{name}", name
            if "path" in one:
                yield f"{path}.path", one["path"].rstrip("/")


def _different(path: str, name: str) -> SettingProblem:
    message = f"`{path}` is another one than in an earlier cell of the step."
    return SettingProblem(path, name, message, "Keep one of the two settings.")
