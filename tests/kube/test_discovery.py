"""Discovery: which groups, versions and kinds there are, in the old form and aggregated."""

from __future__ import annotations

import pytest

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

CORE = {
    "configmaps": ("ConfigMap", True, {"cm"}),
    "endpoints": ("Endpoints", True, {"ep"}),
    "events": ("Event", True, {"ev"}),
    "limitranges": ("LimitRange", True, {"limits"}),
    "namespaces": ("Namespace", False, {"ns"}),
    "nodes": ("Node", False, {"no"}),
    "persistentvolumeclaims": ("PersistentVolumeClaim", True, {"pvc"}),
    "persistentvolumes": ("PersistentVolume", False, {"pv"}),
    "pods": ("Pod", True, {"po"}),
    "resourcequotas": ("ResourceQuota", True, {"quota"}),
    "secrets": ("Secret", True, set()),
    "serviceaccounts": ("ServiceAccount", True, {"sa"}),
    "services": ("Service", True, {"svc"}),
}


def resources(server, path):
    return {each["name"]: each for each in server.get(path).ok()["resources"]}


def test_the_legacy_group_says_its_versions(server):
    found = server.get("/api").ok()
    assert (found["kind"], found["versions"]) == ("APIVersions", ["v1"])
    assert "serverAddressByClientCIDRs" in found


@pytest.mark.parametrize("plural", CORE)
def test_core_kinds_are_listed_with_their_names(server, plural):
    kind, namespaced, short = CORE[plural]
    found = resources(server, "/api/v1")[plural]
    assert (found["kind"], found["namespaced"]) == (kind, namespaced)
    assert set(found.get("shortNames", [])) == short
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(found["verbs"])


def test_core_subresources_are_listed(server):
    found = resources(server, "/api/v1")
    assert set(found["pods/log"]["verbs"]) == {"get"}
    assert {"create", "get"} <= set(found["pods/exec"]["verbs"])
    for name in ("pods/status", "namespaces/status", "persistentvolumeclaims/status"):
        assert set(found[name]["verbs"]) == {"get", "patch", "update"}
    for name in ("pods/attach", "pods/portforward", "pods/proxy", "services/proxy"):
        assert name in found
    assert found["pods/eviction"]["kind"] == "Eviction"
    assert found["namespaces/finalize"]["verbs"] == ["update"]


def test_groups_are_listed_with_the_version_to_prefer(server):
    groups = {each["name"]: each for each in server.get("/apis").ok()["groups"]}
    for group in ("apps", "batch", "authorization.k8s.io", "apiextensions.k8s.io"):
        assert groups[group]["preferredVersion"] == {"groupVersion": f"{group}/v1", "version": "v1"}
        assert groups[group]["preferredVersion"] in groups[group]["versions"]


def test_one_group_is_read_alone(server):
    found = server.get("/apis/apps").ok()
    assert (found["kind"], found["apiVersion"], found["name"]) == ("APIGroup", "v1", "apps")
    assert found["preferredVersion"]["groupVersion"] == "apps/v1"


@pytest.mark.parametrize(
    ("group", "plural", "kind", "subresources"),
    [
        ("apps/v1", "deployments", "Deployment", {"status", "scale"}),
        ("apps/v1", "statefulsets", "StatefulSet", {"status", "scale"}),
        ("apps/v1", "replicasets", "ReplicaSet", {"status", "scale"}),
        ("batch/v1", "jobs", "Job", {"status"}),
        (
            "apiextensions.k8s.io/v1",
            "customresourcedefinitions",
            "CustomResourceDefinition",
            {"status"},
        ),
    ],
)
def test_kinds_of_groups_are_listed_with_their_subresources(
    server, group, plural, kind, subresources
):
    found = resources(server, f"/apis/{group}")
    assert found[plural]["kind"] == kind
    assert subresources <= {
        name.partition("/")[2] for name in found if name.startswith(plural + "/")
    }


def test_scale_names_the_kind_that_it_is(server):
    scale = resources(server, "/apis/apps/v1")["deployments/scale"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")


def test_reviews_can_only_be_created(server):
    found = resources(server, "/apis/authorization.k8s.io/v1")
    for name in ("selfsubjectaccessreviews", "selfsubjectrulesreviews"):
        assert found[name]["verbs"] == ["create"]


@pytest.mark.parametrize(
    "path", ["/apis/no.such.group", "/apis/apps/v9", "/apis/no.such/v1", "/api/v2"]
)
def test_what_is_not_served_is_not_found(server, path):
    answer = server.get(path)
    assert answer.status == 404
    assert b"404 page not found" in answer.body or answer.json["reason"] == "NotFound"


@pytest.mark.needs("aggregated discovery", minor=30)
@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated_discovery_tells_all_at_once(server, path):
    answer = server.get(path, headers={"Accept": AGGREGATED})
    assert answer.headers["Content-Type"] == AGGREGATED
    found = answer.ok()
    assert (found["kind"], found["apiVersion"]) == (
        "APIGroupDiscoveryList",
        "apidiscovery.k8s.io/v2",
    )
    kinds = {
        (group["metadata"].get("name", ""), version["version"], resource["resource"])
        for group in found["items"]
        for version in group["versions"]
        for resource in version["resources"]
    }
    expected = ("", "v1", "pods") if path == "/api" else ("apps", "v1", "deployments")
    assert expected in kinds


@pytest.mark.needs("aggregated discovery", minor=30)
def test_aggregated_discovery_says_the_same_as_the_old_form(server):
    found = server.get("/api", headers={"Accept": AGGREGATED}).ok()
    [version] = found["items"][0]["versions"]
    aggregated = {}
    for each in version["resources"]:
        aggregated[each["resource"]] = (each["scope"] == "Namespaced", set(each["verbs"]))
        for sub in each.get("subresources", []):
            name = f"{each['resource']}/{sub['subresource']}"
            aggregated[name] = (each["scope"] == "Namespaced", set(sub["verbs"]))
    old = {
        name: (each["namespaced"], set(each["verbs"]))
        for name, each in resources(server, "/api/v1").items()
    }
    assert aggregated == old


@pytest.mark.needs("aggregated discovery", minor=30)
def test_a_client_that_takes_both_forms_gets_the_aggregated_one(server):
    accept = (
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
    )
    assert server.get("/apis", headers={"Accept": accept}).json["kind"] == "APIGroupDiscoveryList"


def test_the_version_is_told(server):
    found = server.get("/version").ok()
    assert found["gitVersion"].startswith("v")
    assert {"major", "minor", "platform", "goVersion", "buildDate"} <= set(found)
