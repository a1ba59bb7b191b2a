"""OpenAPI: what kubectl explains and checks by."""

from __future__ import annotations

import pytest


def schema_of(document, group, version, kind):
    for schema in document["components"]["schemas"].values():
        for each in schema.get("x-kubernetes-group-version-kind", []):
            if each == {"group": group, "version": version, "kind": kind}:
                return schema
    raise AssertionError(f"no schema of {group}/{version} {kind}")


@pytest.mark.needs("OpenAPI v3", minor=27)
def test_version_3_has_a_document_per_group_and_version(server):
    paths = server.get("/openapi/v3").ok()["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/batch/v1"} <= set(paths)
    for each in paths.values():
        assert each["serverRelativeURL"].startswith("/openapi/v3/")


@pytest.mark.needs("OpenAPI v3", minor=27)
@pytest.mark.parametrize(
    ("part", "group", "version", "kind"),
    [
        ("api/v1", "", "v1", "Pod"),
        ("api/v1", "", "v1", "ConfigMap"),
        ("apis/apps/v1", "apps", "v1", "Deployment"),
        ("apis/batch/v1", "batch", "v1", "Job"),
    ],
)
def test_version_3_has_a_schema_per_kind(server, part, group, version, kind):
    url = server.get("/openapi/v3").ok()["paths"][part]["serverRelativeURL"]
    document = server.get(url).ok()
    assert document["openapi"].startswith("3.")
    schema = schema_of(document, group, version, kind)
    assert {"apiVersion", "kind", "metadata"} <= set(schema["properties"])


@pytest.mark.needs("OpenAPI v3", minor=27)
def test_version_3_tells_that_fields_can_be_validated(server):
    url = server.get("/openapi/v3").ok()["paths"]["api/v1"]["serverRelativeURL"]
    document = server.get(url).ok()
    operation = document["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]["patch"]
    assert "fieldValidation" in {each["name"] for each in operation["parameters"]}
    kind = operation["x-kubernetes-group-version-kind"]
    assert kind == {"group": "", "version": "v1", "kind": "ConfigMap"}


def test_version_2_has_the_kinds(server):
    document = server.get("/openapi/v2").ok()
    assert document["swagger"] == "2.0"
    kinds = {
        (each["group"], each["version"], each["kind"])
        for schema in document["definitions"].values()
        for each in schema.get("x-kubernetes-group-version-kind", [])
    }
    assert {("", "v1", "Pod"), ("apps", "v1", "Deployment"), ("batch", "v1", "Job")} <= kinds
    pod = document["definitions"]["io.k8s.api.core.v1.Pod"]
    assert {"apiVersion", "kind", "metadata", "spec", "status"} == set(pod["properties"])
