"""A step forked from the warm interpreter cannot tell that from an exec."""

from __future__ import annotations

import json
import os
import sys

import pytest

# A variable that Python reads at its start, with the value that changes nothing: it makes an exec.
EXEC = {"container": {"env": [{"name": "PYTHONHASHSEED", "value": "random"}]}}

LOOK = """
import gc, json, locale, os, signal, sys, threading
here = dict(globals())
for name in ("gc", "json", "locale", "os", "signal", "sys", "threading"):
    del here[name]
env = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "prefix": [sys.prefix, sys.exec_prefix, sys.base_prefix],
    "orig_argv": sys.orig_argv,
    "executable": sys.executable, "flags": list(sys.flags),
    "globals": {name: str(value) for name, value in here.items() if name != "__builtins__"},
    "builtins": str(__builtins__), "main": sys.modules["__main__"].__dict__ is globals(),
    "env": env, "cwd": os.getcwd(), "umask": os.umask(0),
    "stdio": [[each.encoding, each.errors, each.line_buffering, each.write_through, each.isatty()]
              for each in (sys.stdin, sys.stdout, sys.stderr)],
    "session": os.getsid(0) == os.getpid() == os.getpgid(0),
    "files": sorted(os.listdir("/dev/fd"))[:3], "open": len(os.listdir("/dev/fd")),
    "signals": [str(signal.getsignal(number)) for number in
                (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP)],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "wakeup": signal.set_wakeup_fd(-1),
    "gc": [gc.isenabled(), gc.get_threshold()], "threads": threading.active_count(),
    "locale": locale.setlocale(locale.LC_CTYPE), "recursion": sys.getrecursionlimit(),
    "warnings": sys.warnoptions, "stdin": sys.stdin.read(),
    "sysconfig": __import__("sysconfig").get_paths()["purelib"],
    "userbase": __import__("site").getuserbase(),
}, sort_keys=True))
"""

ENDS = {
    "returns": "print('x')",
    "exits": "import sys; sys.exit(7)",
    "exits beyond a byte": "import sys; sys.exit(256 + 3)",
    "exits with words": "import sys; sys.exit('no way')",
    "exits with nothing": "raise SystemExit",
    "raises": "def f():\n    raise ValueError('bad')\nf()",
    "raises from": "try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e",
    "raises a group": "raise KeyboardInterrupt",
    "does not parse": "x = (",
    "warns": "import warnings; warnings.warn('careful')\nx = 1 is 1",
    "has a hook": "import sys; sys.excepthook = lambda *a: print('hooked', a[0])\n1/0",
    "has a broken hook": "import sys\nsys.excepthook = lambda *a: [][0]\n1/0",
    "kills itself": "import os; os.kill(os.getpid(), 9)",
    "aborts": "import os; print('x', end=''); os.abort()",
    "leaves at once": "import os; print('x', end=''); os._exit(5)",
    "has exit functions": "import atexit; atexit.register(print, 'bye'); print('x', end='')",
    "has a thread": (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()"
    ),
    "has a daemon": (
        "import threading, time\n"
        "threading.Thread(target=lambda: time.sleep(60), daemon=True).start()"
    ),
    "leaves files open": (
        "import os\n"
        "def read():\n    return open(os.environ['TMPDIR'] + '/f').read()\n"
        "class Later:\n    def __del__(self): print('deleted', file)\n"
        "file = open(os.environ['TMPDIR'] + '/f', 'w'); file.write('whole')\n"
        "cycle = Later(); cycle.me = cycle; plain = Later(); _hidden = Later()\n"
        "import wave; wave.late = Later()"
    ),
    "is in two modules": "import runpy; print(runpy.__name__); print(__name__, __file__)",
    "forks": "import os\nif os.fork(): print(os.wait()[1])\nelse: print('child', flush=True)",
    "uses processes": (
        "import multiprocessing as m\n"
        "def f(x): return x * 2\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('fork').Pool(2) as p: print(p.map(f, range(4)))"
    ),
    "imports a module again": (
        "import sys, colorsys\n"
        "class Later:\n    def __del__(self): print('deleted')\n"
        "del sys.modules['colorsys'], colorsys\n"
        "import colorsys; colorsys.late = Later()"
    ),
    "is random": "import random, uuid, secrets, tempfile; print('ok')",
    "writes both ways": (
        "import sys, os\nprint('a'); sys.stdout.buffer.write(b'b'); os.write(1, b'c\\n')"
    ),
}


def interpreters() -> list[str]:
    """Return this Python, and those that FAIRLEAD_TEST_PYTHONS names, separated by colons."""
    return [sys.executable, *filter(None, os.environ.get("FAIRLEAD_TEST_PYTHONS", "").split(":"))]


@pytest.fixture(params=interpreters())
def metadata(request) -> dict[str, dict[str, str]]:
    """Metadata of a pod that runs with one of the interpreters."""
    return {"annotations": {"fairlead.dev/interpreter": request.param}}


def test_a_forked_step_sees_the_same_process_as_an_exec(pods, metadata) -> None:
    forked = json.loads(pods.output("forked", LOOK, metadata=metadata))
    execed = json.loads(pods.output("execed", LOOK, **EXEC, metadata=metadata))
    for seen, name in ((forked, "forked"), (execed, "execed")):
        uid = pods.get(name).metadata.uid
        text = json.dumps(seen).replace(uid, "UID").replace(f'"{name}"', '"NAME"')
        seen.clear()
        seen.update(json.loads(text))
    assert forked == execed


@pytest.mark.parametrize("source", ENDS.values(), ids=ENDS.keys())
def test_a_forked_step_ends_as_an_exec_does(pods, metadata, source: str) -> None:
    seen = []
    for name, more in (("forked", {}), ("execed", EXEC)):
        pod = pods.run(name, source, **more, metadata=metadata)
        ended = pod.status.container_statuses[0].state.terminated
        log = pods.log(name).replace(pod.metadata.uid, "UID")
        seen.append((ended.exit_code, ended.signal, ended.reason, sorted(log.splitlines())))
    assert seen[0] == seen[1]


def test_the_two_ways_are_really_two(pods) -> None:
    source = "import os; print(open(f'/proc/{os.getppid()}/cmdline').read())"
    assert "warm.py" in pods.output("forked", source)
    assert "warm.py" not in pods.output("execed", source, **EXEC)


@pytest.mark.parametrize(
    "name", ["PYTHONPATH", "LD_PRELOAD_NOT", "MALLOC_ARENA_MAX", "LC_ALL", "PYTHONUSERBASE"]
)
def test_a_variable_that_is_read_at_the_start_makes_an_exec(pods, name: str) -> None:
    env = {"container": {"env": [{"name": name, "value": "C"}]}}
    source = "import os; print(open(f'/proc/{os.getppid()}/cmdline').read())"
    assert "warm.py" not in pods.output("pod", source, **env)


@pytest.mark.parametrize("more", [{}, EXEC], ids=["forked", "execed"])
def test_a_module_and_a_script_run_as_python_runs_them(pods, tmp_path, more) -> None:
    (tmp_path / "beside.py").write_text("NAME = __name__\n")
    (tmp_path / "step.py").write_text(
        "import beside, sys\nprint(beside.NAME, __name__, __file__, sys.argv, sys.path[0])\n"
    )
    metadata = {"metadata": {"annotations": {"fairlead.dev/working-dir": str(tmp_path)}}}
    container = more.get("container", {})
    module = {"container": {**container, "command": ["python", "-m", "step", "a"]}, **metadata}
    script = {"container": {**container, "command": ["python3", "-u", "step.py", "b"]}, **metadata}
    assert pods.output("module", "", **module) == (
        f"beside __main__ {tmp_path}/step.py ['{tmp_path}/step.py', 'a'] {tmp_path}\n"
    )
    assert pods.output("script", "", **script) == (
        f"beside __main__ {tmp_path}/step.py ['step.py', 'b'] {tmp_path}\n"
    )


def test_steps_do_not_see_each_other(pods) -> None:
    first = "import json, os; json.loads = None; os.environ['LEFT'] = 'x'; import wave"
    pods.output("first", first)
    second = (
        "import json, os, sys; print(json.loads('1'), 'LEFT' in os.environ, 'wave' in sys.modules)"
    )
    assert pods.output("second", second) == "1 False False\n"
