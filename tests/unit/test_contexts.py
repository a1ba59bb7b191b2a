"""Which contexts there are, and which one is in use."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from fairlead.errors import ClusterError, NotFoundError
from fairlead.kube import choice, contexts
from fairlead.kube.contexts import list_contexts, load_context
from fairlead.kube.kubeconfig import load_kubeconfig


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A user without any configuration, outside of any cluster."""
    for name in ("KUBECONFIG", "FAIRLEAD_CONTEXT", "FAIRLEAD_NAMESPACE", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FAIRLEAD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(contexts, "SERVICE_ACCOUNT", tmp_path / "account")
    yield tmp_path
    choice.forget()


def config(name, namespace=None, **more):
    context = {"cluster": f"{name}-cluster", "user": f"{name}-user"}
    if namespace:
        context["namespace"] = namespace
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "contexts": [{"name": name, "context": context}],
        "clusters": [{"name": f"{name}-cluster", "cluster": {"server": f"https://{name}:6443"}}],
        "users": [{"name": f"{name}-user", "user": {"token": f"{name}-token"}}],
        **more,
    }


def write(path, *configs):
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = {"apiVersion": "v1", "kind": "Config", "contexts": [], "clusters": [], "users": []}
    for each in configs:
        for section in ("contexts", "clusters", "users"):
            merged[section] += each[section]
        if "current-context" in each:
            merged["current-context"] = each["current-context"]
    path.write_text(yaml.safe_dump(merged))
    return path


def names():
    return [context.name for context in list_contexts()]


def become_pod(folder, monkeypatch, host="10.0.0.1", namespace="team-a"):
    claims = {"sub": f"system:serviceaccount:{namespace}:default-editor"}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    account = folder / "account"
    account.mkdir()
    (account / "token").write_text(f"header.{payload}.signature")
    (account / "namespace").write_text(namespace)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")


def test_without_any_kubeconfig_there_is_the_embedded_one(home):
    assert names() == ["local"]
    context = load_context()
    assert (context.name, context.namespace, context.startable) == ("local", "default", True)
    assert context.source == "embedded"


def test_the_home_kubeconfig_gives_its_contexts_in_its_order(home):
    write(home / ".kube" / "config", config("zebra", "stripes"), config("ape"))
    assert names() == ["local", "zebra", "ape"]
    zebra = load_context("zebra")
    assert (zebra.cluster, zebra.user, zebra.namespace) == (
        "zebra-cluster",
        "zebra-user",
        "stripes",
    )
    assert (zebra.startable, zebra.source, zebra.server) == (
        False,
        "kubeconfig",
        "https://zebra:6443",
    )
    assert load_context("ape").namespace == "default"


def test_several_files_are_merged_and_the_first_one_wins(home, monkeypatch):
    one = write(home / "one", config("a", "first"))
    two = write(home / "two", config("a", "second"), config("b"))
    monkeypatch.setenv("KUBECONFIG", f"{one}:{home / 'not-there'}::{two}:{one}")
    assert names() == ["local", "a", "b"]
    assert load_context("a").namespace == "first"


def test_paths_count_from_the_file_that_names_them(home):
    deep = write(home / "deep" / "config", config("a"))
    entry = load_kubeconfig(home / "other", deep).cluster_of("a")
    entry.values["certificate-authority"] = "ca.pem"
    assert entry.path("certificate-authority") == home / "deep" / "ca.pem"


def test_a_users_context_of_our_name_is_still_there_under_another(home):
    write(home / ".kube" / "config", config("local", "mine"), config("in-cluster"))
    assert names() == ["local", "kubeconfig/local", "kubeconfig/in-cluster"]
    assert load_context("local").startable
    found = load_context("kubeconfig/local")
    assert (found.namespace, found.entry, found.startable) == ("mine", "local", False)


def test_the_embedded_ones_own_kubeconfig_does_not_count_twice(home, monkeypatch):
    own = write(home / "data" / "kubeconfig", config("local"))
    monkeypatch.setenv("KUBECONFIG", str(own))
    assert names() == ["local"]


def test_inside_of_a_pod_its_service_account_is_the_default(home, monkeypatch):
    become_pod(home, monkeypatch)
    assert names() == ["local", "in-cluster"]
    context = load_context()
    assert (context.name, context.namespace) == ("in-cluster", "team-a")
    assert context.user == "system:serviceaccount:team-a:default-editor"
    assert context.server == "https://10.0.0.1:443"
    assert load_context("local").startable


def test_inside_of_a_pod_of_the_embedded_plane_local_is_that_plane(home, monkeypatch):
    become_pod(home, monkeypatch, host="127.0.0.1", namespace="default")
    given = config("local", "team-b", **{"current-context": "local"})
    monkeypatch.setenv("KUBECONFIG", str(write(home / "given", given)))
    context = load_context()
    assert (context.name, context.namespace, context.startable) == ("local", "team-b", False)
    assert names() == ["local", "in-cluster"]


def test_inside_of_such_a_pod_without_a_kubeconfig_the_account_is_local(home, monkeypatch):
    become_pod(home, monkeypatch, host="127.0.0.1")
    assert (load_context().name, load_context().source) == ("local", "in-cluster")


def test_a_choice_counts_by_process_then_environment_then_file_then_pod(home, monkeypatch):
    write(home / ".kube" / "config", *map(config, "abc"))
    become_pod(home, monkeypatch)
    choice.choose("a", "stored", persist=True)
    assert (load_context().name, load_context().namespace) == ("a", "stored")
    monkeypatch.setenv("FAIRLEAD_NAMESPACE", "by-variable")
    assert (load_context().name, load_context().namespace) == ("a", "by-variable")
    monkeypatch.setenv("FAIRLEAD_CONTEXT", "b")
    assert (load_context().name, load_context().namespace) == ("b", "by-variable")
    choice.choose("c", None, persist=False)
    assert (load_context().name, load_context().namespace) == ("c", "default")
    assert load_context("local").name == "local"


def test_a_stored_choice_counts_also_where_the_environment_names_another(home, monkeypatch):
    write(home / ".kube" / "config", *map(config, "ab"))
    monkeypatch.setenv("FAIRLEAD_CONTEXT", "b")
    choice.choose("a", None, persist=True)
    assert load_context().name == "a"


def test_a_choice_that_is_gone_is_an_error_that_says_whose_it_was(home):
    choice.choose("gone", None, persist=True)
    with pytest.raises(
        NotFoundError, match=r"No context 'gone'.*choice of `fairlead use`"
    ) as caught:
        load_context()
    assert "fairlead use" in caught.value.hint


def test_a_spoilt_choice_says_how_to_choose_again(home):
    (home / "data").mkdir()
    (home / "data" / "context.json").write_text("[]")
    with pytest.raises(ClusterError, match=r"cannot be read from .*context\.json"):
        load_context()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("users: [{name: x, user: {token: s3cret}}", "is not valid YAML, line"),
        ("- a list", "is no object of kind Config"),
        ("kind: Pod", "is no object of kind Config"),
        ("contexts: [{context: {}}]", r"contexts\[0\] needs `name` and `context`"),
        ("users: [{name: x, user: text}]", r"users\[0\] needs `name` and `user`"),
    ],
)
def test_what_is_no_kubeconfig_is_named_without_its_secrets(home, text, words):
    file = home / ".kube" / "config"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(ClusterError, match=words) as caught:
        list_contexts()
    assert str(file) in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert load_context("local").startable
