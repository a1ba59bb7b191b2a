"""What an image is on this machine: packages in a cached environment, and a command."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile

import pytest
import yaml

from fairlead_plane.node.environments import KEEP_MOST, USED_FILE, Environments

PACKAGES = "fairlead.dev/packages"


@pytest.fixture
def wheel(tmp_path):
    """Return a function that makes a wheel and returns its requirement."""

    def make(name: str, version: str = "1.0", body: str = "VALUE = 1\n") -> str:
        path = tmp_path / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(f"{name}.py", body)
            file.writestr(
                f"{info}/METADATA",
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                # Which the Python below has: it must not be installed again.
                "Requires-Dist: psutil\n",
            )
            file.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            file.writestr(
                f"{info}/entry_points.txt", f"[console_scripts]\n{name}-say = {name}:say\n"
            )
            file.writestr(f"{info}/RECORD", "")
        return f"{name} @ {path.as_uri()}"

    return make


@pytest.fixture
def image_map(core):
    """Return a function that writes the map of images; it is removed at the end."""

    def write(entries) -> None:
        text = entries if isinstance(entries, str) else yaml.safe_dump(entries)
        body = {"metadata": {"name": "fairlead-images"}, "data": {"images.yaml": text}}
        core.create_namespaced_config_map("kube-system", body)

    yield write
    core.delete_namespaced_config_map("fairlead-images", "kube-system")


def state_of(pod):
    return pod.status.container_statuses[0].state


def annotated(*packages):
    return {"annotations": {PACKAGES: "\n".join(packages)}}


def events_of(pods, name):
    found = pods.core.list_namespaced_event(
        pods.namespace, field_selector=f"involvedObject.name={name}"
    )
    return [(each.type, each.reason, each.message) for each in found.items]


def environments(plane):
    return sorted(each.parent for each in plane.data_dir.glob("environments/*/fairlead.json"))


def test_packages_are_there_beside_those_of_the_python_below(pods, shared_plane, wheel) -> None:
    body = "VALUE = 42\ndef say(): print('said')\n"
    asked = wheel("fairlead_probe_a", body=body)
    before = len(environments(shared_plane))
    source = (
        "import fairlead_probe_a, psutil, subprocess, sys\n"
        "print(fairlead_probe_a.VALUE, 'environments' in psutil.__file__)\n"
        "print(subprocess.check_output(['fairlead_probe_a-say'], text=True), end='')\n"
        "from importlib.metadata import version; print(version('fairlead_probe_a'))"
    )
    assert pods.output("pod", source, metadata=annotated(asked)) == "42 False\nsaid\n1.0\n"
    pulling = [each for each in events_of(pods, "pod") if each[1] == "Pulling"]
    assert pulling == [
        ("Normal", "Pulling", f'Building the environment of image "python:3.11": {asked}')
    ]
    assert len(environments(shared_plane)) == before + 1
    assert pods.output("again", source, metadata=annotated(asked)) == "42 False\nsaid\n1.0\n"
    assert not [each for each in events_of(pods, "again") if each[1] == "Pulling"]
    assert len(environments(shared_plane)) == before + 1
    # The one below has nothing of it.
    missing = "import importlib.util as u; print(u.find_spec('fairlead_probe_a'))"
    assert pods.output("plain", missing) == "None\n"


def test_pods_that_ask_together_share_one_build(pods, shared_plane, wheel) -> None:
    asked = wheel("fairlead_probe_b")
    before = len(environments(shared_plane))
    for name in ("a", "b", "c"):
        pods.create(name, "import fairlead_probe_b", metadata=annotated(asked))
    for name in ("a", "b", "c"):
        assert pods.wait_ended(name).status.phase == "Succeeded"
    assert len(environments(shared_plane)) == before + 1


def test_an_environment_that_was_left_half_is_built_again(pods, shared_plane, wheel) -> None:
    asked = wheel("fairlead_probe_c")
    before = set(environments(shared_plane))
    pods.output("pod", "import fairlead_probe_c", metadata=annotated(asked))
    (made,) = set(environments(shared_plane)) - before
    (made / "fairlead.json").unlink()
    for file in made.rglob("fairlead_probe_c.py"):
        file.unlink()
    pods.output("again", "import fairlead_probe_c", metadata=annotated(asked))


def test_a_package_that_cannot_be_had_is_an_image_that_cannot_be_pulled(pods, shared_plane) -> None:
    asked = "nothing @ file:///no/such/place/nothing-1.0-py3-none-any.whl"
    pods.create("pod", metadata=annotated(asked))

    def waits(reason):
        def check(pod) -> bool:
            statuses = pod.status.container_statuses
            return bool(statuses) and statuses[0].state.waiting.reason == reason

        return check

    failed = state_of(pods.wait("pod", waits("ErrImagePull"))).waiting
    assert "/no/such/place/nothing-1.0-py3-none-any.whl" in failed.message
    backing = state_of(pods.wait("pod", waits("ImagePullBackOff"))).waiting
    assert backing.message.startswith('Back-off pulling image "python:3.11": ')
    assert pods.get("pod").status.phase == "Pending"
    reasons = [(kind, reason) for kind, reason, _ in events_of(pods, "pod")]
    assert ("Warning", "Failed") in reasons
    assert ("Normal", "BackOff") in reasons
    pods.core.delete_namespaced_pod("pod", pods.namespace)

    def gone() -> bool:
        return pods.core.list_namespaced_pod(pods.namespace).items == []

    shared_plane.wait_for(gone, "the pod stays")


def test_an_image_has_a_python_packages_and_a_command_by_the_map(pods, image_map, wheel) -> None:
    image_map(
        [
            {
                "image": "example.com/tools/*",
                "packages": [wheel("fairlead_probe_d")],
                "command": ["python", "-c"],
                "args": ["import fairlead_probe_d; print(fairlead_probe_d.VALUE, 'by the map')"],
            },
            {"image": "other:*", "python": sys.executable},
        ]
    )
    image = {"image": "example.com/tools/x:1", "command": None}
    pods.run("pod", container=image)
    assert pods.log("pod") == "1 by the map\n"
    pods.run("args", container={**image, "args": ["print('own args')"]})
    assert pods.log("args") == "own args\n"
    pods.run("whole", "print('own command')", container={"image": "other:1"})
    assert pods.log("whole") == "own command\n"
    ended = state_of(pods.run("none", container={"image": "other:1", "command": None})).terminated
    assert ended.message == (
        'container "main" has no command, and no image is pulled on this machine: give it one, or '
        'say what runs for image "other:1" in the configmap kube-system/fairlead-images'
    )


def test_a_map_that_cannot_be_read_is_said_with_its_place(pods, image_map) -> None:
    image_map([{"image": "x", "packages": "scipy"}])
    pods.create("pod")
    pod = pods.wait(
        "pod",
        lambda pod: bool(pod.status.container_statuses) and bool(state_of(pod).waiting.message),
    )
    assert state_of(pod).waiting.message == (
        "configmap kube-system/fairlead-images, images.yaml: [0].packages: a list of strings is "
        "needed"
    )


def test_the_layer_of_a_pod_lies_over_the_environment(pods, wheel) -> None:
    source = (
        "import json, subprocess, sys\n"
        "subprocess.check_call([sys.executable, '-m', 'pip', 'install', '-q', '--no-index',"
        " sys.argv[1]], stderr=subprocess.DEVNULL)\n"
        "import fairlead_probe_e, fairlead_probe_f; print(fairlead_probe_f.__file__)"
    )
    own = wheel("fairlead_probe_f")
    metadata = annotated(wheel("fairlead_probe_e"))
    said = pods.output("pod", source, metadata=metadata, container={"args": [own]})
    assert f"/pods/{pods.get('pod').metadata.uid}/env" in said
    assert json.dumps(said).count("environments") == 0


def test_environments_that_no_pod_uses_are_removed_the_oldest_first(tmp_path) -> None:
    folder, pods = tmp_path / "environments", tmp_path / "pods"
    for age in range(KEEP_MOST + 3):
        place = folder / f"key{age}"
        place.mkdir(parents=True)
        (folder / f"key{age}.log").touch()
        marker = place / "fairlead.json"
        marker.touch()
        os.utime(marker, (1e9 - age, 1e9 - age))
    (pods / "uid").mkdir(parents=True)
    (pods / "uid" / USED_FILE).write_text(f"key{KEEP_MOST + 2}\n")
    Environments(folder, pods, {})._prune("key0")
    left = {each.name for each in folder.iterdir() if each.is_dir()}
    oldest_in_use = f"key{KEEP_MOST + 2}"
    assert left == {f"key{age}" for age in range(KEEP_MOST)} | {oldest_in_use}
    assert not (folder / f"key{KEEP_MOST}.log").exists()


@pytest.mark.skipif(not shutil.which("bash"), reason="this machine has no bash")
@pytest.mark.parametrize(
    "image", ["alpine", "ghcr.io/containerd/busybox", "python:3-alpine", "registry/ubi9/python-311"]
)
def test_the_shell_of_an_image_that_has_a_richer_one_is_richer(pods, image):
    script = 'set -o pipefail; [ "$1" == b ] && [[ "$0" == a* ]] && echo "$0" "$1"'
    container = {"image": image, "command": ["sh", "-ec"], "args": [script, "ab", "b"]}
    pods.run("pod", container=container)
    assert pods.log("pod") == "ab b\n"


def test_the_shell_of_any_other_image_is_that_of_this_machine(pods):
    command = ["sh", "-c", "readlink /proc/$$$$/exe; true"]
    pods.run("pod", container={"image": "python:3.11", "command": command})
    assert pods.log("pod").strip() == os.path.realpath(shutil.which("sh"))
