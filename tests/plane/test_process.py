"""The plane as a process: single, private, found again, stopped whole."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import stat
import subprocess
import sys

import psutil
import pytest
from kubernetes import client

PATHS = [
    "/",
    "/version",
    "/healthz",
    "/readyz",
    "/livez",
    "/api",
    "/apis",
    "/api/v1/namespaces",
    "/api/v1/namespaces/default/pods?watch=1",
    "/api/v1/namespaces/kubeflow/services/ml-pipeline:http/proxy/apis/v2beta1/healthz",
    "/apis/v2beta1/healthz",
    "/nothing/here",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}],
    ids=["no token", "a wrong one", "another scheme"],
)
def test_no_request_without_the_token_is_answered(shared_plane, path, headers) -> None:
    status, body = shared_plane.request(path, headers)
    assert (status, json.loads(body)) == (
        401,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        },
    )


def test_what_is_no_http_gets_no_word(shared_plane) -> None:
    tls = ssl.create_default_context(cafile=str(shared_plane.data_dir / "ca.crt"))
    with socket.create_connection(("127.0.0.1", shared_plane.port), timeout=30) as plain:
        with tls.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert connection.recv(100) == b""


def test_the_certificate_is_signed_by_the_ca_in_the_kubeconfig_alone(shared_plane) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", shared_plane.port)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/healthz")


def test_nothing_listens_beyond_loopback(shared_plane) -> None:
    shim = psutil.Process(shared_plane.shim_pid)
    processes = [psutil.Process(shared_plane.process.pid), shim, *shim.children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_all_files_are_private(own_plane) -> None:
    own_plane.pods().run("pod", "print(1)")
    open_to_others = [
        path
        for path in [own_plane.data_dir, *own_plane.data_dir.iterdir()]
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]
    assert open_to_others == []
    assert stat.S_IMODE(own_plane.kubeconfig.stat().st_mode) == 0o600


def test_a_second_plane_of_the_same_directory_exits_with_3_and_names_the_first(own_plane) -> None:
    command = [sys.executable, "-m", "fairlead_plane", "--data-dir", str(own_plane.data_dir)]
    second = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert (second.returncode, second.stderr) == (
        3,
        f"The control plane of {own_plane.data_dir} runs already, "
        f"as process {own_plane.process.pid}.\n",
    )


def test_port_token_and_ca_survive_a_restart(own_plane) -> None:
    before = own_plane.kubeconfig.read_text()
    assert own_plane.stop() == 0
    own_plane.start()
    assert own_plane.kubeconfig.read_text() == before


def test_a_taken_port_is_an_error_that_names_the_holder(own_plane) -> None:
    port = own_plane.port
    assert own_plane.stop() == 0
    holder = socket.create_server(("127.0.0.1", port))
    command = [sys.executable, "-m", "fairlead_plane", "--data-dir", str(own_plane.data_dir)]
    with holder:
        failed = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert failed.returncode == 4
    this = psutil.Process()
    assert failed.stderr == (
        f"Port {port} of 127.0.0.1, which this control plane keeps, is held by "
        f"process {this.pid} ({' '.join(this.cmdline())}). Stop that, or remove the kubeconfig of "
        "the data directory to choose a new port.\n"
    )


def test_sigterm_stops_plane_shim_interpreters_and_pods(own_plane) -> None:
    pods = own_plane.pods()
    pods.create("long", "import time; print('up'); time.sleep(1000)")
    pods.wait_running("long")
    shim = psutil.Process(own_plane.shim_pid)
    # Warm interpreter, pod, and the fork for the next one.
    own_plane.wait_for(lambda: len(shim.children(recursive=True)) == 3, "the shim's three children")
    processes = [shim, *shim.children(recursive=True)]
    assert own_plane.stop() == 0
    assert [process for process in processes if process.is_running()] == []


def test_a_step_starts_though_the_fork_that_waited_for_it_was_killed(own_plane) -> None:
    pods = own_plane.pods()
    pods.run("one")
    (warm,) = psutil.Process(own_plane.shim_pid).children()
    own_plane.wait_for(lambda: len(warm.children()) == 1, "a fork that waits")
    (fork,) = warm.children()
    fork.kill()
    assert pods.run("two", "print('here')").status.phase == "Succeeded"
    assert pods.log("two") == "here\n"


def test_a_pod_stopped_with_the_plane_is_failed_as_node_shutdown(own_plane) -> None:
    pods = own_plane.pods()
    pods.create("long", "import time; print('up'); time.sleep(1000)")
    assert pods.first_line("long") == "up\n"
    assert own_plane.stop() == 0
    own_plane.start()
    pod = own_plane.pods().get("long")
    assert (pod.status.phase, pod.status.reason) == ("Failed", "NodeShutdown")
    ended = pod.status.container_statuses[0].state.terminated
    assert (ended.exit_code, ended.signal) == (143, 15)
    assert own_plane.pods().log("long") == "up\n"


def test_a_plane_ignores_the_end_of_its_terminal(own_plane) -> None:
    own_plane.process.send_signal(signal.SIGHUP)
    assert client.VersionApi(own_plane.api()).get_code().major == "1"


def test_resident_processes_import_nothing_heavy(own_plane) -> None:
    libraries = {
        name
        for name in ("cryptography", "google", "pydantic", "kubernetes", "numpy", "grpc")
        for mapping in psutil.Process(own_plane.process.pid).memory_maps()
        if f"/{name}/" in mapping.path
    }
    assert libraries == set()


def test_plane_shim_and_warm_interpreter_stay_within_80_mb(own_plane) -> None:
    pods = own_plane.pods()
    for number in range(20):
        pods.run(f"pod-{number}")
    shim = psutil.Process(own_plane.shim_pid)
    processes = [psutil.Process(own_plane.process.pid), shim, *shim.children(recursive=True)]
    assert sum(process.memory_full_info().pss for process in processes) < 80e6
