"""The variables that a container's spec asks for, wherever their values come from."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from ..resources import CONFIG_MAP, SECRET, SERVICE, Json, Kind, Resources, parse_quantity
from .commands import expand
from .problems import HoldError

API_HOST = "127.0.0.1"
"""Where every pod of this machine reaches the API server: all share its loopback."""

_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
_NAMES = {CONFIG_MAP.kind: "configmap", SECRET.kind: "secret"}


async def declared_env(
    resources: Resources, pod: Json, container: Json, *, port: int, allocatable: Mapping[str, Any]
) -> dict[str, str]:
    """Return the variables that a container's spec sets, with those of the services around it.

    Parameters
    ----------
    resources : Resources
        Holds ConfigMaps, Secrets and Services.
    pod, container : dict
        The Pod, and one of its containers.
    port : int
        Where the API server listens on loopback.
    allocatable : mapping
        Amounts of the node: what a container without a limit may use.

    Raises
    ------
    HoldError
        CreateContainerConfigError: something that is not optional is not there yet.

    Notes
    -----
    As the kubelet does it: `envFrom` first, then `env` in order, which may refer with `$(NAME)` to
    all before it; the variables of services stand behind both.
    """
    namespace: str = pod["metadata"]["namespace"]
    services = await _service_env(resources, pod, port)
    sources = _Sources(resources, namespace)
    declared: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        prefix = source.get("prefix") or ""
        for kind, field in ((CONFIG_MAP, "configMapRef"), (SECRET, "secretRef")):
            reference = source.get(field)
            if reference is not None:
                found = await sources.read(kind, reference)
                declared |= {prefix + key: value for key, value in (found or {}).items()}
    for entry in container.get("env") or ():
        value: str | None
        if entry.get("valueFrom"):
            value = await _value_from(sources, pod, container, entry["valueFrom"], allocatable)
        else:
            value = expand(entry.get("value") or "", {**services, **declared})
        if value is not None:
            declared[entry["name"]] = value
    return {**services, **declared}


class _Sources:
    """ConfigMaps and Secrets of one namespace as text, each read once."""

    def __init__(self, resources: Resources, namespace: str) -> None:
        self._resources = resources
        self._namespace = namespace
        self._known: dict[tuple[str, str], dict[str, str] | None] = {}

    async def read(self, kind: Kind, reference: Json) -> dict[str, str] | None:
        """Return all its keys; None when it is optional and not there."""
        name = reference.get("name") or ""
        key = (kind.kind, name)
        if key not in self._known:
            found = await self._resources.find(kind, name, self._namespace)
            self._known[key] = None if found is None else read_text(kind, found)
        content = self._known[key]
        if content is None and not reference.get("optional"):
            raise HoldError("CreateContainerConfigError", f'{_NAMES[kind.kind]} "{name}" not found')
        return content

    async def read_key(self, kind: Kind, reference: Json) -> str | None:
        """Return the value of one key; None when it is optional and not there."""
        content = await self.read(kind, reference)
        if content is None:
            return None
        key = reference["key"]
        if key not in content and not reference.get("optional"):
            where = f"{self._namespace}/{reference.get('name') or ''}"
            raise HoldError(
                "CreateContainerConfigError", f"couldn't find key {key} in {kind.kind} {where}"
            )
        return content.get(key)


def read_text(kind: Kind, obj: Json) -> dict[str, str]:
    """Return the keys of a ConfigMap or Secret that can be variables, decoded."""
    data = obj.get("data") or {}
    if kind is not SECRET:
        return dict(data)
    # A variable cannot hold all bytes; what is no UTF-8 keeps its bytes as the system does it.
    return {
        key: base64.b64decode(value or "").decode(errors="surrogateescape")
        for key, value in data.items()
    }


async def _value_from(
    sources: _Sources, pod: Json, container: Json, source: Json, allocatable: Mapping[str, Any]
) -> str | None:
    if source.get("configMapKeyRef"):
        return await sources.read_key(CONFIG_MAP, source["configMapKeyRef"])
    if source.get("secretKeyRef"):
        return await sources.read_key(SECRET, source["secretKeyRef"])
    if source.get("fieldRef"):
        return pod_field(pod, source["fieldRef"]["fieldPath"])
    if source.get("resourceFieldRef"):
        return resource_field(pod, container, source["resourceFieldRef"], allocatable)
    raise HoldError(
        "CreateContainerConfigError",
        "valueFrom names none of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef",
    )


def pod_field(pod: Json, path: str) -> str:
    """Return what the downward API says at a path of a pod.

    Parameters
    ----------
    pod : dict
        The Pod.
    path : str
        `metadata.name`, `metadata.labels['x']`, `metadata.labels` (all, a line each), `spec...`.

    Raises
    ------
    HoldError
        CreateContainerConfigError: there is no such field.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    if found := _KEYED.fullmatch(path):
        return str((metadata.get(found[1]) or {}).get(found[2], ""))
    if path in ("metadata.name", "metadata.namespace", "metadata.uid"):
        return str(metadata[path.partition(".")[2]])
    if path in ("metadata.labels", "metadata.annotations"):
        entries = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{_quoted(value)}"' for key, value in sorted(entries.items()))
    if path == "spec.nodeName":
        return str(spec.get("nodeName", ""))
    if path == "spec.serviceAccountName":
        return service_account(pod)
    if path in ("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"):
        return API_HOST
    raise HoldError("CreateContainerConfigError", f"unsupported fieldPath: {path}")


def resource_field(
    pod: Json, container: Json, reference: Json, allocatable: Mapping[str, Any]
) -> str:
    """Return a request or limit of a container, divided and rounded up as the kubelet does.

    Parameters
    ----------
    pod, container : dict
        Where to look; the reference may name another container of the pod.
    reference : dict
        `resource` (`limits.cpu`), `divisor`, `containerName`.
    allocatable : mapping
        What stands for a limit that is not set.
    """
    name = reference.get("containerName")
    if name:
        everyone = (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ()))
        container = next((each for each in everyone if each["name"] == name), container)
    side, _, resource = reference["resource"].partition(".")
    amounts = (container.get("resources") or {}).get(side) or {}
    if resource in amounts:
        amount = parse_quantity(amounts[resource])
    elif side == "limits":
        amount = Decimal(allocatable.get(resource, 0))
    else:
        amount = Decimal(0)
    divisor = parse_quantity(reference.get("divisor") or "1") or Decimal(1)
    return str(int((amount / divisor).to_integral_value(ROUND_CEILING)))


def service_account(pod: Json) -> str:
    """Return the name of the account that a pod acts as."""
    spec = pod["spec"]
    return str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")


async def _service_env(resources: Resources, pod: Json, port: int) -> dict[str, str]:
    """Return where the API and the namespace's services are, as on a cluster.

    There are no addresses of services here: pods are processes that share loopback. So a service's
    host is that, and its port is the one on which its pods listen (`targetPort`).
    """
    env = _link("KUBERNETES", [("https", port)])
    if pod["spec"].get("enableServiceLinks", True):
        found = await resources.list(SERVICE, pod["metadata"]["namespace"])
        for service in found.items:
            ports = [
                (each.get("name", ""), _reached(each))
                for each in service["spec"].get("ports") or ()
            ]
            if ports and service["spec"].get("clusterIP") != "None":
                name = service["metadata"]["name"].upper().replace("-", "_").replace(".", "_")
                if name != "KUBERNETES":
                    env |= _link(name, ports)
    return env


def _reached(port: Json) -> int:
    target = port.get("targetPort")
    return target if isinstance(target, int) and target else int(port["port"])


def _link(name: str, ports: list[tuple[str, int]]) -> dict[str, str]:
    first = ports[0][1]
    env = {
        f"{name}_SERVICE_HOST": API_HOST,
        f"{name}_SERVICE_PORT": str(first),
        f"{name}_PORT": f"tcp://{API_HOST}:{first}",
    }
    for label, number in ports:
        if label:
            env[f"{name}_SERVICE_PORT_{label.upper().replace('-', '_')}"] = str(number)
        prefix = f"{name}_PORT_{number}_TCP"
        env |= {
            prefix: f"tcp://{API_HOST}:{number}",
            f"{prefix}_PROTO": "tcp",
            f"{prefix}_PORT": str(number),
            f"{prefix}_ADDR": API_HOST,
        }
    return env


def _quoted(text: str) -> str:
    """Escape as Go's `%q` does for what labels and annotations hold."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
