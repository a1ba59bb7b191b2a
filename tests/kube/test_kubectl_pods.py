"""kubectl on pods that run: logs, commands, ports, files."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import urllib.request

import pytest

pytestmark = pytest.mark.kubelet

SERVER = """
from http.server import HTTPServer, SimpleHTTPRequestHandler
print('up', flush=True)
HTTPServer(('127.0.0.1', PORT), SimpleHTTPRequestHandler).serve_forever()
"""
SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def run(kubectl, pod_namespace):
    return lambda *arguments, **options: kubectl("-n", pod_namespace, *arguments, **options)


@pytest.fixture
def pods(server, pod_namespace):
    things = server.at("pods", pod_namespace)
    yield things
    things.delete_all({"gracePeriodSeconds": 0})


def start(pods, source, name="p", **spec):
    container = {"name": "main", "image": "python:3.11", "command": ["python3", "-c", source]}
    if "ports" in spec:
        container["ports"] = spec.pop("ports")
    body = {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}
    pods.made(body)
    return pods.wait(name, lambda pod: pod["status"]["phase"] in ("Running", "Succeeded", "Failed"))


def test_logs_are_shown_and_followed(run, pods):
    source = "import time\nfor n in range(3): print('line', n, flush=True); time.sleep(0.2)"
    start(pods, source, restartPolicy="Never")
    assert run("logs", "-f", "p") == "line 0\nline 1\nline 2\n"
    assert run("logs", "p", "--tail=1") == "line 2\n"
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z line 0\n", run("logs", "p", "--timestamps"))
    assert run("logs", "p", "--since=1h") == "line 0\nline 1\nline 2\n"
    assert "container nothing is not valid for pod p" in run(
        "logs", "p", "-c", "nothing", fails=True
    )


def test_the_logs_of_the_time_before_a_restart(run, pods, server):
    start(pods, "print('once'); raise SystemExit(1)", restartPolicy="OnFailure")
    pods.wait("p", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] >= 1)
    assert run("logs", "p", "--previous") == "once\n"


def test_a_command_runs_in_a_pod(run, pods):
    start(pods, SLEEPER)
    assert run("exec", "p", "--", "python3", "-c", "print('hi')") == "hi\n"
    told = run("exec", "p", "--", "python3", "-c", "raise SystemExit(7)", fails=True)
    assert "exit code 7" in told
    said = run("exec", "-i", "p", "--", "python3", "-c", "print(input()[::-1])", stdin="abc\n")
    assert said == "cba\n"


def test_files_are_copied_both_ways(run, pods, tmp_path):
    start(pods, SLEEPER)
    (tmp_path / "there").write_text("content\n")
    where = run("exec", "p", "--", "pwd").strip()
    run("cp", str(tmp_path / "there"), f"p:{where}/copied")
    assert run("exec", "p", "--", "cat", "copied") == "content\n"
    run("cp", f"p:{where}/copied", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "content\n"


def test_a_port_is_forwarded(server, kubectl, pod_namespace, run, pods):
    port = free_port()
    container_ports = [{"containerPort": port}]
    start(pods, SERVER.replace("PORT", str(port)), ports=container_ports)
    follow = server.stream(f"{pods.path}/p/log", follow="true")
    next(iter(follow.stream()))
    follow.close()
    forwarding = subprocess.Popen(
        [
            *(kubectl.program, "--kubeconfig", server.kubeconfig, "-n", pod_namespace),
            *("port-forward", "p", f":{port}"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = forwarding.stdout.readline()
        local = re.match(r"Forwarding from 127.0.0.1:(\d+) -> ", line)[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=30) as answer:
            assert answer.status == 200
    finally:
        forwarding.send_signal(signal.SIGINT)
        forwarding.wait(30)


def test_attach_sees_what_is_printed(run, pods):
    source = "import time\nfor n in range(100): print('tick', flush=True); time.sleep(0.1)"
    start(pods, source, restartPolicy="Never")
    assert "tick" in run("attach", "p")


def test_run_and_wait_for_the_end(run, pods):
    shown = run(
        *("run", "r", "--image=python:3.11", "--restart=Never", "--attach", "--quiet"),
        *("--command", "--", "python3", "-c", "import time; time.sleep(1); print('done')"),
    )
    assert "done" in shown
    run("wait", "pod/r", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")


def test_describe_shows_state_and_events(run, pods):
    start(pods, SLEEPER)
    shown = run("describe", "pod", "p")
    assert re.search(r"Status: +Running", shown)
    assert re.search(r"State: +Running", shown)
    assert "Started" in shown


def test_a_pod_is_deleted_within_its_grace(run, pods):
    start(pods, SLEEPER, terminationGracePeriodSeconds=5)
    assert 'pod "p" deleted' in run("delete", "pod", "p")
    assert pods.get("p").status == 404
