"""ResourceQuota: what a namespace may hold, checked and counted as objects come and go."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .errors import forbidden
from .kinds import (
    CONFIG_MAP,
    POD,
    PVC,
    RESOURCE_QUOTA,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Json,
    Kind,
)
from .quantity import canonical_quantity, parse_quantity

if TYPE_CHECKING:
    from .transaction import Transaction

Amounts = dict[str, Decimal]

_TERMINAL = ("Succeeded", "Failed")
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
# Plain names from before `count/...`; only kinds of the core group have them.
_PLAIN = (POD, PVC, SERVICE, CONFIG_MAP, SECRET, RESOURCE_QUOTA)
_CLASS_SUFFIX = ".storageclass.storage.k8s.io/"


def admit_quota(transaction: Transaction, kind: Kind, new: Json, existing: Json | None) -> None:
    """Refuse an object that a quota of its namespace has no room for, and count it.

    Parameters
    ----------
    transaction : Transaction
        In which the object is written afterwards.
    kind, new : Kind and dict
        The object, with defaults and name.
    existing : dict or None
        What it replaces.

    Raises
    ------
    ApiError
        403 in the words of the real admission plugin.
    """
    if kind is RESOURCE_QUOTA:
        new["status"] = _status(transaction, new)
        return
    for quota in transaction.list(RESOURCE_QUOTA, new["metadata"]["namespace"]):
        if not _covers(quota, kind, new):
            continue
        hard = _amounts(quota["spec"].get("hard"))
        if kind is POD and existing is None:
            _require(quota, kind, new, hard)
        asked = _usage(kind, new)
        before = {} if existing is None else _usage(kind, existing)
        grown = {
            name: amount - before.get(name, Decimal(0))
            for name, amount in asked.items()
            if name in hard and amount > before.get(name, Decimal(0))
        }
        if not grown and existing is not None:
            continue
        used = _used(transaction, quota, hard)
        over = [name for name in sorted(grown) if used[name] + grown[name] > hard[name]]
        if over:
            raise forbidden(
                kind, new["metadata"]["name"], _exceeded(quota, over, grown, used, hard)
            )
        _write(transaction, quota, hard, {k: used[k] + grown.get(k, Decimal(0)) for k in used})


def count_quota(transaction: Transaction, kind: Kind, changed: Json) -> None:
    """Count a namespace again after an object has gone, or a pod has ended."""
    if kind is RESOURCE_QUOTA:
        return
    for quota in transaction.list(RESOURCE_QUOTA, changed["metadata"]["namespace"]):
        hard = _amounts(quota["spec"].get("hard"))
        if any(name in hard for name in _usage(kind, changed, ended=True)):
            _write(transaction, quota, hard, _used(transaction, quota, hard))


def has_ended(pod: Json) -> bool:
    """Tell whether a pod has ended, and so counts no more."""
    return pod.get("status", {}).get("phase") in _TERMINAL


def _status(transaction: Transaction, quota: Json) -> Json:
    hard = _amounts(quota["spec"].get("hard"))
    used = _used(transaction, quota, hard)
    return {"hard": quota["spec"].get("hard") or {}, "used": _texts(used)}


def _used(transaction: Transaction, quota: Json, hard: Amounts) -> Amounts:
    """Count what there is of everything that a quota limits."""
    used = dict.fromkeys(hard, Decimal(0))
    for kind in transaction.registry.stored():
        if not kind.namespaced or not any(_concerns(name, kind) for name in hard):
            continue
        for obj in transaction.list(kind, quota["metadata"]["namespace"]):
            if _covers(quota, kind, obj):
                for name, amount in _usage(kind, obj).items():
                    if name in used:
                        used[name] += amount
    return used


def _write(transaction: Transaction, quota: Json, hard: Amounts, used: Amounts) -> None:
    counted = copy.deepcopy(quota)
    counted["status"] = {"hard": quota["spec"].get("hard") or {}, "used": _texts(used)}
    transaction.replace(RESOURCE_QUOTA, quota, counted)


def _concerns(name: str, kind: Kind) -> bool:
    """Tell whether a limit counts objects of a kind."""
    if name == f"count/{kind.resource}":
        return True
    if kind is POD:
        return name == "pods" or name in _COMPUTE or name.startswith(("requests.", "limits."))
    if kind is PVC:
        return name in ("persistentvolumeclaims", "requests.storage") or _CLASS_SUFFIX in name
    if kind is SERVICE:
        return name == "services" or name.startswith("services.")
    return kind in _PLAIN and name == kind.plural


def _usage(kind: Kind, obj: Json, *, ended: bool = False) -> Amounts:
    """Return what one object counts for; a pod that has ended counts as an object alone."""
    usage: Amounts = {f"count/{kind.resource}": Decimal(1)}
    if kind is POD:
        if ended or not has_ended(obj):
            usage |= _pod_usage(obj["spec"])
    elif kind is PVC:
        usage |= _claim_usage(obj["spec"])
    elif kind is SERVICE:
        usage |= _service_usage(obj["spec"])
    elif kind in _PLAIN or kind is SERVICE_ACCOUNT:
        usage[kind.plural] = Decimal(1)
    return usage


def _pod_usage(spec: Json) -> Amounts:
    usage: Amounts = {"pods": Decimal(1)}
    for field in ("requests", "limits"):
        for name, amount in _pod_sum(spec, field).items():
            usage[f"{field}.{name}"] = amount
            if field == "requests" and name in _COMPUTE:
                usage[name] = amount
    return usage


def _pod_sum(spec: Json, field: str) -> Amounts:
    """Return what the containers of a pod ask for together, or one init container alone."""
    total: Amounts = {}
    first: Amounts = {}
    for container in spec.get("initContainers") or ():
        for name, amount in _amounts((container.get("resources") or {}).get(field)).items():
            if container.get("restartPolicy") == "Always":
                total[name] = total.get(name, Decimal(0)) + amount
            else:
                first[name] = max(first.get(name, Decimal(0)), amount)
    for container in spec.get("containers") or ():
        for name, amount in _amounts((container.get("resources") or {}).get(field)).items():
            total[name] = total.get(name, Decimal(0)) + amount
    return {name: max(total.get(name, Decimal(0)), first.get(name, Decimal(0)))
            for name in {*total, *first}}  # fmt: skip


def _claim_usage(spec: Json) -> Amounts:
    requests = ((spec.get("resources") or {}).get("requests")) or {}
    amount = parse_quantity(requests.get("storage", "0"))
    usage = {"persistentvolumeclaims": Decimal(1), "requests.storage": amount}
    if name := spec.get("storageClassName"):
        usage[f"{name}{_CLASS_SUFFIX}requests.storage"] = amount
        usage[f"{name}{_CLASS_SUFFIX}persistentvolumeclaims"] = Decimal(1)
    return usage


def _service_usage(spec: Json) -> Amounts:
    usage = {"services": Decimal(1)}
    ports = Decimal(len(spec.get("ports") or ()))
    if spec.get("type") == "LoadBalancer":
        usage |= {"services.loadbalancers": Decimal(1), "services.nodeports": ports}
    elif spec.get("type") == "NodePort":
        usage["services.nodeports"] = ports
    return usage


def _require(quota: Json, kind: Kind, pod: Json, hard: Amounts) -> None:
    """Refuse a pod whose containers do not say what the quota limits."""
    missing: dict[str, list[str]] = {}
    spec = pod["spec"]
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources") or {}
        for name in hard:
            field, _, resource = name.rpartition(".") if "." in name else ("requests", "", name)
            if field in ("requests", "limits") and resource in _COMPUTE:
                if resource not in (resources.get(field) or {}):
                    missing.setdefault(name, []).append(container["name"])
    if missing:
        texts = [f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing)]
        why = f"failed quota: {quota['metadata']['name']}: must specify {'; '.join(texts)}"
        raise forbidden(kind, pod["metadata"]["name"], why)


def _exceeded(
    quota: Json, over: Iterable[str], grown: Amounts, used: Amounts, hard: Amounts
) -> str:
    def shown(amounts: Amounts) -> str:
        return ",".join(f"{name}={_texts(amounts)[name]}" for name in over)

    return (
        f"exceeded quota: {quota['metadata']['name']}, requested: {shown(grown)}, "
        f"used: {shown(used)}, limited: {shown(hard)}"
    )


def _covers(quota: Json, kind: Kind, obj: Json) -> bool:
    """Tell whether the scopes of a quota have an object in them; only pods have scopes."""
    spec = quota["spec"]
    selector = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    wanted: list[Json] = [
        *({"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()),
        *selector,
    ]
    if not wanted:
        return True
    return kind is POD and all(_SCOPES[each["scopeName"]](obj, each) for each in wanted
                               if each["scopeName"] in _SCOPES)  # fmt: skip


def _has_deadline(pod: Json, _: Json) -> bool:
    return pod["spec"].get("activeDeadlineSeconds") is not None


def _is_best_effort(pod: Json, _: Json) -> bool:
    return not any(
        (container.get("resources") or {}).get(field)
        for container in pod["spec"].get("containers") or ()
        for field in ("requests", "limits")
    )


def _has_class(pod: Json, wanted: Json) -> bool:
    name, values = pod["spec"].get("priorityClassName") or "", wanted.get("values") or ()
    return {
        "In": name in values,
        "NotIn": name not in values,
        "Exists": bool(name),
        "DoesNotExist": not name,
    }.get(wanted["operator"], False)


_SCOPES: dict[str, Callable[[Json, Json], bool]] = {
    "Terminating": _has_deadline,
    "NotTerminating": lambda pod, wanted: not _has_deadline(pod, wanted),
    "BestEffort": _is_best_effort,
    "NotBestEffort": lambda pod, wanted: not _is_best_effort(pod, wanted),
    "PriorityClass": _has_class,
}


def _amounts(given: Any) -> Amounts:
    return {name: parse_quantity(text) for name, text in (given or {}).items()}


def _texts(amounts: Amounts) -> dict[str, str]:
    return {name: canonical_quantity(_plain(name, each)) for name, each in amounts.items()}


def _plain(name: str, amount: Decimal) -> str:
    """Write an amount as a quantity: bytes in powers of two, the rest in powers of ten."""
    binary = "memory" in name or "storage" in name
    if binary and amount and amount % 1024 == 0:
        return f"{int(amount) // 1024}Ki"
    return f"{amount.normalize():f}"
