"""Volumes where a container sees them, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
pytestmark = linux

# A variable that Python reads at its start, so that the container is no fork.
EXEC = [{"name": "PYTHONHASHSEED", "value": "random"}]
LOOK = """
import json, os, sys
def look(path):
    if os.path.isdir(path):
        return {name: look(os.path.join(path, name)) for name in sorted(os.listdir(path))
                if not name.startswith("..")}
    return open(path).read()
print(json.dumps([look(each) for each in sys.argv[1:]]))
"""


def state_of(pod):
    return pod.status.container_statuses[0].state


def with_volume(volume, *mounts, **container):
    mounts = [{"name": "v", **each} for each in mounts]
    return {
        "volumes": [{"name": "v", **volume}],
        "container": {"volumeMounts": mounts, **container},
    }


def looked(pods, volume, path="/data/x", mount=None, name="pod", **container):
    spec = with_volume(volume, {"mountPath": path, **(mount or {})}, args=[path], **container)
    return json.loads(pods.output(name, LOOK, **spec))[0]


def warning_of(pods, name="pod"):
    def found(pod) -> bool:
        return bool(list_warnings(pods, name))

    pods.wait(name, found)
    return list_warnings(pods, name)[-1]


def list_warnings(pods, name):
    events = pods.core.list_namespaced_event(
        pods.namespace, field_selector=f"involvedObject.name={name},type=Warning"
    )
    return [(each.reason, each.message) for each in events.items]


@pytest.fixture
def things(pods):
    """A ConfigMap and a Secret, both called `things`."""
    pods.core.create_namespaced_config_map(
        pods.namespace,
        {
            "metadata": {"name": "things"},
            "data": {"a.txt": "A", "b": "B"},
            "binaryData": {"bin": "AAE="},
        },
    )
    pods.core.create_namespaced_secret(
        pods.namespace, {"metadata": {"name": "things"}, "stringData": {"key": "s3cret"}}
    )


@pytest.mark.parametrize("env", [[], EXEC], ids=["fork", "exec"])
def test_an_empty_folder_appears_at_a_path_that_this_machine_does_not_have(pods, env) -> None:
    source = (
        "import os\nopen('/data/deep/file', 'w').write('x')\n"
        "print(os.listdir('/data/deep'), os.access('/proc/self/status', os.R_OK),\n"
        "      os.path.exists('/dev/null'), len(os.listdir('/sys')) > 0, os.getcwd(), os.getuid())"
    )
    spec = with_volume({"emptyDir": {}}, {"mountPath": "/data/deep"}, env=env)
    uid = pods.create("pod", source, **spec).metadata.uid
    assert pods.wait_ended("pod").status.phase == "Succeeded"
    cwd = pods.log("pod").split("True True True ")[1].split()[0]
    assert pods.log("pod") == f"['file'] True True True {cwd} {os.getuid()}\n"
    assert cwd.endswith(f"{uid}/tmp")
    assert not os.path.exists("/data/deep")


def test_mounts_are_seen_by_the_container_alone_and_gone_at_its_end(pods, shared_plane) -> None:
    source = "import os, time; open('/data/x/f', 'w').close(); print(os.getpid()); time.sleep(1000)"
    pods.create("pod", source, **with_volume({"emptyDir": {}}, {"mountPath": "/data/x"}))
    pid = int(pods.first_line("pod"))
    assert os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    assert os.listdir(f"/proc/{pid}/root/data/x") == ["f"]
    with open("/proc/self/mounts") as mounts:
        assert str(shared_plane.data_dir) not in mounts.read()
    assert not os.path.exists("/data/x")
    uid = pods.get("pod").metadata.uid
    pods.core.delete_namespaced_pod("pod", pods.namespace, grace_period_seconds=0)
    folder = shared_plane.data_dir / "pods" / uid
    shared_plane.wait_for(lambda: not folder.exists(), "the pod's files stay")


def test_a_volume_outlives_a_restart_and_is_shared_by_the_containers_of_a_pod(pods) -> None:
    source = (
        "import os, sys\nopen('/data/x/log', 'a').write('x')\n"
        "sys.exit(os.path.getsize('/data/x/log') < 2)"
    )
    pods.run(
        "pod",
        source,
        restartPolicy="OnFailure",
        **with_volume({"emptyDir": {}}, {"mountPath": "/data/x"}),
    )
    assert pods.get("pod").status.container_statuses[0].restart_count == 1
    containers = [
        {
            "name": name,
            "image": "i",
            "command": ["sh", "-c", script],
            "volumeMounts": [{"name": "v", "mountPath": "/data/" + name}],
        }
        for name, script in (
            ("a", "echo hello > /data/a/f"),
            ("b", "while ! test -s /data/b/f; do sleep 0.05; done; cat /data/b/f"),
        )
    ]
    pods.run("two", containers=containers, volumes=[{"name": "v", "emptyDir": {}}])
    assert pods.log("two", container="b") == "hello\n"


def test_shared_memory_is_the_pods_own_and_given_back_at_its_end(pods, shared_plane) -> None:
    source = (
        "import os, time\nfrom multiprocessing import shared_memory\n"
        "shared_memory.SharedMemory('block', create=True, size=1 << 20)\n"
        "kinds = [l.split()[2] for l in open('/proc/self/mounts') if l.split()[1] == '/dev/shm']\n"
        "print(os.listdir('/dev/shm'), os.path.exists('/dev/null'), kinds[-1], flush=True)\n"
        "while not os.path.exists('/dev/shm/go'): time.sleep(0.02)\n"
        "os._exit(0)"
    )
    volume = {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
    uid = pods.create("pod", source, **with_volume(volume, {"mountPath": "/dev/shm"})).metadata.uid
    assert pods.first_line("pod") == "['block'] True tmpfs\n"
    assert not os.path.exists("/dev/shm/block")
    place = Path(f"/dev/shm/fairlead-{os.getuid()}-{uid}")
    (place / "v" / "go").touch()
    assert pods.wait_ended("pod").status.phase == "Succeeded"
    shared_plane.wait_for(lambda: not place.exists(), "the memory stays")


def test_a_config_map_and_a_secret_are_folders_of_files(pods, things) -> None:
    assert looked(
        pods, {"configMap": {"name": "things", "items": [{"key": "b", "path": "sub/c"}]}}
    ) == {"sub": {"c": "B"}}
    source = (
        "import os, stat\nfor name in sorted(os.listdir('/data/x')):\n"
        "    if not name.startswith('..'):\n"
        "        path = '/data/x/' + name\n"
        "        print(name, open(path, 'rb').read(), oct(stat.S_IMODE(os.stat(path).st_mode)))\n"
        "try: open('/data/x/new', 'w')\nexcept OSError as error: print(error.strerror)"
    )
    volume = {"configMap": {"name": "things", "defaultMode": 0o640}}
    spec = with_volume(volume, {"mountPath": "/data/x"})
    assert pods.output("all", source, **spec) == (
        "a.txt b'A' 0o640\nb b'B' 0o640\nbin b'\\x00\\x01' 0o640\nRead-only file system\n"
    )
    volume = {
        "secret": {
            "secretName": "things",
            "items": [{"key": "key", "path": "k", "mode": 0o400}],
        }
    }
    spec = with_volume(volume, {"mountPath": "/data/x"})
    assert "k b's3cret' 0o400\n" in pods.output("secret", source, **spec)


def test_one_file_of_a_volume_is_mounted_over_a_file_or_where_none_is(pods, things) -> None:
    volume = {"configMap": {"name": "things"}}
    mounts = [
        {"mountPath": "/etc/hostname", "subPath": "a.txt"},
        {"mountPath": "/etc/new/b.conf", "subPathExpr": "$(WHICH)"},
    ]
    env = [{"name": "WHICH", "value": "b"}]
    spec = with_volume(volume, *mounts, args=["/etc/hostname", "/etc/new"], env=env)
    before = sorted(os.listdir("/etc"))
    assert json.loads(pods.output("pod", LOOK, **spec)) == ["A", {"b.conf": "B"}]
    assert sorted(os.listdir("/etc")) == before


def test_files_of_a_running_pod_follow_the_config_map(pods, things) -> None:
    # As a kubelet does it, what is new comes before what is old goes.
    source = (
        "import os, time\nprint('up', flush=True)\n"
        "there = os.path.lexists\n"
        "while not there('/data/x/new') or there('/data/x/a.txt'): time.sleep(0.02)\n"
        "print(sorted(n for n in os.listdir('/data/x') if n[0] != '.'), open('/data/x/b').read())"
    )
    volume = {"configMap": {"name": "things"}}
    pods.create("pod", source, **with_volume(volume, {"mountPath": "/data/x"}))
    assert pods.first_line("pod") == "up\n"
    changed = {"data": {"a.txt": None, "b": "B2", "new": "N"}}
    pods.core.patch_namespaced_config_map("things", pods.namespace, changed)
    assert pods.wait_ended("pod").status.phase == "Succeeded"
    assert pods.log("pod") == "up\n['b', 'bin', 'new'] B2\n"


def test_the_downward_api_is_files_too_and_follows_the_labels(pods) -> None:
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}},
        {
            "path": "cpu",
            "resourceFieldRef": {
                "containerName": "main",
                "resource": "limits.cpu",
                "divisor": "1m",
            },
        },
    ]
    source = (
        "import time\nread = lambda name: open('/data/x/' + name).read()\n"
        "print(read('name'), read('cpu'), read('labels'), flush=True)\n"
        "while 'two' not in read('labels'): time.sleep(0.02)\n"
        "print(read('labels'))"
    )
    spec = with_volume(
        {"downwardAPI": {"items": items}},
        {"mountPath": "/data/x"},
        resources={"limits": {"cpu": "100m"}},
    )
    pods.create("pod", source, metadata={"labels": {"a": "one"}}, **spec)
    assert pods.first_line("pod") == 'pod 100 a="one"\n'
    pods.core.patch_namespaced_pod("pod", pods.namespace, {"metadata": {"labels": {"b": "two"}}})
    assert pods.wait_ended("pod").status.phase == "Succeeded"
    assert pods.log("pod").splitlines()[1:] == ['a="one"', 'b="two"']


def test_a_projected_volume_joins_sources(pods, things) -> None:
    sources = [
        {"configMap": {"name": "things", "items": [{"key": "b", "path": "b"}]}},
        {"secret": {"name": "things"}},
        {"secret": {"name": "none", "optional": True}},
        {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"configMap": {"name": "kube-root-ca.crt"}},
        {"serviceAccountToken": {"path": "token", "audience": "me", "expirationSeconds": 900}},
    ]
    seen = looked(pods, {"projected": {"sources": sources}})
    assert seen.pop("ca.crt").startswith("-----BEGIN CERTIFICATE-----")
    assert len(seen.pop("token").split(".")) == 3
    assert seen == {"b": "B", "key": "s3cret", "n": "pod"}


def test_a_pod_waits_for_the_config_map_of_its_volume(pods) -> None:
    spec = with_volume({"configMap": {"name": "late"}}, {"mountPath": "/data/x"})
    pods.create("pod", "print(open('/data/x/k').read())", **spec)
    assert warning_of(pods) == (
        "FailedMount",
        'MountVolume.SetUp failed for volume "v" : configmap "late" not found',
    )
    assert state_of(pods.get("pod")).waiting.reason == "ContainerCreating"
    late = {"metadata": {"name": "late"}, "data": {"k": "here"}}
    pods.core.create_namespaced_config_map(pods.namespace, late)
    assert pods.wait_ended("pod").status.phase == "Succeeded"
    assert pods.log("pod") == "here\n"


def test_a_folder_of_this_machine_is_mounted_elsewhere_as_its_type_says(pods, tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    host = {"hostPath": {"path": str(tmp_path), "type": "Directory"}}
    assert looked(pods, host, "/mnt/host") == {"file": "mine"}
    made = {"hostPath": {"path": str(tmp_path / "made"), "type": "DirectoryOrCreate"}}
    assert looked(pods, made, name="made") == {}
    wrong = {"hostPath": {"path": str(tmp_path / "file"), "type": "Directory"}}
    pods.create("wrong", **with_volume(wrong, {"mountPath": "/data/x"}))
    assert warning_of(pods, "wrong") == (
        "FailedMount",
        'MountVolume.SetUp failed for volume "v" : hostPath type check failed: '
        f"{tmp_path}/file is not a directory",
    )


def test_a_mount_over_the_users_folders_leaves_what_fairlead_needs(pods, shared_plane) -> None:
    # The data directory lies under /tmp, and the interpreter may lie under it as well.
    assert str(shared_plane.data_dir).startswith("/tmp/")
    source = (
        "import os, subprocess, sys, tempfile\n"
        "open('/tmp/mine', 'w').write('x')\n"
        "with tempfile.NamedTemporaryFile(): pass\n"
        "print(os.path.exists('/tmp/mine'), subprocess.call([sys.executable, '-c', 'pass']))"
    )
    spec = with_volume({"emptyDir": {}}, {"mountPath": "/tmp"})
    assert pods.output("pod", source, **spec) == "True 0\n"
    assert not os.path.exists("/tmp/mine")


def test_one_volume_can_be_mounted_within_another(pods, things) -> None:
    volumes = [
        {"name": "v", "emptyDir": {}},
        {"name": "w", "configMap": {"name": "things"}},
    ]
    mounts = [
        {"name": "w", "mountPath": "/data/x/in/here"},
        {"name": "v", "mountPath": "/data/x"},
    ]
    container = {"volumeMounts": mounts, "args": ["/data/x/in/here/a.txt"]}
    seen = json.loads(pods.output("pod", LOOK, container=container, volumes=volumes))
    assert seen == ["A"]


def test_a_read_only_mount_cannot_be_written(pods) -> None:
    spec = with_volume({"emptyDir": {}}, {"mountPath": "/data/x", "readOnly": True})
    pod = pods.run("pod", "open('/data/x/f', 'w')", **spec)
    assert pod.status.phase == "Failed"
    assert "Read-only file system: '/data/x/f'" in pods.log("pod")


def test_a_working_directory_that_is_not_there_is_made_for_the_container_alone(pods) -> None:
    container = {"workingDir": "/home/nobody-here/work"}
    source = "import os; open('f', 'w').close(); print(os.getcwd(), os.listdir())"
    assert pods.output("pod", source, container=container) == "/home/nobody-here/work ['f']\n"
    assert not os.path.exists("/home/nobody-here")


@pytest.mark.parametrize(
    ("volume", "mount", "message"),
    [
        (
            {"nfs": {"server": "s", "path": "/"}},
            {},
            'volume "v" is of type nfs, which this machine does not have: use a '
            "persistentVolumeClaim, a hostPath or an emptyDir",
        ),
        (
            {"emptyDir": {}},
            {"mountPropagation": "Bidirectional"},
            'mountPropagation Bidirectional of volume "v" is not supported: what a container '
            "mounts stays in it",
        ),
        ({"emptyDir": {}}, {"mountPath": "/"}, "nothing can be mounted at /"),
        (
            {"emptyDir": {}},
            {"mountPath": "/etc/hostname"},
            "/etc/hostname is not a directory: Are you trying to mount a directory onto a file "
            "(or vice-versa)?",
        ),
    ],
    ids=["nfs", "propagation", "root", "onto a file"],
)
def test_what_cannot_be_mounted_is_said(pods, volume, mount, message) -> None:
    spec = with_volume(volume, {"mountPath": "/data/x", **mount})
    ended = state_of(pods.run("pod", **spec)).terminated
    assert (ended.exit_code, ended.message) == (128, message)


def test_a_claim_keeps_its_files_from_pod_to_pod(pods) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    pods.core.create_namespaced_persistent_volume_claim(pods.namespace, claim)
    volume = {"persistentVolumeClaim": {"claimName": "data"}}
    spec = with_volume(volume, {"mountPath": "/data/x"})
    pods.output("first", "open('/data/x/f', 'w').write('kept')", **spec)
    inner = with_volume(volume, {"mountPath": "/data/x", "subPath": "a/b"})
    pods.output("second", "open('/data/x/g', 'w').write('inner')", **inner)
    assert looked(pods, volume, name="third") == {"a": {"b": {"g": "inner"}}, "f": "kept"}
    read_only = {"persistentVolumeClaim": {"claimName": "data", "readOnly": True}}
    pod = pods.run(
        "fourth", "open('/data/x/f', 'w')", **with_volume(read_only, {"mountPath": "/data/x"})
    )
    assert pod.status.phase == "Failed"
    assert "Read-only file system" in pods.log("fourth")


def test_a_command_in_a_container_sees_its_mounts(pods, shared_plane) -> None:

    spec = with_volume({"emptyDir": {}}, {"mountPath": "/data/x"})
    source = "import time; open('/data/x/f', 'w').close(); print('up', flush=True); time.sleep(99)"
    pods.create("pod", source, **spec)
    assert pods.first_line("pod") == "up\n"
    said = subprocess.run(
        [
            *("kubectl", "--kubeconfig", str(shared_plane.kubeconfig), "-n", pods.namespace),
            *("exec", "pod", "--", "ls", "/data/x", "/var/run/secrets/kubernetes.io"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "/data/x:\nf\n\n/var/run/secrets/kubernetes.io:\nserviceaccount\n"
    pods.core.delete_namespaced_pod("pod", pods.namespace, grace_period_seconds=0)


@pytest.mark.parametrize("medium", ["", "Memory"], ids=["disk", "memory"])
def test_who_fills_a_volume_over_its_limit_is_evicted(pods, medium) -> None:
    volume = {"emptyDir": {"sizeLimit": "1Mi", "medium": medium}}
    source = "import time; open('/data/x/f', 'wb').write(bytes(3 << 20)); time.sleep(1000)"
    pod = pods.run("pod", source, **with_volume(volume, {"mountPath": "/data/x"}))
    assert (pod.status.phase, pod.status.reason) == ("Failed", "Evicted")
    assert pod.status.message.strip() == 'Usage of EmptyDir volume "v" exceeds the limit "1Mi".'


def test_last_words_are_written_where_the_container_is_told_to(pods) -> None:
    source = "open('/var/log/' + 'last-words', 'w').write('so long')"
    container = {"terminationMessagePath": "/var/log/last-words"}
    pod = pods.run("pod", source, container=container)
    assert state_of(pod).terminated.message == "so long"
    assert not os.path.exists("/var/log/last-words")


def test_a_path_in_the_users_home_is_made_for_real_and_removed_with_the_pod(
    pods, shared_plane
) -> None:
    with tempfile.TemporaryDirectory(dir=Path.home(), prefix=".fairlead-test-") as project:
        source = (
            f"open('{project}/result', 'w').write('kept')\n"
            f"open('{project}/in/data/f', 'w').write('in the volume')"
        )
        spec = with_volume({"emptyDir": {}}, {"mountPath": f"{project}/in/data"})
        pods.output("pod", source, **spec)
        assert sorted(os.listdir(project)) == ["in", "result"]
        assert os.listdir(f"{project}/in/data") == []
        pods.core.delete_namespaced_pod("pod", pods.namespace)

        def gone() -> bool:
            return os.listdir(project) == ["result"]

        shared_plane.wait_for(gone, "the mount point stays")
