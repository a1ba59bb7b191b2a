"""Probes and hooks: what a kubelet asks a container, and when it kills it."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

# Answers as the file `answer` beside it says; logs each request line.
SERVER = """
import http.server, os, pathlib
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, self.headers["User-Agent"], self.headers["X-A"], flush=True)
        answer = pathlib.Path(os.environ["ANSWER"])
        code = int(answer.read_text() or 200) if answer.exists() else 200
        self.send_response(code)
        if code == 302: self.send_header("Location", "/other")
        self.end_headers()
    def log_message(self, *words): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
# A machine that is busy with other things may take seconds to answer a check.
PATIENT = {"periodSeconds": 1, "timeoutSeconds": 30}
BEAT = {**PATIENT, "failureThreshold": 1}


def events(pods, name: str, reason: str):
    found = pods.core.list_namespaced_event(
        pods.namespace, field_selector=f"involvedObject.name={name},reason={reason}"
    )
    return [(each.type, each.message, each.involved_object.field_path) for each in found.items]


def wait_events(pods, shared_plane, name: str, reason: str):
    """Wait for the first Event of a reason."""
    shared_plane.wait_for(lambda: events(pods, name, reason), f"an Event {reason}")
    return events(pods, name, reason)


def ready(pod) -> bool:
    return bool(pod.status.container_statuses) and pod.status.container_statuses[0].ready


def restarted(pod) -> bool:
    return (
        bool(pod.status.container_statuses) and pod.status.container_statuses[0].restart_count > 0
    )


def touched(path: Path):
    return {"exec": {"command": ["test", "-e", str(path)]}}


def test_a_container_is_ready_when_its_command_succeeds_and_not_when_it_fails(
    pods, tmp_path
) -> None:
    flag = tmp_path / "flag"
    probe = {**touched(flag), **BEAT}
    pods.create("pod", "import time; time.sleep(1000)", container={"readinessProbe": probe})
    pod = pods.wait_running("pod")
    status = pod.status.container_statuses[0]
    assert (status.started, status.ready) == (True, False)
    conditions = {each.type: each.reason for each in pod.status.conditions}
    assert conditions["Ready"] == conditions["ContainersReady"] == "ContainersNotReady"
    flag.touch()
    pod = pods.wait("pod", ready)
    assert {each.type: each.status for each in pod.status.conditions}["Ready"] == "True"
    flag.unlink()
    pods.wait("pod", lambda pod: not ready(pod))
    assert ("Warning", "Readiness probe failed: ", "spec.containers{main}") in events(
        pods, "pod", "Unhealthy"
    )


def test_a_container_that_fails_its_liveness_probe_is_killed_and_restarted(pods) -> None:
    probe = {"exec": {"command": ["sh", "-c", "echo sick; exit 1"]}, **BEAT}
    source = "import time; print('up', flush=True); time.sleep(1000)"
    pods.create("pod", source, container={"livenessProbe": probe}, restartPolicy="OnFailure")
    pod = pods.wait("pod", restarted)
    assert pod.status.container_statuses[0].last_state.terminated.exit_code == 143
    assert events(pods, "pod", "Unhealthy") == [
        ("Warning", "Liveness probe failed: sick\n", "spec.containers{main}")
    ]
    assert events(pods, "pod", "Killing") == [
        (
            "Normal",
            "Container main failed liveness probe, will be restarted",
            "spec.containers{main}",
        )
    ]


def test_a_pod_that_is_never_restarted_fails_by_its_liveness_probe(pods, tmp_path) -> None:
    # It fails only once the container is deaf: a TERM before that would end it by itself.
    flag = tmp_path / "flag"
    absent = {"exec": {"command": ["test", "!", "-e", str(flag)]}}
    probe = {**absent, **BEAT, "terminationGracePeriodSeconds": 1}
    deaf = (
        "import pathlib, signal, time; signal.signal(15, signal.SIG_IGN); "
        f"pathlib.Path({str(flag)!r}).touch(); time.sleep(1000)"
    )
    pod = pods.run("pod", deaf, container={"livenessProbe": probe})
    assert pod.status.phase == "Failed"
    assert pod.status.container_statuses[0].state.terminated.exit_code == 137
    assert events(pods, "pod", "Killing")[0][1] == "Container main failed liveness probe"


def test_nothing_is_asked_before_the_startup_probe_has_succeeded(pods, tmp_path) -> None:
    flag, asked = tmp_path / "flag", tmp_path / "asked"
    probes = {
        "startupProbe": {**touched(flag), **PATIENT, "failureThreshold": 100},
        "livenessProbe": {"exec": {"command": ["touch", str(asked)]}, **PATIENT},
    }
    pods.create("pod", "import time; time.sleep(1000)", container=probes)
    pod = pods.wait_running("pod")
    status = pod.status.container_statuses[0]
    assert (status.started, status.ready) == (False, False)
    time.sleep(1.2)
    assert not asked.exists()
    flag.touch()
    pod = pods.wait("pod", ready)
    assert pod.status.container_statuses[0].started
    assert not any("tartup" in each for each in events(pods, "pod", "Killing"))


def test_a_container_that_does_not_start_in_time_is_killed(pods) -> None:
    probe = {"exec": {"command": ["false"]}, **BEAT}
    pod = pods.run("pod", "import time; time.sleep(1000)", container={"startupProbe": probe})
    assert pod.status.phase == "Failed"
    assert events(pods, "pod", "Killing")[0][1] == "Container main failed startup probe"


def test_the_next_container_waits_until_a_sidecar_has_started(pods, tmp_path) -> None:
    flag = tmp_path / "flag"
    sidecar = {
        "name": "side",
        "image": "python:3.11",
        "restartPolicy": "Always",
        "command": ["sleep", "1000"],
        "startupProbe": {**touched(flag), **PATIENT, "failureThreshold": 100},
    }
    pods.create("pod", initContainers=[sidecar])
    pod = pods.wait(
        "pod",
        lambda pod: (
            (pod.status.init_container_statuses or [None])[0] is not None
            and pod.status.init_container_statuses[0].state.running
        ),
    )
    assert pod.status.phase == "Pending"
    assert {each.type: each.message for each in pod.status.conditions}["Initialized"] == (
        "containers with incomplete status: [side]"
    )
    flag.touch()
    assert pods.wait_ended("pod").status.phase == "Succeeded"


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


def test_a_container_is_ready_when_it_answers_with_a_good_status(
    pods, shared_plane, tmp_path, port
) -> None:
    probe = {
        "httpGet": {
            "path": "/healthz?x=1",
            "port": "web",
            "httpHeaders": [{"name": "X-A", "value": "b"}],
        },
        **BEAT,
    }
    container = {
        "env": [
            {"name": "ANSWER", "value": str(tmp_path / "answer")},
            {"name": "PORT", "value": str(port)},
        ],
        "ports": [{"name": "web", "containerPort": port}],
        "readinessProbe": probe,
    }
    pods.create("pod", SERVER, container=container)
    pods.wait("pod", ready)
    assert pods.log("pod").splitlines()[0] == "/healthz?x=1 kube-probe/1.32 b"
    (tmp_path / "answer").write_text("500")
    pods.wait("pod", lambda pod: not ready(pod))
    assert (
        "Warning",
        "Readiness probe failed: HTTP probe failed with statuscode: 500",
        "spec.containers{main}",
    ) in events(pods, "pod", "Unhealthy")
    (tmp_path / "answer").write_text("302")
    shared_plane.wait_for(lambda: "/other" in pods.log("pod"), "the redirect is followed")


def test_a_certificate_is_not_checked(pods, shared_plane, port) -> None:
    files = [str(shared_plane.data_dir / name) for name in ("server.crt", "server.key")]
    source = (
        "import ssl\n"
        "from http.server import HTTPServer, SimpleHTTPRequestHandler\n"
        f"server = HTTPServer(('127.0.0.1', {port}), SimpleHTTPRequestHandler)\n"
        "tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
        f"tls.load_cert_chain(*{files})\n"
        "server.socket = tls.wrap_socket(server.socket, server_side=True)\n"
        "server.serve_forever()"
    )
    probe = {"httpGet": {"port": port, "scheme": "HTTPS"}, **BEAT, "successThreshold": 2}
    pods.create("pod", source, container={"readinessProbe": probe})
    pods.wait("pod", ready)


def test_a_port_on_which_somebody_else_listens_does_not_make_a_pod_ready(
    pods, shared_plane, port
) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        probe = {"tcpSocket": {"port": port}, **BEAT}
        pods.create("pod", "import time; time.sleep(1000)", container={"readinessProbe": probe})
        pods.wait_running("pod")
        [(_, message, _)] = wait_events(pods, shared_plane, "pod", "Unhealthy")
        assert not ready(pods.get("pod"))
        assert message.startswith(
            f"Readiness probe failed: dial tcp 127.0.0.1:{port}: connect: connection refused"
        )
    pods.core.delete_namespaced_pod("pod", pods.namespace, grace_period_seconds=0)


def test_a_container_that_accepts_connections_is_ready(pods, port) -> None:
    source = (
        f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(1000)"
    )
    probe = {"tcpSocket": {"port": port}, **PATIENT}
    pods.create("pod", source, container={"readinessProbe": probe})
    pods.wait("pod", ready)


GRPC = """
import os, sys, time
from concurrent import futures
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
server = grpc.server(futures.ThreadPoolExecutor(2))
servicer = health.HealthServicer()
if "plain" not in sys.argv:
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
kinds = health_pb2.HealthCheckResponse
servicer.set("good" * 50, kinds.SERVING)
servicer.set("bad", kinds.NOT_SERVING)
server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
server.start()
time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("service", "args", "message"),
    [
        ("", [], None),
        ("good" * 50, [], None),
        ("bad", [], 'service unhealthy (responded with "NOT_SERVING")'),
        ("other", [], 'service unhealthy (responded with "UNKNOWN")'),
        ("", ["plain"], "error: health rpc probe failed: the server answered without a health"),
    ],
    ids=["whole server", "one service", "unhealthy", "unknown service", "no health service"],
)
def test_a_grpc_server_is_asked_for_its_health(
    shared_plane, pods, port, service, args, message
) -> None:
    pytest.importorskip("grpc_health", reason="needs grpcio-health-checking")
    probe = {"grpc": {"port": port, "service": service}, **PATIENT}
    container = {
        "env": [{"name": "PORT", "value": str(port)}],
        "args": args,
        "readinessProbe": probe,
    }
    pods.create("pod", GRPC, container=container)
    if message is None:
        pods.wait("pod", ready)
    else:
        full = f"Readiness probe failed: {message}"
        shared_plane.wait_for(
            lambda: any("refused" not in each[1] for each in events(pods, "pod", "Unhealthy")),
            "an answer",
        )
        said = [each[1] for each in events(pods, "pod", "Unhealthy") if "refused" not in each[1]]
        assert said[0].startswith(full)
    pods.core.delete_namespaced_pod("pod", pods.namespace, grace_period_seconds=0)


def test_a_check_that_takes_too_long_has_failed(pods) -> None:
    probe = {"exec": {"command": ["sleep", "100"]}, **BEAT, "timeoutSeconds": 1}
    pods.create(
        "pod",
        "import time; time.sleep(1000)",
        container={"livenessProbe": probe},
        restartPolicy="Always",
    )
    pods.wait("pod", restarted)
    assert events(pods, "pod", "Unhealthy")[0][1] == (
        'Liveness probe failed: command timed out: "sleep 100" timed out after 1s'
    )


def test_a_probe_that_cannot_be_made_says_so(pods, shared_plane) -> None:
    probe = {"exec": {"command": ["no-such-program"]}, **BEAT}
    pods.create("pod", "import time; time.sleep(1000)", container={"readinessProbe": probe})
    pods.wait_running("pod")
    [(_, message, _)] = wait_events(pods, shared_plane, "pod", "Unhealthy")
    assert message.startswith("Readiness probe errored and resulted in unknown state: ")
    assert "no-such-program" in message


def test_repeated_failures_are_one_event_that_counts(pods, shared_plane) -> None:
    probe = {"exec": {"command": ["false"]}, **PATIENT}
    pods.create("pod", "import time; time.sleep(1000)", container={"readinessProbe": probe})
    pods.wait_running("pod")

    def counted():
        return pods.core.list_namespaced_event(
            pods.namespace, field_selector="involvedObject.name=pod,reason=Unhealthy"
        ).items

    def later() -> bool:
        # Two may fall into one second, to which times are told; not all of them do.
        return any(
            each.count > 1 and each.last_timestamp > each.first_timestamp for each in counted()
        )

    shared_plane.wait_for(later, "it counts")
    assert len(counted()) == 1


def test_readiness_gates_hold_a_pod_back_until_somebody_opens_them(pods) -> None:
    gates = [{"conditionType": "example.org/open"}]
    pods.create("pod", "import time; time.sleep(1000)", readinessGates=gates)
    pod = pods.wait("pod", ready)
    condition = {each.type: each for each in pod.status.conditions}["Ready"]
    assert (condition.status, condition.reason, condition.message) == (
        "False",
        "ReadinessGatesNotReady",
        'corresponding condition of pod readiness gate "example.org/open" does not exist.',
    )
    open_ = {"type": "example.org/open", "status": "True"}
    pods.core.patch_namespaced_pod_status(
        "pod", pods.namespace, {"status": {"conditions": [open_]}}
    )
    pods.wait(
        "pod",
        lambda pod: {each.type: each.status for each in pod.status.conditions}["Ready"] == "True",
    )


# Hooks


def test_a_container_runs_when_its_post_start_hook_is_done(pods, tmp_path) -> None:
    hook = {"exec": {"command": ["sh", "-c", f"sleep 0.5; touch {tmp_path}/hook"]}}
    pods.create(
        "pod", "import time; time.sleep(1000)", container={"lifecycle": {"postStart": hook}}
    )
    pods.wait_running("pod")
    assert (tmp_path / "hook").exists()


def test_a_failed_post_start_hook_ends_the_container(pods) -> None:
    hook = {"exec": {"command": ["false"]}}
    pod = pods.run(
        "pod", "import time; time.sleep(1000)", container={"lifecycle": {"postStart": hook}}
    )
    assert pod.status.phase == "Failed"
    assert events(pods, "pod", "FailedPostStartHook") == [
        ("Warning", "PostStartHook failed", "spec.containers{main}")
    ]
    assert events(pods, "pod", "Killing") == [
        ("Normal", "FailedPostStartHook", "spec.containers{main}")
    ]


def test_a_pre_stop_hook_comes_before_the_signal(shared_plane, pods, tmp_path) -> None:
    order = tmp_path / "order"
    source = (
        "import signal, sys, time\n"
        f"say = lambda text: open('{order}', 'a').write(text + '\\n')\n"
        "signal.signal(signal.SIGTERM, lambda *a: (say('signal'), sys.exit(0)))\n"
        "say('up'); time.sleep(1000)"
    )
    hook = {"exec": {"command": ["sh", "-c", f"sleep 0.3; echo hook >> {order}"]}}
    pods.create("pod", source, container={"lifecycle": {"preStop": hook}})
    shared_plane.wait_for(order.exists, "the pod is up")
    pods.core.delete_namespaced_pod("pod", pods.namespace)
    shared_plane.wait_for(lambda: "signal" in order.read_text(), "the signal comes")
    assert order.read_text() == "up\nhook\nsignal\n"


def test_a_pre_stop_hook_counts_within_the_grace_period(shared_plane, pods) -> None:
    hook = {"exec": {"command": ["sleep", "1000"]}}
    pods.create(
        "pod",
        "import time; time.sleep(1000)",
        terminationGracePeriodSeconds=1,
        container={"lifecycle": {"preStop": hook}},
    )
    pods.wait_running("pod")
    pods.core.delete_namespaced_pod("pod", pods.namespace)
    shared_plane.wait_for(
        lambda: pods.core.list_namespaced_pod(pods.namespace).items == [], "the pod stays"
    )


def test_a_failed_pre_stop_hook_is_told_and_the_end_goes_on(shared_plane, pods) -> None:
    hook = {"exec": {"command": ["false"]}}
    pods.create("pod", "import time; time.sleep(1000)", container={"lifecycle": {"preStop": hook}})
    pods.wait_running("pod")
    pods.core.delete_namespaced_pod("pod", pods.namespace)
    shared_plane.wait_for(
        lambda: pods.core.list_namespaced_pod(pods.namespace).items == [], "the pod stays"
    )
    assert events(pods, "pod", "FailedPreStopHook") == [
        ("Warning", "PreStopHook failed", "spec.containers{main}")
    ]
