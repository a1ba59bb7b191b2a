"""kubectl, as people use it, on objects that need no kubelet."""

from __future__ import annotations

import json
import stat
import subprocess

import pytest
import yaml
from crds import defined, definition, version
from kube_server import eventually

CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  labels: {app: x}
data:
  a: "1"
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: d
spec:
  replicas: 0
  selector:
    matchLabels: {app: x}
  template:
    metadata:
      labels: {app: x}
    spec:
      containers:
      - name: main
        image: python:3.11
        command: [python3, -c, "import time; time.sleep(600)"]
"""


@pytest.fixture
def run(kubectl, namespace):
    """Run kubectl in the test's namespace."""
    return lambda *arguments, **options: kubectl("-n", namespace, *arguments, **options)


@pytest.fixture
def one(run):
    run("create", "-f", "-", stdin=CONFIG_MAP)


def data(run):
    return json.loads(run("get", "configmap", "one", "-o", "json"))["data"]


def test_objects_are_made_from_what_is_typed(run):
    assert run("create", "-f", "-", stdin=CONFIG_MAP) == "configmap/one created\n"
    assert "already exists" in run("create", "-f", "-", stdin=CONFIG_MAP, fails=True)


def test_get_shows_tables_and_other_forms(run, one):
    lines = run("get", "cm", "-l", "app=x").splitlines()
    assert lines[0].split() == ["NAME", "DATA", "AGE"]
    assert lines[1].split()[:2] == ["one", "1"]
    assert run("get", "cm/one", "-o", "name") == "configmap/one\n"
    assert run("get", "cm", "one", "-o", "jsonpath={.data.a}") == "1"
    assert yaml.safe_load(run("get", "cm", "one", "-o", "yaml"))["data"] == {"a": "1"}
    columns = "custom-columns=N:.metadata.name"
    assert run("get", "cm", "-l", "app=x", "-o", columns) == "N\none\n"
    assert "LABELS" in run("get", "cm", "--show-labels")
    assert run("get", "cm", "-l", "no=such").strip() == ""
    assert 'configmaps "none" not found' in run("get", "cm", "none", fails=True)


def test_several_kinds_are_shown_at_once(run, one):
    run("create", "secret", "generic", "s", "--from-literal=k=v")
    shown = run("get", "cm/one", "secret/s")
    assert "configmap/one" in shown
    assert "secret/s" in shown
    assert run("get", "all").strip() == ""


def test_get_watches(run, server, namespace, kubectl, one):
    command = [kubectl.program, "--kubeconfig", server.kubeconfig, "-n", namespace]
    watching = subprocess.Popen(
        [*command, "get", "cm", "-l", "app=x", "-w", "-o", "name"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert watching.stdout.readline() == "configmap/one\n"
        run("create", "cm", "two")
        run("label", "cm", "two", "app=x")
        assert watching.stdout.readline() == "configmap/two\n"
    finally:
        watching.kill()
        watching.communicate()


def test_an_unknown_kind_is_said_to_be_unknown(run):
    assert 'the server doesn\'t have a resource type "gadgets"' in run("get", "gadgets", fails=True)


def test_apply_makes_changes_and_forgets(run):
    assert run("apply", "-f", "-", stdin=CONFIG_MAP) == "configmap/one created\n"
    assert run("apply", "-f", "-", stdin=CONFIG_MAP) == "configmap/one unchanged\n"
    changed = CONFIG_MAP.replace('a: "1"', 'b: "2"')
    assert run("apply", "-f", "-", stdin=changed) == "configmap/one configured\n"
    assert data(run) == {"b": "2"}


def test_apply_on_the_server_tells_of_conflicts(run):
    server_side = ("apply", "--server-side", "-f", "-")
    applied = run(*server_side, stdin=CONFIG_MAP)
    assert applied == "configmap/one serverside-applied\n"
    changed = CONFIG_MAP.replace('"1"', '"2"')
    told = run(*server_side, "--field-manager=other", stdin=changed, fails=True)
    assert 'conflict with "kubectl"' in told
    assert ".data.a" in told
    run(*server_side, "--field-manager=other", "--force-conflicts", stdin=changed)
    assert data(run) == {"a": "2"}


def test_a_deployment_is_applied_over_and_over(run):
    assert run("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/d created\n"
    changed = DEPLOYMENT.replace(
        "command: [python3", "imagePullPolicy: Never\n        command: [python3"
    )
    assert run("apply", "-f", "-", stdin=changed) == "deployment.apps/d configured\n"
    assert run("apply", "-f", "-", stdin=changed) == "deployment.apps/d unchanged\n"


def test_a_dry_apply_answers_and_leaves_nothing(run):
    assert run("apply", "--dry-run=server", "-f", "-", stdin=CONFIG_MAP) == (
        "configmap/one created (server dry run)\n"
    )
    assert "not found" in run("get", "cm", "one", fails=True)


@pytest.mark.needs("field validation by the server", minor=27)
def test_a_misspelt_field_is_refused(run):
    misspelt = DEPLOYMENT.replace("  replicas: 0", "  replicass: 0")
    told = run("apply", "-f", "-", stdin=misspelt, fails=True)
    assert 'unknown field "spec.replicass"' in told


def test_diff_shows_what_would_change(run, one):
    changed = CONFIG_MAP.replace('"1"', '"2"')
    told = run("diff", "-f", "-", stdin=changed, fails=True)
    assert '-  a: "1"' in told
    assert '+  a: "2"' in told
    assert run("diff", "-f", "-", stdin=CONFIG_MAP) == ""


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", '{"data":{"b":"2"}}'),
        ("merge", '{"data":{"b":"2"}}'),
        ("json", '[{"op":"add","path":"/data/b","value":"2"}]'),
    ],
)
def test_patch_in_three_ways(run, one, kind, patch):
    assert run("patch", "cm", "one", f"--type={kind}", "-p", patch) == "configmap/one patched\n"
    assert data(run) == {"a": "1", "b": "2"}


def test_edit_writes_what_the_editor_leaves(run, one, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/a: "1"/a: "9"/\' "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    assert run("edit", "cm", "one", env={"KUBE_EDITOR": str(editor)}) == "configmap/one edited\n"
    assert data(run) == {"a": "9"}


def test_replace_writes_the_whole(run, one):
    changed = CONFIG_MAP.replace('a: "1"', 'b: "2"')
    assert run("replace", "-f", "-", stdin=changed) == "configmap/one replaced\n"
    assert data(run) == {"b": "2"}


def test_scale_and_autoscaling_of_deployments(run):
    run("create", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 0", "replicas: 0\n  paused: true"))
    assert run("scale", "deployment/d", "--replicas=0", "--current-replicas=0") == (
        "deployment.apps/d scaled\n"
    )
    told = run("scale", "deployment/d", "--replicas=0", "--current-replicas=3", fails=True)
    assert "Expected replicas to be 3, was 0" in told


def test_labels_and_annotations(run, one):
    assert run("label", "cm", "one", "tier=back") == "configmap/one labeled\n"
    assert run("get", "cm", "-l", "tier=back", "-o", "name") == "configmap/one\n"
    assert "already has a value" in run("label", "cm", "one", "tier=front", fails=True)
    run("label", "--overwrite", "cm", "one", "tier=front")
    assert run("label", "cm", "one", "tier-") == "configmap/one unlabeled\n"
    assert run("annotate", "cm", "one", "note=n") == "configmap/one annotated\n"
    found = json.loads(run("get", "cm", "one", "-o", "json"))["metadata"]
    assert (found["labels"], found["annotations"]["note"]) == ({"app": "x"}, "n")


def test_wait_for_a_condition_a_field_and_an_end(run, one):
    run("create", "-f", "-", stdin=DEPLOYMENT)
    assert run("wait", "deployment/d", "--for=condition=Available", "--timeout=60s") == (
        "deployment.apps/d condition met\n"
    )
    run("wait", "cm/one", "--for=jsonpath={.data.a}=1", "--timeout=60s")
    told = run("wait", "cm/one", "--for=jsonpath={.data.a}=2", "--timeout=1s", fails=True)
    assert "timed out waiting for the condition on configmaps/one" in told
    run("delete", "cm", "one", "--wait=false")
    run("wait", "cm/one", "--for=delete", "--timeout=60s")


def test_rollouts(run):
    run("create", "-f", "-", stdin=DEPLOYMENT)
    shown = run("rollout", "status", "deployment/d", "--timeout=60s")
    assert shown.endswith('deployment "d" successfully rolled out\n')
    run("set", "image", "deployment/d", "main=python:3.12")
    run("rollout", "status", "deployment/d", "--timeout=60s")
    history = eventually(
        lambda: find_revisions(run("rollout", "history", "deployment/d")), "no second revision"
    )
    assert history == ["1", "2"]
    assert "rolled back" in run("rollout", "undo", "deployment/d")
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert run("get", "deployment", "d", "-o", image) == "python:3.11"
    assert run("rollout", "restart", "deployment/d") == "deployment.apps/d restarted\n"
    assert run("rollout", "pause", "deployment/d") == "deployment.apps/d paused\n"
    assert run("rollout", "resume", "deployment/d") == "deployment.apps/d resumed\n"


def find_revisions(text):
    found = [line.split()[0] for line in text.splitlines() if line[:1].isdigit()]
    return found if len(found) > 1 else None


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_delete_cascades_as_told(run, server, namespace, cascade):
    run("create", "-f", "-", stdin=DEPLOYMENT)
    sets = server.at("replicasets", namespace, "apps/v1")
    [name] = eventually(sets.names, "no ReplicaSet")
    run("delete", "deployment", "d", f"--cascade={cascade}")
    if cascade == "orphan":
        assert sets.names() == [name]
        sets.wait(name, lambda found: "ownerReferences" not in found["metadata"])
    elif cascade == "foreground":
        assert sets.names() == []
    else:
        sets.wait_gone(name)


def test_delete_by_label_and_all(run, one):
    run("create", "cm", "two")
    assert run("delete", "cm", "-l", "app=x") == 'configmap "one" deleted\n'
    assert 'configmap "two" deleted' in run("delete", "cm", "--all")
    assert run("delete", "cm", "none", "--ignore-not-found") == ""


def test_describe_tells_all(run, one, server, namespace):
    shown = run("describe", "cm", "one")
    assert "Name:         one" in shown
    assert "app=x" in shown
    run("create", "-f", "-", stdin=DEPLOYMENT)
    shown = run("describe", "deployment", "d")
    assert "Replicas:               0 desired" in shown
    assert "StrategyType:           RollingUpdate" in shown
    assert namespace in run("describe", "namespace", namespace)


def test_describe_shows_the_events_of_an_object(run, one, server, namespace):
    uid = server.at("configmaps", namespace).get("one").ok()["metadata"]["uid"]
    involved = {"apiVersion": "v1", "kind": "ConfigMap", "name": "one"}
    involved |= {"namespace": namespace, "uid": uid}
    server.at("events", namespace).made(
        {
            "metadata": {"name": "e"},
            "involvedObject": involved,
            "reason": "Tested",
            "message": "it was tested",
            "type": "Normal",
        }
    )
    assert "it was tested" in run("get", "events")
    assert "it was tested" in run("events", "--for", "configmap/one")


@pytest.mark.needs("OpenAPI v3", minor=27)
def test_explain_knows_the_fields(run):
    shown = run("explain", "pod.spec.containers")
    assert "KIND:       Pod" in shown
    assert "image\t<string>" in shown
    assert "ports\t<[]ContainerPort>" in shown
    assert "FIELD: restartPolicy <string>" in run("explain", "pod.spec.restartPolicy")
    told = run("explain", "pod.spec.nothing", fails=True)
    assert 'field "nothing" does not exist' in told


def test_what_i_may(run):
    assert run("auth", "can-i", "create", "pods") == "yes\n"
    assert "Resources" in run("auth", "can-i", "--list")


def test_api_resources_and_versions(run):
    shown = run("api-resources", "--no-headers", "-o", "name").split()
    assert {"pods", "deployments.apps", "jobs.batch", "events"} <= set(shown)
    assert {"v1", "apps/v1", "batch/v1"} <= set(run("api-versions").split())


def test_without_metrics_top_says_so(server, run):
    if server.get("/apis/metrics.k8s.io/v1beta1").status == 200:
        pytest.skip("this server has metrics")
    assert "Metrics API not available" in run("top", "pods", fails=True)


def test_the_server_is_described(kubectl):
    assert "Server Version: v" in kubectl("version")
    assert "is running at" in kubectl("cluster-info")
    assert kubectl("get", "--raw", "/readyz") == "ok"


def test_make_with_generators(run):
    assert run("create", "secret", "generic", "s", "--from-literal=k=v") == "secret/s created\n"
    assert run("create", "sa", "me") == "serviceaccount/me created\n"
    assert run("create", "quota", "q", "--hard=pods=9") == "resourcequota/q created\n"
    assert run("create", "service", "clusterip", "svc", "--tcp=80") == "service/svc created\n"
    run("create", "job", "j", "--image=python:3.11", "--", "python3", "-c", "pass")
    run("delete", "job", "j")
    assert run("create", "token", "me").count(".") == 2


def test_custom_kinds_are_like_others(server, kubectl, namespace, unique):
    group = f"{unique('g')}.example.com"
    column = {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}
    one = version(additionalPrinterColumns=[column], subresources={"status": {}})
    with defined(server, definition(group, one)):
        things = server.at("widgets", "default", f"{group}/v1")
        eventually(lambda: things.list().status == 200, "the kind is not served")
        text = f"apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{size: 1}}\n"
        run = lambda *arguments, **options: kubectl("-n", namespace, *arguments, **options)  # noqa: E731
        assert run("apply", "-f", "-", stdin=text) == f"widget.{group}/w created\n"
        changed = text.replace("size: 1", "size: 2")
        assert run("apply", "-f", "-", stdin=changed) == f"widget.{group}/w configured\n"
        lines = run("get", "wd").splitlines()
        assert [line.split() for line in lines] == [["NAME", "SIZE"], ["w", "2"]]
        told = run("apply", "-f", "-", stdin=text.replace("size: 1", "size: 99"), fails=True)
        assert "spec.size" in told
        run(
            "patch",
            "wd",
            "w",
            "--subresource=status",
            "--type=merge",
            "-p",
            '{"status":{"phase":"Done"}}',
        )
        assert run("get", "wd", "w", "-o", "jsonpath={.status.phase}") == "Done"
        assert "Widget" in run("describe", "wd", "w")
        assert run("delete", "wd", "w") == f'widget.{group} "w" deleted\n'
