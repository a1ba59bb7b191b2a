"""The warm interpreter: a Python that has started already, and forks for each Python step.

Run as a script by the interpreter whose steps it starts, so with the standard library alone and
on any Python from 3.9 on. It has one thread, reads no variable and starts nothing; what it
imports, any program may import with the same effect. A fork of it is then made equal to
`python -c SOURCE`, `python -m MODULE` or `python FILE` in the pod's own environment.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import linecache
import os
import select
import signal
import site
import socket
import struct
import sys
import textwrap
import threading
import time
import types
import warnings
import weakref
from importlib.machinery import BuiltinImporter, SourceFileLoader
from typing import TYPE_CHECKING, Any, NoReturn

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
    Fork = tuple[Json, list[int], types.CodeType | None]

_SIZES = struct.Struct("!II")
_COMPILED_MOST = 64
_PR_SET_PDEATHSIG = 1
_perform: Callable[[Json], None]


def main(channel: socket.socket, parent: int) -> Fork:
    """Fork for every request on the channel; returns in the fork only.

    Ends the process when the channel is closed and the last fork has ended.
    """
    # The folder of this file is no part of a step's path.
    del sys.path[0]
    for name in _MODULES:
        __import__(name)
    _load_mounts()
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
    channel.sendall(_pack({"hello": _describe()}))
    gc.collect()
    gc.disable()
    gc.freeze()
    open_ = True
    while open_ or children:
        ready = select.select([wake_read] + ([channel] if open_ else []), [], [])[0]
        if wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake_read, 4096)
            _reap(channel, children)
        if channel in ready:
            request, files = _receive(channel)
            if request is None:
                open_ = False
                if os.getppid() != parent:  # the shim died, and here nobody kills us
                    for pid in children:
                        os.killpg(pid, signal.SIGKILL)
                continue
            code = _compile(request, compiled)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                channel.close()
                os.close(wake_read)
                os.close(wake_write)
                tie(me)
                return request, files, code
            for file in files:
                os.close(file)
            children[pid] = request["id"]
            channel.sendall(_pack({"started": request["id"], "pid": pid}))
    os._exit(0)


def _load_mounts() -> None:
    """Load what makes a fork's mounts, under no name that a program could meet."""
    global _perform
    if sys.platform != "linux":
        return
    import importlib.util

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mounts.py")
    spec = importlib.util.spec_from_file_location("_mounts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _perform = module.perform


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


def _receive(channel: socket.socket) -> tuple[Json | None, list[int]]:
    """Read one request and the files that came with it; (None, []) at the end."""
    data, ancillary, _, _ = channel.recvmsg(_SIZES.size, socket.CMSG_SPACE(3 * 4))
    if not data:
        return None, []
    files: list[int] = []
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            files += struct.unpack(f"{len(value) // 4}i", value)
    for file in files:
        os.set_inheritable(file, False)
    data += _exactly(channel, _SIZES.size - len(data))
    head_size, body_size = _SIZES.unpack(data)
    request = json.loads(_exactly(channel, head_size))
    request.update(json.loads(_exactly(channel, body_size)))
    return request, files


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = channel.recv(min(size - len(data), 1 << 20))
        if not chunk:
            raise EOFError("the shim ended within a message")
        data += chunk
    return bytes(data)


def _reap(channel: socket.socket, children: dict[int, str]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        channel.sendall(_pack({"ended": children.pop(pid), "status": status}))


def _compile(request: Json, compiled: dict[str, types.CodeType]) -> types.CodeType | None:
    """Compile the source of `-c`, once for all steps that share it; None leaves it to the step."""
    if request["mode"] != "-c":
        return None
    if sys.version_info >= (3, 14):  # where Python takes a common indent off
        request["value"] = textwrap.dedent(request["value"])
    source = request["value"]
    if source in compiled:
        return compiled[source]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            code = compile(source, "<string>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None  # said again, to the right reader, in the fork
    if seen:
        return None  # likewise
    if len(compiled) >= _COMPILED_MOST:
        compiled.clear()
    compiled[source] = code
    gc.freeze()
    return code


def become(request: Json, files: list[int], code: types.CodeType | None) -> NoReturn:
    """Make this fork equal to a Python that was just started for the request, and run it."""
    os.setsid()
    claim, stdout, stderr = files
    os.write(claim, _record())
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (stdout, 1), (stderr, 2)):
        os.dup2(source, target)
    for file in (null, claim, stdout, stderr):
        os.close(file)
    if request.get("mounts"):
        try:
            _perform(request["mounts"])
        except OSError as error:
            os.write(2, f"the mounts of the container failed: {error}\n".encode())
            os._exit(128)
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])

    layer, executable = request["prefix"], request["argv"][0]
    library = os.path.dirname(os.__file__)
    standard = (
        os.path.join(library, "lib-dynload"),
        library,
        os.path.join(
            os.path.dirname(library), f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
        ),
    )
    head = [path for path in sys.path if path in standard]
    tail = [path for path in sys.path if path not in standard]
    sys.path[:] = [*head, request["site"], *tail]
    sys.prefix = sys.exec_prefix = layer
    sys.executable = executable
    site.PREFIXES[:] = [layer, *(site.PREFIXES if request["system_site"] else ())]
    site.ENABLE_USER_SITE = request["system_site"]
    site.USER_BASE = site.USER_SITE = None
    if request["system_site"]:
        site.getusersitepackages()
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = request["argv"]
    gc.enable()
    before = set(sys.modules)
    status = _run_to_status(request, code)
    _finish(status, before)


def _run_to_status(request: Json, code: types.CodeType | None) -> int:
    """Run the step and return its exit status, or minus the signal by which it wants to end."""
    try:
        _run(request, code)
        return 0
    except BaseException as raised:
        error = _own(raised)
    # Shown after the `except`, or it would be the context of what a hook raises.
    if isinstance(error, SystemExit):
        return _exit_status(error)
    try:
        sys.excepthook(type(error), error, error.__traceback__)
        broken = None
    except BaseException as raised:
        broken = _own(raised)
    if isinstance(broken, SystemExit):
        return _exit_status(broken)
    if broken is not None:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(broken), broken, broken.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)
    return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def _own(error: BaseException) -> BaseException:
    """Take the frames of this file out of a traceback: they are not the step's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    error.__traceback__ = trace
    return error


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    with contextlib.suppress(Exception):
        print(error.code, file=sys.stderr)
    return 1


def _finish(status: int, before: set[str]) -> NoReturn:
    """End the process as Python ends it, but for freeing what was there before the fork.

    In order, as in `Py_FinalizeEx`: threads, exit functions, buffers, then the objects of the
    step and of the modules that it imported, so that files are flushed and `__del__` runs. To free
    the rest too would copy every page of it: 7 of 10 ms of a step that does nothing.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if not _flush():
        status = 120  # as Python says it when its output was cut off
    _flush_files()
    names = ["__main__", *(name for name in sys.modules if name not in before)]
    left = [weakref.ref(sys.modules.pop(name)) for name in names]
    gc.collect()  # with their globals still in place, as `__del__` may use them
    for module in filter(None, (each() for each in reversed(left))):
        _clear(vars(module))
    gc.collect()
    _flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _flush_files() -> None:
    """Write out what open files still hold: in a cycle, a buffer may close before its text."""
    kinds = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
    files = [each for each in gc.get_objects() if issubclass(type(each), kinds)]
    for file in sorted(files, key=lambda each: not issubclass(type(each), io.TextIOWrapper)):
        with contextlib.suppress(OSError, ValueError):
            file.flush()


def _clear(space: dict[str, Any]) -> None:
    """Let go of a module's globals in Python's order: first the names with one underscore."""
    for name in list(space):
        if name.startswith("_") and not name.startswith("__"):
            space[name] = None
    for name in list(space):
        if name != "__builtins__":
            space[name] = None


def _flush() -> bool:
    whole = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception:  # whatever a step has put in its place
            whole = stream is not sys.stdout and whole
    return whole


def _run(request: Json, code: types.CodeType | None) -> None:
    mode, value, rest = request["mode"], request["value"], request["rest"]
    main_module = types.ModuleType("__main__")
    space = main_module.__dict__
    space["__builtins__"] = sys.modules["builtins"]
    space["__loader__"] = BuiltinImporter
    if sys.version_info < (3, 14):
        space["__annotations__"] = {}
    sys.modules["__main__"] = main_module
    if mode == "-m":
        import runpy

        sys.argv[:] = ["-m", *rest]
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(value)  # type: ignore[attr-defined]
        return
    if mode == "-c":
        sys.argv[:] = ["-c", *rest]
        sys.path.insert(0, "")
        if code is None:
            code = compile(value, "<string>", "exec", dont_inherit=True)
        if sys.version_info >= (3, 13):  # its tracebacks show the lines of `-c`
            lines = [f"{line}\n" for line in value.splitlines()]
            linecache.cache["<string>"] = (len(value), None, lines, "<string>")
    else:
        sys.argv[:] = [value, *rest]
        sys.path.insert(0, os.path.dirname(os.path.realpath(value)))
        path = os.path.abspath(value)
        space["__file__"] = path
        space["__cached__"] = None
        space["__loader__"] = SourceFileLoader("__main__", path)
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, space)


def _record() -> bytes:
    pid = os.getpid()
    identity = None
    if sys.platform == "linux":
        with open("/proc/self/stat", "rb") as file, open("/proc/sys/kernel/random/boot_id") as boot:
            ticks = file.read().rpartition(b")")[2].split()[19].decode()
            identity = f"{boot.read().strip()}:{ticks}"
    return json.dumps({"pid": pid, "identity": identity, "time": time.time()}).encode()


if __name__ == "__main__":
    become(*main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
