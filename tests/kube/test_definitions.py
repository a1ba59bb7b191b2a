"""CustomResourceDefinitions: when they are served, in which versions, and how they go."""

from __future__ import annotations

import copy

import pytest
from crds import defined, definition, definitions, established, version
from kube_server import eventually


@pytest.fixture
def group(unique):
    return f"{unique('g')}.example.com"


def served(server, group, name="v1"):
    things = server.at("widgets", "default", f"{group}/{name}")
    eventually(lambda: things.list().status == 200, "the kind is not served")


def test_a_definition_is_established_and_discovered(server, group):
    with defined(server, definition(group)) as found:
        assert found["status"]["acceptedNames"]["kind"] == "Widget"
        assert found["status"]["storedVersions"] == ["v1"]
        accepted = {each["type"]: each for each in found["status"]["conditions"]}["NamesAccepted"]
        assert accepted["status"] == "True"
        eventually(lambda: server.get(f"/apis/{group}/v1").status == 200, "not discovered")
        listed = {each["name"]: each for each in server.get(f"/apis/{group}/v1").ok()["resources"]}
        assert listed["widgets"]["kind"] == "Widget"
        assert listed["widgets"]["shortNames"] == ["wd"]
        assert listed["widgets"]["categories"] == ["all"]
        eventually(
            lambda: group in [each["name"] for each in server.get("/apis").ok()["groups"]],
            "the group is not listed",
        )


def test_a_definition_that_is_gone_takes_its_objects_along(server, namespace, group):
    with defined(server, definition(group)):
        served(server, group)
        things = server.at("widgets", namespace, f"{group}/v1")
        body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}}
        things.made({**body, "spec": {"size": 1}})
        definitions(server).delete(f"widgets.{group}").ok()
        definitions(server).wait_gone(f"widgets.{group}")
        eventually(lambda: things.list().status == 404, "the kind is still served")
    with defined(server, definition(group)):
        served(server, group)
        assert server.at("widgets", namespace, f"{group}/v1").names() == []


def test_several_versions_show_the_same_objects(server, namespace, group):
    body = definition(group, version("v1"), version("v1beta1", storage=False))
    with defined(server, body):
        served(server, group, "v1beta1")
        old = server.at("widgets", namespace, f"{group}/v1beta1")
        new = server.at("widgets", namespace, f"{group}/v1")
        made = old.made(
            {
                "apiVersion": f"{group}/v1beta1",
                "kind": "Widget",
                "metadata": {"name": "w"},
                "spec": {"size": 1},
            }
        )
        assert made["apiVersion"] == f"{group}/v1beta1"
        found = new.get("w").ok()
        assert found["apiVersion"] == f"{group}/v1"
        assert found["metadata"]["uid"] == made["metadata"]["uid"]
        assert found["spec"] == made["spec"]
        preferred = server.get(f"/apis/{group}").ok()
        assert preferred["preferredVersion"]["version"] == "v1"
        assert [each["version"] for each in preferred["versions"]] == ["v1", "v1beta1"]


def test_a_version_that_is_not_served_is_not_there(server, namespace, group):
    body = definition(group, version("v1"), {**version("v2", storage=False), "served": False})
    with defined(server, body):
        served(server, group)
        assert server.at("widgets", namespace, f"{group}/v2").list().status == 404


def test_a_schema_that_changes_is_the_schema_from_then_on(server, namespace, group):
    with defined(server, definition(group)):
        served(server, group)
        things = server.at("widgets", namespace, f"{group}/v1")
        body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"generateName": "w"}}
        assert things.create({**body, "spec": {"size": 12}}).status == 422
        found = definitions(server).get(f"widgets.{group}").ok()
        changed = copy.deepcopy(found["spec"]["versions"])
        spec = changed[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        spec["properties"]["size"]["maximum"] = 20
        definitions(server).patch(f"widgets.{group}", {"spec": {"versions": changed}}).ok()
        eventually(
            lambda: things.create({**body, "spec": {"size": 12}}).status == 201,
            "the old schema still holds",
        )


def test_cluster_scoped_kinds_have_no_namespace(server, group):
    with defined(server, definition(group, scope="Cluster")):
        things = server.at("widgets", None, f"{group}/v1")
        eventually(lambda: things.list().status == 200, "the kind is not served")
        body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}}
        assert "namespace" not in things.made({**body, "spec": {"size": 1}})["metadata"]
        assert server.at("widgets", "default", f"{group}/v1").get("w").status == 404


def test_without_status_as_a_subresource_it_is_a_field(server, namespace, group):
    with defined(server, definition(group)):
        served(server, group)
        things = server.at("widgets", namespace, f"{group}/v1")
        body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}}
        made = things.made({**body, "spec": {"size": 1}, "status": {"phase": "Done"}})
        assert made["status"] == {"phase": "Done"}
        assert things.get("w/status").status == 404


def spoil(body, change):
    body = copy.deepcopy(body)
    change(body)
    return body


def schema_of(body):
    return body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda body: body["metadata"].update(name="other.example.com"), "metadata.name"),
        (lambda body: body["spec"].pop("scope"), "spec.scope"),
        (lambda body: body["spec"]["names"].pop("kind"), "spec.names.kind"),
        (lambda body: body["spec"].update(versions=[]), "spec.versions"),
        (lambda body: body["spec"]["versions"][0].update(storage=False), "spec.versions"),
        (lambda body: body["spec"]["versions"][0].update(name="V_1"), "spec.versions[0].name"),
        (
            lambda body: body["spec"]["versions"][0].pop("schema"),
            "spec.versions[0].schema.openAPIV3Schema",
        ),
        (
            lambda body: schema_of(body)["properties"].update(x={"description": "no type"}),
            "spec.validation.openAPIV3Schema.properties[x].type",
        ),
        (
            lambda body: schema_of(body)["properties"].update(x={"type": "array"}),
            "spec.validation.openAPIV3Schema.properties[x].items",
        ),
        (
            lambda body: schema_of(body)["properties"].update(
                x={"type": "integer", "default": "a"}
            ),
            "spec.validation.openAPIV3Schema.properties[x].default",
        ),
        (
            lambda body: (
                schema_of(body)["properties"].update(
                    x={
                        "type": "object",
                        "properties": {},
                        "additionalProperties": {"type": "string"},
                    }
                )
                or schema_of(body)["properties"]["x"].update(properties={"a": {"type": "string"}})
            ),
            "spec.validation.openAPIV3Schema.properties[x].additionalProperties",
        ),
        (
            lambda body: schema_of(body)["properties"].update(x={"$ref": "#/definitions/y"}),
            "spec.validation.openAPIV3Schema.properties[x].$ref",
        ),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(server, group, change, field):
    answer = definitions(server).create(spoil(definition(group), change))
    assert answer.refusal[:2] == (422, "Invalid")
    fields = [each["field"] for each in answer.json["details"]["causes"]]
    # The place of the only schema is told in two ways.
    assert any(
        each.replace("spec.versions[0].schema.", "spec.validation.")
        == field.replace("spec.versions[0].schema.", "spec.validation.")
        for each in fields
    ), fields


def test_a_name_that_another_kind_has_is_not_accepted(server, group):
    with defined(server, definition(group)):
        other = definition(group)
        other["metadata"]["name"] = f"others.{group}"
        other["spec"]["names"] = {"plural": "others", "kind": "Widget", "listKind": "OtherList"}
        definitions(server).made(other)
        try:

            def refused(found):
                return ("NamesAccepted", "False") in [
                    (each["type"], each["status"])
                    for each in found.get("status", {}).get("conditions") or []
                ]

            found = definitions(server).wait(f"others.{group}", refused)
            assert not established(found)
        finally:
            definitions(server).delete(f"others.{group}")


def test_names_are_filled_in(server, group):
    body = definition(group)
    body["spec"]["names"] = {"plural": "widgets", "kind": "Widget"}
    with defined(server, body) as found:
        assert found["spec"]["names"] == {
            "plural": "widgets",
            "kind": "Widget",
            "singular": "widget",
            "listKind": "WidgetList",
        }
        assert found["spec"]["conversion"] == {"strategy": "None"}


@pytest.mark.needs("rules in CEL", minor=25)
def test_rules_are_checked(server, namespace, group):
    one = version()
    spec = copy.deepcopy(schema_of(definition(group, one))["properties"]["spec"])
    spec["x-kubernetes-validations"] = [
        {
            "rule": "!has(self.replicas) || self.replicas <= self.size",
            "message": "no more replicas than size",
        },
        {"rule": "self.size >= oldSelf.size", "message": "size cannot shrink"},
    ]
    one["schema"]["openAPIV3Schema"]["properties"] = {"spec": spec}
    with defined(server, definition(group, one)):
        served(server, group)
        things = server.at("widgets", namespace, f"{group}/v1")
        body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}}
        answer = things.create({**body, "spec": {"size": 1, "replicas": 2}})
        assert answer.refusal[:2] == (422, "Invalid")
        assert answer.message.endswith(
            'spec: Invalid value: "object": no more replicas than size'
        ) or answer.message.endswith("no more replicas than size")
        things.made({**body, "spec": {"size": 3, "replicas": 2}})
        shrunk = things.patch("w", {"spec": {"size": 2}})
        assert shrunk.refusal[:2] == (422, "Invalid")
        assert "size cannot shrink" in shrunk.message


@pytest.mark.needs("rules in CEL", minor=25)
def test_a_rule_that_cannot_be_read_is_refused(server, group):
    one = version()
    spec = copy.deepcopy(one["schema"]["openAPIV3Schema"]["properties"]["spec"])
    spec["x-kubernetes-validations"] = [{"rule": "self.size >="}]
    one["schema"]["openAPIV3Schema"]["properties"] = {"spec": spec}
    answer = definitions(server).create(definition(group, one))
    assert answer.refusal[:2] == (422, "Invalid")
    assert "x-kubernetes-validations[0].rule" in answer.message


def test_a_field_of_a_custom_kind_cannot_be_selected(server, namespace, group):
    with defined(server, definition(group)):
        served(server, group)
        things = server.at("widgets", namespace, f"{group}/v1")
        assert things.list(fieldSelector="spec.size=1").refusal[:2] == (400, "BadRequest")
        assert things.list(fieldSelector="metadata.name=x").status == 200
