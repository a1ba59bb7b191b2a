"""Validation of services, storage and quotas, worded as the API server words it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .causes import duplicate, forbidden_field, required, unsupported, wrong
from .errors import Cause
from .kinds import Json
from .quantity import parse_quantity
from .schemas.names import LABEL, LABEL_TEXT, SUBDOMAIN, SUBDOMAIN_TEXT
from .validation_containers import check_port, is_address
from .validation_metadata import check_labels

_SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_ADDRESS_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
# What a PersistentVolume says beside its source.
_VOLUME_FIELDS = frozenset(
    "accessModes capacity claimRef mountOptions nodeAffinity persistentVolumeReclaimPolicy "
    "storageClassName volumeAttributesClassName volumeMode".split()
)
_QUOTA = frozenset(
    "cpu memory ephemeral-storage requests.cpu requests.memory requests.storage "
    "requests.ephemeral-storage limits.cpu limits.memory limits.ephemeral-storage pods services "
    "services.nodeports services.loadbalancers replicationcontrollers resourcequotas secrets "
    "configmaps persistentvolumeclaims".split()
)
_COUNTED = frozenset(
    "pods services services.nodeports services.loadbalancers replicationcontrollers resourcequotas "
    "secrets configmaps persistentvolumeclaims".split()
)
_SCOPES = (
    "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass",
    "CrossNamespacePodAffinity",
)  # fmt: skip


def check_service(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a Service."""
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type", "ClusterIP"), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and kind != "ExternalName":
        yield required("spec.ports")
    if kind not in _SERVICE_TYPES:
        yield unsupported("spec.type", kind, _SERVICE_TYPES)
    if kind == "ExternalName":
        name = spec.get("externalName", "").rstrip(".")
        if not name:
            yield required("spec.externalName")
        elif not SUBDOMAIN.fullmatch(name):
            yield wrong("spec.externalName", name, SUBDOMAIN_TEXT)
    address = spec.get("clusterIP")
    if address and not headless and not is_address(address):
        yield wrong("spec.clusterIPs[0]", address, _ADDRESS_TEXT)
    yield from check_labels("spec.selector", spec.get("selector") or {})
    affinity = spec.get("sessionAffinity", "None")
    if affinity not in ("ClientIP", "None"):
        yield unsupported("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    names: set[str] = set()
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        at = f"spec.ports[{index}]"
        yield from _service_port(at, port, names, many=len(ports) > 1)
        if port.get("nodePort") and kind not in ("LoadBalancer", "NodePort"):
            text = f"may not be used when `type` is '{kind}'"
            yield forbidden_field(f"{at}.nodePort", text)
        key = (port.get("protocol", "TCP"), port.get("port", 0))
        if key in taken:
            yield duplicate(at, {"port": key[1], "protocol": key[0]})
        taken.add(key)
    if old is not None:
        before = (old.get("spec") or {}).get("clusterIP")
        if before and address != before and kind != "ExternalName":
            text = "may not change once set" if address else "primary clusterIP can not be unset"
            yield wrong("spec.clusterIPs[0]", address, text)


def _service_port(at: str, port: Json, names: set[str], *, many: bool) -> Iterator[Cause]:
    name = port.get("name")
    if not name:
        if many:
            yield required(f"{at}.name")
    elif not LABEL.fullmatch(name) or len(name) > 63:
        yield wrong(f"{at}.name", name, LABEL_TEXT)
    elif name in names:
        yield duplicate(f"{at}.name", name)
    names.add(name or "")
    yield from check_port(f"{at}.port", port.get("port", 0))
    protocol = port.get("protocol", "TCP")
    if protocol not in _PROTOCOLS:
        yield unsupported(f"{at}.protocol", protocol, _PROTOCOLS)
    yield from check_port(f"{at}.targetPort", port.get("targetPort", port.get("port", 0)))


def check_endpoints(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with Endpoints."""
    for index, subset in enumerate(obj.get("subsets") or ()):
        at = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(at, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(field) or ()):
                if not is_address(address.get("ip", "")):
                    yield wrong(f"{at}.{field}[{number}].ip", address.get("ip", ""), _ADDRESS_TEXT)
        for number, port in enumerate(subset.get("ports") or ()):
            yield from check_port(f"{at}.ports[{number}].port", port.get("port", 0))


def check_claim(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a PersistentVolumeClaim."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    yield from _modes(spec)
    requests = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        yield required("spec.resources[storage]")
    else:
        yield from _above_zero("spec.resources[storage]", requests["storage"])
    name = spec.get("storageClassName")
    if name and not SUBDOMAIN.fullmatch(name):
        yield wrong("spec.storageClassName", name, SUBDOMAIN_TEXT)
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    yield from check_labels("spec.selector.matchLabels", labels)
    if old is not None:
        yield from _claim_changes(spec, old["spec"])


def _claim_changes(spec: Json, before: Json) -> Iterator[Cause]:
    free = ("resources", "volumeAttributesClassName")
    # A claim is bound, and given its class, after it was made.
    filled = [name for name in ("volumeName", "storageClassName") if not before.get(name)]
    new = {key: value for key, value in spec.items() if key not in (*free, *filled)}
    bound = bool(before.get("volumeName"))
    size, was = (
        parse_quantity((each.get("resources") or {}).get("requests", {}).get("storage", 0))
        for each in (spec, before)
    )
    fixed = {key: value for key, value in before.items() if key not in (*free, *filled)}
    if new != fixed or (size != was and not bound):
        text = (
            "spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName for bound claims"
        )
        yield forbidden_field("spec", text)
    if size < was:
        text = "field can not be less than status.capacity"
        yield forbidden_field("spec.resources.requests.storage", text)


def _modes(spec: Json) -> Iterator[Cause]:
    for mode in spec.get("accessModes") or ():
        if mode not in _ACCESS_MODES:
            yield unsupported("spec.accessModes", mode, _ACCESS_MODES)
    mode = spec.get("volumeMode", "Filesystem")
    if mode not in _VOLUME_MODES:
        yield unsupported("spec.volumeMode", mode, _VOLUME_MODES)


def _above_zero(path: str, text: str) -> Iterator[Cause]:
    if parse_quantity(text) <= 0:
        yield wrong(path, text, "must be greater than zero")


def check_volume(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a PersistentVolume."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    yield from _modes(spec)
    capacity = spec.get("capacity") or {}
    if not capacity:
        yield required("spec.capacity")
    if "storage" in capacity:
        yield from _above_zero("spec.capacity[storage]", capacity["storage"])
    else:
        yield unsupported("spec.capacity", capacity, ("storage",))
    policy = spec.get("persistentVolumeReclaimPolicy", "Retain")
    if policy not in _RECLAIM:
        yield unsupported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM)
    sources = [name for name in spec if name not in _VOLUME_FIELDS]
    if not sources:
        yield required("spec", "must specify a volume type")
    for name in sources[1:]:
        yield forbidden_field(f"spec.{name}", "may not specify more than 1 volume type")
    if old is not None:
        before = old["spec"]
        if [(name, spec[name]) for name in sources] != [
            (name, before[name]) for name in before if name not in _VOLUME_FIELDS
        ]:
            text = "spec.persistentvolumesource is immutable after creation"
            yield forbidden_field("spec.persistentvolumesource", text)


def check_quota(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a ResourceQuota."""
    spec = obj.get("spec") or {}
    for name, text in (spec.get("hard") or {}).items():
        at = f"spec.hard[{name}]"
        prefix, slash, _ = name.partition("/")
        if slash and not SUBDOMAIN.fullmatch(prefix):
            yield wrong(at, name, f"prefix part {SUBDOMAIN_TEXT}")
        elif not slash and name not in _QUOTA and ".hugepages-" not in name:
            yield wrong(at, name, "must be a standard resource type or fully qualified")
            yield wrong(at, name, "must be a standard resource for quota")
        amount = parse_quantity(text)
        if amount < 0:
            yield wrong(at, text, "must be greater than or equal to 0")
        elif (name in _COUNTED or name.startswith("count/")) and amount != int(amount):
            yield wrong(at, text, "must be an integer")
    scopes = spec.get("scopes") or []
    if any(scope not in _SCOPES for scope in scopes):
        yield wrong("spec.scopes", scopes, "unsupported scope")
    if old is not None and scopes != ((old.get("spec") or {}).get("scopes") or []):
        yield wrong("spec.scopes", scopes, "field is immutable")


def check_limit_range(obj: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a LimitRange."""
    seen: set[str] = set()
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        at, kind = f"spec.limits[{index}]", item.get("type", "")
        if kind not in ("Container", "PersistentVolumeClaim", "Pod") and "/" not in kind:
            text = "must be a standard limit type or fully qualified"
            yield wrong(f"{at}.type", kind, text)
        if kind in seen:
            yield duplicate(f"{at}.type", kind)
        seen.add(kind)
        if kind == "Pod":
            for field in ("default", "defaultRequest"):
                if item.get(field):
                    yield forbidden_field(
                        f"{at}.{field}", "may not be specified when `type` is 'Pod'"
                    )
        yield from _order(at, item)


_ORDER = (
    ("min", "max", "min", "min value {0} is greater than max value {1}"),
    (
        "min", "defaultRequest", "defaultRequest",
        "min value {0} is greater than default request value {1}",
    ),
    (
        "defaultRequest", "max", "defaultRequest",
        "default request value {0} is greater than max value {1}",
    ),
    (
        "defaultRequest", "default", "defaultRequest",
        "default request value {0} is greater than default limit value {1}",
    ),
    ("min", "default", "default", "min value {0} is greater than default value {1}"),
    ("default", "max", "default", "default value {0} is greater than max value {1}"),
)  # fmt: skip
"""Lower and upper field, the field that is named, and the words."""


def _order(at: str, item: Json) -> Iterator[Cause]:
    for lower, upper, named, words in _ORDER:
        for name, text in (item.get(lower) or {}).items():
            bound = (item.get(upper) or {}).get(name)
            if bound is not None and _over(text, bound):
                yield wrong(f"{at}.{named}[{name}]", item[named][name], words.format(text, bound))


def _over(text: str, bound: str) -> bool:
    found: Decimal = parse_quantity(text)
    return found > parse_quantity(bound)
