"""Commands of kubectl that send protobuf."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")


@pytest.fixture
def kubectl(shared_plane, namespace):
    """Run kubectl in a namespace of the test's own."""

    def run(*arguments: str) -> str:
        command = ["kubectl", "--kubeconfig", str(shared_plane.kubeconfig), "-n", namespace]
        return subprocess.run(
            [*command, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "KUBECACHEDIR": str(shared_plane.data_dir / "kubectl")},
        ).stdout

    return run


def read(kubectl, *arguments: str):
    return json.loads(kubectl("get", *arguments, "-o", "json"))


def test_a_config_map_and_a_secret_keep_their_data(kubectl, tmp_path) -> None:
    binary = tmp_path / "file"
    binary.write_bytes(bytes(range(256)))
    kubectl("create", "configmap", "c", "--from-literal=a=ü", f"--from-file=b={binary}")
    found = read(kubectl, "configmap", "c")
    assert found["data"] == {"a": "ü"}
    assert len(found["binaryData"]["b"]) == 344
    kubectl("create", "secret", "generic", "s", "--from-literal=password=x")
    assert read(kubectl, "secret", "s")["data"] == {"password": "eA=="}


def test_a_deployment_with_no_replicas_has_none(kubectl) -> None:
    kubectl("create", "deployment", "d", "--image=i", "--replicas=0", "--port=80", "--", "sleep")
    spec = read(kubectl, "deployment", "d")["spec"]
    assert spec["replicas"] == 0
    [container] = spec["template"]["spec"]["containers"]
    assert (container["image"], container["command"]) == ("i", ["sleep"])
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert "hostNetwork" not in spec["template"]["spec"]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("serviceaccount", "x"), "serviceaccount"),
        (("service", "clusterip", "x", "--tcp=5678:8080"), "service"),
        (("job", "x", "--image=i", "--", "true"), "job"),
        (("cronjob", "x", "--image=i", "--schedule=0 0 1 1 *"), "cronjob"),
        (("quota", "x", "--hard=pods=100,requests.cpu=7"), "resourcequota"),
        (("role", "x", "--verb=get", "--resource=pods"), "role"),
        (("rolebinding", "x", "--role=r", "--serviceaccount=a:b"), "rolebinding"),
    ],
)
def test_what_kubectl_creates_is_there(kubectl, arguments, kind) -> None:
    kubectl("create", *arguments)
    assert read(kubectl, kind, "x")["metadata"]["name"] == "x"


def test_a_service_port_keeps_number_and_name(kubectl) -> None:
    kubectl("create", "service", "clusterip", "x", "--tcp=5678:web")
    [port] = read(kubectl, "service", "x")["spec"]["ports"]
    assert (port["port"], port["targetPort"], port["protocol"]) == (5678, "web", "TCP")
