"""Schemas of built-in kinds and custom resources, behind one view."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path

import pytest

from fairlead_plane.resources.schemas import Schema, builtin_schema, crd_schema

SCRIPT = Path(__file__).parents[1] / "unit" / "derive_schemas.py"


def walk(schema: Schema | None, path: str) -> Schema:
    """Follow a dotted path; `[]` is an item."""
    for part in path.split("."):
        assert schema is not None
        schema = schema.items if part == "[]" else schema.field(part)
    assert schema is not None
    return schema


def test_stored_schemas_are_what_the_script_derives():
    pytest.importorskip("kubernetes_validate")
    spec = importlib.util.spec_from_file_location("derive_schemas", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    table, descriptions = script.derive()
    assert (script.FOLDER / "builtin.tsv").read_text(encoding="utf-8") == table
    packed = (script.FOLDER / "descriptions.json.gz").read_bytes()
    assert json.loads(gzip.decompress(packed)) == json.loads(descriptions)


def test_a_builtin_kind_is_walked_through_its_references():
    pod = builtin_schema("v1", "Pod")
    containers = walk(pod, "spec.containers")
    assert (containers.type, containers.list_type) == ("array", "map")
    assert containers.map_keys == ("name",)
    assert (containers.patch_merge_key, containers.patch_strategy) == ("name", ("merge",))
    ports = walk(pod, "spec.containers.[].ports")
    assert ports.map_keys == ("containerPort", "protocol")
    assert walk(ports, "[].protocol").default == "TCP"
    assert walk(pod, "spec.containers.[].resources.limits.cpu").format == "quantity"
    assert walk(pod, "spec.containers.[].livenessProbe.httpGet.port").int_or_string
    assert walk(pod, "spec.nodeSelector").map_type == "atomic"
    assert pod.field("spec").field("nodeNam") is None
    assert walk(builtin_schema("apps/v1", "Deployment"), "spec.strategy").patch_strategy == (
        "retainKeys",
    )


def test_an_unknown_kind_has_no_builtin_schema():
    assert builtin_schema("kubeflow.org/v1", "PyTorchJob") is None
    assert builtin_schema("v1", "Pod") is builtin_schema("v1", "Pod")


@pytest.mark.parametrize(
    "schema",
    [builtin_schema("apps/v1", "Deployment"), crd_schema({"type": "object"})],
    ids=["builtin", "custom"],
)
def test_every_resource_knows_its_metadata(schema):
    assert walk(schema, "apiVersion").type == walk(schema, "kind").type == "string"
    owners = walk(schema, "metadata.ownerReferences")
    assert (owners.list_type, owners.map_keys) == ("map", ("uid",))
    assert walk(schema, "metadata.finalizers").list_type == "set"
    assert walk(schema, "metadata.labels.anything").type == "string"
    assert {"apiVersion", "kind", "metadata"} <= set(schema.properties)


def test_the_schema_of_a_custom_resource_knows_its_extensions():
    schema = crd_schema(
        {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "properties": {
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        "port": {"x-kubernetes-int-or-string": True},
                        "template": {"type": "object", "x-kubernetes-embedded-resource": True},
                        "sizes": {"type": "object", "additionalProperties": {"type": "integer"}},
                    },
                }
            },
        }
    )
    assert walk(schema, "spec.free.a.b.c").type == ""
    assert walk(schema, "spec.port").int_or_string
    assert walk(schema, "spec.template.metadata.name").type == "string"
    assert walk(schema, "spec.sizes.small").type == "integer"
    assert walk(schema, "spec.sizes").values is walk(schema, "spec.sizes.large")
    assert schema.field("spec").field("other") is None
