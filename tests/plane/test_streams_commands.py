"""exec, attach and cp, by the clients that people use."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket
from kubernetes import client
from kubernetes.stream import stream

from .conftest import Pods, RunningPlane
from .kubectl import Kubectl, Terminal

SLEEP = "import time; time.sleep(600)"


@pytest.fixture(params=["websocket", "spdy"])
def kubectl(shared_plane: RunningPlane, namespace: str, request: Any) -> Kubectl:
    return Kubectl(shared_plane.kubeconfig, namespace, spdy=request.param == "spdy")


@pytest.fixture
def pod(pods: Pods) -> Iterator[str]:
    pods.create("p", SLEEP, container={"env": [{"name": "GREETING", "value": "hello"}]})
    pods.wait_running("p")
    yield "p"
    pods.core.delete_namespaced_pod("p", pods.namespace, grace_period_seconds=0)


def test_kubectl_exec_shows_the_output_and_passes_the_exit_code_on(
    kubectl: Kubectl, pod: str
) -> None:
    done = kubectl.run("exec", pod, "--", "sh", "-c", "echo $GREETING; echo no >&2; exit 7", code=7)
    assert done.stdout == b"hello\n"
    assert done.stderr == b"no\ncommand terminated with exit code 7\n"
    assert kubectl.run("exec", pod, "--", "true").stderr == b""


def test_kubectl_exec_pipes_its_input_through(kubectl: Kubectl, pod: str) -> None:
    data = random.Random(1).randbytes(3_000_000)
    assert kubectl.run("exec", "-i", pod, "--", "cat", input=data).stdout == data
    # A command that does not read its input to the end.
    assert kubectl.run("exec", "-i", pod, "--", "head", "-c1", input=data).stdout == data[:1]


def test_kubectl_exec_in_a_terminal_is_a_terminal(kubectl: Kubectl, pod: str) -> None:
    terminal = Terminal(kubectl.argv("exec", "-it", pod, "--", "sh"))
    terminal.type("tty; echo $((6*7)) $TERM")
    terminal.expect("/dev/pts/")
    terminal.expect("42 xterm")
    terminal.type("sh -c 'echo slee$((1))ing; exec sleep 600'")
    terminal.expect("slee1ing")
    terminal.interrupt()  # reaches the command, not the shell
    terminal.type("echo still-$((1+1))")
    terminal.expect("still-2")
    terminal.type("exit 9")
    assert terminal.exit_code() == 9


def test_exec_says_what_is_wrong(kubectl: Kubectl, pod: str, pods: Pods) -> None:
    done = kubectl.run("exec", pod, "--", "nosuch", code=1)
    assert b'exec: "nosuch": executable file not found in $PATH' in done.stderr
    done = kubectl.run("exec", pod, "-c", "other", "--", "true", code=1)
    assert b"container other is not valid for pod p" in done.stderr
    done = kubectl.run("exec", "nobody", "--", "true", code=1)
    assert b'pods "nobody" not found' in done.stderr
    pods.run("done")
    done = kubectl.run("exec", "done", "--", "true", code=1)
    assert b"cannot exec into a container in a completed pod" in done.stderr


@pytest.mark.parametrize(
    ("protocol", "ending"),
    [
        ("v5.channel.k8s.io", b'"message":"3"'),
        ("v4.channel.k8s.io", b'"message":"3"'),
        ("v4.base64.channel.k8s.io", b'"message":"3"'),
        ("channel.k8s.io", b"command terminated with exit code 3"),
        ("base64.channel.k8s.io", b"command terminated with exit code 3"),
        (None, b"command terminated with exit code 3"),
    ],
)
def test_every_sub_protocol_carries_the_streams(
    shared_plane: RunningPlane, pods: Pods, pod: str, protocol: str | None, ending: bytes
) -> None:
    query = "command=sh&command=-c&command=head+-c3;echo+no>%262;exit+3"
    connection = websocket.create_connection(
        f"wss://127.0.0.1:{shared_plane.port}/api/v1/namespaces/{pods.namespace}/pods/{pod}/exec"
        f"?{query}&stdin=true&stdout=true&stderr=true",
        header=shared_plane.credentials(),
        sslopt={"ca_certs": str(shared_plane.data_dir / "ca.crt")},
        subprotocols=[protocol] if protocol else None,
        timeout=60,
    )
    assert connection.subprotocol == protocol
    in_base64 = "base64" in (protocol or "")
    if in_base64:
        connection.send("0" + base64.b64encode(b"abc").decode())
    else:
        connection.send_binary(b"\0abc")
    seen = {1: b"", 2: b"", 3: b""}
    while message := connection.recv():
        if in_base64:
            seen[int(message[0])] += base64.b64decode(message[1:])
        else:
            seen[message[0]] += message[1:]
    assert (seen[1], seen[2]) == (b"abc", b"no\n")
    assert ending in seen[3]
    connection.close()


def test_a_command_sees_the_mounts_of_its_container(
    kubectl: Kubectl, pods: Pods, core: client.CoreV1Api, tmp_path: Path
) -> None:
    core.create_namespaced_config_map(
        pods.namespace, {"metadata": {"name": "c"}, "data": {"key": "value"}}
    )
    mounts = [{"name": "c", "mountPath": "/etc/c"}, {"name": "e", "mountPath": "/scratch"}]
    pods.create(
        "p",
        SLEEP,
        volumes=[{"name": "c", "configMap": {"name": "c"}}, {"name": "e", "emptyDir": {}}],
        container={"volumeMounts": mounts, "workingDir": "/scratch"},
    )
    pods.wait_running("p")
    assert kubectl.run("exec", "p", "--", "cat", "/etc/c/key").stdout == b"value"
    assert kubectl.run("exec", "p", "--", "pwd").stdout == b"/scratch\n"
    (tmp_path / "file").write_text("copied")
    kubectl.run("cp", str(tmp_path / "file"), "p:/scratch/file")
    assert kubectl.run("exec", "p", "--", "cat", "file").stdout == b"copied"
    terminal = Terminal(kubectl.argv("exec", "-it", "p", "--", "sh", "-c", "tty && pwd"))
    assert terminal.exit_code() == 0, terminal.text
    assert b"/scratch" in terminal.text
    assert not Path("/scratch").exists()


def test_an_upgrade_is_refused_by_a_status_before_it_happens(
    shared_plane: RunningPlane, pods: Pods, pod: str
) -> None:
    exec_path = f"/api/v1/namespaces/{pods.namespace}/pods/{pod}/exec"
    code, body = shared_plane.request(f"{exec_path}?command=true&stdout=true")
    assert (code, json.loads(body)["reason"]) == (400, "BadRequest")
    assert "Upgrade request required" in json.loads(body)["message"]
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }
    code, body = shared_plane.request(f"{exec_path}?command=true&stdout=true", upgrade)
    assert (code, json.loads(body)["reason"]) == (401, "Unauthorized")
    code, body = shared_plane.request("/api/v1/pods", {**shared_plane.credentials(), **upgrade})
    assert (code, json.loads(body)["message"]) == (400, "no WebSocket is served here")
    wrong = {**shared_plane.credentials(), **upgrade, "Sec-WebSocket-Protocol": "v9.channel.k8s.io"}
    code, body = shared_plane.request(f"{exec_path}?command=true&stdout=true", wrong)
    assert code == 400
    assert "v9.channel.k8s.io" in json.loads(body)["message"]


def test_the_python_client_executes_with_input_output_and_exit_code(
    core: client.CoreV1Api, pods: Pods, pod: str
) -> None:
    text = stream(
        core.connect_get_namespaced_pod_exec,
        pod,
        pods.namespace,
        command=["sh", "-c", "echo $GREETING"],
        stdout=True,
        stderr=True,
    )
    assert text == "hello\n"
    session = stream(
        core.connect_get_namespaced_pod_exec,
        pod,
        pods.namespace,
        command=["sh", "-c", "read line; echo got $line; echo no >&2; exit 5"],
        stdin=True,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    session.write_stdin("word\n")
    session.run_forever(timeout=60)
    assert session.read_stdout() == "got word\n"
    assert session.read_stderr() == "no\n"
    assert session.returncode == 5
    session.close()


def test_who_may_only_look_may_not_act_in_a_pod(
    kubectl: Kubectl, pods: Pods, pod: str, core: client.CoreV1Api
) -> None:
    binding = {
        "metadata": {"name": "look"},
        "subjects": [{"kind": "User", "name": "looker", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {
            "kind": "ClusterRole",
            "name": "view",
            "apiGroup": "rbac.authorization.k8s.io",
        },
    }
    access = client.RbacAuthorizationV1Api(core.api_client)
    access.create_namespaced_role_binding(pods.namespace, binding)
    as_looker = ("--as", "looker", "--as-group", "system:authenticated")
    assert kubectl.run("get", "pod", pod, *as_looker).stdout
    for words in (("exec", pod, *as_looker, "--", "true"), ("attach", pod, *as_looker)):
        done = kubectl.run(*words, code=1)
        assert b'User "looker" cannot' in done.stderr
        assert f'resource "pods/{words[0]}"'.encode() in done.stderr
    done = kubectl.run("port-forward", pod, ":80", *as_looker, code=1)
    assert b'cannot create resource "pods/portforward"' in done.stderr or (
        b'cannot get resource "pods/portforward"' in done.stderr
    )
    proxied = f"/api/v1/namespaces/{pods.namespace}/pods/{pod}/proxy/"
    done = kubectl.run("get", "--raw", proxied, *as_looker, code=1)
    assert b'cannot get resource "pods/proxy"' in done.stderr
    assert b"cannot get" in kubectl.run("get", "secret", "s", *as_looker, code=1).stderr


def test_the_python_client_attaches(core: client.CoreV1Api, pods: Pods) -> None:
    pods.create(
        "p",
        "import sys\nfor line in sys.stdin: print('got', line, end='')",
        container={"stdin": True},
    )
    pods.wait_running("p")
    session = stream(
        core.connect_get_namespaced_pod_attach,
        "p",
        pods.namespace,
        stdin=True,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    session.write_stdin("word\n")
    assert session.readline_stdout(timeout=60) == "got word"
    session.close()


def test_a_client_that_leaves_takes_its_command_with_it(
    kubectl: Kubectl, pods: Pods, pod: str, shared_plane: RunningPlane
) -> None:
    process = kubectl.start("exec", "-i", pod, "--", "sh", "-c", "echo $$; exec sleep 600")
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert Path(f"/proc/{pid}").exists()
    process.kill()
    process.communicate()
    shared_plane.wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the command goes on")
    assert pods.get(pod).status.phase == "Running"


def test_files_are_copied_both_ways(kubectl: Kubectl, pod: str, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.mkdir()
    (source / "large").write_bytes(random.Random(2).randbytes(10_000_000))
    (source / "small").write_text("small\n")
    kubectl.run("cp", str(source), f"{pod}:copied")
    assert kubectl.run("exec", pod, "--", "cat", "copied/small").stdout == b"small\n"
    kubectl.run("cp", f"{pod}:copied", str(back))
    for name in ("large", "small"):
        assert _hash(back / name) == _hash(source / name)


def test_attach_shows_what_comes_from_now_on(kubectl: Kubectl, pods: Pods) -> None:
    pods.create(
        "p",
        "import sys\nprint('ready', flush=True)\n"
        "for line in sys.stdin: print('got', line, end='', flush=True)\nsys.exit(3)",
        container={"stdin": True, "stdinOnce": True},
    )
    pods.wait_running("p")
    assert pods.first_line("p") == "ready\n"
    watching = kubectl.start("attach", "p")
    writing = kubectl.start("attach", "-i", "p")
    assert writing.stdin is not None
    assert writing.stdout is not None
    writing.stdin.write(b"one\n")
    writing.stdin.flush()
    assert writing.stdout.readline() == b"got one\n"
    # By now the other has attached as well, or nothing tells us when.
    out, _ = writing.communicate(b"two\n", timeout=60)
    assert out == b"got two\n"
    watching.communicate(timeout=60)
    ended = pods.wait_ended("p")
    assert ended.status.container_statuses[0].state.terminated.exit_code == 3
    assert pods.log("p") == "ready\ngot one\ngot two\n"


def test_kubectl_run_in_a_terminal_talks_to_the_pod_itself(kubectl: Kubectl) -> None:
    terminal = Terminal(
        kubectl.argv("run", "shell", "-it", "--rm", "--restart=Never", "--image=any", "--", "sh")
    )
    terminal.type("tty; echo $((6*7))")
    terminal.expect("/dev/pts/")
    terminal.expect("42")
    terminal.type("exit 4")
    assert terminal.exit_code() == 4, terminal.text


def test_a_killed_plane_ends_a_command_and_not_its_pod(own_plane: RunningPlane) -> None:
    pods = own_plane.pods()
    pods.create("p", SLEEP)
    pods.wait_running("p")
    kubectl = Kubectl(own_plane.kubeconfig, "default")
    process = kubectl.start("exec", "-i", "p", "--", "sh", "-c", "echo $$; exec sleep 600")
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    own_plane.kill()
    assert process.wait(60) != 0
    process.communicate()
    own_plane.start()
    own_plane.wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the command goes on")
    assert kubectl.run("exec", "p", "--", "echo", "again").stdout == b"again\n"
    assert own_plane.pods().get("p").status.container_statuses[0].restart_count == 0


def test_a_plane_that_stops_ends_streams(own_plane: RunningPlane) -> None:
    pods = own_plane.pods()
    pods.create("p", SLEEP, terminationGracePeriodSeconds=1)
    pods.wait_running("p")
    kubectl = Kubectl(own_plane.kubeconfig, "default")
    process = kubectl.start("exec", "-i", "p", "--", "sh", "-c", "echo started; exec sleep 600")
    assert process.stdout is not None
    process.stdout.readline()
    assert own_plane.stop() == 0
    assert process.wait(60) != 0
    process.communicate()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
