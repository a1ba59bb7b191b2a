"""The Kubernetes API through the stock client, and in its own words."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess

import pytest
from kubernetes import client, watch
from kubernetes.client import ApiException

WORKFLOW = ("argoproj.io", "v1alpha1")


def refusal(call, *arguments, **options):
    """Return the Status with which a call is refused."""
    with pytest.raises(ApiException) as refused:
        call(*arguments, **options)
    status = json.loads(refused.value.body)
    assert status["code"] == refused.value.status
    return status


# Every namespace has a ConfigMap with the certificate of the cluster's authority.
OWN = "metadata.name!=kube-root-ca.crt"
OWN_QUERY = "&fieldSelector=metadata.name%21%3Dkube-root-ca.crt"


def config_map(name: str, **more):
    return {"metadata": {"name": name, **more.pop("metadata", {})}, "data": {"a": "1"}, **more}


def test_an_object_has_the_metadata_of_a_real_server(core, namespace) -> None:
    made = core.create_namespaced_config_map(namespace, config_map("one")).metadata
    assert (made.name, made.namespace, made.generation) == ("one", namespace, None)
    assert len(made.uid) == 36
    assert int(made.resource_version) > 0
    assert made.creation_timestamp is not None


def test_a_missing_object_is_404_as_kubernetes_words_it(core, namespace) -> None:
    assert refusal(core.read_namespaced_pod, "none", namespace) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'pods "none" not found',
        "reason": "NotFound",
        "details": {"name": "none", "kind": "pods"},
        "code": 404,
    }


def test_a_taken_name_is_409_as_kubernetes_words_it(core, namespace) -> None:
    core.create_namespaced_config_map(namespace, config_map("one"))
    status = refusal(core.create_namespaced_config_map, namespace, config_map("one"))
    assert (status["reason"], status["message"], status["details"]) == (
        "AlreadyExists",
        'configmaps "one" already exists',
        {"name": "one", "kind": "configmaps"},
    )


def test_a_stale_write_is_409_and_changes_nothing(core, namespace) -> None:
    old = core.create_namespaced_config_map(namespace, config_map("one"))
    new = core.read_namespaced_config_map("one", namespace)
    new.data = {"a": "2"}
    core.replace_namespaced_config_map("one", namespace, new)
    old.data = {"a": "3"}
    status = refusal(core.replace_namespaced_config_map, "one", namespace, old)
    assert (status["reason"], status["message"]) == (
        "Conflict",
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; '
        "please apply your changes to the latest version and try again",
    )
    assert core.read_namespaced_config_map("one", namespace).data == {"a": "2"}


@pytest.mark.parametrize(
    ("manifest", "message", "fields"),
    [
        (
            {"metadata": {"name": "p"}, "spec": {"containers": []}},
            'Pod "p" is invalid: spec.containers: Required value',
            ["spec.containers"],
        ),
        (
            {
                "metadata": {"name": "p"},
                "spec": {"containers": [{"name": "a"}, {"name": "", "image": "i"}]},
            },
            'Pod "p" is invalid: [spec.containers[0].image: Required value, '
            "spec.containers[1].name: Required value]",
            ["spec.containers[0].image", "spec.containers[1].name"],
        ),
        (
            {
                "metadata": {"name": "p"},
                "spec": {
                    "restartPolicy": "Sometimes",
                    "containers": [
                        {
                            "name": "a",
                            "image": "i",
                            "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
                        }
                    ],
                },
            },
            'Pod "p" is invalid: [spec.containers[0].resources.requests: Invalid value: "2": must '
            "be less than or equal to cpu limit of 1, spec.restartPolicy: Unsupported value: "
            '"Sometimes": supported values: "Always", "OnFailure", "Never"]',
            ["spec.containers[0].resources.requests", "spec.restartPolicy"],
        ),
    ],
    ids=["no container", "no name, no image", "policy and requests"],
)
def test_an_invalid_pod_is_422_and_names_each_field(
    core, namespace, manifest, message, fields
) -> None:
    status = refusal(core.create_namespaced_pod, namespace, manifest)
    assert (status["code"], status["reason"], status["message"]) == (422, "Invalid", message)
    assert [cause["field"] for cause in status["details"]["causes"]] == fields


def test_a_bad_name_is_422(core, namespace) -> None:
    status = refusal(core.create_namespaced_config_map, namespace, config_map("Bad_Name"))
    assert status["message"] == (
        'ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase '
        "RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
        "must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
        r"validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    )


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/gadgets", "/apis/no.such/v1/things", "/api/v1/pods/x/y/z"]
)
def test_an_unknown_place_is_a_404_status(shared_plane, path) -> None:
    status, body = shared_plane.request(path)
    assert (status, json.loads(body)["message"]) == (
        404,
        "the server could not find the requested resource",
    )


def test_a_namespace_that_is_not_there_is_404(core) -> None:
    status = refusal(core.create_namespaced_config_map, "nowhere", config_map("one"))
    assert (status["code"], status["message"]) == (404, 'namespaces "nowhere" not found')


def test_the_first_namespaces_are_there_and_stay(core) -> None:
    names = {each.metadata.name for each in core.list_namespace().items}
    assert {"default", "kube-system", "kubeflow"} <= names
    assert refusal(core.delete_namespace, "default")["reason"] == "Forbidden"


def test_a_deleted_namespace_takes_its_content_along(core) -> None:
    core.create_namespace({"metadata": {"name": "going"}})
    core.create_namespaced_config_map("going", config_map("one"))
    core.create_namespaced_secret("going", {"metadata": {"name": "s"}})
    core.delete_namespace("going")
    assert refusal(core.read_namespace, "going")["code"] == 404
    assert core.list_namespaced_config_map("going").items == []


def test_generated_names_differ(core, namespace) -> None:
    made = [
        core.create_namespaced_config_map(namespace, {"metadata": {"generateName": "x-"}})
        for _ in range(2)
    ]
    names = {each.metadata.name for each in made}
    assert len(names) == 2
    assert {len(name) for name in names} == {7}


def test_a_secret_keeps_plain_text_as_data(core, namespace) -> None:
    secret = {"metadata": {"name": "s"}, "stringData": {"password": "x y"}}
    core.create_namespaced_secret(namespace, secret)
    stored = core.read_namespaced_secret("s", namespace)
    assert stored.data == {"password": base64.b64encode(b"x y").decode()}
    assert (stored.string_data, stored.type) == (None, "Opaque")


def test_patches_of_every_kind(core, namespace) -> None:
    core.create_namespaced_config_map(namespace, config_map("one"))
    core.patch_namespaced_config_map("one", namespace, {"data": {"b": "2", "a": None}})
    patch = [{"op": "add", "path": "/metadata/labels", "value": {"l": "m"}}]
    patched = core.patch_namespaced_config_map("one", namespace, patch)
    assert (patched.data, patched.metadata.labels) == ({"b": "2"}, {"l": "m"})
    status = refusal(
        core.patch_namespaced_config_map,
        "one",
        namespace,
        [{"op": "test", "path": "/data/b", "value": "3"}],
    )
    assert status["code"] == 422
    custom = client.CustomObjectsApi(core.api_client)
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}}
    custom.create_namespaced_custom_object(*WORKFLOW, namespace, "workflows", body)
    patched = custom.patch_namespaced_custom_object(
        *WORKFLOW, namespace, "workflows", "w", {"status": {"phase": "Running"}}
    )
    assert patched["status"] == {"phase": "Running"}


def test_a_strategic_patch_merges_containers_by_name(core, namespace) -> None:
    containers = [{"name": name, "image": "i", "command": ["true"]} for name in "ab"]
    big = {"requests": {"cpu": "9999"}}
    containers[0]["resources"] = big
    core.create_namespaced_pod(
        namespace, {"metadata": {"name": "p"}, "spec": {"containers": containers}}
    )
    patch = {"spec": {"containers": [{"name": "b", "image": "new"}]}}
    patched = core.patch_namespaced_pod("p", namespace, patch)
    assert [each.image for each in patched.spec.containers] == ["i", "new"]
    assert patched.spec.containers[1].command == ["true"]


def test_the_spec_of_a_pod_does_not_change(core, namespace) -> None:
    container = {"name": "a", "image": "i", "resources": {"requests": {"cpu": "9999"}}}
    core.create_namespaced_pod(
        namespace, {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    )
    status = refusal(
        core.patch_namespaced_pod, "p", namespace, {"spec": {"restartPolicy": "Never"}}
    )
    assert status["details"]["causes"][0]["reason"] == "FieldValueForbidden"


def test_status_is_written_by_its_subresource_alone(core, namespace) -> None:
    container = {"name": "a", "image": "i", "resources": {"requests": {"cpu": "9999"}}}
    manifest = {
        "metadata": {"name": "p"},
        "spec": {"containers": [container]},
        "status": {"phase": "Succeeded"},
    }
    assert core.create_namespaced_pod(namespace, manifest).status.phase == "Pending"
    changed = core.patch_namespaced_pod_status("p", namespace, {"status": {"message": "m"}})
    assert changed.status.message == "m"
    assert (
        core.patch_namespaced_pod("p", namespace, {"status": {"message": "n"}}).status.message
        == "m"
    )


def test_a_dry_run_changes_nothing(core, namespace) -> None:
    made = core.create_namespaced_config_map(namespace, config_map("one"), dry_run="All")
    assert made.metadata.name == "one"
    assert core.list_namespaced_config_map(namespace, field_selector=OWN).items == []


def test_selectors(core, namespace) -> None:
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "2", "y": "1"}), ("c", {})):
        body = config_map(name, metadata={"labels": labels})
        core.create_namespaced_config_map(namespace, body)

    def names(**selectors: str) -> list[str]:
        field = ",".join(filter(None, (OWN, selectors.pop("field_selector", ""))))
        found = core.list_namespaced_config_map(namespace, field_selector=field, **selectors)
        return [each.metadata.name for each in found.items]

    assert names() == ["a", "b", "c"]
    assert names(label_selector="x=1") == ["a"]
    assert names(label_selector="x!=1") == ["b", "c"]
    assert names(label_selector="x in (1, 2),!y") == ["a"]
    assert names(label_selector="x notin (1)") == ["b", "c"]
    assert names(label_selector="y") == ["b"]
    assert names(field_selector="metadata.name=c") == ["c"]
    assert names(field_selector="metadata.name!=c") == ["a", "b"]
    status = refusal(core.list_namespaced_config_map, namespace, field_selector="data.a=1")
    assert (status["code"], status["message"]) == (
        400,
        'Unable to find "/v1, Resource=configmaps" that match label selector "", field selector '
        '"data.a=1": "data.a" is not a known field selector: only "metadata.name", '
        '"metadata.namespace"',
    )


def test_a_long_list_comes_in_pages(core, namespace) -> None:
    for number in range(5):
        core.create_namespaced_config_map(namespace, config_map(f"m{number}"))
    seen, token = [], None
    while token is None or token:
        page = core.list_namespaced_config_map(
            namespace, limit=2, _continue=token, field_selector=OWN
        )
        seen.append([each.metadata.name for each in page.items])
        token = page.metadata._continue or ""
    assert seen == [["m0", "m1"], ["m2", "m3"], ["m4"]]


def test_dependents_go_with_their_last_owner(core, namespace) -> None:
    owners = [core.create_namespaced_config_map(namespace, config_map(name)) for name in "ab"]
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": each.metadata.name,
            "uid": each.metadata.uid,
        }
        for each in owners
    ]
    child = config_map("child", metadata={"ownerReferences": references})
    made = core.create_namespaced_config_map(namespace, child)
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "child", "uid": made.metadata.uid}
    core.create_namespaced_secret(
        namespace, {"metadata": {"name": "grandchild", "ownerReferences": [reference]}}
    )
    core.delete_namespaced_config_map("a", namespace)
    left = core.read_namespaced_config_map("child", namespace).metadata.owner_references
    assert [each.name for each in left] == ["b"]
    core.delete_namespaced_config_map("b", namespace)
    assert refusal(core.read_namespaced_config_map, "child", namespace)["code"] == 404
    assert refusal(core.read_namespaced_secret, "grandchild", namespace)["code"] == 404


def test_an_orphan_stays(core, namespace) -> None:
    owner = core.create_namespaced_config_map(namespace, config_map("owner"))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": owner.metadata.uid,
    }
    child = config_map("child", metadata={"ownerReferences": [reference]})
    core.create_namespaced_config_map(namespace, child)
    core.delete_namespaced_config_map("owner", namespace, propagation_policy="Orphan")
    assert core.read_namespaced_config_map("child", namespace).metadata.owner_references is None


def test_finalizers_hold_an_object_until_they_are_off(core, namespace) -> None:
    body = config_map("held", metadata={"finalizers": ["example.com/hold"]})
    core.create_namespaced_config_map(namespace, body)
    core.delete_namespaced_config_map("held", namespace)
    held = core.read_namespaced_config_map("held", namespace)
    assert held.metadata.deletion_timestamp is not None
    held.metadata.finalizers = []
    core.replace_namespaced_config_map("held", namespace, held)
    assert refusal(core.read_namespaced_config_map, "held", namespace)["code"] == 404


def test_a_collection_is_deleted_by_selector(core, namespace) -> None:
    for name, label in (("a", "1"), ("b", "1"), ("c", "2")):
        core.create_namespaced_config_map(
            namespace, config_map(name, metadata={"labels": {"x": label}})
        )
    core.delete_collection_namespaced_config_map(namespace, label_selector="x=1")
    left = core.list_namespaced_config_map(namespace, field_selector=OWN).items
    assert [each.metadata.name for each in left] == ["c"]


def test_a_watch_tells_each_change_once_and_in_order(core, namespace) -> None:
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, config_map("one"))
    core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
    core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})  # no change
    core.delete_namespaced_config_map("one", namespace)
    events = watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        resource_version=start,
        timeout_seconds=1,
        field_selector=OWN,
    )
    assert [(event["type"], event["object"].data["a"]) for event in events] == [
        ("ADDED", "1"),
        ("MODIFIED", "2"),
        ("DELETED", "2"),
    ]


def test_a_watch_with_a_selector_tells_who_comes_and_goes(core, namespace) -> None:
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, config_map("one"))
    for label in ("in", "in", "out"):
        patch = {"metadata": {"labels": {"x": label}}, "data": {label: label}}
        core.patch_namespaced_config_map("one", namespace, patch)
    for options in ({"resource_version": start}, {"resource_version": start}):
        events = watch.Watch().stream(
            core.list_namespaced_config_map,
            namespace,
            label_selector="x=in",
            timeout_seconds=1,
            **options,
        )
        assert [event["type"] for event in events] == ["ADDED", "DELETED"]


def test_a_watch_without_a_version_starts_with_what_is_there(core, namespace) -> None:
    core.create_namespaced_config_map(namespace, config_map("one"))
    events = watch.Watch().stream(
        core.list_namespaced_config_map, namespace, timeout_seconds=1, field_selector=OWN
    )
    assert [(event["type"], event["object"].metadata.name) for event in events] == [
        ("ADDED", "one")
    ]


def raw_watch(plane, namespace: str, query: str) -> list[dict]:
    status, body = plane.request(
        f"/api/v1/namespaces/{namespace}/configmaps?watch=1&{query}{OWN_QUERY}"
    )
    assert status == 200
    return [json.loads(line) for line in body.splitlines()]


def test_a_watch_from_a_version_that_is_gone_is_410(shared_plane, core, namespace) -> None:
    far = int(core.list_namespaced_config_map(namespace).metadata.resource_version) + 10_000
    events = raw_watch(shared_plane, namespace, f"resourceVersion={far}")
    assert [
        (each["type"], each["object"]["code"], each["object"]["reason"]) for each in events
    ] == [("ERROR", 410, "Expired")]


def test_a_client_that_asks_gets_bookmarks(shared_plane, core, namespace) -> None:
    core.create_namespaced_config_map(namespace, config_map("one"))
    query = (
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        "&timeoutSeconds=1"
    )
    events = raw_watch(shared_plane, namespace, query)
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK", "BOOKMARK"]
    mark = events[1]["object"]["metadata"]
    assert mark["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert (
        raw_watch(
            shared_plane, namespace, f"resourceVersion={mark['resourceVersion']}&timeoutSeconds=1"
        )
        == []
    )


def test_discovery_lists_every_kind(shared_plane) -> None:
    core_list = client.CoreV1Api(shared_plane.api()).get_api_resources()
    names = {each.name for each in core_list.resources}
    assert {
        "namespaces", "pods", "pods/log", "pods/status", "events", "configmaps", "secrets",
        "persistentvolumeclaims", "services", "services/proxy", "nodes",
    } <= names  # fmt: skip
    groups = client.ApisApi(shared_plane.api()).get_api_versions().groups
    versions = {group.preferred_version.group_version for group in groups}
    assert {"argoproj.io/v1alpha1", "apps/v1", "batch/v1", "storage.k8s.io/v1"} <= versions


@pytest.mark.parametrize("slashes", ["/", "//"])
def test_the_pipelines_answer_behind_the_proxy_and_at_the_root(shared_plane, slashes) -> None:
    proxy = "/api/v1/namespaces/kubeflow/services/ml-pipeline:http/proxy"
    behind = shared_plane.request(f"{proxy}{slashes}apis/v2beta1/healthz")
    assert behind == shared_plane.request("/apis/v2beta1/healthz")
    assert (behind[0], json.loads(behind[1])["multi_user"]) == (200, False)


def test_a_service_that_is_not_there_is_404(shared_plane) -> None:
    path = "/api/v1/namespaces/kubeflow/services/nothing:80/proxy/x"
    status, body = shared_plane.request(path)
    assert (status, json.loads(body)["message"]) == (404, 'services "nothing" not found')


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is missing")
def test_kubectl_creates_reads_logs_and_deletes(shared_plane, namespace, tmp_path) -> None:
    def kubectl(*words: str) -> str:
        command = ["kubectl", "--kubeconfig", str(shared_plane.kubeconfig), "-n", namespace, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    manifest = tmp_path / "pod.yaml"
    manifest.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  restartPolicy: Never\n"
        "  containers: [{name: main, image: i, command: [echo, hello]}]\n"
    )
    assert kubectl("create", "--validate=false", "-f", str(manifest)) == "pod/p created\n"
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/p", "--timeout=30s")
    assert kubectl("logs", "p") == "hello\n"
    assert kubectl("get", "pods", "-o", "name") == "pod/p\n"
    kubectl("label", "pod", "p", "a=b")
    assert kubectl("get", "pods", "-l", "a=b", "-o", "name") == "pod/p\n"
    assert kubectl("delete", "pod", "p") == 'pod "p" deleted\n'


def test_a_flag_is_read_as_kubernetes_reads_booleans(core, namespace) -> None:
    """Clients before 31 write Python's own `True`."""
    path = f"/api/v1/namespaces/{namespace}/configmaps?timeoutSeconds=1&watch="
    core.create_namespaced_config_map(namespace, config_map("seen"))
    auth = core.api_client.configuration.auth_settings()["BearerToken"]
    for text, kind in (("True", "ADDED"), ("1", "ADDED"), ("false", "ConfigMapList")):
        answer = core.api_client.rest_client.pool_manager.request(
            "GET",
            core.api_client.configuration.host + path + text,
            headers={auth["key"]: auth["value"]},
        )
        first = json.loads(answer.data.splitlines()[0])
        assert first.get("type", first.get("kind")) == kind


def test_metrics_tell_what_was_asked_and_what_is_there(core, namespace, shared_plane) -> None:
    core.create_namespaced_config_map(namespace, config_map("one"))
    refusal(core.read_namespaced_config_map, "none", namespace)
    watched = watch.Watch()
    for _ in watched.stream(core.list_namespaced_config_map, namespace, timeout_seconds=5):
        code, body = shared_plane.request("/metrics")
        break
    watched.stop()
    text = body.decode()
    assert code == 200

    def value(name: str, *labels: str) -> float:
        [line] = [
            line
            for line in text.splitlines()
            if line.startswith(f"{name}{{") and all(label in line for label in labels)
        ]
        return float(line.rpartition(" ")[2])

    configmaps = 'resource="configmaps"'
    assert value("apiserver_request_total", 'verb="POST"', configmaps, 'code="201"') >= 1
    assert value("apiserver_request_total", 'verb="GET"', configmaps, 'code="404"') >= 1
    assert value("apiserver_longrunning_requests", 'verb="WATCH"', configmaps) >= 1
    assert value("apiserver_storage_objects", 'resource="configmaps"') >= 1
