"""JSON patches and merge patches."""

from __future__ import annotations

import pytest
from kube_server import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH


@pytest.fixture
def maps(server, namespace):
    things = server.at("configmaps", namespace)
    things.made({"metadata": {"name": "one", "labels": {"l": "1"}}, "data": {"a": "1", "b": "2"}})
    return things


@pytest.mark.parametrize(
    ("patch", "data"),
    [
        ([{"op": "add", "path": "/data/c", "value": "3"}], {"a": "1", "b": "2", "c": "3"}),
        ([{"op": "remove", "path": "/data/a"}], {"b": "2"}),
        ([{"op": "replace", "path": "/data/a", "value": "9"}], {"a": "9", "b": "2"}),
        ([{"op": "move", "from": "/data/a", "path": "/data/z"}], {"b": "2", "z": "1"}),
        ([{"op": "copy", "from": "/data/a", "path": "/data/z"}], {"a": "1", "b": "2", "z": "1"}),
        (
            [
                {"op": "test", "path": "/data/a", "value": "1"},
                {"op": "replace", "path": "/data", "value": {"x/y": "1"}},
            ],
            422,
        ),
        ([{"op": "add", "path": "/data/x~1y", "value": "1"}], 422),
        ([], {"a": "1", "b": "2"}),
    ],
)
def test_a_json_patch_is_done_step_by_step(maps, patch, data):
    answer = maps.patch("one", patch, JSON_PATCH)
    if data == 422:  # a key with a slash, well addressed, but not allowed here
        assert answer.refusal[:2] == (422, "Invalid")
        assert 'data[x/y]: Invalid value: "x/y"' in answer.message
    else:
        assert answer.ok()["data"] == data


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "test", "path": "/data/a", "value": "7"}],
        [{"op": "remove", "path": "/data/none"}],
        pytest.param(
            [{"op": "replace", "path": "/data/none", "value": "1"}],
            marks=pytest.mark.needs("a patch that replaces only what is there", minor=22),
        ),
        [{"op": "add", "path": "/none/deep", "value": "1"}],
        [{"op": "move", "from": "/data/none", "path": "/data/x"}],
        [
            {"op": "add", "path": "/data/c", "value": "3"},
            {"op": "test", "path": "/data/a", "value": "7"},
        ],
    ],
)
def test_a_json_patch_that_does_not_fit_is_422_and_changes_nothing(maps, patch):
    answer = maps.patch("one", patch, JSON_PATCH)
    assert answer.refusal[:2] == (422, "Invalid")
    assert answer.message.startswith(
        "the server rejected our request due to an error in our request"
    )
    assert maps.get("one").ok()["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize("patch", [b"{", b"{}", b'[{"op": 1}]', b'["x"]'])
def test_a_json_patch_that_is_none_is_400(maps, patch):
    assert maps.patch("one", patch, JSON_PATCH).refusal[0] in (400, 422)


def test_lists_are_patched_by_place(server, namespace):
    things = server.at("services", namespace)
    ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    things.made({"metadata": {"name": "s"}, "spec": {"ports": ports}})
    patch = [
        {"op": "add", "path": "/spec/ports/-", "value": {"name": "c", "port": 3}},
        {"op": "add", "path": "/spec/ports/0", "value": {"name": "z", "port": 26}},
        {"op": "remove", "path": "/spec/ports/1"},
    ]
    patched = things.patch("s", patch, JSON_PATCH).ok()
    assert [each["name"] for each in patched["spec"]["ports"]] == ["z", "b", "c"]


@pytest.mark.parametrize(
    ("patch", "data"),
    [
        ({"data": {"c": "3"}}, {"a": "1", "b": "2", "c": "3"}),
        ({"data": {"a": None}}, {"b": "2"}),
        ({"data": {"none": None}}, {"a": "1", "b": "2"}),
        ({"data": {"a": None, "b": "9"}}, {"b": "9"}),
        ({}, {"a": "1", "b": "2"}),
    ],
)
@pytest.mark.parametrize("kind", [MERGE_PATCH, STRATEGIC_PATCH])
def test_a_merge_patch_adds_changes_and_removes(maps, kind, patch, data):
    assert maps.patch("one", patch, kind).ok()["data"] == data


def test_a_merge_patch_removes_a_whole_map(maps):
    assert "data" not in maps.patch("one", {"data": None}).ok()


def test_a_merge_patch_replaces_lists_whole(server, namespace):
    things = server.at("services", namespace)
    ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    things.made({"metadata": {"name": "s"}, "spec": {"ports": ports}})
    patched = things.patch("s", {"spec": {"ports": [{"port": 9}]}}).ok()
    assert [each["port"] for each in patched["spec"]["ports"]] == [9]


def test_a_patch_cannot_move_an_object(maps):
    assert maps.patch("one", {"metadata": {"name": "two"}}).status in (400, 422)
    assert maps.patch("one", {"metadata": {"namespace": "other"}}).status in (400, 422)


@pytest.mark.parametrize("kind", [MERGE_PATCH, STRATEGIC_PATCH])
@pytest.mark.parametrize("patch", [b"{", b"[]", b'"x"', b""])
def test_a_merge_patch_that_is_none_is_400(maps, kind, patch):
    assert maps.patch("one", patch, kind).refusal[0] in (400, 422, 500)


def test_the_result_of_a_patch_is_validated(maps):
    answer = maps.patch("one", {"metadata": {"labels": {"a b": "1"}}})
    assert answer.refusal[:2] == (422, "Invalid")


def test_a_patch_names_the_object_that_is_missing(maps):
    assert maps.patch("none", {}).message == 'configmaps "none" not found'
