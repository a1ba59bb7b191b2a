"""Events, as the two groups have them."""

from __future__ import annotations


def event(namespace, **more):
    return {
        "metadata": {"name": "e"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": "p",
            "namespace": namespace,
        },
        "reason": "Tested",
        "message": "it was tested",
        "type": "Normal",
        "source": {"component": "tester"},
        "firstTimestamp": "2024-01-01T00:00:00Z",
        "lastTimestamp": "2024-01-01T00:01:00Z",
        "count": 2,
        **more,
    }


def test_an_event_is_kept_as_it_was_told(server, namespace):
    events = server.at("events", namespace)
    events.made(event(namespace))
    found = events.get("e").ok()
    assert (found["reason"], found["message"], found["count"]) == ("Tested", "it was tested", 2)
    assert found["source"] == {"component": "tester"}


def test_an_event_of_another_namespace_is_refused(server, namespace):
    answer = server.at("events", namespace).create(event("other"))
    assert answer.refusal[:2] == (422, "Invalid")
    assert "involvedObject.namespace: Invalid value: " in answer.message


def test_the_newer_group_shows_the_same_events(server, namespace):
    server.at("events", namespace).made(event(namespace))
    group = "events.k8s.io/v1"
    found = server.at("events", namespace, group).get("e").ok()
    assert (found["apiVersion"], found["kind"]) == (group, "Event")
    assert (found["regarding"]["name"], found["note"]) == ("p", "it was tested")
    assert (found["deprecatedCount"], found["deprecatedSource"]) == (2, {"component": "tester"})


def test_an_event_of_the_newer_group_is_seen_in_the_old_one(server, namespace):
    group = "events.k8s.io/v1"
    body = {
        "apiVersion": group,
        "kind": "Event",
        "metadata": {"name": "n"},
        "regarding": {"kind": "Pod", "name": "p", "namespace": namespace},
        "reason": "Tested",
        "note": "noted",
        "type": "Normal",
        "action": "Testing",
        "eventTime": "2024-01-01T00:00:00.000000Z",
        "reportingController": "example.com/tester",
        "reportingInstance": "one",
    }
    server.at("events", namespace, group).made(body)
    found = server.at("events", namespace).get("n").ok()
    assert (found["involvedObject"]["name"], found["message"]) == ("p", "noted")
    assert found["reportingComponent"] == "example.com/tester"


def test_an_event_is_counted_up_by_a_patch(server, namespace):
    events = server.at("events", namespace)
    events.made(event(namespace))
    patch = {"count": 3, "lastTimestamp": "2024-01-01T00:02:00Z"}
    found = events.patch("e", patch, "application/strategic-merge-patch+json").ok()
    assert (found["count"], found["lastTimestamp"]) == (3, "2024-01-01T00:02:00Z")


def test_controllers_tell_what_they_do(server, pod_namespace):
    """The ReplicaSet of a Deployment is announced."""
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "a", "image": "i"}]},
    }
    body = {
        "metadata": {"name": "d"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "x"}},
            "template": template,
        },
    }
    things = server.at("deployments", pod_namespace, "apps/v1")
    things.made(body)
    things.patch("d/scale", {"spec": {"replicas": 1}}).ok()
    events = server.at("events", pod_namespace)
    watching = events.watch(fieldSelector="involvedObject.kind=Deployment,reason=ScalingReplicaSet")
    first = next(watching)["object"]
    watching.close()
    assert first["involvedObject"]["name"] == "d"
    assert first["source"]["component"] == "deployment-controller"
    things.delete("d", {"propagationPolicy": "Background"})
