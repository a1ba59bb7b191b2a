"""Validation of pods, worded as the API server words it."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from .causes import duplicate, required, unsupported, wrong
from .errors import Cause
from .kinds import Json
from .schemas.defaults_pod import fill_pod
from .schemas.names import LABEL, LABEL_TEXT, SUBDOMAIN, SUBDOMAIN_TEXT
from .validation_affinity import check_affinity
from .validation_containers import check_container, check_security, is_address
from .validation_metadata import check_key, check_labels
from .validation_volumes import check_volumes

_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
# Fields of a pod's spec that may change after its creation, as in the real API.
_MUTABLE = (
    "nodeName",
    "activeDeadlineSeconds",
    "schedulingGates",
    "tolerations",
    "terminationGracePeriodSeconds",
)


def check_pod(pod: Json, claims: tuple[str, ...] = ()) -> Iterator[Cause]:
    """Yield what is wrong with the spec of a pod or of a pod template.

    Parameters
    ----------
    pod : dict
        With defaults in place.
    claims : tuple of str
        Names that are mounted as volumes beside the pod's own, from claim templates.
    """
    spec = pod.get("spec") or {}
    yield from check_volumes("spec.volumes", spec.get("volumes") or [])
    volumes = {each.get("name") for each in spec.get("volumes") or ()} | set(claims)
    names: set[str] = set()
    containers = spec.get("containers") or []
    if not containers:
        yield required("spec.containers")
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from check_container(
                f"spec.{field}[{index}]", container, names, volumes, init=field != "containers"
            )
    policy = spec.get("restartPolicy")
    if policy not in _POLICIES:
        yield unsupported("spec.restartPolicy", policy, _POLICIES)
    policy = spec.get("dnsPolicy", "ClusterFirst")
    if policy not in _DNS_POLICIES:
        yield unsupported("spec.dnsPolicy", policy, _DNS_POLICIES)
    elif policy == "None" and not spec.get("dnsConfig"):
        text = "must provide `dnsConfig` when `dnsPolicy` is None"
        yield required("spec.dnsConfig", text)
    yield from check_security("spec.securityContext", spec.get("securityContext") or {})
    yield from _numbers(spec)
    yield from _names(spec)
    yield from check_labels("spec.nodeSelector", spec.get("nodeSelector") or {})
    yield from _tolerations(spec.get("tolerations") or [])
    yield from _spread(spec.get("topologySpreadConstraints") or [])
    yield from check_affinity("spec.affinity", spec.get("affinity") or {})
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        at = f"spec.readinessGates[{index}].conditionType"
        yield from check_key(at, gate.get("conditionType", ""))
    for alias in spec.get("hostAliases") or ():
        if not is_address(alias.get("ip", "")):
            yield wrong("spec.hostAliases.ip", alias.get("ip", ""), "must be valid IP address")


def _numbers(spec: Json) -> Iterator[Cause]:
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        text = "must be between 1 and 2147483647, inclusive"
        yield wrong("spec.activeDeadlineSeconds", deadline, text)
    grace = spec.get("terminationGracePeriodSeconds", 0)
    if grace < 0:
        text = "must be greater than or equal to 0"
        yield wrong("spec.terminationGracePeriodSeconds", grace, text)


def _names(spec: Json) -> Iterator[Cause]:
    for field in ("hostname", "subdomain"):
        name = spec.get(field)
        if name and (not LABEL.fullmatch(name) or len(name) > 63):
            yield wrong(f"spec.{field}", name, LABEL_TEXT)
    for field in ("nodeName", "priorityClassName", "runtimeClassName", "serviceAccountName"):
        name = spec.get(field)
        if name and not SUBDOMAIN.fullmatch(name):
            yield wrong(f"spec.{field}", name, SUBDOMAIN_TEXT)
    gates: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate.get("name") in gates:
            yield duplicate(f"spec.schedulingGates[{index}].name", gate["name"])
        gates.add(gate.get("name", ""))


def _tolerations(tolerations: list[Json]) -> Iterator[Cause]:
    for index, each in enumerate(tolerations):
        at = f"spec.tolerations[{index}]"
        operator = each.get("operator") or "Equal"
        if not each.get("key") and operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and'
            yield wrong(f"{at}.operator", each.get("operator", ""), f'{text} all keys"')
        if operator not in ("Equal", "Exists"):
            yield unsupported(f"{at}.operator", operator, ("Equal", "Exists"))
        elif operator == "Exists" and each.get("value"):
            yield wrong(f"{at}.operator", each, "value must be empty when `operator` is 'Exists'")
        effect = each.get("effect")
        if effect and effect not in _EFFECTS:
            yield unsupported(f"{at}.effect", effect, _EFFECTS)


def _spread(constraints: list[Json]) -> Iterator[Cause]:
    known = ("DoNotSchedule", "ScheduleAnyway")
    for index, each in enumerate(constraints):
        at = f"spec.topologySpreadConstraints[{index}]"
        if each.get("maxSkew", 0) <= 0:
            yield wrong(f"{at}.maxSkew", each.get("maxSkew", 0), "must be greater than zero")
        if not each.get("topologyKey"):
            yield required(f"{at}.topologyKey", "can not be empty")
        if each.get("whenUnsatisfiable") not in known:
            yield unsupported(f"{at}.whenUnsatisfiable", each.get("whenUnsatisfiable", ""), known)


def check_pod_update(pod: Json, existing: Json) -> Iterator[Cause]:
    """Yield what an update changes and must not."""
    gates = existing["spec"].get("schedulingGates") or []
    added = [each for each in pod["spec"].get("schedulingGates") or [] if each not in gates]
    if added:
        yield Cause(
            "spec.schedulingGates",
            "FieldValueForbidden",
            "Forbidden: only deletion is allowed, but found new scheduling gate "
            f"'{added[0].get('name')}'",
        )
        return
    bound = existing["spec"].get("nodeName")
    if _changed(pod, existing) or (bound and pod["spec"].get("nodeName") != bound):
        yield Cause(
            "spec",
            "FieldValueForbidden",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
            "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to "
            "be set to 1 if it was previously negative)",
        )


def _changed(pod: Json, existing: Json) -> bool:
    if _fixed(pod["spec"]) == _fixed(existing["spec"]):
        return False
    # A pod that was stored before there was a default does not have it.
    filled = copy.deepcopy(existing)
    fill_pod(filled)
    return _fixed(pod["spec"]) != _fixed(filled["spec"])


def _fixed(spec: Json) -> Json:
    fixed = {key: value for key, value in spec.items() if key not in _MUTABLE}
    fixed["containers"] = [
        {key: value for key, value in container.items() if key != "image"}
        for container in spec["containers"]
    ]
    return fixed
