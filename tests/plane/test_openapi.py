"""OpenAPI documents and strict field validation, over HTTP and with kubectl."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import ssl
import subprocess

import pytest

from fairlead_plane.api.openapi import OpenApi
from fairlead_plane.resources import POD, Kind, Registry
from fairlead_plane.resources.schemas import builtin_schema, crd_schema

KUBECTL = shutil.which("kubectl")
JOB = Kind("kubeflow.org", "v1", "PyTorchJob", "pytorchjobs", True)
JOB_SCHEMA = crd_schema(
    {
        "type": "object",
        "description": "A training job.",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"replicas": {"type": "integer", "description": "How many."}},
            }
        },
    }
)


def send(plane, path, body=None, **headers):
    """GET a path, or POST to it; return status, headers and body."""
    token = re.search(r"token: (.+)", plane.kubeconfig.read_text())[1]
    tls = ssl.create_default_context(cafile=str(plane.data_dir / "ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", plane.port, context=tls, timeout=60)
    connection.request(
        "GET" if body is None else "POST",
        path,
        None if body is None else json.dumps(body),
        {"Authorization": f"Bearer {token}", **headers},
    )
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


@pytest.fixture
def documents():
    """The documents over one built-in kind and one custom resource."""
    schemas = {POD: builtin_schema("v1", "Pod"), JOB: JOB_SCHEMA}
    return OpenApi(lambda: schemas, schemas.get)


def references(node):
    """Yield all that a document refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def test_the_index_names_a_document_per_group_version_by_its_hash(documents):
    paths = documents.index()["paths"]
    assert sorted(paths) == ["api/v1", "apis/kubeflow.org/v1"]
    body, digest = documents.v3("api/v1")
    assert paths["api/v1"]["serverRelativeURL"] == f"/openapi/v3/api/v1?hash={digest}"
    assert json.loads(body)["openapi"] == "3.0.0"


def test_the_hash_changes_with_the_schema_of_a_custom_resource():
    schemas = {JOB: JOB_SCHEMA}
    documents = OpenApi(lambda: schemas, schemas.get)
    before = documents.digest("kubeflow.org", "v1")
    assert documents.digest("kubeflow.org", "v1") == before
    schemas[JOB] = crd_schema({"type": "object"})
    assert documents.digest("kubeflow.org", "v1") != before


def test_a_document_holds_all_that_it_refers_to(documents):
    for place in ("api/v1", "apis/kubeflow.org/v1"):
        document = json.loads(documents.v3(place)[0])
        names = {each.rpartition("/")[2] for each in references(document)}
        assert names <= set(document["components"]["schemas"])
    document = json.loads(documents.v2()[0])
    names = {each.rpartition("/")[2] for each in references(document)}
    assert names <= set(document["definitions"])


def test_kinds_of_operators_lead_to_the_definitions_that_they_share():
    registry = Registry()
    documents = OpenApi(registry.kinds, registry.schema)
    for place in documents.index()["paths"]:
        document = json.loads(documents.v3(place)[0])
        assert {each.rpartition("/")[2] for each in references(document)} <= set(
            document["components"]["schemas"]
        )
        assert all(each.startswith("#/components/schemas/") for each in references(document))
    trainer = json.loads(documents.v3("apis/trainer.kubeflow.org/v1alpha1")[0])
    assert "io.k8s.api.core.v1.PodSpec" in trainer["components"]["schemas"]
    document = json.loads(documents.v2()[0])
    assert {each.removeprefix("#/definitions/") for each in references(document)} <= set(
        document["definitions"]
    )


def test_a_patch_of_every_kind_has_the_parameter_that_kubectl_looks_for(documents):
    for place, path in (
        ("api/v1", "/api/v1/namespaces/{namespace}/pods/{name}"),
        (
            "apis/kubeflow.org/v1",
            "/apis/kubeflow.org/v1/namespaces/{namespace}/pytorchjobs/{name}",
        ),
    ):
        patch = json.loads(documents.v3(place)[0])["paths"][path]["patch"]
        assert "fieldValidation" in [each["name"] for each in patch["parameters"]]
        assert patch["x-kubernetes-group-version-kind"]["kind"] in ("Pod", "PyTorchJob")
        # By this kubectl decides how it makes a patch.
        media = patch["requestBody"]["content"]
        assert ("application/strategic-merge-patch+json" in media) == (place == "api/v1")


def test_a_custom_resource_is_described_with_its_metadata(documents):
    schemas = json.loads(documents.v3("apis/kubeflow.org/v1")[0])["components"]["schemas"]
    job = schemas["org.kubeflow.v1.PyTorchJob"]
    assert job["description"] == "A training job."
    assert set(job["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert job["x-kubernetes-group-version-kind"] == [
        {"group": "kubeflow.org", "kind": "PyTorchJob", "version": "v1"}
    ]


def test_documents_are_cached_by_their_hash(shared_plane):
    index = json.loads(send(shared_plane, "/openapi/v3")[2])
    place = index["paths"]["api/v1"]["serverRelativeURL"]
    _, headers, _ = send(shared_plane, place)
    assert "immutable" in headers["cache-control"]
    tag = headers["etag"]
    status, _, body = send(shared_plane, place, **{"If-None-Match": tag})
    assert (status, body) == (304, b"")


def test_a_client_that_takes_nothing_that_is_served_is_told_so(shared_plane):
    assert send(shared_plane, "/openapi/v2", Accept="text/html")[0] == 406
    media = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
    assert send(shared_plane, "/openapi/v3", Accept=media)[0] == 406
    assert json.loads(send(shared_plane, "/openapi/v2")[2])["swagger"] == "2.0"


def test_unknown_fields_come_back_as_warnings_or_refusals(shared_plane, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    manifest = {"metadata": {"name": "a"}, "colour": "red"}
    status, headers, body = send(shared_plane, path, manifest)
    assert (status, headers["Warning"]) == (201, '299 - "unknown field \\"colour\\""')
    assert "colour" not in json.loads(body)
    status, _, body = send(shared_plane, f"{path}?fieldValidation=Strict", manifest)
    assert status == 400
    assert "strict decoding error: unknown field" in json.loads(body)["message"]


@pytest.fixture
def kubectl(shared_plane, namespace, tmp_path):
    """Runs kubectl against the shared plane; gives exit code and both outputs."""
    if KUBECTL is None:
        pytest.skip("no kubectl on this machine")

    def run(*arguments, manifest=None):
        done = subprocess.run(
            [KUBECTL, "--kubeconfig", str(shared_plane.kubeconfig), "-n", namespace, *arguments],
            input=json.dumps(manifest) if manifest else None,
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": str(tmp_path)},
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_kubectl_applies_with_validation_and_names_the_unknown_field(kubectl):
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"k": "1"},
    }
    code, out, err = kubectl("apply", "-f", "-", manifest=manifest)
    assert (code, out) == (0, "configmap/a created\n"), err
    manifest["data"] = {"k": "2"}
    code, out, err = kubectl("diff", "-f", "-", manifest=manifest)
    assert code == 1, err
    assert '+  k: "2"' in out
    assert kubectl("apply", "-f", "-", manifest=manifest)[1] == "configmap/a configured\n"
    code, _, err = kubectl("apply", "-f", "-", manifest={**manifest, "colour": 1})
    assert code == 1
    assert 'unknown field "colour"' in err


def test_kubectl_explains_a_field(kubectl):
    code, out, err = kubectl("explain", "pod.spec.containers.ports.protocol")
    assert code == 0, err
    assert "FIELD: protocol <string>" in out
    assert "Must be UDP, TCP, or SCTP" in out


THING = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.schemas.io"},
    "spec": {
        "group": "schemas.io",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "description": "A thing to turn.",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size"],
                                "properties": {
                                    "size": {
                                        "type": "integer",
                                        "description": "How large.",
                                        "x-kubernetes-validations": [
                                            {"rule": "self >= oldSelf", "message": "only grows"}
                                        ],
                                    },
                                    "colour": {"type": "string", "default": "red"},
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}
WIDGET = {
    "apiVersion": "schemas.io/v1",
    "kind": "Widget",
    "metadata": {"name": "w"},
    "spec": {"size": 2},
}


def test_kubectl_works_with_a_kind_of_ones_own(kubectl):
    assert kubectl("create", "-f", "-", manifest=THING)[0] == 0
    try:
        code, out, err = kubectl("explain", "widget.spec.size")
        assert code == 0, err
        assert "How large." in out
        code, out, err = kubectl("apply", "-f", "-", manifest=WIDGET)
        assert (code, err) == (0, ""), err
        assert kubectl("get", "widget", "w", "-o", "jsonpath={.spec.colour}")[1] == "red"
        larger = {**WIDGET, "spec": {"size": 3}}
        code, out, err = kubectl("apply", "-f", "-", manifest=larger)
        assert (code, out, err) == (0, "widget.schemas.io/w configured\n", "")
        code, _, err = kubectl("apply", "-f", "-", manifest=WIDGET)
        assert (code, "only grows" in err) == (1, True), err
        code, _, err = kubectl(
            "apply", "-f", "-", manifest={**larger, "spec": {"size": 3, "shape": 1}}
        )
        assert (code, 'unknown field "spec.shape"' in err) == (1, True), err
        code, _, err = kubectl("apply", "-f", "-", manifest={**WIDGET, "spec": {"size": "x"}})
        assert "spec.size in body must be of type integer" in err
    finally:
        kubectl("delete", "crd", "widgets.schemas.io")


def test_kubectl_is_told_why_a_definition_is_refused(kubectl):
    broken = json.loads(json.dumps(THING))
    del broken["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["type"]
    code, _, err = kubectl("create", "-f", "-", manifest=broken)
    assert code == 1
    assert "properties[spec].type: Required value: must not be empty for specified object" in err
