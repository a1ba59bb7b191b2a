"""Derives the compact schemas of the built-in kinds; run it to write them anew.

    python tests/unit/derive_schemas.py

Names, types and merge keys of fields are facts of the Kubernetes API. They are read from the
schemas of 1.32 that the package `kubernetes-validate` carries, for the kinds below and all that
they refer to. Two files come out, both sorted by name:

* `builtin.tsv`: a line `GROUP/VERSION/KIND<tab>DEFINITION` per kind, and a line
  `DEFINITION<tab>SCHEMA` per definition, so that one definition is read without the others.
* `descriptions.json.gz`: what `kubectl explain` shows; read for OpenAPI documents alone.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import kubernetes_validate

VERSION = "1.32"
FOLDER = Path(__file__).parents[2] / "server_ext" / "fairlead_plane" / "resources" / "schemas"

KINDS = {
    "io.k8s.api.core.v1": (
        "Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume "
        "PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service "
        "ServiceAccount"
    ),
    "io.k8s.api.apps.v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "io.k8s.api.authentication.v1": "SelfSubjectReview TokenRequest TokenReview",
    "io.k8s.api.authorization.v1": (
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview "
        "SubjectAccessReview"
    ),
    "io.k8s.api.autoscaling.v1": "HorizontalPodAutoscaler Scale",
    "io.k8s.api.autoscaling.v2": "HorizontalPodAutoscaler",
    "io.k8s.api.batch.v1": "CronJob Job",
    "io.k8s.api.coordination.v1": "Lease",
    "io.k8s.api.discovery.v1": "EndpointSlice",
    "io.k8s.api.events.v1": "Event",
    "io.k8s.api.networking.v1": "Ingress IngressClass NetworkPolicy",
    "io.k8s.api.policy.v1": "Eviction PodDisruptionBudget",
    "io.k8s.api.rbac.v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "io.k8s.api.scheduling.v1": "PriorityClass",
    "io.k8s.api.storage.v1": "StorageClass",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": "CustomResourceDefinition",
    "io.k8s.apimachinery.pkg.apis.meta.v1": "DeleteOptions Status",
}

# Groups of kinds that are served under every group, by the name of their own.
_META = {"DeleteOptions": "v1", "Status": "v1"}

# What OpenAPI v2 cannot say, or says through Go types of their own.
_SPECIAL: dict[str, dict[str, Any]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "format": "quantity",
        "x-kubernetes-int-or-string": True,
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "format": "int-or-string",
        "x-kubernetes-int-or-string": True,
    },
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    },
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    },
}

# Defaults of the keys of list maps: without them an applied item has no identity.
_KEY_DEFAULTS = {
    "io.k8s.api.core.v1.ContainerPort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.ServicePort": {"protocol": "TCP"},
}


def _source() -> dict[str, Any]:
    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    text = (folder / f"v{VERSION}.0-local" / "_definitions.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["$defs"]
    return found


def _compact(node: Any, refs: set[str]) -> Any:
    """One schema without descriptions, with references by name."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        refs.add(name)
        return {
            "$ref": name,
            **{key: node[key] for key in sorted(node) if key.startswith("x-kubernetes-")},
        }
    result: dict[str, Any] = {}
    for key in sorted(node):
        value = node[key]
        if key == "type":
            result[key] = value if isinstance(value, str) else value[0]
        elif key == "properties":
            result[key] = {name: _compact(value[name], refs) for name in sorted(value)}
        elif key in ("items", "additionalProperties"):
            result[key] = _compact(value, refs)
        elif key in ("format", "required") or key.startswith("x-kubernetes-"):
            result[key] = value
    result.pop("x-kubernetes-unions", None)
    if not result:  # any JSON value
        result["x-kubernetes-preserve-unknown-fields"] = True
    return result


def derive() -> tuple[str, str]:
    """Return both files as text: the schemas, and the descriptions as JSON."""
    source = _source()
    kinds: dict[str, str] = {}
    waiting: list[str] = []
    for package, names in KINDS.items():
        for kind in names.split():
            name = f"{package}.{kind}"
            waiting.append(name)
            if kind in _META:
                kinds[f"{_META[kind]}/{kind}"] = name
                continue
            versions = [
                f"{each['group']}/{each['version']}/{each['kind']}".lstrip("/")
                for each in source[name]["x-kubernetes-group-version-kind"]
                if each["kind"] == kind
            ]
            kinds |= dict.fromkeys(versions, name)
    schemas: dict[str, Any] = {}
    descriptions: dict[str, dict[str, str]] = {}
    while waiting:
        name = waiting.pop()
        if name in schemas:
            continue
        refs: set[str] = set()
        schemas[name] = _SPECIAL.get(name) or _compact(source[name], refs)
        schemas[name].pop("x-kubernetes-group-version-kind", None)
        for field, default in _KEY_DEFAULTS.get(name, {}).items():
            schemas[name]["properties"][field]["default"] = default
        texts = {"": source[name].get("description", "")}
        for field, node in source[name].get("properties", {}).items():
            texts[field] = node.get("description", "")
        descriptions[name] = {key: texts[key] for key in sorted(texts) if texts[key]}
        waiting.extend(refs)
    lines = {**kinds, **{name: _text(schema) for name, schema in schemas.items()}}
    table = "".join(f"{key}\t{lines[key]}\n" for key in sorted(lines))
    return table, _text({name: descriptions[name] for name in sorted(descriptions)})


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main() -> None:
    """Write the files."""
    table, descriptions = derive()
    (FOLDER / "builtin.tsv").write_text(table, encoding="utf-8")
    packed = gzip.compress(descriptions.encode(), 9, mtime=0)
    (FOLDER / "descriptions.json.gz").write_bytes(packed)
    print(f"{len(table)} bytes of schemas, {len(packed)} bytes of descriptions")


if __name__ == "__main__":
    main()
