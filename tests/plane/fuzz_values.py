"""Values for the fuzz campaign: objects of the served kinds, and what makes them strange."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

NAMESPACES = ("fuzz-a", "fuzz-b")
NAMES = ("a", "b", "c-1", "d.e")
TEXTS = (
    *("", "a", "b", "A_", "..", "/x", "x" * 70, "y" * 300, "1", "0", "-1", "true", "null", "None"),
    *(
        "Always",
        "Never",
        "TCP",
        "ExternalName",
        "Recreate",
        "In",
        "Exists",
        "*/5 * * * *",
        "@every x",
    ),
    *("10%", "200%", "é", "\0", "\ud800", "\udfff\ud800", "\u202e\u0301", "🙂", "a/b/c", "cpu"),
    *(
        "1Gi",
        "-1.5",
        "1e400",
        "9" * 40,
        "NaN",
        "2026-01-01T00:00:00Z",
        "9999-99-99T99:99:99Z",
        "YQ==",
    ),
    *(
        "(a+)+$",
        "[",
        "a\nb",
        "{}",
        "$(A)",
        "fuzz.example.com",
        "v1",
        "apps/v1",
        "a=b",
        "!a",
        "a in (b",
    ),
)
NUMBERS = (
    0,
    1,
    2,
    -1,
    80,
    65536,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    10**400,
    0.5,
    -0.0,
    1e308,
    5e-324,
    float("nan"),
    float("inf"),
)
KEYS = (
    "a",
    "cpu",
    "",
    "nvidia.com/gpu",
    "a/b/c",
    "\0",
    "\ud800",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers",
    "__proto__",
    "name",
    "x" * 400,
)

# What would act beyond the data directory, or run what is given: never sent.
_BANNED = {"hostPath", "local", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}
_COUNTS = {"replicas", "parallelism", "completions", "backoffLimit", "maxSurge", "minReplicas"}
_MANY = 3
_DEEPEST = 9

_TEMPLATE = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"containers": [{"name": "main", "image": "python:3.11", "command": ["true"]}]},
}
_SELECTOR = {"matchLabels": {"app": "a"}}
_RULE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
_BASES: dict[str, Any] = {
    "Pod": {"spec": _TEMPLATE["spec"], "metadata": _TEMPLATE["metadata"]},
    "Deployment": {"spec": {"replicas": 1, "selector": _SELECTOR, "template": _TEMPLATE}},
    "ReplicaSet": {"spec": {"replicas": 1, "selector": _SELECTOR, "template": _TEMPLATE}},
    "StatefulSet": {"spec": {"serviceName": "a", "selector": _SELECTOR, "template": _TEMPLATE}},
    "Job": {
        "spec": {"template": {"spec": {**_TEMPLATE["spec"], "restartPolicy": "Never"}}},
    },
    "CronJob": {
        "spec": {
            "schedule": "0 0 1 1 *",
            "jobTemplate": {
                "spec": {"template": {"spec": {**_TEMPLATE["spec"], "restartPolicy": "Never"}}}
            },
        }
    },
    "Service": {"spec": {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8000}]}},
    "PersistentVolumeClaim": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        }
    },
    "PersistentVolume": {
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "nfs": {"server": "a", "path": "/a"},
        }
    },
    "ConfigMap": {"data": {"a": "b"}},
    "Secret": {"stringData": {"a": "b"}},
    "ResourceQuota": {"spec": {"hard": {"pods": "9", "configmaps": "50"}}},
    "LimitRange": {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]}},
    "Role": {"rules": [_RULE]},
    "ClusterRole": {"rules": [_RULE]},
    "RoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"},
        "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "fuzz-a"}],
    },
    "ClusterRoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a"},
        "subjects": [{"kind": "User", "name": "a", "apiGroup": "rbac.authorization.k8s.io"}],
    },
    "PriorityClass": {"value": 5},
    "StorageClass": {"provisioner": "fuzz.example.com/a"},
    "Lease": {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 1}},
    "Endpoints": {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
    "EndpointSlice": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]},
    "ControllerRevision": {"revision": 1, "data": {"a": 1}},
    "Event": {
        "involvedObject": {"namespace": "fuzz-a", "kind": "Pod", "name": "a"},
        "reason": "a",
        "message": "b",
    },
    "Workflow": {"spec": {"entrypoint": "a", "templates": []}},
}
CUSTOM_RULES = (
    "self.size > 1",
    "self.tags.all(t, t.startsWith('a'))",
    "self.size / 0 == 1",
    "oldSelf.size <= self.size",
    "self.(",
    "self.size.matches('(a+)+$')",
    "true",
    "has(self.size) && quantity(self.name) > 1",
    "[1,2].map(x, x * self.size).size()",
)
CUSTOM_PLURALS = ("things", "bits")


def custom_definition(chance: random.Random, plural: str) -> Any:
    """Return the manifest of a custom kind, with rules in CEL of which some are wrong."""
    size = {"type": "integer", "minimum": chance.choice((0, 5)), "default": chance.choice((1, 7))}
    spec = {
        "type": "object",
        "properties": {
            "size": size,
            "name": {
                "type": "string",
                "maxLength": 50,
                "pattern": chance.choice(("^a", "^a", "(a+)+$", "[")),
            },
            "tags": {
                "type": "array",
                "maxItems": 4,
                "x-kubernetes-list-type": chance.choice(
                    ("set", "atomic", "set", "atomic", "map", "odd")
                ),
                "items": {"type": "string", "maxLength": 5},
            },
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "either": {"x-kubernetes-int-or-string": True},
        },
        "x-kubernetes-validations": [
            {"rule": chance.choice(CUSTOM_RULES), "message": chance.choice(TEXTS)}
        ],
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.size",
                "statusReplicasPath": chance.choice((".status.n", ".status.n", ".spec.tags", "x")),
            },
        },
        "additionalPrinterColumns": [
            {
                "name": "A",
                "type": chance.choice(("string", "integer", "date", "number")),
                "jsonPath": chance.choice(
                    (".spec.size", ".spec.tags[*]", ".metadata", ".spec.free", "$[?", ".")
                ),
            }
        ],
    }
    kind = plural[:-1].capitalize()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.fuzz.example.com"},
        "spec": {
            "group": "fuzz.example.com",
            "names": {"plural": plural, "singular": plural[:-1], "kind": kind},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


class Schemas:
    """Objects by the plane's own OpenAPI documents.

    Parameters
    ----------
    documents : list
        Those of `/openapi/v3/...`.
    """

    def __init__(self, documents: list[Any]) -> None:
        self.all: dict[str, Any] = {}
        self.kinds: dict[tuple[str, str], str] = {}
        self.paths: list[str] = []
        for document in documents:
            self.paths += document.get("paths", {})
            for name, schema in document.get("components", {}).get("schemas", {}).items():
                self.all[name] = schema
                for each in schema.get("x-kubernetes-group-version-kind", ()):
                    version = f"{each['group']}/{each['version']}".lstrip("/")
                    self.kinds[version, each["kind"]] = name

    def make(self, chance: random.Random, schema: Any, depth: int = 0) -> Any:
        """Return a value of the right types and otherwise of any kind."""
        if "allOf" in schema:
            schema = schema["allOf"][0]
        if "$ref" in schema:
            schema = self.all[schema["$ref"].rpartition("/")[2]]
        if "properties" in schema:
            likely = 0.3 if depth < 3 else 0.15 if depth < _DEEPEST else 0
            required = schema.get("required", ())
            return {
                name: self.make(chance, field, depth + 1)
                for name, field in schema["properties"].items()
                if name in required or chance.random() < likely
            }
        kind = schema.get("type")
        if kind == "object":
            inner = schema.get("additionalProperties") or {"type": "string"}
            if not isinstance(inner, dict):
                inner = {"type": "string"}
            return {
                chance.choice(KEYS[:6]): self.make(chance, inner, depth + 1)
                for _ in range(chance.randint(0, 2))
            }
        if kind == "array":
            count = chance.choice((0, 1, 1, 2)) if depth < _DEEPEST else 0
            return [self.make(chance, schema["items"], depth + 1) for _ in range(count)]
        if kind in ("integer", "number"):
            return chance.choice(NUMBERS)
        if kind == "boolean":
            return chance.random() < 0.5
        return chance.choice(TEXTS)

    def object(self, chance: random.Random, version: str, kind: str, name: str) -> Any:
        """Return a manifest that would mostly be taken, or one with more of its fields."""
        if kind == "CustomResourceDefinition":
            return custom_definition(chance, chance.choice(CUSTOM_PLURALS))
        obj = copy.deepcopy(_BASES.get(kind) or {"spec": {"size": 3, "name": "ab", "tags": ["a"]}})
        schema = self.kinds.get((version, kind))
        if schema is not None and chance.random() < 0.3:
            more = self.make(chance, self.all[schema])
            field = chance.choice(list(more) or ["spec"])
            if isinstance(obj.get(field), dict) and isinstance(more.get(field), dict):
                obj[field] |= more[field]
            else:
                obj[field] = more.get(field)
        if not isinstance(obj.get("metadata"), dict):
            obj["metadata"] = {}
        obj["metadata"]["name"] = name
        if kind == "Thing" and chance.random() < 0.3:
            obj["spec"]["free"] = {"a": strange(chance)}
        return obj | {"apiVersion": version, "kind": kind}


def strange(chance: random.Random) -> Any:
    """Return a value that fits nowhere."""
    roll = chance.random()
    if roll < 0.4:
        return chance.choice(TEXTS)
    if roll < 0.65:
        return chance.choice(NUMBERS)
    if roll < 0.7:
        return chance.choice(("z" * 100_000, "\ud800" * 1000, ["a"] * 3000, {"a": [{}] * 500}))
    if roll < 0.73:
        value: Any = {}
        for _ in range(chance.choice((20, 150, 300))):
            value = [value] if chance.random() < 0.5 else {"a": value}
        return value
    return copy.deepcopy(
        chance.choice((None, True, False, [], {}, [None], [{}], {"a": None}, [[]]))
    )


def places(value: Any, found: list[tuple[Any, Any]] | None = None) -> list[tuple[Any, Any]]:
    """Return all (container, key) in a value."""
    found = [] if found is None else found
    if isinstance(value, dict):
        keys: Any = list(value)
    elif isinstance(value, list):
        keys = range(min(len(value), 20))
    else:
        return found
    for key in keys:
        found.append((value, key))
        if len(found) < 500:
            places(value[key], found)
    return found


def mutate(chance: random.Random, value: Any, times: int) -> Any:
    """Return a value with some places changed, taken out, renamed or doubled."""
    for _ in range(times):
        spots = places(value)
        if not spots:
            return strange(chance)
        where, key = chance.choice(spots)
        roll = chance.random()
        if roll < 0.6:
            where[key] = strange(chance)
        elif roll < 0.75:
            del where[key]
        elif isinstance(where, dict):
            where[chance.choice(KEYS)] = strange(chance)
        else:
            where.extend(copy.deepcopy(where[:50]))
    return value


def tame(value: Any, chance: random.Random, *, depth: int = 0) -> Any:
    """Return a value in which no pod does harm: `true` alone runs, and mostly nowhere."""
    if depth > 100:
        return value
    if isinstance(value, list):
        return [tame(each, chance, depth=depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: tame(each, chance, depth=depth + 1)
        for key, each in value.items()
        if key not in _BANNED
    }
    for key in _COUNTS & set(kept):
        if isinstance(kept[key], int | float):
            kept[key] = chance.randint(-1, _MANY)
    if isinstance(kept.get("command"), list) or "image" in kept:
        kept["command"] = ["true"]
        kept.pop("args", None)
    if "containers" in kept and (chance.random() < 0.9 or depth > 1):
        kept["nodeSelector"] = {"fuzz": "nowhere"}
    return kept


def to_json(value: Any) -> bytes:
    """Return JSON as a careless client writes it: NaN, and surrogates as escapes."""
    return json.dumps(value).encode()
