"""TaskConfig: what a step is told of the settings of its pod, to start a workload with them.

Meaning: `backend/src/v2/driver/k8s.go` of kubeflow/pipelines. What a component passes through is
taken off its own pod, unless it says `applyToTask`.
"""

from __future__ import annotations

from typing import Any

from .bootstrap import RUNTIME_VARIABLE
from .model import Component, Passthrough
from .problems import Reader

Json = Any

TASK_CONFIG = "TASK_CONFIG"
_FIELDS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "RESOURCES": (("resources", "resources", True),),
    "ENV": (("env", "env", True),),
    "KUBERNETES_TOLERATIONS": (("tolerations", "tolerations", False),),
    "KUBERNETES_VOLUMES": (
        ("volumes", "volumes", False),
        ("volumeMounts", "volumeMounts", True),
    ),
    # No pod here has these; the platform spec says so on the task where one is asked for.
    "KUBERNETES_NODE_SELECTOR": (),
    "KUBERNETES_AFFINITY": (),
    # What would be claimed is refused where it is asked for.
    "KUBERNETES_RESOURCE_CLAIMS": (),
}
"""What each field stands for: name in the TaskConfig, name in the pod, whether in its container."""


def read_passthroughs(value: Json, path: str, reader: Reader) -> tuple[Passthrough, ...]:
    """Read the `taskConfigPassthroughs` of a component."""
    if value is not None and not isinstance(value, list):
        reader.problem(path, "must be a list")
        return ()
    found = []
    for index, item in enumerate(value or []):
        at = f"{path}[{index}]"
        spec = reader.mapping(item, at)
        reader.fields(spec, at, ("field", "applyToTask"))
        name = spec.get("field")
        if name in _FIELDS:
            found.append(Passthrough(name, bool(spec.get("applyToTask"))))
        else:
            reader.problem(f"{at}.field", f"'{name}' is none of {', '.join(_FIELDS)}")
    return tuple(found)


def take_config(pod: Json, component: Component) -> dict[str, Json]:
    """Take what a component passes through off its pod.

    Parameters
    ----------
    pod : JSON
        Whole but for its command. It is changed.
    component : Component
        Says what is passed through, and what stays on the pod too.

    Returns
    -------
    dict
        Values of the component's inputs that are a TaskConfig; empty: it has none.
    """
    spec = pod["spec"]
    container = spec["containers"][0]
    config: Json = {}
    for passed in component.passthroughs:
        for name, field, inside in _FIELDS[passed.field]:
            owner = container if inside else spec
            values = owner.get(field)
            kept = None
            if field == "env" and values:
                # What kfp's own start of the step sets is no setting of the task.
                kept = [each for each in values if each["name"] == RUNTIME_VARIABLE]
                values = [each for each in values if each["name"] != RUNTIME_VARIABLE]
            if not values:
                continue
            config[name] = values
            if passed.apply_to_task:
                continue
            del owner[field]
            if kept:
                owner[field] = kept
    names = [name for name, one in component.parameters.items() if one.type == TASK_CONFIG]
    return dict.fromkeys(names, config)
