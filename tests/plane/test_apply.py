"""Server-side apply: who owns which field, through the stock client."""

from __future__ import annotations

import json

import pytest
from kubernetes import dynamic
from kubernetes.client import ApiException


@pytest.fixture
def objects(shared_plane, namespace):
    """Apply, read and patch objects of a kind in a namespace of the test's own."""
    return Objects(dynamic.DynamicClient(shared_plane.api()), namespace)


class Objects:
    def __init__(self, client, namespace) -> None:
        self.client = client
        self.namespace = namespace

    def kind(self, obj):
        return self.client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])

    def apply(self, obj, manager: str, **options):
        return self.client.server_side_apply(
            self.kind(obj), obj, namespace=self.namespace, field_manager=manager, **options
        ).to_dict()

    def refused(self, obj, manager: str):
        with pytest.raises(ApiException) as refused:
            self.apply(obj, manager)
        return json.loads(refused.value.body)

    def patch(self, obj, patch, manager: str):
        return self.client.patch(
            self.kind(obj),
            patch,
            name=obj["metadata"]["name"],
            namespace=self.namespace,
            field_manager=manager,
            content_type="application/merge-patch+json",
        ).to_dict()


def config_map(**data: str):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": data}


def deployment(*containers, **spec):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": list(containers)}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec},
    }


def owned(obj, manager: str, operation: str = "Apply"):
    return [
        entry["fieldsV1"]
        for entry in obj["metadata"].get("managedFields", ())
        if (entry["manager"], entry["operation"]) == (manager, operation)
    ]


def test_the_first_apply_creates_and_owns_what_it_says(objects) -> None:
    made = objects.apply(config_map(a="1"), "one")
    assert owned(made, "one") == [{"f:data": {"f:a": {}}}]
    again = objects.apply(config_map(a="1"), "one")
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_a_field_that_is_not_wanted_any_more_goes(objects) -> None:
    objects.apply(config_map(a="1", b="2"), "one")
    assert objects.apply(config_map(a="1"), "one")["data"] == {"a": "1"}


def test_a_field_of_two_owners_goes_with_the_last(objects) -> None:
    objects.apply(config_map(a="1"), "one")
    objects.apply(config_map(a="1"), "two")
    assert objects.apply(config_map(), "one")["data"] == {"a": "1"}
    assert not objects.apply(config_map(), "two").get("data")


def test_a_change_of_what_another_owns_is_a_conflict_that_names_it(objects) -> None:
    objects.apply(config_map(a="1", b="1"), "one")
    status = objects.refused(config_map(a="2"), "two")
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert status["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": ".data.a",
        }
    ]
    taken = objects.apply(config_map(a="2"), "two", force_conflicts=True)
    assert taken["data"] == {"a": "2", "b": "1"}
    assert owned(taken, "one") == [{"f:data": {"f:b": {}}}]


def test_an_update_takes_over_what_it_changes(objects) -> None:
    objects.apply(config_map(a="1", b="1"), "one")
    changed = objects.patch(config_map(), {"data": {"a": "2"}}, "editor")
    assert owned(changed, "editor", "Update") == [{"f:data": {"f:a": {}}}]
    assert owned(changed, "one") == [{"f:data": {"f:b": {}}}]
    status = objects.refused(config_map(a="3", b="1"), "one")
    assert 'conflict with "editor" using v1: .data.a' in status["message"]


def test_items_of_lists_are_owned_by_their_keys(objects) -> None:
    port = {"containerPort": 80}
    first = {"name": "x", "image": "i", "ports": [port]}
    second = {"name": "y", "image": "j"}
    objects.apply(deployment(first, replicas=0), "one")
    made = objects.apply(deployment(second), "two")
    names = [each["name"] for each in made["spec"]["template"]["spec"]["containers"]]
    assert names == ["x", "y"]
    fields = owned(made, "one")[0]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert list(fields) == ['k:{"name":"x"}']
    assert list(fields['k:{"name":"x"}']["f:ports"]) == ['k:{"containerPort":80,"protocol":"TCP"}']
    status = objects.refused(deployment({"name": "x", "image": "other"}), "two")
    assert status["message"].endswith('.spec.template.spec.containers[name="x"].image')
    left = objects.apply(deployment(second), "one", force_conflicts=True)
    assert [each["name"] for each in left["spec"]["template"]["spec"]["containers"]] == ["y"]


def test_what_the_scale_wrote_is_no_part_of_a_configuration_without_replicas(objects) -> None:
    container = {"name": "x", "image": "i"}
    objects.apply(deployment(container), "one")
    objects.patch(deployment(), {"spec": {"replicas": 0}}, "scaler")
    assert objects.apply(deployment(container), "one")["spec"]["replicas"] == 0


def test_an_apply_needs_a_manager(objects) -> None:
    with pytest.raises(ApiException) as refused:
        objects.client.patch(
            objects.kind(config_map()),
            config_map(a="1"),
            name="one",
            namespace=objects.namespace,
            content_type="application/apply-patch+yaml",
        )
    status = json.loads(refused.value.body)
    assert status["code"] == 422
    assert "fieldManager: Required value: is required for apply patch" in status["message"]
