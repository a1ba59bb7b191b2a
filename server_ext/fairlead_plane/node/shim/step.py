"""What a fork of the warm interpreter is: equal to a Python that was just started, to its end.

Loaded by `warm.py` beside it, under no name that a program could meet; on any Python from 3.9 on.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import linecache
import os
import signal
import site
import sys
import threading
import time
import types
import weakref
from importlib.machinery import BuiltinImporter, SourceFileLoader
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def begin() -> Json:
    """Do what a step needs whatever it is, and return by what others find this process again."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.environ.clear()
    pid = os.getpid()
    identity = None
    if sys.platform == "linux":
        with open("/proc/self/stat", "rb") as file, open("/proc/sys/kernel/random/boot_id") as boot:
            ticks = file.read().rpartition(b")")[2].split()[19].decode()
            identity = f"{boot.read().strip()}:{ticks}"
    return {"pid": pid, "identity": identity}


def become(
    request: Json,
    files: list[int],
    code: types.CodeType | None,
    mount: Callable[[Json], None] | None,
    process: Json,
    modules: dict[str, types.ModuleType],
) -> NoReturn:
    """Make this fork equal to a Python that was just started for the request, and run it.

    Parameters
    ----------
    files : list of int
        Where its record goes, its standard output and its standard error.
    code : code object or None
        Of `-c`, where it has been compiled.
    mount : callable or None
        Makes the mounts of a container; None where there can be none.
    process : dict
        From `begin`.
    modules : dict
        Those that were there before the fork, by name; as in `sys.modules`, the newest last.
    """
    claim, stdout, stderr = files
    for source, target in ((stdout, 1), (stderr, 2)):
        os.dup2(source, target)
        os.close(source)
    if mount is not None and request.get("mounts"):
        try:
            mount(request["mounts"])
        except OSError as error:
            os.write(2, f"the mounts of the container failed: {error}\n".encode())
            os._exit(128)
    # Now: who comes beside this process by its record is to see its mounts.
    os.write(claim, json.dumps({**process, "time": time.time()}).encode())
    os.close(claim)
    os.umask(request["umask"])
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
    status = _run_to_status(request, code)
    _finish(status, modules)


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


def _finish(status: int, before: dict[str, types.ModuleType]) -> NoReturn:
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
    names = ["__main__", *_new_modules(before)]
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


def _new_modules(before: dict[str, types.ModuleType]) -> list[str]:
    """Return the names of the modules that the step has imported, in order.

    From the newest on, until the last one of before: to look at all of their names would copy the
    pages of each.
    """
    last, module = next(reversed(before.items()))
    kept = sys.modules.get(last) is module
    found = []
    for name in reversed(sys.modules):
        if kept and name == last:
            break
        if name not in before:
            found.append(name)
    return found[::-1]


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
