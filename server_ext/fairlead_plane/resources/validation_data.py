"""Validation of the kinds that hold data or rights, worded as the API server words it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import orjson

from .causes import forbidden_field, required, unsupported, wrong
from .errors import Cause
from .kinds import Json
from .validation_containers import check_config_key

_MOST_BYTES = 1 << 20
_TOKEN = "kubernetes.io/service-account-token"
_ACCOUNT = "kubernetes.io/service-account.name"
# What the data of a Secret of a type must hold.
_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_USER_PRIORITY = 1_000_000_000
_PREEMPTION = ("PreemptLowerPriority", "Never")
_SUBJECTS = ("ServiceAccount", "User", "Group")


def check_config_map(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        yield from check_config_key(f"data[{key}]", key)
        if key in binary:
            yield wrong(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in binary.items():
        yield from check_config_key(f"binaryData[{key}]", key)
        size += len(base64.b64decode(value))
    yield from _size(size, "[]")
    yield from _immutable(obj, old, ("data", "binaryData"))


def check_secret(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a Secret."""
    data = obj.get("data") or {}
    for key in data:
        yield from check_config_key(f"data[{key}]", key)
    yield from _size(sum(len(value) * 3 // 4 for value in data.values()), "data")
    kind = obj.get("type", "Opaque")
    for key in _SECRET_KEYS.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
        elif key.startswith(".docker") and not _is_json(data[key]):
            text = "invalid character looking for beginning of value"
            yield wrong(f"data[{key}]", "<secret contents redacted>", text)
    if kind == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        yield required("data[username]")
        yield required("data[password]")
    if kind == _TOKEN and not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT):
        yield required(f"metadata.annotations[{_ACCOUNT}]")
    if old is not None and old.get("type", "Opaque") != kind:
        yield wrong("type", kind, "field is immutable")
    yield from _immutable(obj, old, ("data",))


def _is_json(text: str) -> bool:
    try:
        orjson.loads(base64.b64decode(text))
    except ValueError:
        return False
    return True


def _size(size: int, path: str) -> Iterator[Cause]:
    if size > _MOST_BYTES:
        text = f"Too long: may not be more than {_MOST_BYTES} bytes"
        yield Cause(path, "FieldValueTooLong", text)


def _immutable(obj: Json, old: Json | None, fields: tuple[str, ...]) -> Iterator[Cause]:
    if old is None or not old.get("immutable"):
        return
    text = "field is immutable when `immutable` is set"
    if not obj.get("immutable"):
        yield forbidden_field("immutable", text)
    for field in fields:
        if (obj.get(field) or {}) != (old.get(field) or {}):
            yield forbidden_field(field, text)


def check_priority_class(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a PriorityClass."""
    name, value = obj["metadata"]["name"], obj.get("value", 0)
    if name.startswith("system-"):
        if name not in ("system-cluster-critical", "system-node-critical"):
            text = (
                "priority class names with 'system-' prefix are reserved for system use only. "
                f"error: {name} is not a known system priority class"
            )
            yield forbidden_field("metadata.name", text)
    elif value > _USER_PRIORITY:
        text = f"maximum allowed value of a user defined priority is {_USER_PRIORITY}"
        yield forbidden_field("value", text)
    policy = obj.get("preemptionPolicy", _PREEMPTION[0])
    if policy not in _PREEMPTION:
        yield unsupported("preemptionPolicy", policy, _PREEMPTION)
    if old is not None and value != old.get("value", 0):
        yield forbidden_field("value", "may not be changed in an update.")


def check_role(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a Role or ClusterRole."""
    for index, rule in enumerate(obj.get("rules") or ()):
        at = f"rules[{index}]"
        if not rule.get("verbs"):
            yield required(f"{at}.verbs", "verbs must contain at least one value")
        urls = rule.get("nonResourceURLs")
        if urls:
            if obj["kind"] == "Role":
                text = "namespaced rules cannot apply to non-resource URLs"
                yield wrong(f"{at}.nonResourceURLs", urls, text)
            elif rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                yield wrong(f"{at}.nonResourceURLs", urls, text)
            continue
        if not rule.get("apiGroups"):
            text = "resource rules must supply at least one api group"
            yield required(f"{at}.apiGroups", text)
        if not rule.get("resources"):
            text = "resource rules must supply at least one resource"
            yield required(f"{at}.resources", text)


def check_role_binding(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a RoleBinding or ClusterRoleBinding."""
    role = obj.get("roleRef") or {}
    group = "rbac.authorization.k8s.io"
    if role.get("apiGroup", group) != group:
        yield unsupported("roleRef.apiGroup", role["apiGroup"], (group,))
    known = ("Role", "ClusterRole") if obj["kind"] == "RoleBinding" else ("ClusterRole",)
    if role.get("kind") not in known:
        yield unsupported("roleRef.kind", role.get("kind", ""), known)
    if not role.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects") or ()):
        at = f"subjects[{index}]"
        if not subject.get("name"):
            yield required(f"{at}.name")
        if subject.get("kind") not in _SUBJECTS:
            yield unsupported(f"{at}.kind", subject.get("kind", ""), _SUBJECTS)
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            # A binding in a namespace means that one, where none is given.
            if obj["kind"] == "ClusterRoleBinding":
                yield required(f"{at}.namespace")
    if old is not None and old.get("roleRef") != obj.get("roleRef"):
        yield wrong("roleRef", role, "cannot change roleRef")


def check_lease(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a Lease."""
    spec = obj.get("spec") or {}
    if spec.get("leaseDurationSeconds", 1) <= 0:
        text = "must be greater than 0"
        yield wrong("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], text)
    if spec.get("leaseTransitions", 0) < 0:
        text = "must be greater than or equal to 0"
        yield wrong("spec.leaseTransitions", spec["leaseTransitions"], text)


def check_event(event: Json, _: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with an Event: it stands in the namespace of what it is about."""
    field = "involvedObject" if "involvedObject" in event else "regarding"
    about = (event.get(field) or {}).get("namespace") or ""
    own = event["metadata"].get("namespace") or ""
    if about != own and (about or own != "default"):
        yield wrong(f"{field}.namespace", about, "does not match event.namespace")
