"""Label and field selectors, in lists, with all their operators and mistakes."""

from __future__ import annotations

import pytest


@pytest.fixture
def maps(server, namespace):
    things = server.at("configmaps", namespace)
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "2", "y": "1"}), ("c", {})):
        things.made({"metadata": {"name": name, "labels": labels}})
    return things


def mine(names):
    return [name for name in names if name in ("a", "b", "c")]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", ["a", "b", "c"]),
        ("x=1", ["a"]),
        ("x==1", ["a"]),
        ("x!=1", ["b", "c"]),
        ("x in (1, 2)", ["a", "b"]),
        ("x in (1)", ["a"]),
        ("x notin (1)", ["b", "c"]),
        ("x", ["a", "b"]),
        ("!x", ["c"]),
        ("! x", ["c"]),
        ("x,y", ["b"]),
        ("x,!y", ["a"]),
        ("x in (1,2),y=1", ["b"]),
        ("x in (1,2),x!=2", ["a"]),
        (" x = 1 , !y ", ["a"]),
        ("x>1", ["b"]),
        ("x<2", ["a"]),
        ("x=", []),
        ("x in (3,)", []),
        ("in in (in)", []),
        ("example.com/x=1", []),
        ("none", []),
    ],
)
def test_labels_are_selected(maps, selector, names):
    assert mine(maps.names(labelSelector=selector)) == names


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("x in", "unable to parse requirement: found '' expected: '('"),
        ("x in (1", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("x=1,", "found '', expected: identifier after ','"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("x y", "unable to parse requirement: found 'y', expected: "),
        ("=1", "found '=', expected: !, identifier, or 'end of string'"),
    ],
)
def test_a_selector_that_cannot_be_read_is_refused_in_words(maps, selector, message):
    code, reason, said = maps.list(labelSelector=selector).refusal
    assert (code, reason) == (400, "BadRequest")
    assert message in said


@pytest.mark.parametrize("selector", ["a b=1", "x=a b", "x=" + "y" * 64, "-x", "x>a", "x=(1)"])
def test_a_selector_with_a_bad_key_or_value_is_refused(maps, selector):
    assert maps.list(labelSelector=selector).refusal[:2] == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("metadata.name=c", ["c"]),
        ("metadata.name==c", ["c"]),
        ("metadata.name!=c", ["a", "b"]),
        ("metadata.name!=c,metadata.name!=b", ["a"]),
        ("metadata.namespace!=none", ["a", "b", "c"]),
        ("metadata.namespace=none", []),
    ],
)
def test_fields_are_selected(maps, selector, names):
    assert mine(maps.names(fieldSelector=selector)) == names


@pytest.mark.parametrize(
    ("plural", "selector", "message"),
    [
        (
            "configmaps",
            "data.a=1",
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("pods", "spec.nothing=1", "field label not supported: spec.nothing"),
        (
            "configmaps",
            "metadata.name",
            "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
        ),
    ],
)
def test_a_field_that_cannot_be_selected_is_refused(server, namespace, plural, selector, message):
    code, reason, said = server.at(plural, namespace).list(fieldSelector=selector).refusal
    assert (code, reason) == (400, "BadRequest")
    assert message in said


def test_fields_of_pods_are_selected(server, pod_namespace):
    pods = server.at("pods", pod_namespace)
    spec = {
        "restartPolicy": "Never",
        "nodeSelector": {"no": "such-node"},
        "containers": [{"name": "main", "image": "i"}],
    }
    pods.made({"metadata": {"name": "p"}, "spec": spec})
    for selector, names in (
        ("status.phase=Pending", ["p"]),
        ("status.phase!=Pending", []),
        ("spec.restartPolicy=Never", ["p"]),
        ("spec.restartPolicy=Always", []),
        ("spec.nodeName=", ["p"]),
        ("spec.nodeName!=", []),
        ("spec.serviceAccountName=default", ["p"]),
    ):
        assert pods.names(fieldSelector=selector) == names, selector
    pods.delete("p", gracePeriodSeconds=0)


def test_fields_of_other_kinds_are_selected(server, namespace):
    secrets = server.at("secrets", namespace)
    secrets.made({"metadata": {"name": "s"}, "type": "example.com/mine"})
    assert secrets.names(fieldSelector="type=example.com/mine") == ["s"]
    events = server.at("events", namespace)
    involved = {"kind": "Pod", "name": "p", "namespace": namespace, "uid": "u"}
    event = {"metadata": {"name": "e"}, "involvedObject": involved, "reason": "R", "type": "Normal"}
    events.made(event)
    selector = (
        "involvedObject.name=p,involvedObject.kind=Pod,involvedObject.uid=u,reason=R,type=Normal"
    )
    assert events.names(fieldSelector=selector) == ["e"]
    assert events.names(fieldSelector="involvedObject.name=q") == []
    assert namespace in server.at("namespaces").names(fieldSelector="status.phase=Active")


def test_both_kinds_of_selectors_count(maps):
    assert maps.names(labelSelector="x", fieldSelector="metadata.name=b") == ["b"]


def test_a_collection_can_be_asked_for_in_the_order_of_names(maps):
    assert mine(maps.names()) == ["a", "b", "c"]
