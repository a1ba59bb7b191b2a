"""What no client sends: each is refused in words, or taken as the API server takes it."""

from __future__ import annotations

import json

import pytest

from .fuzz_client import Connection, Wire

OBJECTS = "/api/v1/namespaces/{}"
REVIEWS = "/apis/authentication.k8s.io/v1"
YAML = "application/yaml"
JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


@pytest.fixture
def send(shared_plane, namespace):
    """Send one request; returns code, headers and content."""
    connection = Connection(shared_plane.port, shared_plane.data_dir / "ca.crt")

    def send(method, path, content, media=JSON, *headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        lines = [
            f"{method} {path.format(namespace)} HTTP/1.1",
            *("Host: localhost", f"Content-Type: {media}", f"Content-Length: {len(body)}"),
            f"Authorization: {shared_plane.credentials()['Authorization']}",
            *headers,
        ]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        reply = connection.send(Wire((head + body,), method, path))
        return reply.code, reply.headers, json.loads(reply.body)

    yield send
    connection.close()


@pytest.fixture
def pod(send):
    """A pod that runs nowhere."""
    spec = {"nodeSelector": {"a": "b"}, "containers": [{"name": "main", "image": "python:3.11"}]}
    code, _, found = send("POST", OBJECTS + "/pods", {"metadata": {"name": "p"}, "spec": spec})
    assert code == 201
    return found


def config_map(**more):
    return {"metadata": {"name": "a"}, **more}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (REVIEWS + "/tokenreviews", {"metadata": True, "spec": {}}),
        (REVIEWS + "/selfsubjectreviews", {"metadata": "a"}),
        (OBJECTS + "/serviceaccounts/default/token", {"spec": {"boundObjectRef": [1]}}),
        (OBJECTS + "/pods/p/binding", {"metadata": "a", "target": {"name": "b"}}),
        (OBJECTS + "/pods/p/eviction", {"deleteOptions": "a"}),
        ("/apis/argoproj.io/v1alpha1/namespaces/{}/workflows", {"metadata": {"name": [[]]}}),
        (OBJECTS + "/secrets", config_map(data={"a": "é"})),
    ],
)
def test_what_is_posted_has_the_types_of_its_kind(send, pod, path, content):
    code, _, status = send("POST", path, content)
    assert (code, status["reason"]) == (400, "BadRequest"), status
    assert "cannot" in status["message"] or "illegal" in status["message"]


def test_options_of_a_deletion_have_the_types_of_their_kind(send, pod):
    code, _, status = send("DELETE", OBJECTS + "/pods/p", {"preconditions": {"uid": 1}})
    assert (code, status["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    "body",
    [
        b"a: !!timestamp x",
        b"a: !!int x",
        b"a: &a [*a]",
        b"? [a]\n: b",
        b"a: !!binary YQ==",
        b"a: !!set {b}",
        b"a: " + b"{b: " * 900 + b"1" + b"}" * 900,
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(
            b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9))
            for n in range(9)
        ),
    ],
)
def test_yaml_that_is_no_json_is_refused(send, body):
    code, _, status = send("POST", OBJECTS + "/configmaps", body, YAML)
    assert (code, status["reason"]) == (400, "BadRequest")


def test_dates_and_numbers_of_yaml_are_taken_as_json_has_them(send):
    body = b"metadata: {name: a, annotations: {b: '1'}}\ndata: &d {1: 2026-01-01, false: c}\n"
    code, _, made = send("POST", OBJECTS + "/configmaps", body, YAML)
    assert code == 201
    assert made["data"] == {"1": "2026-01-01", "false": "c"}


def test_a_body_is_nested_only_so_deep(send):
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    code, _, status = send("POST", OBJECTS + "/configmaps", config_map(a=deep))
    assert (code, status["reason"]) == (400, "BadRequest")
    assert "depth" in status["message"]


def test_names_of_unknown_fields_are_told_without_what_no_header_holds(send):
    code, headers, _ = send("POST", OBJECTS + "/configmaps", {**config_map(), "a\0\nb": 1})
    assert code == 201
    assert headers["warning"] == '299 - "unknown field \\"ab\\""'


@pytest.mark.parametrize("kind", ["resourcequotas", "limitranges"])
def test_a_spec_that_is_null_is_empty(send, kind):
    code, _, made = send("POST", f"{OBJECTS}/{kind}", config_map(spec=None))
    assert (code, made["spec"]) == (201, {})
    assert send("POST", OBJECTS + "/configmaps", config_map())[0] == 201


def test_the_status_of_a_pod_can_be_emptied_and_not_taken_away(send, pod):
    patch = [{"op": "remove", "path": "/status"}]
    code, _, found = send("PATCH", OBJECTS + "/pods/p/status", patch, JSON_PATCH)
    assert (code, found["status"]) == (200, {})
    # A node has it, and has not told of it yet.
    target = {"target": {"name": "nowhere"}}
    assert send("POST", OBJECTS + "/pods/p/binding", target)[0] == 201
    assert send("PATCH", OBJECTS + "/pods/p/status", patch, JSON_PATCH)[0] == 200
    assert send("GET", OBJECTS + "/pods/p/portforward", b"")[0] == 400
    assert send("DELETE", OBJECTS + "/pods/p", {})[0] == 200


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"$retainKeys": "odd"}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": 1}},
        {"spec": {"containers": [{"name": "main", "$retainKeys": 1}]}},
        {"spec": {"containers": [1, {"$patch": "replace"}]}},
    ],
)
def test_directives_of_a_patch_that_are_none_are_refused(send, pod, patch):
    code, _, status = send("PATCH", OBJECTS + "/pods/p", patch, STRATEGIC)
    assert code in (400, 422), status


def test_a_patch_cannot_double_an_object_again_and_again(send):
    annotations = {"a": "x" * 1000}
    made = {"metadata": {"name": "a", "annotations": annotations}, "data": {"a": "x" * 1000}}
    assert send("POST", OBJECTS + "/configmaps", made)[0] == 201
    patch = [{"op": "copy", "from": "/data", "path": f"/data/{n}"} for n in range(40)]
    code, _, status = send("PATCH", OBJECTS + "/configmaps/a", patch, JSON_PATCH)
    assert code == 422
    assert "accumulated size" in status["message"]


def test_a_patch_has_only_so_many_operations(send):
    patch = [{"op": "test", "path": "/kind", "value": "ConfigMap"}] * 10_001
    code, _, status = send("PATCH", OBJECTS + "/configmaps/a", patch, JSON_PATCH)
    assert code in (404, 413), status


def test_an_upgrade_with_headers_that_cannot_be_read_is_refused(send, pod):
    upgrade = (
        *("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: é"),
    )
    code, _, status = send("GET", OBJECTS + "/pods/p/exec?command=true", b"", JSON, *upgrade)
    assert (code, status["kind"]) == (400, "Status")
