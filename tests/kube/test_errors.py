"""Refusals: their codes, reasons and words."""

from __future__ import annotations

import json

import pytest

NOT_FOUND = "the server could not find the requested resource"
UNKNOWN_FORMAT = "the body of the request was in an unknown format - accepted media types include: "
NO_METHOD = "the server does not allow this method on the requested resource"


@pytest.fixture
def maps(server, namespace):
    return server.at("configmaps", namespace)


def test_a_missing_object_is_404(maps):
    answer = maps.get("none")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "none" not found',
        "reason": "NotFound",
        "details": {"name": "none", "kind": "configmaps"},
        "code": 404,
    }


def test_the_group_of_a_missing_object_is_named(server, namespace):
    answer = server.at("deployments", namespace, "apps/v1").get("none")
    assert answer.message == 'deployments.apps "none" not found'
    assert answer.json["details"] == {"name": "none", "group": "apps", "kind": "deployments"}


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
def test_what_is_missing_cannot_be_changed(server, maps, verb):
    kind = "merge-patch+json" if verb == "PATCH" else "json"
    headers = {"Content-Type": f"application/{kind}"}
    body = {"metadata": {"name": "none", "resourceVersion": "1"}}
    answer = server.request(verb, f"{maps.path}/none", body, headers=headers)
    if verb == "PUT" and answer.status == 409:
        pytest.skip("told as a conflict of versions by this server")
    assert answer.refusal[0] == 404 or "UID in precondition" in answer.message


def test_a_taken_name_is_409(maps):
    maps.made({"metadata": {"name": "one"}})
    answer = maps.create({"metadata": {"name": "one"}})
    assert answer.refusal == (409, "AlreadyExists", 'configmaps "one" already exists')
    assert answer.json["details"] == {"name": "one", "kind": "configmaps"}


def test_a_stale_write_is_409_and_changes_nothing(maps):
    old = maps.made({"metadata": {"name": "one"}})
    maps.patch("one", {"data": {"a": "2"}}).ok()
    answer = maps.replace("one", {**old, "data": {"a": "3"}})
    assert answer.refusal == (
        409,
        "Conflict",
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; '
        "please apply your changes to the latest version and try again",
    )
    assert maps.get("one").ok()["data"] == {"a": "2"}


def test_a_write_without_a_version_wins(maps):
    maps.made({"metadata": {"name": "one"}, "data": {"a": "1"}})
    assert maps.replace("one", {"metadata": {"name": "one"}, "data": {"b": "2"}}).ok()["data"] == {
        "b": "2"
    }


def test_a_stale_patch_is_409(maps):
    old = maps.made({"metadata": {"name": "one"}})["metadata"]["resourceVersion"]
    maps.patch("one", {"data": {"a": "2"}}).ok()
    patch = {"metadata": {"resourceVersion": old}, "data": {"a": "3"}}
    assert maps.patch("one", patch).refusal[:2] == (409, "Conflict")


def test_a_new_object_may_not_have_a_version(maps):
    answer = maps.create({"metadata": {"name": "one", "resourceVersion": "5"}})
    assert answer.status == 500 or answer.status == 400
    assert answer.message.endswith("resourceVersion should not be set on objects to be created")


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_a_collection_cannot_be_changed(server, maps, verb):
    answer = server.request(verb, maps.path, {})
    assert answer.refusal == (405, "MethodNotAllowed", NO_METHOD)


def test_an_object_cannot_be_posted_to(server, maps):
    assert server.request("POST", f"{maps.path}/one", {}).refusal == (
        405,
        "MethodNotAllowed",
        NO_METHOD,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/gadgets",
        "/api/v1/namespaces/default/gadgets/one",
        "/apis/apps/v1/gadgets",
        "/api/v1/namespaces/default/pods/x/gadget",
    ],
)
def test_an_unknown_kind_is_404(server, path):
    assert server.get(path).refusal == (404, "NotFound", NOT_FOUND)


@pytest.mark.parametrize(
    "path", ["/nothing", "/apis/no.such.group/v1/x", "/apis/apps/v7/deployments"]
)
def test_an_unknown_path_is_404(server, path):
    assert server.get(path, headers={"Accept": "*/*"}).status == 404


def test_a_form_that_is_not_served_is_406(maps):
    answer = maps.list(headers={"Accept": "text/html"})
    code, reason, message = answer.refusal
    assert (code, reason) == (406, "NotAcceptable")
    assert message.startswith(("406: Not Acceptable", "only the following media types are accept"))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("text/html, application/json", "application/json"),
        ("application/json;q=0.5", "application/json"),
    ],
)
def test_forms_are_negotiated(maps, accept, expected):
    answer = maps.list(headers={"Accept": accept})
    assert (answer.status, answer.headers["Content-Type"]) == (200, expected)


def test_a_body_in_another_form_is_415(maps):
    answer = maps.create(b"<a/>", headers={"Content-Type": "text/xml"})
    code, reason, message = answer.refusal
    assert (code, reason) == (415, "UnsupportedMediaType")
    assert message.startswith(("415: Unsupported Media Type", UNKNOWN_FORMAT))


def test_a_patch_in_another_form_is_415(maps):
    maps.made({"metadata": {"name": "one"}})
    answer = maps.patch("one", {}, "application/json")
    code, reason, message = answer.refusal
    assert (code, reason) == (415, "UnsupportedMediaType")
    assert message.startswith(("415: Unsupported Media Type", UNKNOWN_FORMAT))


@pytest.mark.parametrize(
    "body", [b"{", b"nonsense", b"[]", b'"text"', b"", b"null", b"\xff\xfe", b'{"metadata": 1}']
)
def test_a_body_that_is_no_object_is_400(maps, body):
    answer = maps.create(body, headers={"Content-Type": "application/json"})
    if answer.status == 422:  # read as an object with nothing in it
        assert "name or generateName is required" in answer.message
    else:
        assert answer.refusal[:2] == (400, "BadRequest")


def test_an_object_of_another_kind_is_400(maps):
    answer = maps.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}})
    code, reason, message = answer.refusal
    assert (code, reason) == (400, "BadRequest")
    assert "Secret" in message
    assert "ConfigMap" in message


def test_an_object_of_another_version_is_400(maps):
    answer = maps.create({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "one"}})
    assert answer.refusal[:2] == (400, "BadRequest")


def test_a_field_of_another_type_is_400(server, maps):
    answer = maps.create({"metadata": {"name": "one"}, "data": {"a": 1}})
    code, reason, message = answer.refusal
    assert (code, reason) == (400, "BadRequest")
    assert "ConfigMap" in message


def test_a_namespace_that_is_not_there_is_404(server, unique):
    name = unique("nowhere")
    answer = server.at("configmaps", name).create({"metadata": {"name": "one"}})
    assert answer.refusal == (404, "NotFound", f'namespaces "{name}" not found')


def test_a_list_in_a_namespace_that_is_not_there_is_empty(server, unique):
    assert server.at("configmaps", unique("nowhere")).list().ok()["items"] == []


def test_an_invalid_object_is_422_and_names_each_field(server, pod_namespace):
    pod = {
        "metadata": {"name": "p"},
        "spec": {"restartPolicy": "Sometimes", "containers": [{"name": ""}]},
    }
    answer = server.at("pods", pod_namespace).create(pod)
    assert answer.refusal[:2] == (422, "Invalid")
    details = answer.json["details"]
    assert (details["name"], details["kind"]) == ("p", "Pod")
    assert {each["field"] for each in details["causes"]} == {
        "spec.restartPolicy",
        "spec.containers[0].name",
        "spec.containers[0].image",
    }
    assert {each["reason"] for each in details["causes"]} == {
        "FieldValueNotSupported",
        "FieldValueRequired",
    }


def test_one_mistake_is_told_without_a_list(server, pod_namespace):
    pod = {"metadata": {"name": "p"}, "spec": {"containers": []}}
    assert server.at("pods", pod_namespace).create(pod).message == (
        'Pod "p" is invalid: spec.containers: Required value'
    )


def test_who_is_not_known_is_401(server):
    headers = {"authorization": "Bearer nonsense"}
    answer = server.get("/api/v1/namespaces", headers=headers)
    assert answer.refusal == (401, "Unauthorized", "Unauthorized")


@pytest.mark.parametrize("query", ["limit", "timeoutSeconds"])
def test_a_number_in_the_query_that_is_none_is_400(maps, query):
    answer = maps.list(**{query: "x"})
    assert answer.refusal[:2] == (400, "BadRequest")
    assert 'parsing "x": invalid syntax' in answer.message


@pytest.mark.parametrize(
    ("value", "watches"),
    [("true", True), ("1", True), ("maybe", True), ("", True), ("false", False), ("0", False)],
)
def test_a_flag_in_the_query_is_set_unless_it_says_no(server, maps, value, watches):
    answer = server.get(maps.path, watch=value, timeoutSeconds=1, labelSelector="no=such")
    assert answer.status == 200
    assert (answer.body == b"") == watches


def test_a_large_body_is_413(maps):
    answer = maps.create(
        json.dumps({"metadata": {"name": "big"}, "data": {"a": "x" * (4 << 20)}}).encode()
    )
    assert answer.refusal[:2] == (413, "RequestEntityTooLarge")


def test_a_large_config_map_is_422(maps):
    answer = maps.create({"metadata": {"name": "big"}, "data": {"a": "x" * ((1 << 20) + 1)}})
    code, _, message = answer.refusal
    assert (code, message) == (
        422,
        'ConfigMap "big" is invalid: []: Too long: must have at most 1048576 bytes',
    ) or message.startswith('ConfigMap "big" is invalid: []: Too long: m')
