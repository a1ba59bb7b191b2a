"""What `[SCHEME:]NAME[:PORT]` means: a port of a pod."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from ...resources import ENDPOINTS, POD, SERVICE, ApiError, Json, Resources, bad_request
from ..paths import Target


class Backend(NamedTuple):
    """Where to connect."""

    pod: Json
    port: int | str
    tls: bool


async def find_backend(resources: Resources, target: Target) -> Backend:
    """Return the back end of a pod or a service.

    Raises
    ------
    ApiError
        400: the name cannot be read. 404: there is no such object. 503: it has no back end, or no
        such port.
    """
    scheme, name, port = split_name(target.name or "")
    if target.kind is POD:
        pod = await resources.get(POD, name, target.namespace)
        return Backend(pod, port or _first_port(pod), scheme == "https")
    service = await resources.get(SERVICE, name, target.namespace)
    pod, number = await _behind(resources, service, _service_port(service, port))
    return Backend(pod, number, scheme == "https")


def split_name(text: str) -> tuple[str, str, str]:
    """Split into scheme, name and port; what is not given is empty."""
    words = text.split(":")
    if len(words) == 1:
        return "", words[0], ""
    if len(words) == 2:
        return "", words[0], words[1]
    if len(words) == 3 and words[0] in ("", "http", "https"):
        return words[0], words[1], words[2]
    raise bad_request(f'invalid service request "{text}"')


def _first_port(pod: Json) -> int:
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            port: int = each["containerPort"]
            return port
    return 80


def _service_port(service: Json, asked: str) -> Json:
    """Return the service's port that a request names; by number, by name, or the nameless one."""
    name = service["metadata"]["name"]
    ports = service["spec"].get("ports") or ()
    for port in ports:
        if (asked.isdigit() and port["port"] == int(asked)) or (port.get("name") or "") == asked:
            found: Json = port
            return found
    if asked.isdigit():
        why = f'no service port {asked} found for service "{name}"'
        raise ApiError(503, "ServiceUnavailable", why)
    raise no_endpoints(name)


def no_endpoints(service: str) -> ApiError:
    """Build the error for a service without a pod that is ready."""
    why = f'no endpoints available for service "{service}"'
    return ApiError(503, "ServiceUnavailable", why)


async def _behind(resources: Resources, service: Json, port: Json) -> tuple[Json, int | str]:
    """Choose a pod behind a service, and its port."""
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    wanted: int | str = port.get("targetPort") or port["port"]
    selector = service["spec"].get("selector")
    if not selector:
        return await _by_endpoints(resources, service, port)
    text = ",".join(f"{key}={value}" for key, value in selector.items())
    pods = (await resources.list(POD, namespace, label_selector=text)).items
    early = service["spec"].get("publishNotReadyAddresses")
    ready = [pod for pod in pods if _runs(pod) and (early or _is_ready(pod))]
    ready = [pod for pod in ready if _has_port(pod, wanted)]
    if not ready:
        raise no_endpoints(name)
    return random.choice(ready), wanted


async def _by_endpoints(resources: Resources, service: Json, port: Json) -> tuple[Json, int | str]:
    """Choose among the pods that somebody has written into the service's Endpoints.

    An address that is no pod's is passed over: on this machine it would be the user's own.
    """
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    endpoints = await resources.find(ENDPOINTS, name, namespace) or {}
    found: list[tuple[Json, int | str]] = []
    for subset in endpoints.get("subsets") or ():
        numbers = [
            each["port"]
            for each in subset.get("ports") or ()
            if (each.get("name") or "") == (port.get("name") or "")
        ]
        for address in subset.get("addresses") or ():
            target: dict[str, Any] = address.get("targetRef") or {}
            if target.get("kind") == "Pod" and numbers:
                pod = await resources.find(POD, target.get("name", ""), namespace)
                if pod is not None and _runs(pod):
                    found.append((pod, numbers[0]))
    if not found:
        raise no_endpoints(name)
    return random.choice(found)


def _runs(pod: Json) -> bool:
    return pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")


def _is_ready(pod: Json) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _has_port(pod: Json, wanted: int | str) -> bool:
    if isinstance(wanted, int):
        return True
    return any(
        each.get("name") == wanted
        for container in pod["spec"]["containers"]
        for each in container.get("ports") or ()
    )
