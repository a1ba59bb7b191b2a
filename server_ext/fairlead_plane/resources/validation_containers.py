"""Validation of containers, worded as the API server words it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator
from typing import Any

from .causes import duplicate, forbidden_field, required, unsupported, wrong
from .errors import Cause
from .kinds import Json
from .quantity import parse_quantity
from .schemas.names import KEY_NAME, KEY_NAME_TEXT, LABEL, LABEL_TEXT, SUBDOMAIN, SUBDOMAIN_TEXT

_ENV_NAME = re.compile(r"[ -<>-~]+")
_ENV_TEXT = (
    "a valid environment variable name must consist only of printable ASCII characters other "
    "than '='"
)
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "sleep", "tcpSocket")
_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_VOLUME_FIELDS = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
    "metadata.uid",
)  # fmt: skip
_SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")
_KNOWN_FIELD = re.compile(r"(metadata|status|spec)\.\w+")
_RESOURCE_FIELDS = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
    "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_STANDARD = ("cpu", "ephemeral-storage", "memory")
_KEY_SOURCES = ("configMapKeyRef", "secretKeyRef")
_SOURCES = ("configMapKeyRef", "fieldRef", "resourceFieldRef", "secretKeyRef")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_PORT_NAME = re.compile(r"[-a-z0-9]+")


def check_container(
    path: str, container: Json, names: set[str], volumes: Collection[str], *, init: bool = False
) -> Iterator[Cause]:
    """Yield what is wrong with a container.

    Parameters
    ----------
    path : str
        Where it is.
    container : dict
        With defaults in place.
    names : set of str
        The names of the containers before; takes this one's.
    volumes : collection of str
        The names of the pod's volumes and claims.
    init : bool
        True for one of `initContainers`.
    """
    name = container.get("name")
    if not name:
        yield required(f"{path}.name")
    elif not LABEL.fullmatch(name) or len(name) > 63:
        yield wrong(f"{path}.name", name, LABEL_TEXT)
    elif name in names:
        yield duplicate(f"{path}.name", name)
    else:
        names.add(name)
    image = container.get("image")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield wrong(f"{path}.image", image, "must not have leading or trailing whitespace")
    policy = container.get("imagePullPolicy", "Always")
    if policy not in _PULL_POLICIES:
        yield unsupported(f"{path}.imagePullPolicy", policy, _PULL_POLICIES)
    policy = container.get("terminationMessagePolicy", "File")
    if policy not in ("File", "FallbackToLogsOnError"):
        text = "must be 'File' or 'FallbackToLogsOnError'"
        yield wrong(f"{path}.terminationMessagePolicy", policy, text)
    yield from _ports(f"{path}.ports", container.get("ports") or [])
    yield from _environment(f"{path}.env", container.get("env") or [])
    yield from _environment_from(f"{path}.envFrom", container.get("envFrom") or [])
    yield from _mounts(f"{path}.volumeMounts", container.get("volumeMounts") or [], volumes)
    yield from check_resources(f"{path}.resources", container.get("resources") or {})
    yield from _handlers(path, container, init and container.get("restartPolicy") != "Always")
    yield from check_security(f"{path}.securityContext", container.get("securityContext") or {})


def _handlers(path: str, container: Json, runs_once: bool) -> Iterator[Cause]:
    for name in _PROBES:
        probe = container.get(name)
        if probe is None:
            continue
        if runs_once:
            text = "may not be set for init containers without restartPolicy=Always"
            yield forbidden_field(f"{path}.{name}", text)
            continue
        yield from _handler(f"{path}.{name}", probe)
        for field, value in probe.items():
            if isinstance(value, int) and value < 0:
                yield wrong(f"{path}.{name}.{field}", value, "must be greater than or equal to 0")
        if name != "readinessProbe" and probe.get("successThreshold", 1) > 1:
            yield wrong(f"{path}.{name}.successThreshold", probe["successThreshold"], "must be 1")
    lifecycle = container.get("lifecycle")
    if lifecycle and runs_once:
        text = "may not be set for init containers without restartPolicy=Always"
        yield forbidden_field(f"{path}.lifecycle", text)
    elif lifecycle:
        for name in ("postStart", "preStop"):
            if name in lifecycle:
                yield from _handler(f"{path}.lifecycle.{name}", lifecycle[name])


def _handler(path: str, handler: Json) -> Iterator[Cause]:
    given = [name for name in _HANDLERS if handler.get(name) is not None]
    if not given:
        yield required(path, "must specify a handler type")
    for name in given[1:]:
        yield forbidden_field(f"{path}.{name}", "may not specify more than 1 handler type")
    if not given:
        return
    name, found = given[0], handler[given[0]]
    if name == "exec" and not found.get("command"):
        yield required(f"{path}.exec.command")
    elif name in ("httpGet", "tcpSocket"):
        yield from check_port(f"{path}.{name}.port", found.get("port", 0))
        scheme = found.get("scheme", "HTTP")
        if scheme not in ("HTTP", "HTTPS"):
            yield unsupported(f"{path}.{name}.scheme", scheme, ("HTTP", "HTTPS"))
    elif name == "grpc":
        yield from check_port(f"{path}.grpc.port", found.get("port", 0))


def check_port(path: str, port: Any) -> Iterator[Cause]:
    """Yield what is wrong with the number or name of a port."""
    if isinstance(port, int):
        if not 1 <= port <= 65535:
            yield wrong(path, port, "must be between 1 and 65535, inclusive")
        return
    yield from _port_name(path, port)


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _port_name(path: str, name: str) -> Iterator[Cause]:
    if len(name) > 15:
        yield wrong(path, name, "must be no more than 15 characters")
    if not _PORT_NAME.fullmatch(name):
        text = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        yield wrong(path, name, text)
    if not re.search("[a-z]", name):
        yield wrong(path, name, "must contain at least one letter or number (a-z, 0-9)")
    if "--" in name:
        yield wrong(path, name, "must not contain consecutive hyphens")
    if name[:1] == "-" or name[-1:] == "-":
        yield wrong(path, name, "must not begin or end with a hyphen")


def _ports(path: str, ports: list[Json]) -> Iterator[Cause]:
    names: set[str] = set()
    taken: set[str] = set()
    for index, port in enumerate(ports):
        at = f"{path}[{index}]"
        if name := port.get("name"):
            yield from _port_name(f"{at}.name", name)
            if name in names:
                yield duplicate(f"{at}.name", name)
            names.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            yield required(f"{at}.containerPort")
        else:
            yield from check_port(f"{at}.containerPort", number)
        protocol = port.get("protocol", "TCP")
        if protocol not in _PROTOCOLS:
            yield unsupported(f"{at}.protocol", protocol, _PROTOCOLS)
        if host := port.get("hostPort"):
            yield from check_port(f"{at}.hostPort", host)
            key = f"{protocol}/{port.get('hostIP', '')}/{host}"
            if key in taken:
                yield duplicate(f"{at}.hostPort", key)
            taken.add(key)


def _environment(path: str, entries: list[Json]) -> Iterator[Cause]:
    for index, entry in enumerate(entries):
        at = f"{path}[{index}]"
        name = entry.get("name")
        if not name:
            yield required(f"{at}.name")
        elif not _ENV_NAME.fullmatch(name):
            yield wrong(f"{at}.name", name, _ENV_TEXT)
        source = entry.get("valueFrom")
        if source is not None:
            yield from _source(f"{at}.valueFrom", source, bool(entry.get("value")))


def _source(path: str, source: Json, has_value: bool) -> Iterator[Cause]:
    given = [name for name in _SOURCES if source.get(name) is not None]
    if not given:
        text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
        yield wrong(path, "", f"{text}`secretKeyRef`")
    elif has_value:
        yield wrong(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield wrong(path, "", "may not have more than one field specified at a time")
    for name in given:
        if name in _KEY_SOURCES:
            yield from _key_ref(f"{path}.{name}", source[name])
        elif name == "fieldRef":
            yield from check_field_ref(f"{path}.fieldRef", source[name], volume=False)
        else:
            yield from check_resource_ref(f"{path}.{name}", source[name], volume=False)


def _key_ref(path: str, reference: Json) -> Iterator[Cause]:
    name = reference.get("name", "")
    if not SUBDOMAIN.fullmatch(name):
        yield wrong(f"{path}.name", name, SUBDOMAIN_TEXT)
    key = reference.get("key", "")
    if not key:
        yield required(f"{path}.key")
    else:
        yield from check_config_key(f"{path}.key", key)


def check_config_key(path: str, key: str) -> Iterator[Cause]:
    """Yield what is wrong with a key of a ConfigMap or Secret."""
    if len(key) > 253:
        yield wrong(path, key, "must be no more than 253 characters")
    if not _CONFIG_KEY.fullmatch(key):
        yield wrong(path, key, CONFIG_KEY_TEXT)
    elif key in (".", ".."):
        yield wrong(path, key, f"must not be '{key}'")
    elif key.startswith(".."):
        yield wrong(path, key, "must not start with '..'")


def check_field_ref(path: str, reference: Json, *, volume: bool) -> Iterator[Cause]:
    """Yield what is wrong with a reference to a field of the pod."""
    at, field = f"{path}.fieldPath", reference.get("fieldPath", "")
    known = _VOLUME_FIELDS if volume else _FIELDS
    if not field:
        yield required(at)
    elif found := _SUBSCRIPT.fullmatch(field):
        if not KEY_NAME.fullmatch(found[2].rpartition("/")[2]):
            yield wrong(f"{at}[{found[2]}]", found[2], KEY_NAME_TEXT)
    elif field not in (*_FIELDS, *_VOLUME_FIELDS):
        text = f"error converting fieldPath: field label not supported: {field}"
        yield wrong(at, field, text)
    elif field not in known:
        yield unsupported(at, field, known)


def check_resource_ref(path: str, reference: Json, *, volume: bool) -> Iterator[Cause]:
    """Yield what is wrong with a reference to a container's limit or request."""
    name = reference.get("resource", "")
    if volume and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    if not name:
        yield required(f"{path}.resource")
    elif name not in _RESOURCE_FIELDS and ".hugepages-" not in name:
        yield unsupported(f"{path}.resource", name, _RESOURCE_FIELDS)


def _environment_from(path: str, entries: list[Json]) -> Iterator[Cause]:
    for index, entry in enumerate(entries):
        at = f"{path}[{index}]"
        prefix = entry.get("prefix")
        if prefix and not _ENV_NAME.fullmatch(prefix):
            yield wrong(f"{at}.prefix", prefix, _ENV_TEXT)
        given = [name for name in ("configMapRef", "secretRef") if entry.get(name) is not None]
        if not given:
            yield wrong(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield wrong(path, "", "may not have more than one field specified at a time")
        for name in given:
            if not entry[name].get("name"):
                yield required(f"{at}.{name}.name")


def _mounts(path: str, mounts: list[Json], volumes: Collection[str]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        at = f"{path}[{index}]"
        name, place = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{at}.name")
        if name not in volumes:
            yield Cause(f"{at}.name", "FieldValueNotFound", f'Not found: "{name}"')
        if not place:
            yield required(f"{at}.mountPath")
        elif place in seen:
            yield wrong(f"{at}.mountPath", place, "must be unique")
        seen.add(place)
        for field in ("subPath", "subPathExpr"):
            if mount.get(field):
                yield from check_relative(f"{at}.{field}", mount[field])
        if mount.get("subPath") and mount.get("subPathExpr"):
            text = "subPathExpr and subPath are mutually exclusive"
            yield wrong(f"{at}.subPathExpr", mount["subPathExpr"], text)


def check_relative(path: str, place: str) -> Iterator[Cause]:
    """Yield what is wrong with a path that must stay inside a volume."""
    if place.startswith("/"):
        yield wrong(path, place, "must be a relative path")
    if ".." in place.split("/"):
        yield wrong(path, place, "must not contain '..'")


def check_resources(path: str, resources: Json) -> Iterator[Cause]:
    """Yield what is wrong with limits and requests."""
    amounts: dict[str, dict[str, Any]] = {"limits": {}, "requests": {}}
    for field, found in amounts.items():
        for name, text in (resources.get(field) or {}).items():
            at = f"{path}.{field}[{name}]"
            if name not in _STANDARD and not name.startswith("hugepages-") and "/" not in name:
                yield wrong(at, name, "must be a standard resource type or fully qualified")
                yield wrong(at, name, "must be a standard resource for containers")
            try:
                found[name] = parse_quantity(text)
            except ValueError as error:
                yield wrong(at, text, str(error))
                continue
            if found[name] < 0:
                yield wrong(at, text, "must be greater than or equal to 0")
            elif "/" in name and found[name] != int(found[name]):
                yield wrong(at, text, "must be an integer")
    for name, amount in amounts["requests"].items():
        limit = amounts["limits"].get(name)
        shown_limit = (resources.get("limits") or {}).get(name)
        whole = "/" in name or name.startswith("hugepages-")
        if limit is None:
            if whole:
                text = "Limit must be set for non overcommitable resources"
                yield required(f"{path}.limits", text)
        elif whole and amount != limit:
            text = f"must be equal to {name} limit of {shown_limit}"
            yield wrong(f"{path}.requests", resources["requests"][name], text)
        elif amount > limit:
            text = f"must be less than or equal to {name} limit of {shown_limit}"
            yield wrong(f"{path}.requests", resources["requests"][name], text)


def check_security(path: str, context: Json) -> Iterator[Cause]:
    """Yield what is wrong with the security context of a pod or container."""
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        number = context.get(field)
        if number is not None and not 0 <= number <= 2147483647:
            yield wrong(f"{path}.{field}", number, "must be between 0 and 2147483647, inclusive")
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield wrong(path, context, text)
