"""GPUs, with a stand-in for the driver's library: no test needs one."""

from __future__ import annotations

import ctypes.util
import json
import sys
from pathlib import Path

import pytest

from fairlead_plane.node.gpus import gpu_env

# A driver with two whole GPUs and one that is divided in two.
NVML = """
class NVMLError(Exception):
    pass

class Memory:
    total = 80 << 30

_DEVICES = {0: "GPU-aaaa", 1: "GPU-bbbb", 2: None}

def nvmlInit():
    pass

def nvmlShutdown():
    pass

def nvmlDeviceGetCount():
    return len(_DEVICES)

def nvmlDeviceGetHandleByIndex(index):
    return index

def nvmlDeviceGetMigMode(device):
    if device == 0:
        raise NVMLError("Not Supported")
    return (int(_DEVICES[device] is None), 0)

def nvmlDeviceGetMaxMigDeviceCount(device):
    return 7

def nvmlDeviceGetMigDeviceHandleByIndex(device, index):
    if index > 1:
        raise NVMLError("Not Found")
    return f"MIG-{index}"

def nvmlDeviceGetMemoryInfo(device):
    return Memory

def nvmlDeviceGetUUID(device):
    return (device if isinstance(device, str) else _DEVICES[device]).encode()

def nvmlDeviceGetName(device):
    return "NVIDIA Test 80GB"
"""

SEES = "import os, time; print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); time.sleep(1000)"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="NVML is looked for on Linux")


@pytest.fixture
def gpu_plane(new_plane, tmp_path, monkeypatch):
    """A plane on a machine with four GPUs."""
    folder = tmp_path / "driver"
    folder.mkdir()
    (folder / "pynvml.py").write_text(NVML)
    # Any library will do: only the bindings look into it.
    library = next(
        path
        for line in Path("/proc/self/maps").read_text().splitlines()
        if (path := line.split()[-1]).startswith("/") and "libc.so" in path
    )
    (folder / "libnvidia-ml.so.1").symlink_to(library)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return new_plane.start()


def wants(count):
    limits = {"limits": {"nvidia.com/gpu": str(count)}}
    return {"container": {"resources": limits}, "terminationGracePeriodSeconds": 0}


def test_a_gpu_has_one_pod_and_a_pod_sees_only_its_own(gpu_plane) -> None:
    pods = gpu_plane.pods()
    node = pods.core.list_node().items[0]
    assert node.status.allocatable["nvidia.com/gpu"] == "4"
    assert node.metadata.labels["nvidia.com/gpu.product"] == "NVIDIA-Test-80GB"
    pods.create("three", SEES, **wants(3))
    pods.create("one", SEES, **wants(1))
    seen = [pods.first_line(name).strip() for name in ("three", "one")]
    assert seen == ["GPU-aaaa,GPU-bbbb,MIG-0", "MIG-1"]
    pods.create("later", SEES, **wants(1))
    pods.wait("later", lambda pod: pod.status.conditions is not None)
    assert (
        pods.get("later")
        .status.conditions[0]
        .message.startswith("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
    )
    gpu_plane.kill()
    gpu_plane.start()
    pods = gpu_plane.pods()
    pods.create("none", SEES)
    assert pods.first_line("none").strip() == ""
    assert pods.get("later").spec.node_name is None
    pods.core.delete_namespaced_pod("three", "default")
    assert pods.first_line("later").strip() == "GPU-aaaa"


def test_a_plane_that_may_not_use_all_gpus_does_not(gpu_plane, monkeypatch) -> None:
    gpu_plane.stop()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,MIG-1")
    gpu_plane.start()
    node = gpu_plane.pods().core.list_node().items[0]
    assert node.metadata.annotations["fairlead.dev/gpus"] == "GPU-bbbb,MIG-1"


def test_a_node_without_gpus_says_nothing_of_them(shared_plane, pods) -> None:
    if ctypes.util.find_library("nvidia-ml"):
        pytest.skip("this machine has a driver")
    assert "nvidia.com/gpu" not in pods.core.list_node().items[0].status.allocatable
    source = "import json, os; print(json.dumps(os.environ.get('CUDA_VISIBLE_DEVICES')))"
    assert json.loads(pods.output("pod", source)) is None


def test_a_node_has_the_conditions_of_a_kubelet_and_keeps_what_others_set(own_plane) -> None:
    core = own_plane.pods().core
    name = core.list_node().items[0].metadata.name
    core.patch_node(name, {"metadata": {"labels": {"mine": "1"}}, "spec": {"unschedulable": True}})
    before = {each.type: each for each in core.read_node(name).status.conditions}
    own_plane.kill()
    own_plane.start()
    node = own_plane.pods().core.read_node(name)
    assert (node.metadata.labels["mine"], node.spec.unschedulable) == ("1", True)
    after = {each.type: each for each in node.status.conditions}
    assert {type: each.status for type, each in after.items()} == {
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
        "Ready": "True",
    }
    assert after["Ready"].last_transition_time == before["Ready"].last_transition_time


def test_the_devices_of_a_pod_are_shared_out_to_its_containers() -> None:
    def container(name, count, **more):
        return {"name": name, "resources": {"limits": {"nvidia.com/gpu": count}}, **more}

    spec = {
        "initContainers": [
            container("side", 1, restartPolicy="Always"),
            container("init", "2"),
        ],
        "containers": [container("a", "1"), {"name": "none"}, container("b", "1")],
    }
    pod = {"metadata": {"annotations": {"fairlead.dev/gpus": "0,1,2"}}, "spec": spec}
    seen = {
        each["name"]: gpu_env(pod, each)["CUDA_VISIBLE_DEVICES"]
        for each in (*spec["initContainers"], *spec["containers"])
    }
    assert seen == {"side": "0", "init": "1,2", "a": "1", "none": "", "b": "2"}
