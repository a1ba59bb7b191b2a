"""Fields that nobody knows: dropped, warned of, or refused."""

from __future__ import annotations

import pytest

strict = pytest.mark.needs("field validation by the server", minor=27)


@pytest.fixture
def maps(server, namespace):
    return server.at("configmaps", namespace)


BODY = {"metadata": {"name": "one"}, "data": {"a": "1"}, "unknown": 1}


def test_without_being_asked_unknown_fields_are_dropped(maps):
    assert "unknown" not in maps.create(BODY).ok()
    assert "unknown" not in maps.get("one").ok()


@strict
def test_a_strict_server_refuses_an_unknown_field(maps):
    answer = maps.create(BODY, fieldValidation="Strict")
    code, reason, message = answer.refusal
    assert (code, reason) == (400, "BadRequest")
    assert message.endswith('strict decoding error: unknown field "unknown"')
    assert maps.get("one").status == 404


@strict
def test_a_warning_server_takes_it_and_says_so(maps):
    answer = maps.create(BODY, fieldValidation="Warn")
    assert answer.status == 201
    assert answer.headers["Warning"] == '299 - "unknown field \\"unknown\\""'


@strict
def test_warning_is_what_a_server_does_unless_told_otherwise(maps):
    assert "unknown field" in maps.create(BODY).headers["Warning"]


@strict
def test_an_ignoring_server_says_nothing(maps):
    answer = maps.create(BODY, fieldValidation="Ignore")
    assert (answer.status, answer.headers.get("Warning")) == (201, None)


@strict
def test_a_key_that_comes_twice_is_refused(maps):
    body = b'{"metadata":{"name":"one"},"data":{"a":"1"},"data":{"b":"1"}}'
    answer = maps.create(body, fieldValidation="Strict")
    assert answer.refusal[:2] == (400, "BadRequest")
    assert 'duplicate field "data"' in answer.message


@strict
def test_a_key_that_comes_twice_is_found_whatever_the_url_adds_to_the_object(maps):
    # `apiVersion`, `kind` and `metadata.namespace` may all be left out.
    for times in range(2, 6):
        keys = ",".join('"a":"1"' for _ in range(times))
        body = b'{"metadata":{"name":"one"},"data":{%s}}' % keys.encode()
        answer = maps.create(body, fieldValidation="Strict")
        assert answer.refusal[:2] == (400, "BadRequest")
        assert 'duplicate field "data.a"' in answer.message


@strict
def test_fields_deep_inside_are_named_by_their_path(server, pod_namespace):
    pod = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "a", "image": "i", "imagee": "x"}], "nodename": "n"},
    }
    answer = server.at("pods", pod_namespace).create(pod, fieldValidation="Strict")
    assert answer.refusal[:2] == (400, "BadRequest")
    assert 'unknown field "spec.containers[0].imagee"' in answer.message
    assert 'unknown field "spec.nodename"' in answer.message


@strict
@pytest.mark.parametrize("verb", ["replace", "patch"])
def test_changes_are_validated_as_strictly(maps, verb):
    made = maps.made({"metadata": {"name": "one"}})
    if verb == "replace":
        answer = maps.replace("one", {**made, "unknown": 1}, fieldValidation="Strict")
        assert answer.refusal[:2] == (400, "BadRequest")
    else:
        answer = maps.patch("one", {"unknown": 1}, fieldValidation="Strict")
        assert answer.refusal[0] in (400, 422)
    assert 'unknown field "unknown"' in answer.message


@strict
def test_another_value_is_refused(maps):
    answer = maps.create({"metadata": {"name": "one"}}, fieldValidation="Sometimes")
    assert answer.refusal[:2] == (422, "Invalid")
    assert 'fieldValidation: Unsupported value: "Sometimes"' in answer.message


@pytest.mark.parametrize(
    ("plural", "group", "body"),
    [
        ("configmaps", "v1", {"data": ["x"]}),
        ("pods", "v1", {"spec": {"containers": {}}}),
        ("pods", "v1", {"spec": "x"}),
        ("services", "v1", {"spec": {"ports": [{"port": "http"}]}}),
        ("deployments", "apps/v1", {"spec": {"replicas": "two"}}),
        ("jobs", "batch/v1", {"spec": {"parallelism": 1.5}}),
        ("secrets", "v1", {"data": {"a": "%%%"}}),
        ("pods", "v1", {"metadata": {"name": "x", "labels": ["a"]}}),
        ("pods", "v1", {"metadata": {"name": 7}}),
    ],
)
def test_a_field_of_the_wrong_type_is_always_refused(server, pod_namespace, plural, group, body):
    answer = server.at(plural, pod_namespace, group).create({"metadata": {"name": "x"}, **body})
    assert answer.refusal[:2] == (400, "BadRequest")
