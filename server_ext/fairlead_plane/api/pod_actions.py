"""What is done to a pod by name: bind it to a node, evict it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from ..resources import (
    POD,
    ApiError,
    Json,
    Kind,
    Resources,
    Transaction,
    bad_request,
    conflict,
    merge_conditions,
)
from .bodies import decode_as
from .deletes import delete_one
from .http import read_object
from .paths import Target

ACTIONS = {"binding": "Binding", "eviction": "Eviction"}
_BODIES = {
    "Binding": Kind("", "v1", "Binding", "bindings", True, False),
    "Eviction": Kind("policy", "v1", "Eviction", "evictions", True, False),
}


async def act_on_pod(resources: Resources, request: Request, target: Target) -> Json:
    """Bind or evict a pod, and return the Status.

    Raises
    ------
    ApiError
        400 for another body; 404; 405 for another method; 409 for a pod that is bound already.
    """
    if request.method != "POST":
        message = "the server does not allow this method on the requested resource"
        raise ApiError(405, "MethodNotAllowed", message)
    body, _ = await read_object(request)
    wanted = ACTIONS[target.subresource]
    if (body.get("kind") or wanted) != wanted:
        raise bad_request(f"a {wanted} is needed, not a {body.get('kind')}")
    body = decode_as(_BODIES[wanted], body)
    name = (body.get("metadata") or {}).get("name")
    if name and name != target.name:
        raise bad_request(f"name in URL does not match name in {wanted} object: {name}")

    def change(transaction: Transaction) -> None:
        if target.subresource == "binding":
            _bind(transaction, target, body)
        else:
            pod = target._replace(subresource="")
            delete_one(transaction, pod, target.name or "", body.get("deleteOptions") or {})

    await resources.transaction(change)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _bind(transaction: Transaction, target: Target, binding: Json) -> None:
    assert target.name is not None
    pod = transaction.get(POD, target.name, target.namespace)
    node: Any = (binding.get("target") or {}).get("name")
    if not node or not isinstance(node, str):
        raise bad_request("target.name: Required value")
    bound = pod["spec"].get("nodeName")
    if bound:
        why = f'pod {target.name} is already assigned to node "{bound}"'
        raise conflict(POD._replace(plural="pods/binding"), target.name, why)
    if "deletionTimestamp" in pod["metadata"]:
        why = f"pod {target.name} is being deleted, cannot be assigned to a host"
        raise conflict(POD._replace(plural="pods/binding"), target.name, why)
    scheduled = [{"type": "PodScheduled", "status": "True"}]
    transaction.bind_pod(
        pod, node, merge_conditions(pod["status"].get("conditions") or [], scheduled)
    )
