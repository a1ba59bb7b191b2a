"""The ground fails under the plane: a full disk, a read-only folder, a clock set back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .writers import PATH, Connection

as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux can mount a small disk"
)


@pytest.fixture
def mounted(tmp_path: Path):
    """Mount a small disk in memory; it is unmounted at the end."""
    places: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        places.append(place)
        return place

    yield mount
    for place in places:
        subprocess.run(["umount", "--lazy", place], check=True)


def config_map(name: str, size: int) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": {"load": "1"}}, "data": {"a": "x" * size}}


@as_root
def test_a_full_disk_is_told_and_nothing_that_was_accepted_is_lost(new_plane, mounted):
    disk = mounted("24m")
    new_plane.data_dir = disk / "data"
    new_plane.kubeconfig = disk / "data" / "kubeconfig"
    new_plane.start()
    connection = Connection(new_plane.data_dir)
    accepted = []
    for number in range(200):
        status, answer = connection.send("POST", PATH, config_map(f"m{number}", 500_000))
        if status != 201:
            break
        accepted.append(f"m{number}")
    assert accepted
    assert status >= 500
    assert "full" in answer["message"], answer
    assert answer["status"] == "Failure"

    def names():
        _, listed = connection.send("GET", f"{PATH}?labelSelector=load")
        return sorted(each["metadata"]["name"] for each in listed["items"])

    assert names() == sorted(accepted)
    # With room again it goes on by itself, and what was there is there after a restart too.
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    status, answer = connection.send("POST", PATH, config_map("more", 1000))
    assert status == 201, answer
    new_plane.kill()
    new_plane.start()
    connection.close()
    assert names() == sorted([*accepted, "more"])


def fill(disk: Path) -> Path:
    """Leave no byte free; return the file that takes the room."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return filler


@as_root
def test_a_disk_that_is_full_for_a_while_loses_no_pod(new_plane, mounted):
    disk = mounted("24m")
    new_plane.data_dir = disk / "data"
    new_plane.kubeconfig = disk / "data" / "kubeconfig"
    pods = new_plane.start().pods()
    waiting = (
        "import os, time\nopen({0!r} + '-waits', 'w').close()\n"
        "while not os.path.exists({0!r}): time.sleep(0.01)\nprint('x' * 9)"
    )
    ended, long = str(disk.parent / "go-ended"), str(disk.parent / "go-long")
    for name, sign in (("ended", ended), ("long", long)):
        pods.create(name, waiting.format(sign))
        pods.wait_running(name)
        # A process begins with a record of itself, which needs room.
        new_plane.wait_for(Path(f"{sign}-waits").exists, "the pod has come so far")
    shim = new_plane.shim_pid
    filler = fill(disk)
    connection = Connection(new_plane.data_dir)
    status, answer = connection.send("POST", PATH, config_map("refused", 9_000))
    assert (status, answer["reason"]) == (500, "InternalError")
    assert "make room on its disk" in answer["message"]
    Path(ended).touch()  # its log, its exit record and its status find no room
    new_plane.wait_for(lambda: processes(new_plane) == 3, "the pod does not end")
    assert connection.send("GET", PATH)[0] == 200
    filler.unlink()
    assert pods.wait_ended("ended").status.phase == "Succeeded"
    Path(long).touch()
    assert pods.wait_ended("long").status.phase == "Succeeded"
    assert pods.log("long") == "x" * 9 + "\n"
    assert new_plane.shim_pid == shim
    assert connection.send("POST", PATH, config_map("refused", 9_000))[0] == 201


def processes(plane) -> int:
    """Count what the shim has started: the warm interpreter, its fork that waits, and the pods."""
    import psutil

    return len(psutil.Process(plane.shim_pid).children(recursive=True))


@as_root
def test_a_plane_on_a_full_disk_does_not_start_and_says_why(new_plane, mounted):
    disk = mounted("16m")
    (disk / "data").mkdir()
    fill(disk)
    done = run_plane(disk / "data")
    assert done.returncode == 4
    assert "No space left on device" in done.stderr
    assert "Make room on its disk" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_damaged_database_is_told_and_left_as_it_is(new_plane, damage):
    new_plane.start()
    assert new_plane.stop() == 0
    file = new_plane.data_dir / "fairlead.db"
    whole = file.read_bytes()
    broken = whole[: len(whole) // 2] if damage == "cut" else b"garbage!" * 4096
    file.write_bytes(broken)
    done = run_plane(new_plane.data_dir)
    assert done.returncode == 4
    assert f"{file} is damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert file.read_bytes() == broken
    file.write_bytes(whole)  # a copy put back
    new_plane.start()
    assert new_plane.request("/api/v1/namespaces/default")[0] == 200


@as_root
def test_a_folder_that_cannot_be_written_is_an_error_in_words(new_plane, mounted):
    disk = mounted("16m")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    done = run_plane(disk / "data")
    assert done.returncode == 4
    assert str(disk / "data") in done.stderr
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr


@as_root
def test_a_folder_that_became_read_only_keeps_its_state(new_plane, mounted):
    disk = mounted("32m")
    new_plane.data_dir = disk / "data"
    new_plane.kubeconfig = disk / "data" / "kubeconfig"
    new_plane.start()
    connection = Connection(new_plane.data_dir)
    assert connection.send("POST", PATH, config_map("kept", 10))[0] == 201
    new_plane.kill()
    shim_gone(new_plane)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    done = run_plane(new_plane.data_dir)
    assert done.returncode == 4
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    new_plane.start()
    connection.close()
    assert connection.send("GET", f"{PATH}/kept")[0] == 200


def shim_gone(plane) -> None:
    """End the shim too: a file that is open for writing keeps a disk writable."""
    import psutil

    try:
        shim = psutil.Process(plane.shim_pid)
    except (FileNotFoundError, psutil.NoSuchProcess):
        return
    processes = [shim, *shim.children(recursive=True)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=30)


def run_plane(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fairlead_plane", "--data-dir", folder],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
        env={**os.environ, **environment},
    )


def find_faketime() -> str | None:
    found = os.environ.get("FAIRLEAD_TEST_LIBFAKETIME")
    if found:
        return found
    candidates = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return str(candidates[0]) if candidates else None


def test_a_clock_set_back_changes_no_order(new_plane, monkeypatch):
    library = find_faketime()
    if library is None:
        pytest.skip("no libfaketime on this machine (Debian: libfaketime)")
    new_plane.start()
    connection = Connection(new_plane.data_dir)
    before = connection.send("POST", PATH, config_map("before", 1))[1]["metadata"]
    new_plane.stop()
    monkeypatch.setenv("LD_PRELOAD", library)
    monkeypatch.setenv("FAKETIME", "-2d")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    new_plane.start()
    monkeypatch.delenv("LD_PRELOAD")
    connection.close()
    after = connection.send("POST", PATH, config_map("after", 1))[1]["metadata"]
    assert after["creationTimestamp"] < before["creationTimestamp"]
    assert int(after["resourceVersion"]) > int(before["resourceVersion"])
    pods = new_plane.pods()
    assert pods.output("p", "print('ran')") == "ran\n"
    status, listed = connection.send("GET", f"{PATH}?labelSelector=load")
    assert (status, len(listed["items"])) == (200, 2)
    version = before["resourceVersion"]
    watching = f"{PATH}?watch=1&labelSelector=load&timeoutSeconds=1&resourceVersion={version}"
    connection.open.request("GET", watching, headers=connection.headers)
    assert connection.open.getresponse().read().count(b'"ADDED"') == 1
