"""LimitRange: what containers of a namespace get when they do not say, and what they may say.

Notes
-----
Rules and words: kubernetes, `plugin/pkg/admission/limitranger/admission.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .errors import forbidden
from .kinds import LIMIT_RANGE, POD, PVC, Json, Kind
from .quantity import parse_quantity

if TYPE_CHECKING:
    from .transaction import Transaction

_ANNOTATION = "kubernetes.io/limit-ranger"


def admit_limits(transaction: Transaction, kind: Kind, new: Json) -> None:
    """Fill in the limits of a new pod, in place, and refuse what is out of bounds.

    Raises
    ------
    ApiError
        403 naming each bound.
    """
    if kind not in (POD, PVC):
        return
    for found in transaction.list(LIMIT_RANGE, new["metadata"]["namespace"]):
        problems: list[str] = []
        for item in found["spec"].get("limits") or ():
            if kind is POD and item["type"] == "Container":
                _fill(new, item)
        for item in found["spec"].get("limits") or ():
            problems += _check(kind, new, item)
        if problems:
            text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
            raise forbidden(kind, new["metadata"]["name"], text)


def _fill(pod: Json, item: Json) -> None:
    texts = []
    for field, title in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(field) or ():
            resources = container.setdefault("resources", {})
            for part, word, defaults in (
                ("requests", "request", item.get("defaultRequest") or {}),
                ("limits", "limit", item.get("default") or {}),
            ):
                given = resources.get(part) or {}
                missing = {name: text for name, text in defaults.items() if name not in given}
                if missing:
                    resources[part] = {**given, **missing}
                    texts.append(
                        f"{', '.join(sorted(missing))} {word} for {title} {container['name']}"
                    )
    if texts:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations[_ANNOTATION] = f"LimitRanger plugin set: {'; '.join(texts)}"


def _check(kind: Kind, obj: Json, item: Json) -> Iterator[str]:
    type = item["type"]
    if kind is PVC:
        if type == "PersistentVolumeClaim":
            requests = (obj["spec"].get("resources") or {}).get("requests") or {}
            yield from _bounds(item, requests, requests)
        return
    spec = obj["spec"]
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    parts = [container.get("resources") or {} for container in containers]
    if type == "Container":
        for resources in parts:
            yield from _bounds(item, resources.get("requests") or {}, resources.get("limits") or {})
    elif type == "Pod":
        main = [container.get("resources") or {} for container in spec.get("containers") or ()]
        yield from _bounds(item, _total(main, "requests"), _total(main, "limits"))


def _total(parts: list[Json], field: str) -> Json:
    """Add up what all containers of a pod say; what one leaves open is open for all."""
    total: dict[str, Decimal] = {}
    for resources in parts:
        for name, text in (resources.get(field) or {}).items():
            total[name] = total.get(name, Decimal(0)) + parse_quantity(text)
    return {name: f"{amount.normalize():f}" for name, amount in total.items()}


def _bounds(item: Json, requests: Json, limits: Json) -> Iterator[str]:
    type = item["type"]
    for name, bound in (item.get("min") or {}).items():
        say = f"minimum {name} usage per {type} is {bound}"
        if name not in requests:
            yield f"{say}.  No request is specified"
        elif _amount(requests[name]) < _amount(bound):
            yield f"{say}, but request is {requests[name]}"
        elif name in limits and _amount(limits[name]) < _amount(bound):
            yield f"{say}, but limit is {limits[name]}"
    for name, bound in (item.get("max") or {}).items():
        say = f"maximum {name} usage per {type} is {bound}"
        if name not in limits:
            yield f"{say}.  No limit is specified"
        elif _amount(limits[name]) > _amount(bound):
            yield f"{say}, but limit is {limits[name]}"
        elif name in requests and _amount(requests[name]) > _amount(bound):
            yield f"{say}, but request is {requests[name]}"
    for name, bound in (item.get("maxLimitRequestRatio") or {}).items():
        say = f"{name} max limit to request ratio per {type} is {bound}"
        request, limit = _amount(requests.get(name, 0)), _amount(limits.get(name, 0))
        if not request:
            yield f"{say}, but no request is specified or request is 0"
        elif not limit:
            yield f"{say}, but no limit is specified or limit is 0"
        elif limit / request > _amount(bound):
            yield f"{say}, but provided ratio is {float(limit / request):f}"


def _amount(text: Any) -> Decimal:
    return parse_quantity(text)
