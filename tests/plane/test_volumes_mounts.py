"""Mounts as the shim makes them, for whoever starts the plane, and what is done without."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from fairlead_plane.node.runtime import StartError
from fairlead_plane.node.shim import mounts
from fairlead_plane.node.volumes.atomic import write_files
from fairlead_plane.node.volumes.mounting import link_instead
from fairlead_plane.node.volumes.payload import File
from fairlead_plane.node.volumes.plan import Bind, plan_mounts

linux = pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
NOBODY = 65534


def in_child(work, *, uid: int | None = None):
    """Run a function in a child, as another user if asked, and return what it returns."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            if uid is not None:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                # As after an exec; a change of user alone takes /proc/self from it.
                ctypes.CDLL(None).prctl(4, 1)
            os.write(write, json.dumps(work()).encode())
        except BaseException as error:
            os.write(write, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return json.loads(text)


@pytest.fixture
def anybody():
    """The user to mount as, and a folder of theirs that all can reach."""
    folder = Path(tempfile.mkdtemp(prefix="fairlead-mounts-", dir="/tmp"))
    root = os.getuid() == 0
    for each in (folder, folder / "root", folder / "source"):
        each.mkdir(exist_ok=True)
        if root:
            os.chown(each, NOBODY, NOBODY)
    (folder / "source" / "file").write_text("here")
    yield (NOBODY if root else None), folder
    shutil.rmtree(folder)


@linux
def test_a_user_without_rights_gets_mounts_that_nobody_else_sees(anybody) -> None:
    uid, folder = anybody
    how = in_child(lambda: mounts.probe(str(folder / "root")), uid=uid)
    if how != "user":
        pytest.skip(f"no user namespaces here: {how}")
    binds = [
        Bind(str(folder / "source"), "/made/up/path"),
        Bind(str(folder / "source"), "/run/made/up", True),
    ]
    plan = plan_mounts(binds, keep=[], cwd="/", root=folder / "root", user=True)

    def look():
        before = os.getuid()
        mounts.perform(plan)
        with open("/made/up/path/new", "w") as file:
            file.write("x")
        try:
            open("/run/made/up/other", "w").close()
            read_only = False
        except OSError:
            read_only = True
        with open("/proc/self/status") as status:
            rights = next(line.split()[1] for line in status if line.startswith("CapEff"))
        return {
            "same user": before == os.getuid(),
            "file": open("/run/made/up/file").read(),
            "read only": read_only,
            "rights": int(rights, 16),
            "devices": os.path.exists("/dev/null") and bool(os.listdir("/sys")),
            "old root": os.path.exists(f"{folder}/root/usr"),
        }

    assert in_child(look, uid=uid) == {
        "same user": True,
        "file": "here",
        "read only": True,
        "rights": 0,
        "devices": True,
        "old root": False,
    }
    assert sorted(os.listdir(folder / "source")) == ["file", "new"]
    assert os.listdir(folder / "root") == []
    assert not os.path.exists("/made")


@linux
def test_another_process_enters_the_same_mounts(anybody) -> None:
    uid, folder = anybody
    plan = plan_mounts(
        [Bind(str(folder / "source"), "/made/up")],
        keep=[],
        cwd="/",
        root=folder / "root",
        user=uid is not None or os.getuid() != 0,
    )

    def look():
        ready_read, ready_write = os.pipe()
        done_read, done_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            mounts.perform(plan)
            os.write(ready_write, b"x")
            os.close(done_write)
            os.read(done_read, 1)
            os._exit(0)
        os.close(done_read)
        os.close(ready_write)
        assert os.read(ready_read, 1) == b"x"
        mounts.enter(pid)
        found = [os.getcwd(), os.listdir("/made/up")]
        os.close(done_write)
        return found

    found = in_child(look, uid=uid)
    if isinstance(found, str) and "PermissionError" in found:
        pytest.skip(f"no user namespaces here: {found}")
    assert found == ["/", ["file"]]


def test_without_mounts_what_can_be_is_linked_and_the_rest_says_what_to_do(tmp_path) -> None:
    pod, source = tmp_path / "pod", tmp_path / "volume"
    source.mkdir()
    (source / "file").write_text("x")
    target = pod / "home" / "data"
    for _ in range(2):
        link_instead("v", Bind(str(source), str(target)), pod, "no")
        assert (target / "file").read_text() == "x"
    link_instead("v", Bind(str(source), str(source)), pod, "no")
    link_instead("v", Bind(str(source), "/dev/shm"), pod, "no")
    with pytest.raises(StartError) as refused:
        link_instead("v", Bind(str(source), "/data"), pod, "darwin has no mount namespaces")
    assert str(refused.value).startswith(
        'volume "v" cannot be mounted at /data: darwin has no mount namespaces. Allow unprivileged '
    )


def test_files_change_all_at_once_and_an_unfinished_change_is_tidied_up(tmp_path) -> None:
    folder = tmp_path / "v"
    write_files(folder, {"a": File(b"1", 0o644), "sub/b": File(b"2", 0o600)})
    first = os.readlink(folder / "..data")
    assert os.readlink(folder / "a") == "..data/a"
    assert (folder / "sub" / "b").stat().st_mode & 0o777 == 0o600
    write_files(folder, {"a": File(b"1", 0o644), "sub/b": File(b"2", 0o600)})
    assert os.readlink(folder / "..data") == first
    # What a plane leaves that is killed between two steps.
    (folder / "..2000_01_01_00_00_00.1").mkdir()
    (folder / "..data_tmp").symlink_to("nowhere")
    write_files(folder, {"a": File(b"3", 0o644)})
    assert (folder / "a").read_text() == "3"
    now = os.readlink(folder / "..data")
    assert now != first
    assert sorted(os.listdir(folder)) == sorted([now, "..data", "a"])
