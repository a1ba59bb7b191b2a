"""The warm interpreter: a Python that has started already, and forks for each Python step.

Run as a script by the interpreter whose steps it starts, so with the standard library alone and
on any Python from 3.9 on. It has one thread, reads no variable and starts nothing; what it
imports, any program may import with the same effect: the modules that it is asked to import too,
which read no variable but those that its steps set to the same value. A fork of it is then made
equal to `python -c SOURCE`, `python -m MODULE` or `python FILE` in the pod's own environment by
`step.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import select
import signal
import site
import socket
import struct
import sys
import textwrap
import types
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

# Beside those above: what steps import, so that it is there already.
_MODULES = """
abc argparse ast base64 binascii bisect codecs collections.abc contextvars copy copyreg csv ctypes
dataclasses datetime decimal enum errno fnmatch functools gzip hashlib heapq importlib.util inspect
itertools keyword logging math numbers operator pathlib pickle pkgutil platform pprint queue random
re runpy shutil stat string subprocess tempfile token tokenize traceback uuid zipfile zlib
""".split()

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]

_SIZES = struct.Struct("!II")
_COMPILED_MOST = 64
_PR_SET_PDEATHSIG = 1


def main(channel: socket.socket, parent: int, modules: list[str]) -> Callable[[], NoReturn]:
    """Import modules, then fork for every request; returns in the fork, with what it is to do.

    From the first request on, the fork for the next one is made ahead of it: that takes as long as
    all that a short step does. Ends the process when the channel is closed and the last fork has
    ended.
    """
    # The folder of this file is no part of a step's path.
    del sys.path[0]
    for name in (*_MODULES, *modules):
        __import__(name)
    # Its patterns are compiled with the first option, in 2 ms, and Python keeps them then, as it
    # keeps what it learns of code that has run.
    parser = argparse.ArgumentParser(description="A program")
    parser.add_argument("--option", type=str, help="an option")
    parser.parse_known_args(["--option", "value"])
    mount = _load("mounts").perform if sys.platform == "linux" else None
    step = _load("step")
    tie = _tie()
    tie(parent)
    me = os.getpid()
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    compiled: dict[str, types.CodeType] = {}
    children: dict[int, str] = {}
    waiting: _Fork | None = None
    asked: _Message | None = None
    ahead = False
    open_ = True
    channel.sendall(_pack({"hello": _describe()}))
    imported = dict(sys.modules)
    gc.collect()
    gc.disable()
    gc.freeze()
    while open_ or children:
        if ahead and waiting is None:
            waiting = _Fork()
            if waiting.pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                channel.close()
                # What is asked for comes once more, over the fork's own channel.
                for file in (wake_read, wake_write, *(asked.files if asked else ())):
                    os.close(file)
                tie(me)
                mine = waiting.channel
                return lambda: _await_request(mine, step, compiled, mount, imported)
        if asked is None or waiting is None:
            ready = select.select([wake_read] + ([channel] if open_ else []), [], [])[0]
            if wake_read in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 4096)
                _reap(channel, children)
            if channel in ready:
                asked = _receive(channel)
                ahead = open_ = asked is not None
                if not open_:
                    if waiting is not None:
                        waiting.channel.close()
                    if os.getppid() != parent:  # the shim died, and here nobody kills us
                        for pid in children:
                            os.killpg(pid, signal.SIGKILL)
            continue
        if waiting.give(asked):
            request = asked.request
            children[waiting.pid] = request["id"]
            channel.sendall(_pack({"started": request["id"], "pid": waiting.pid}))
            _compile(request, compiled)
            asked = None
        waiting = None  # it has its request now, or it was killed before
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()  # the fork that waited
    os._exit(0)


class _Message(NamedTuple):
    """A request as it came, and the files that came with it."""

    data: bytes
    files: list[int]

    @property
    def request(self) -> Json:
        """Its header and its body as one."""
        head, _ = _SIZES.unpack_from(self.data)
        middle = _SIZES.size + head
        found: Json = json.loads(self.data[_SIZES.size : middle])
        found.update(json.loads(self.data[middle:]))
        return found


class _Fork:
    """A fork of this process, which waits for its request.

    Attributes
    ----------
    pid : int
        0 in the fork itself.
    channel : socket
        This side's end of the way between the two.
    """

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        self.pid = os.fork()
        self.channel, other = (ours, its) if self.pid else (its, ours)
        other.close()

    def give(self, message: _Message) -> bool:
        """Hand over a request; False when the fork has been killed meanwhile."""
        try:
            # The files travel with the first bytes, which the other side reads by themselves.
            socket.send_fds(self.channel, [message.data[: _SIZES.size]], message.files)
            self.channel.sendall(message.data[_SIZES.size :])
        except ConnectionError:
            return False
        finally:
            self.channel.close()
        for file in message.files:
            os.close(file)
        return True


def _await_request(
    channel: socket.socket,
    step: types.ModuleType,
    compiled: dict[str, types.CodeType],
    mount: Callable[[Json], None] | None,
    imported: dict[str, types.ModuleType],
) -> NoReturn:
    """Be the step that is asked for, once it is; for a fork."""
    identity = step.begin()
    message = _receive(channel)
    if message is None:
        os._exit(0)  # nobody will ask any more
    channel.close()
    request = message.request
    become: Callable[..., NoReturn] = step.become
    become(request, message.files, _find(request, compiled), mount, identity, imported)


def _load(name: str) -> types.ModuleType:
    """Load a file beside this one, under no name that a program could meet."""
    import importlib.util

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _describe() -> Json:
    """Return what a layer over this interpreter must know of it."""
    user = [site.USER_SITE] if site.ENABLE_USER_SITE and site.USER_SITE else []
    system = site.getsitepackages()
    names = (
        (each, name)
        for each in (*user, *system)
        if os.path.isdir(each)
        for name in os.listdir(each)
    )
    return {
        "pid": os.getpid(),
        "version": ".".join(map(str, sys.version_info[:3])),
        "base_executable": getattr(sys, "_base_executable", sys.executable),
        "venv": sys.prefix != sys.base_prefix,
        "library": os.path.basename(os.path.dirname(os.__file__)),
        "user_site": user,
        "system_site": system,
        "pth": [os.path.join(*each) for each in names if each[1].endswith(".pth")],
    }


def _tie() -> Callable[[int], None]:
    """Return a function that lets the kernel kill this process when its parent dies."""
    if sys.platform != "linux":
        return lambda parent: None
    import ctypes

    library = ctypes.CDLL(None)

    def tie(parent: int) -> None:
        library.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return tie


def _pack(header: Json) -> bytes:
    head = json.dumps(header).encode()
    return _SIZES.pack(len(head), 0) + head


def _receive(channel: socket.socket) -> _Message | None:
    """Read one request and the files that came with it; None at the end."""
    data, ancillary, _, _ = channel.recvmsg(_SIZES.size, socket.CMSG_SPACE(3 * 4))
    if not data:
        return None
    files: list[int] = []
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            files += struct.unpack(f"{len(value) // 4}i", value)
    for file in files:
        os.set_inheritable(file, False)
    data += _exactly(channel, _SIZES.size - len(data))
    return _Message(data + _exactly(channel, sum(_SIZES.unpack(data))), files)


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = channel.recv(min(size - len(data), 1 << 20))
        if not chunk:
            raise EOFError("the shim ended within a message")
        data += chunk
    return bytes(data)


def _reap(channel: socket.socket, children: dict[int, str]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid in children:  # else a fork that had no request
                channel.sendall(_pack({"ended": children.pop(pid), "status": status}))


def _find(request: Json, compiled: dict[str, types.CodeType]) -> types.CodeType | None:
    """Return the code of `-c`; None leaves it to the step to compile it."""
    if request["mode"] != "-c":
        return None
    if sys.version_info >= (3, 14):  # where Python takes a common indent off
        request["value"] = textwrap.dedent(request["value"])
    return compiled.get(request["value"])


def _compile(request: Json, compiled: dict[str, types.CodeType]) -> None:
    """Compile the source of `-c`, once for all later steps that share it."""
    if request["mode"] != "-c" or _find(request, compiled) is not None:
        return
    source = request["value"]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            code = compile(source, "<string>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return  # said by the step, to the right reader
    if seen:
        return  # likewise
    if len(compiled) >= _COMPILED_MOST:
        compiled.clear()
    compiled[source] = code
    gc.freeze()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3:])()
