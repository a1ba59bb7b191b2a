"""Custom resources: validated, defaulted and pruned by their schema."""

from __future__ import annotations

import pytest
from crds import defined, definition, version
from kube_server import JSON_PATCH, STRATEGIC_PATCH, eventually


@pytest.fixture(scope="module")
def group(server, unique):
    group = f"{unique('g')}.example.com"
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Mode", "type": "string", "jsonPath": ".spec.mode", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    one = version(subresources={"status": {}, "scale": scale}, additionalPrinterColumns=columns)
    with defined(server, definition(group, one)):
        # A server with several parts may need a moment until all of them serve a new kind.
        things = server.at("widgets", "default", f"{group}/v1")
        eventually(lambda: things.list().status == 200, "the kind is not served")
        yield group


@pytest.fixture
def widgets(server, namespace, group):
    return server.at("widgets", namespace, f"{group}/v1")


@pytest.fixture
def widget(group):
    def make(name="w", **spec):
        return {
            "apiVersion": f"{group}/v1",
            "kind": "Widget",
            "metadata": {"name": name},
            "spec": {"size": 1, **spec},
        }

    return make


def test_a_custom_object_goes_through_its_life(widgets, widget, group):
    made = widgets.made(widget())
    assert (made["apiVersion"], made["kind"]) == (f"{group}/v1", "Widget")
    assert made["metadata"]["generation"] == 1
    assert widgets.get("w").ok() == made
    listed = widgets.list().ok()
    assert (listed["kind"], listed["apiVersion"]) == ("WidgetList", f"{group}/v1")
    assert listed["items"] == [made]  # with kind and version, unlike those of core kinds
    changed = widgets.patch("w", {"spec": {"size": 2}}).ok()
    assert changed["metadata"]["generation"] == 2
    assert widgets.delete("w").ok()["status"] == "Success"
    answer = widgets.get("w")
    assert answer.refusal == (404, "NotFound", f'widgets.{group} "w" not found')


def test_defaults_are_filled_in(widgets, widget):
    spec = widgets.made(widget())["spec"]
    assert spec == {"size": 1, "mode": "fast", "nested": {"depth": 3}}


def test_unknown_fields_are_pruned(widgets, widget):
    made = widgets.made({**widget(unknown=1, nested={"x": 1}), "top": 1})
    assert made["spec"] == {"size": 1, "mode": "fast", "nested": {"depth": 3}}
    assert "top" not in made


def test_unknown_fields_stay_where_they_may(widgets, widget):
    made = widgets.made(widget(open={"any": {"thing": [1]}}, labels={"any": "text"}))
    assert made["spec"]["open"] == {"any": {"thing": [1]}}
    assert made["spec"]["labels"] == {"any": "text"}


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        (
            {"size": 0},
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
        ),
        (
            {"size": 10},
            "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9",
        ),
        (
            {"size": "1"},
            'spec.size: Invalid value: "string": '
            'spec.size in body must be of type integer: "string"',
        ),
        (
            {"size": 1.5},
            'spec.size: Invalid value: "number": '
            'spec.size in body must be of type integer: "number"',
        ),
        (
            {"size": 1, "mode": "odd"},
            'spec.mode: Unsupported value: "odd": supported values: "fast", "slow"',
        ),
        (
            {"size": 1, "name": "UP"},
            "spec.name: Invalid value: \"UP\": spec.name in body should match '^[a-z]+$'",
        ),
        (
            {"size": 1, "labels": {"a": 1}},
            'spec.labels.a: Invalid value: "integer": '
            'spec.labels.a in body must be of type string: "integer"',
        ),
        ({"size": 1, "items": [{}]}, "spec.items[0].key: Required value"),
        (
            {"size": 1, "items": [{"key": "a"}, {"key": "a"}]},
            'spec.items[1]: Duplicate value: map[string]interface {}{"key":"a"}',
        ),
        ({"size": 1, "tags": ["a", "a"]}, 'spec.tags[1]: Duplicate value: "a"'),
        (
            {"size": 1, "port": True},
            'spec.port: Invalid value: "boolean": '
            'spec.port in body must be of type integer,string: "boolean"',
        ),
    ],
)
def test_values_are_checked_and_named(widgets, widget, spec, cause):
    body = widget()
    body["spec"] = spec
    answer = widgets.create(body)
    assert answer.refusal[:2] == (422, "Invalid")
    # How a map and the place of a list's value are written has changed between versions.
    said = answer.message.replace('map[string]interface {}{"key":"a"}', '{"key":"a"}')
    wanted = cause.replace('map[string]interface {}{"key":"a"}', '{"key":"a"}')
    assert said.startswith(("Widget.", 'Widget "'))
    assert wanted in said.replace("spec.items.key", "spec.items[0].key"), said


def test_a_missing_field_is_required(widgets, widget):
    body = widget()
    body["spec"] = {}
    answer = widgets.create(body)
    assert answer.status == 422
    assert "spec.size: Required value" in answer.message
    assert answer.json["details"]["causes"][0]["field"] == "spec.size"
    assert answer.json["details"]["kind"] == "Widget"


def test_too_long_a_text_and_too_many_items_are_refused(widgets, widget):
    body = widget()
    body["spec"]["name"] = "abcdef"
    answer = widgets.create(body)
    assert answer.status == 422
    assert (
        "spec.name: Too long: may not be longer than 5" in answer.message
        or ("spec.name: Too long: may not be more than 5 bytes" in answer.message)
        or "spec.name in body should be at most 5 chars long" in answer.message
    )
    body = widget("many", items=[{"key": str(n)} for n in range(4)])
    answer = widgets.create(body)
    assert answer.status == 422
    assert "spec.items: Too many: 4: must have at most 3 items" in answer.message or (
        "spec.items in body should have at most 3 items" in answer.message
    )


def test_null_goes_where_it_may_and_is_dropped_elsewhere(widgets, widget):
    made = widgets.made(widget(maybe=None))
    assert made["spec"]["maybe"] is None
    assert widgets.made(widget("n", labels={"a": None}))["spec"]["labels"] == {}
    assert widgets.made(widget("d", mode=None))["spec"]["mode"] == "fast"


def test_an_embedded_object_is_one(widgets, widget):
    template = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "anything": 1}
    assert widgets.made(widget(template=template))["spec"]["template"] == template
    answer = widgets.create(widget("bad", template={"metadata": {"name": "x"}}))
    assert answer.status == 422
    assert "spec.template.apiVersion: Required value" in answer.message


def test_changes_are_validated_too(widgets, widget):
    widgets.made(widget())
    assert widgets.patch("w", {"spec": {"size": 99}}).refusal[:2] == (422, "Invalid")
    patch = [{"op": "replace", "path": "/spec/size", "value": 4}]
    assert widgets.patch("w", patch, JSON_PATCH).ok()["spec"]["size"] == 4


def test_a_change_has_to_name_its_version(widgets, widget):
    made = widgets.made(widget())
    del made["metadata"]["resourceVersion"]
    answer = widgets.replace("w", made)
    assert answer.refusal[:2] == (422, "Invalid")
    assert answer.message.endswith(
        "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
    )


def test_custom_objects_take_no_strategic_patch(widgets, widget):
    widgets.made(widget())
    answer = widgets.patch("w", {"spec": {"size": 2}}, STRATEGIC_PATCH)
    code, reason, message = answer.refusal
    assert (code, reason) == (415, "UnsupportedMediaType")
    assert "application/json-patch+json, application/merge-patch+json" in message


def test_a_custom_object_names_its_kind(widgets):
    answer = widgets.create({"metadata": {"name": "w"}, "spec": {"size": 1}})
    assert answer.refusal[:2] == (400, "BadRequest")
    assert "Object 'Kind' is missing" in answer.message


def test_status_is_written_apart(widgets, widget):
    made = widgets.made({**widget(), "status": {"phase": "Done"}})
    assert "status" not in made
    told = widgets.patch("w/status", {"status": {"phase": "Busy"}, "spec": {"size": 5}}).ok()
    assert (told["status"], told["spec"]["size"]) == ({"phase": "Busy"}, 1)
    assert told["metadata"]["generation"] == 1
    kept = widgets.patch("w", {"status": {"phase": "No"}, "spec": {"size": 5}}).ok()
    assert (kept["status"], kept["spec"]["size"]) == ({"phase": "Busy"}, 5)


def test_scale_reads_and_writes_the_paths_that_were_given(widgets, widget):
    widgets.made(widget(replicas=1))
    status = {"replicas": 2, "selector": "app=x"}
    widgets.patch("w/status", {"status": status}).ok()
    scale = widgets.get("w/scale").ok()
    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, status)
    assert widgets.patch("w/scale", {"spec": {"replicas": 4}}).ok()["spec"]["replicas"] == 4
    assert widgets.get("w").ok()["spec"]["replicas"] == 4


def test_the_table_has_the_columns_of_the_definition(widgets, widget):
    widgets.made(widget(size=4))
    headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    table = widgets.list(headers=headers).ok()
    assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Size", "Mode", "Age"]
    assert table["rows"][0]["cells"][:3] == ["w", 4, "fast"]


@pytest.mark.needs("lists of custom objects that merge by key", minor=22)
def test_lists_merge_by_their_keys_when_applied(widgets, widget):
    widgets.apply(widget(items=[{"key": "a", "value": "1"}], tags=["x"]), "me").ok()
    body = widget(items=[{"key": "b", "value": "2"}], tags=["y"])
    found = widgets.apply(body, "you").ok()["spec"]
    assert sorted(each["key"] for each in found["items"]) == ["a", "b"]
    assert sorted(found["tags"]) == ["x", "y"]
    left = widgets.apply(widget(), "me").ok()["spec"]
    assert [each["key"] for each in left["items"]] == ["b"]


def test_a_custom_object_conflicts_like_any_other(widgets, widget):
    widgets.apply(widget(size=1), "me").ok()
    answer = widgets.apply(widget(size=2), "you")
    assert answer.refusal == (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "me": .spec.size',
    )


def test_custom_objects_are_watched(widgets, widget):
    start = widgets.list().ok()["metadata"]["resourceVersion"]
    widgets.made(widget())
    widgets.delete("w").ok()
    events = widgets.watch(resourceVersion=start)
    assert [next(events)["type"] for _ in range(2)] == ["ADDED", "DELETED"]
    events.close()


def test_the_dynamic_client_finds_the_kind(server, namespace, group, widget):
    server.dynamic.resources.invalidate_cache()
    widgets = server.dynamic.resources.get(api_version=f"{group}/v1", kind="Widget")
    assert widgets.create(body=widget(), namespace=namespace).spec.mode == "fast"


@pytest.mark.needs("strict field validation", minor=27)
def test_unknown_fields_can_be_refused(widgets, widget):
    answer = widgets.create(widget(unknown=1), fieldValidation="Strict")
    assert answer.refusal[:2] == (400, "BadRequest")
    assert 'strict decoding error: unknown field "spec.unknown"' in answer.message
    warned = widgets.create(widget(unknown=1), fieldValidation="Warn")
    assert 'unknown field \\"spec.unknown\\"' in warned.headers["Warning"]
