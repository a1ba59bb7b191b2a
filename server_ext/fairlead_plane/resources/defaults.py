"""What the API server fills in before it stores an object."""

from __future__ import annotations

import base64

from .conditions import merge_conditions
from .kinds import NAMESPACE, POD, PVC, SECRET, SERVICE, Json, Kind


def apply_defaults(kind: Kind, obj: Json) -> None:
    """Fill in the defaults of the kind, in place; never changes what is set."""
    if kind is POD:
        _pod(obj)
    elif kind is SECRET:
        _secret(obj)
    elif kind is NAMESPACE:
        obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    elif kind is PVC:
        obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    elif kind is SERVICE:
        spec = obj.setdefault("spec", {})
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("sessionAffinity", "None")


def first_status(kind: Kind, obj: Json) -> Json | None:
    """Return the status of a new object, or None where a kind starts without one."""
    if kind is POD:
        return {"phase": "Pending", "qosClass": _quality(obj), **_gated(obj)}
    if kind is NAMESPACE:
        return {"phase": "Active"}
    if kind is PVC:
        return {"phase": "Pending"}
    if kind is SERVICE:
        return {"loadBalancer": {}}
    return None


def _pod(obj: Json) -> None:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return  # validation names it
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    containers = spec.get("containers")
    for container in containers if isinstance(containers, list) else []:
        if not isinstance(container, dict):
            continue
        resources = container.setdefault("resources", {})
        if isinstance(resources, dict) and isinstance(limits := resources.get("limits"), dict):
            # A limit without a request is the request, as in the real API.
            requests = resources.setdefault("requests", {})
            if isinstance(requests, dict):
                for name, amount in limits.items():
                    requests.setdefault(name, amount)


def _gated(obj: Json) -> Json:
    """Say why a pod with scheduling gates waits; nothing for others."""
    if not obj["spec"].get("schedulingGates"):
        return {}
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }
    return {"conditions": merge_conditions([], [condition])}


def _quality(obj: Json) -> str:
    """Class of service: `Guaranteed`, `Burstable` or `BestEffort`, by requests and limits."""
    resources = [container.get("resources") or {} for container in obj["spec"]["containers"]]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(each.get("limits") or {})
        and all(each["requests"].get(name) == amount for name, amount in each["limits"].items())
        for each in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _secret(obj: Json) -> None:
    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None)
    if isinstance(plain, dict):
        data = obj.setdefault("data", {})
        for key, value in plain.items():
            if isinstance(value, str):
                data[key] = base64.b64encode(value.encode()).decode()
            else:
                data[key] = value  # validation names it
