"""Lists in pages and at versions, through raw requests."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest


@pytest.fixture
def pages(shared_plane, namespace, core):
    """Read ConfigMaps of a namespace of the test's own, of which there are five."""

    def read(**query):
        path = f"/api/v1/namespaces/{namespace}/configmaps?{urlencode(query)}"
        code, body = shared_plane.request(path)
        found = json.loads(body)
        return (code, found) if code != 200 else (found["metadata"], names(found))

    for name in "abcde":
        core.create_namespaced_config_map(namespace, {"metadata": {"name": name}, "data": {}})
    read.core, read.namespace = core, namespace
    return read


def names(found):
    return [
        item["metadata"]["name"]
        for item in found["items"]
        if item["metadata"]["name"] != "kube-root-ca.crt"
    ]


def test_later_pages_show_what_was_there_at_the_first(pages) -> None:
    metadata, first = pages(limit=2)
    assert first == ["a", "b"]
    pages.core.delete_namespaced_config_map("d", pages.namespace)
    pages.core.create_namespaced_config_map(pages.namespace, {"metadata": {"name": "cc"}})
    pages.core.patch_namespaced_config_map("e", pages.namespace, {"data": {"x": "1"}})
    after, second = pages(limit=2, **{"continue": metadata["continue"]})
    assert second == ["c", "d"]
    assert after["resourceVersion"] == metadata["resourceVersion"]
    _, last = pages(limit=2, **{"continue": after["continue"]})
    assert last[:1] == ["e"]
    assert pages()[1] == ["a", "b", "c", "cc", "e"]


def test_a_list_of_an_exact_version_shows_what_was_there(pages) -> None:
    metadata, _ = pages()
    pages.core.delete_namespaced_config_map("a", pages.namespace)
    version = metadata["resourceVersion"]
    found, before = pages(resourceVersion=version, resourceVersionMatch="Exact")
    assert (before, found["resourceVersion"]) == (["a", "b", "c", "d", "e"], version)
    _, now = pages(resourceVersion=version, resourceVersionMatch="NotOlderThan")
    assert now == ["b", "c", "d", "e"]


def test_a_version_that_is_yet_to_come_is_refused(pages) -> None:
    code, status = pages(resourceVersion="999999999")
    assert (code, status["reason"]) == (504, "Timeout")
    assert status["message"].startswith("Too large resource version: 999999999, current: ")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"continue": "xyz"}, 400),
        ({"limit": "many"}, 400),
        ({"resourceVersion": "-1"}, 400),
        ({"resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersion": "1", "resourceVersionMatch": "Newer"}, 422),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(pages, query, code) -> None:
    assert pages(**query)[0] == code
