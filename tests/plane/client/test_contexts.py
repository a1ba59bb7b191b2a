"""Contexts as a user meets them: on the command line, in a notebook, and behind services."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from fairlead.client import list_runs, submit
from fairlead.errors import CapabilityError, ClusterError, NotFoundError, SpecError
from fairlead.kube import KubeClient, choice, load_context, use_context
from fairlead.kube.client import NAMESPACES, PODS
from fairlead.kube.usage import read_usage


@pytest.fixture
def elsewhere(data_dir, tmp_path, monkeypatch):
    """A kubeconfig with contexts of the running plane: `team`, `stranger` and one that is away."""
    client = KubeClient("local")
    client.list(NAMESPACES)
    config = yaml.safe_load(client.context.kubeconfig.read_text())
    own = config["contexts"][0]["context"]
    config["contexts"] = [
        {"name": "team", "context": {**own, "namespace": "kubeflow"}},
        {"name": "stranger", "context": {**own, "user": "stranger"}},
        {"name": "away", "context": {**own, "cluster": "away"}},
    ]
    config["users"].append({"name": "stranger", "user": {"token": "wrong"}})
    config["clusters"].append({"name": "away", "cluster": {"server": "https://127.0.0.1:1"}})
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(file))
    yield file
    choice.forget()
    (data_dir / "context.json").unlink(missing_ok=True)


@pytest.fixture
def fairlead(elsewhere, tmp_path):
    def call(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "fairlead.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, **environment},
        )

    return call


def notebook(folder, name):
    made = nbformat.v4.new_notebook()
    made.cells.append(nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["step:a"]}))
    nbformat.write(made, folder / name)
    return folder / name


def marked(printed):
    return [line.split()[1:3] for line in printed.splitlines() if line.startswith("*")]


def test_a_context_is_chosen_for_all_commands_to_come(fairlead):
    assert marked(fairlead("contexts").stdout) == [["local", "default"]]
    done = fairlead("use", "team")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Using team / kubeflow (https://127.0.0.1:")
    assert marked(fairlead("use").stdout) == [["team", "kubeflow"]]
    assert fairlead("use", "team", "-n", "default").returncode == 0
    assert marked(fairlead("contexts").stdout) == [["team", "default"]]
    assert fairlead("runs").returncode == 0
    assert fairlead("use", "local").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "No context 'nowhere' in"),
        (["away"], "Nothing answers at https://127.0.0.1:1 (context 'away')"),
        (["stranger"], "Unauthorized"),
        (["team", "-n", "nowhere"], "Context 'team' has no namespace 'nowhere'; it has: default"),
    ],
)
def test_a_choice_that_cannot_work_is_refused_and_changes_nothing(fairlead, arguments, words):
    fairlead("use", "team")
    done = fairlead("use", *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert marked(fairlead("contexts").stdout) == [["team", "kubeflow"]]


def test_a_context_of_the_environment_counts_before_and_is_told(fairlead):
    done = fairlead("use", "team", FAIRLEAD_CONTEXT="local")
    assert "FAIRLEAD_CONTEXT=local still counts" in done.stderr
    printed = fairlead("contexts", FAIRLEAD_CONTEXT="local", FAIRLEAD_NAMESPACE="kubeflow").stdout
    assert marked(printed) == [["local", "kubeflow"]]


def test_a_single_command_can_go_elsewhere(fairlead, tmp_path):
    notebook(tmp_path, "there.ipynb")
    done = fairlead("run", "there.ipynb", "--context", "team")
    assert done.returncode == 0, done.stderr
    assert "there" in fairlead("runs", "--context", "team").stdout
    refused = fairlead("runs", "--context", "away")
    assert (refused.returncode, "Nothing answers" in refused.stderr) == (1, True)


def test_a_notebook_chooses_for_its_own_kernel_alone(elsewhere, tmp_path):
    path = notebook(tmp_path, "chosen.ipynb")
    using = nbformat.v4.new_notebook()
    for source in (
        "%load_ext fairlead\n%fairlead use team",
        f"%fairlead run {path} --detach",
        "%fairlead contexts",
        "%fairlead use away",
    ):
        using.cells.append(nbformat.v4.new_code_cell(source))
    NotebookClient(using, timeout=120, allow_errors=True).execute(cwd=str(tmp_path))
    chosen, _, listed, failed = (str(cell.outputs) for cell in using.cells)
    assert "Using team / kubeflow" in chosen
    assert "*  team" in listed
    assert "Nothing answers at https://127.0.0.1:1" in failed
    assert "Traceback" not in failed
    assert load_context().name == "local"
    assert any(run.name == "chosen" for run in list_runs())


def test_a_choice_in_this_process_moves_what_comes_after_it(elsewhere):
    assert use_context("team", persist=False).namespace == "kubeflow"
    assert KubeClient().context.name == "team"
    with pytest.raises(NotFoundError):
        use_context("nowhere", persist=False)
    assert load_context().name == "team"


def test_what_is_asked_of_reviews_is_remembered(elsewhere):
    client = KubeClient("team")
    verdict = client.access.review("create", "", "pods", "default", "exec")
    assert client.access.review("create", "", "pods", "default", "exec") is verdict


def test_capabilities_are_what_the_server_serves(elsewhere):
    client = KubeClient("team")
    found = client.capabilities()
    assert client.capabilities() is found
    assert found.find("", "Pod").plural == "pods"
    assert found.failures == {}
    assert found.missing("serving.example", "Nothing")
    assert client.capabilities(refresh=True) is not found
    assert {"default", "kubeflow"} <= set(client.namespaces())
    assert read_usage(client, "default")["cpu"]["allocatable"] > 0


def test_a_service_that_is_not_there_says_what_to_do(elsewhere):
    with pytest.raises(CapabilityError, match="no service 'nothing' in namespace 'default'"):
        KubeClient("team").service("default", "http:nothing:80").request("GET", "x")


@pytest.fixture
def gateway():
    """A service at a URL of its own; it answers what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            return

        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            page = "login" in self.path
            self.answer(302 if page else 200, b"" if page else b'{"runs": []}')

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers.get("Authorization")))
            self.answer(503, b"down")

        def answer(self, code, body):
            self.send_response(code)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/pipeline", asked
    server.shutdown()
    server.server_close()


def test_a_service_is_reached_at_the_url_that_is_set_for_it(elsewhere, data_dir, gateway, tmp_path):
    url, asked = gateway
    (tmp_path / "token").write_text("first\n")
    settings = {"team": {"kubeflow/ml-pipeline": {"url": url, "token_file": f"{tmp_path}/token"}}}
    (data_dir / "services.yaml").write_text(yaml.safe_dump(settings))
    try:
        assert list_runs(context="team") == []
        (tmp_path / "token").write_text("second\n")
        list_runs(context="team")
        health, first, _, second = asked
        assert health == ("/pipeline/apis/v2beta1/healthz", "Bearer first")
        assert (first[1], second[1]) == ("Bearer first", "Bearer second")
        assert first[0].startswith("/pipeline/apis/v2beta1/runs?page_size=")
        service = KubeClient("team").service("kubeflow", "ml-pipeline:http")
        with pytest.raises(ClusterError, match="sent on to another address"):
            service.request("GET", "login")
        before = len(asked)
        with pytest.raises(ClusterError):
            submit(notebook(tmp_path, "refused.ipynb"), context="team")
        assert [path for path, _ in asked[before:]] == [
            "/pipeline/apis/v2beta1/healthz",
            "/pipeline/apis/v2beta1/runs",
        ]
        list_runs(context="local")
    finally:
        (data_dir / "services.yaml").unlink()


def test_kubeflow_pipelines_are_found_by_the_environment(elsewhere, gateway, monkeypatch):
    url, asked = gateway
    monkeypatch.setenv("FAIRLEAD_KFP_URL", url)
    assert list_runs(context="team") == []
    assert [path.partition("?")[0] for path, _ in asked] == [
        "/pipeline/apis/v2beta1/healthz",
        "/pipeline/apis/v2beta1/runs",
    ]
    list_runs(context="local")
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- a list", "cannot be read as URLs of services"),
        ({"team": {"kubeflow/ml-pipeline": {"uri": "http://x"}}}, "cannot be read as URLs"),
        ({"team": {"kubeflow/ml-pipeline": {"url": "ftp://x"}}}, "is no http or https URL"),
        (
            {"team": {"kubeflow/ml-pipeline": {"url": "http://x", "tokn": "y"}}},
            "unknown fields: tokn",
        ),
    ],
)
def test_urls_that_cannot_be_read_are_named(elsewhere, data_dir, content, words):
    text = content if isinstance(content, str) else json.dumps(content)
    (data_dir / "services.yaml").write_text(text)
    try:
        with pytest.raises(SpecError, match=words):
            KubeClient("team").service("kubeflow", "ml-pipeline:http")
    finally:
        (data_dir / "services.yaml").unlink()


def test_inside_of_a_pod_of_the_plane_local_is_that_plane(elsewhere):
    client = KubeClient("local")
    source = (
        "from fairlead.kube import KubeClient, list_contexts\n"
        "client = KubeClient()\n"
        "print(client.context.name, client.context.namespace, client.context.startable)\n"
        "print(client.request('GET', '/version') != b'')\n"
        "print([context.name for context in list_contexts()])\n"
    )
    container = {"name": "main", "image": "python", "command": ["python", "-c", source]}
    made = client.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": "inside-"},
            "spec": {"restartPolicy": "Never", "containers": [container]},
        },
        "default",
    )
    name = made["metadata"]["name"]
    for event in client.watch(PODS, "default", timeout_s=120):
        status = event.object.get("status") or {}
        if event.object["metadata"].get("name") == name and status.get("phase") in (
            "Succeeded",
            "Failed",
        ):
            break
    first, *rest = client.logs(name, "default")
    assert (first, rest[0]) == ("local default False", "True"), rest
    assert rest[1].startswith("['local'")
