"""A container's own view of the file system: a mount namespace, made in the child before it begins.

The plane says what to mount where; here it is done. Also loaded by the warm interpreter, so with
the standard library alone and on any Python from 3.9 on. Nothing that is mounted here is seen
outside, and the kernel takes it back with the container's last process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)

_NEWNS, _NEWUSER = 0x20000, 0x10000000
_RDONLY, _REMOUNT, _BIND, _REC = 1, 32, 4096, 16384
_UNBINDABLE, _PRIVATE, _SLAVE = 1 << 17, 1 << 18, 1 << 19
_DETACH = 2
# A user namespace may not take these off a mount that it got from outside.
_KEPT_FLAGS = 2 | 4 | 8 | 1024 | 2048  # nosuid, nodev, noexec, noatime, nodiratime
_ST_RELATIME, _RELATIME = 4096, 1 << 21
_CAPABILITY_VERSION = 0x20080522


def perform(plan: dict[str, Any]) -> None:
    """Move this process, which has one thread, into a mount namespace of its own.

    Parameters
    ----------
    plan : dict
        `user`: whether a user namespace is needed for it. `sources`: paths to bind, opened before
        anything is covered. `root`: an empty folder on which a new root is built; empty when the
        root stays. `shadows`: folders that get new entries, parents first. `make`: those entries,
        `[path, is folder]`. `binds`: `[index of the source, target, read only]`, in order.

    Raises
    ------
    OSError
        With the path that could not be mounted.
    """
    os.umask(0o022)  # for the folders that are made here; the container gets its own
    _leave_namespaces(user=plan["user"])
    mount("", "/", _REC | _SLAVE)
    # Opened within the namespace, whose mounts alone can be bound, and before any is covered.
    opened = [os.open(path, os.O_PATH) for path in plan["sources"]]
    shadowed = [(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY)) for path in plan["shadows"]]
    root = plan["root"]
    for path, folder in shadowed:
        shadow(folder, root if path == "/" else root + path)
    for path, is_folder in plan["make"]:
        if is_folder:
            os.makedirs(root + path, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            os.close(os.open(root + path, os.O_WRONLY | os.O_CREAT, 0o644))
    for index, target, read_only in plan["binds"]:
        bind(f"/proc/self/fd/{opened[index]}", root + target, read_only=read_only)
    if root:
        _change_root(root)
    for file in (*opened, *(folder for _, folder in shadowed)):
        os.close(file)
    if plan["user"]:
        _drop_capabilities()


def enter(pid: int) -> None:
    """Move this process, which has one thread, to where another one sees its files.

    Parameters
    ----------
    pid : int
        A process of a container; nothing happens where it shares our view.
    """
    if not sys.platform.startswith("linux") or _same_namespace(pid, "mnt"):
        return
    other_user = not _same_namespace(pid, "user")
    names = (*((("user", _NEWUSER),) if other_user else ()), ("mnt", _NEWNS))
    files = [(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), flag) for name, flag in names]
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY)
    for file, flag in files:
        _check(_LIBC.setns(file, flag), f"the namespaces of process {pid}")
        os.close(file)
    os.fchdir(root)
    os.chroot(".")
    os.close(root)
    if other_user:
        _drop_capabilities()


def mount(source: str, target: str, flags: int, kind: str = "", options: str = "") -> None:
    """Call mount(2); an OSError names the target."""
    words = [text.encode() or None for text in (source, target, kind, options)]
    made = _LIBC.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])
    _check(made, target)


def bind(source: str, target: str, *, read_only: bool) -> None:
    """Show one path at another one too."""
    mount(source, target, _BIND | _REC)
    if read_only:
        now = os.statvfs(target).f_flag
        kept = now & _KEPT_FLAGS | (_RELATIME if now & _ST_RELATIME else 0)
        mount("", target, _BIND | _REMOUNT | _RDONLY | kept)


def shadow(folder: int, target: str) -> None:
    """Cover a folder with one in memory that has the same entries, and can get more.

    Parameters
    ----------
    folder : int
        The original, open.
    target : str
        Where it is covered.
    """
    mode = stat.S_IMODE(os.fstat(folder).st_mode)
    mount("tmpfs", target, 0, "tmpfs", f"mode={mode:o},size=64m")
    # What is bound into it from outside must not bring it along again.
    mount("", target, _UNBINDABLE)
    with os.scandir(folder) as entries:
        for entry in entries:
            path, source = f"{target}/{entry.name}", f"/proc/self/fd/{folder}/{entry.name}"
            try:
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.name, dir_fd=folder), path)
                    continue
                if entry.is_dir(follow_symlinks=False):
                    os.mkdir(path)
                else:
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
                mount(source, path, _BIND | _REC)
            except FileNotFoundError:
                continue  # gone since it was listed


def _leave_namespaces(*, user: bool) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _check(_LIBC.unshare(_NEWNS | (_NEWUSER if user else 0)), "a mount namespace")
    if user:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)


def _change_root(root: str) -> None:
    os.chdir(root)
    if _LIBC.pivot_root(b".", b".") == 0:
        # The old root lies on the new one now; without it nothing of it is left.
        _check(_LIBC.umount2(b".", _DETACH), root)
        mount("", "/", _PRIVATE)
    elif ctypes.get_errno() == errno.EINVAL:  # the root is that of an initial RAM disk
        os.chroot(".")
    else:
        _check(-1, root)
    os.chdir("/")


def _drop_capabilities() -> None:
    """Be as without capabilities as an exec makes a process that is not root."""
    if os.geteuid() == 0:
        return
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _check(_LIBC.capset(head, (ctypes.c_uint32 * 6)()), "capabilities")


def _same_namespace(pid: int, name: str) -> bool:
    return os.readlink(f"/proc/self/ns/{name}") == os.readlink(f"/proc/{pid}/ns/{name}")


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def probe(folder: str) -> str:
    """Try in a child what `perform` does, and return how it works here.

    Returns
    -------
    str
        `root`: as we are; `user`: in a user namespace; else what the kernel said.
    """
    said = ""
    for user in (False, True):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                perform(
                    {
                        "user": user,
                        "sources": [folder],
                        "root": folder,
                        "shadows": ["/"],
                        "make": [["/fairlead-probe", True]],
                        "binds": [[0, "/fairlead-probe", True]],
                    }
                )
                os.listdir("/fairlead-probe")
                os.write(write, b"ok")
            except OSError as error:
                os.write(write, str(error).encode())
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read) as answer:
            said = answer.read()
        os.waitpid(pid, 0)
        if said == "ok":
            return "user" if user else "root"
    return said


if __name__ == "__main__":
    print(probe(sys.argv[1]))
