"""Columns of the kinds of the core group, and of those that are as plain."""

from __future__ import annotations

from ...resources import Json
from .ages import show_age
from .columns import AGE, CREATED, NAME, Column, column


def _status(obj: Json) -> Json:
    found: Json = obj.get("status") or {}
    return found


def _spec(obj: Json) -> Json:
    found: Json = obj.get("spec") or {}
    return found


def _node_status(obj: Json) -> str:
    ready = next(
        (each for each in _status(obj).get("conditions") or () if each["type"] == "Ready"), None
    )
    words = ["Ready" if ready and ready["status"] == "True" else "NotReady" if ready else "Unknown"]
    if _spec(obj).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(obj: Json) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    return ",".join(sorted(key[len(prefix) :] for key in labels if key.startswith(prefix))) or (
        "<none>"
    )


def _node_info(name: str) -> Column:
    titles = {
        "kubeletVersion": "Version",
        "osImage": "OS-Image",
        "kernelVersion": "Kernel-Version",
        "containerRuntimeVersion": "Container-Runtime",
    }

    def read(obj: Json) -> str:
        return (_status(obj).get("nodeInfo") or {}).get(name) or "<unknown>"

    return column(titles[name], read, wide=name != "kubeletVersion")


def _node_address(type: str) -> str:
    return {"InternalIP": "Internal-IP", "ExternalIP": "External-IP"}[type]


def _address(type: str) -> Column:
    def read(obj: Json) -> str:
        addresses = _status(obj).get("addresses") or ()
        return next((each["address"] for each in addresses if each["type"] == type), "<none>")

    return column(_node_address(type), read, wide=True)


def _service_external(obj: Json) -> str:
    spec = _spec(obj)
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or "<none>"
    if spec.get("type") == "LoadBalancer":
        ingress = (_status(obj).get("loadBalancer") or {}).get("ingress") or ()
        found = [each.get("ip") or each.get("hostname") for each in ingress]
        return ",".join(filter(None, found)) or "<pending>"
    return ",".join(spec.get("externalIPs") or ()) or "<none>"


def _service_ports(obj: Json) -> str:
    texts = []
    for port in _spec(obj).get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(texts) or "<none>"


def show_labels(labels: Json | None) -> str:
    """Return labels as a selector; `<none>` without any."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else "<none>"


def _modes(modes: list[str] | None) -> str:
    short = {
        "ReadWriteOnce": "RWO",
        "ReadOnlyMany": "ROX",
        "ReadWriteMany": "RWX",
        "ReadWriteOncePod": "RWOP",
    }
    return ",".join(short.get(each, each) for each in modes or ())


def _phase(obj: Json) -> str:
    return (
        "Terminating"
        if "deletionTimestamp" in obj["metadata"]
        else (_status(obj).get("phase") or "")
    )


def _claim_of(obj: Json) -> str:
    claim = _spec(obj).get("claimRef")
    return f"{claim.get('namespace')}/{claim.get('name')}" if claim else ""


def _quota(field: str) -> Column:
    def read(obj: Json) -> str:
        hard = _status(obj).get("hard") or {}
        used = _status(obj).get("used") or {}
        names = [name for name in sorted(hard) if name.startswith("limits.") is (field == "Limit")]
        return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)

    return column(field, read)


def _seen(obj: Json) -> str:
    last = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    return show_age(last or obj.get("eventTime") or obj.get("firstTimestamp"))


def _first_seen(obj: Json) -> str:
    first = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp")
    return show_age(first or obj.get("eventTime"))


def _about(obj: Json) -> Json:
    found: Json = obj.get("involvedObject") or obj.get("regarding") or {}
    return found


def _event_source(obj: Json) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    found = (source.get("component"), source.get("host"))
    return ", ".join(filter(None, found)) or obj.get("reportingComponent") or ""


def _event_object(obj: Json) -> str:
    about = _about(obj)
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _endpoints(obj: Json) -> str:
    texts = []
    for subset in obj.get("subsets") or ():
        for address in subset.get("addresses") or ():
            ports = subset.get("ports") or ()
            texts += [f"{address['ip']}:{port['port']}" for port in ports] or [address["ip"]]
    more = f" + {len(texts) - 3} more..." if len(texts) > 3 else ""
    return ",".join(texts[:3]) + more if texts else "<none>"


def _slice_ports(obj: Json) -> str:
    return ",".join(str(port.get("port")) for port in obj.get("ports") or ()) or "<unset>"


def _slice_addresses(obj: Json) -> str:
    found = [each for point in obj.get("endpoints") or () for each in point.get("addresses") or ()]
    return ",".join(found[:3]) or "<unset>"


def _default_class(obj: Json) -> str:
    mark = "storageclass.kubernetes.io/is-default-class"
    default = (obj["metadata"].get("annotations") or {}).get(mark) == "true"
    return f"{obj['metadata']['name']}{' (default)' if default else ''}"


def _role(obj: Json) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


_KEYS = column("Data", lambda obj: len(obj.get("data") or {}) + len(obj.get("binaryData") or {}),
               type="integer")  # fmt: skip
_STORAGE = column("StorageClass", lambda obj: _spec(obj).get("storageClassName") or "")
_VOLUME_MODE = column(
    "VolumeMode", lambda obj: _spec(obj).get("volumeMode") or "<unset>", wide=True
)
_BINDING = [NAME, column("Role", _role), AGE]

CORE: dict[str, list[Column]] = {
    "namespaces": [NAME, column("Status", _phase), AGE],
    "nodes": [
        NAME,
        column("Status", _node_status),
        column("Roles", _node_roles),
        AGE,
        _node_info("kubeletVersion"),
        _address("InternalIP"),
        _address("ExternalIP"),
        _node_info("osImage"),
        _node_info("kernelVersion"),
        _node_info("containerRuntimeVersion"),
    ],
    "services": [
        NAME,
        column("Type", lambda obj: _spec(obj).get("type") or ""),
        column("Cluster-IP", lambda obj: _spec(obj).get("clusterIP") or "<none>"),
        column("External-IP", _service_external),
        column("Port(s)", _service_ports),
        AGE,
        column("Selector", lambda obj: show_labels(_spec(obj).get("selector")), wide=True),
    ],
    "configmaps": [NAME, _KEYS, AGE],
    "secrets": [NAME, column("Type", lambda obj: obj.get("type") or ""), _KEYS, AGE],
    "serviceaccounts": [
        NAME,
        column("Secrets", lambda obj: len(obj.get("secrets") or ()), type="integer"),
        AGE,
    ],
    "resourcequotas": [NAME, _quota("Request"), _quota("Limit"), AGE],
    "limitranges": [NAME, CREATED],
    "endpoints": [NAME, column("Endpoints", _endpoints), AGE],
    "persistentvolumeclaims": [
        NAME,
        column("Status", _phase),
        column("Volume", lambda obj: _spec(obj).get("volumeName") or ""),
        column("Capacity", lambda obj: (_status(obj).get("capacity") or {}).get("storage") or ""),
        column("Access Modes", lambda obj: _modes(_status(obj).get("accessModes"))),
        _STORAGE,
        column(
            "VolumeAttributesClass",
            lambda obj: _spec(obj).get("volumeAttributesClassName") or "<unset>",
        ),
        AGE,
        _VOLUME_MODE,
    ],
    "persistentvolumes": [
        NAME,
        column("Capacity", lambda obj: (_spec(obj).get("capacity") or {}).get("storage") or ""),
        column("Access Modes", lambda obj: _modes(_spec(obj).get("accessModes"))),
        column("Reclaim Policy", lambda obj: _spec(obj).get("persistentVolumeReclaimPolicy") or ""),
        column("Status", _phase),
        column("Claim", _claim_of),
        _STORAGE,
        column(
            "VolumeAttributesClass",
            lambda obj: _spec(obj).get("volumeAttributesClassName") or "<unset>",
        ),
        column("Reason", lambda obj: _status(obj).get("reason") or ""),
        AGE,
        _VOLUME_MODE,
    ],
    "events": [
        column("Last Seen", _seen),
        column("Type", lambda obj: obj.get("type") or ""),
        column("Reason", lambda obj: obj.get("reason") or ""),
        column("Object", _event_object),
        column("Subobject", lambda obj: _about(obj).get("fieldPath") or "", wide=True),
        column("Source", _event_source, wide=True),
        column("Message", lambda obj: (obj.get("message") or obj.get("note") or "").strip()),
        column("First Seen", _first_seen, wide=True),
        column(
            "Count",
            lambda obj: obj.get("count") or obj.get("deprecatedCount") or 1,
            type="integer",
            wide=True,
        ),
        NAME._replace(definition={**NAME.definition, "priority": 1}),
    ],
    "endpointslices.discovery.k8s.io": [
        NAME,
        column("AddressType", lambda obj: obj.get("addressType") or ""),
        column("Ports", _slice_ports),
        column("Endpoints", _slice_addresses),
        AGE,
    ],
    "leases.coordination.k8s.io": [
        NAME,
        column("Holder", lambda obj: _spec(obj).get("holderIdentity") or ""),
        AGE,
    ],
    "priorityclasses.scheduling.k8s.io": [
        NAME,
        column("Value", lambda obj: obj.get("value", 0), type="integer"),
        column("Global-Default", lambda obj: bool(obj.get("globalDefault")), type="boolean"),
        AGE,
        column("PreemptionPolicy", lambda obj: obj.get("preemptionPolicy") or ""),
    ],
    "storageclasses.storage.k8s.io": [
        column("Name", _default_class, format="name"),
        column("Provisioner", lambda obj: obj.get("provisioner") or ""),
        column("ReclaimPolicy", lambda obj: obj.get("reclaimPolicy") or "Delete"),
        column("VolumeBindingMode", lambda obj: obj.get("volumeBindingMode") or "Immediate"),
        column(
            "AllowVolumeExpansion",
            lambda obj: bool(obj.get("allowVolumeExpansion")),
            type="boolean",
        ),
        AGE,
    ],
    "roles.rbac.authorization.k8s.io": [NAME, CREATED],
    "clusterroles.rbac.authorization.k8s.io": [NAME, CREATED],
    "rolebindings.rbac.authorization.k8s.io": _BINDING,
    "clusterrolebindings.rbac.authorization.k8s.io": _BINDING,
    "customresourcedefinitions.apiextensions.k8s.io": [NAME, CREATED],
}
