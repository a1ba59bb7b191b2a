"""`!` lines and the common magics without IPython: the object that `get_ipython()` returns."""

from __future__ import annotations

import os
import re
import sys
import time
import typing

from fairlead.pipelines.runner.displays import display
from fairlead.pipelines.runner.pretty import FLOATS

_SHOWN = {
    "html": "text/html",
    "HTML": "text/html",
    "markdown": "text/markdown",
    "latex": "text/latex",
    "svg": "image/svg+xml",
    "SVG": "image/svg+xml",
    "js": "application/javascript",
    "javascript": "application/javascript",
}
_DOLLAR = re.compile(r"(.*?)\$(\$?[\w.]+)(?=(?:[^']*'[^']*')*[^']*$)", re.DOTALL)


def expand(text: str, depth: int) -> str:
    """Put values into `{expression}` and `$name`, as IPython does: all of them, or none.

    `$$name` stands for the shell's own `$name`, and so does `$name` in single quotes.
    """
    import string

    frame = sys._getframe(depth)
    space = dict(frame.f_globals, **frame.f_locals)
    done = ""
    try:
        for literal, field, form, _ in string.Formatter().parse(text):
            end = 0
            for match in _DOLLAR.finditer(literal):
                before, name = match.groups()
                done += before + (name if name.startswith("$") else str(eval(name, space)))
                end = match.end()
            done += literal[end:]
            if field is not None:
                done += str(eval(field + (":" + form if form else ""), space))
    except Exception:  # shell syntax, such as `{a,b}` or `$HOME`: nothing of it is ours
        return text
    return done


class Lines(list):  # type: ignore[type-arg]
    """Lines of a command's output, with the views that IPython gives."""

    @property
    def l(self) -> list[str]:  # noqa: E743
        """The lines."""
        return list(self)

    @property
    def n(self) -> str:
        """The lines joined by line breaks."""
        return "\n".join(self)

    @property
    def s(self) -> str:
        """The lines joined by spaces."""
        return " ".join(self)


def current_shell() -> typing.Any:
    """Return the shell of this process."""
    return get_ipython()  # type: ignore[name-defined]  # noqa: F821


class Captured:
    """What `%%capture` kept."""

    def __init__(self) -> None:
        self.stdout = self.stderr = ""
        self.outputs: list[typing.Any] = []

    def __str__(self) -> str:
        return self.stdout

    def show(self) -> None:
        """Print it now."""
        sys.stderr.write(self.stderr)
        sys.stdout.write(self.stdout)

    __call__ = show


def _shell() -> str | None:
    return os.environ.get("SHELL") or None


def _run(command: typing.Any, text: str | None = None, show: bool = True) -> tuple[int, str, str]:
    import subprocess
    import threading

    child = subprocess.Popen(
        command,
        shell=isinstance(command, str),
        executable=_shell() if isinstance(command, str) else None,
        stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        errors="replace",
    )
    kept: dict[str, list[str]] = {"out": [], "err": []}
    pipes = {"out": (child.stdout, sys.stdout), "err": (child.stderr, sys.stderr)}

    def copy(name: str) -> None:
        for line in typing.cast(typing.Any, pipes[name][0]):
            kept[name].append(line)
            if show:
                pipes[name][1].write(line)

    threads = [threading.Thread(target=copy, args=(name,)) for name in pipes]
    for thread in threads:
        thread.start()
    if text is not None and child.stdin is not None:
        try:
            child.stdin.write(text)
            child.stdin.close()
        except BrokenPipeError:  # the command read less than it was given, which is its right
            child.stdin = None
    for thread in threads:
        thread.join()
    return child.wait(), "".join(kept["out"]), "".join(kept["err"])


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("μs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


class Shell:
    """The few parts of IPython's shell that the code of a notebook calls."""

    def __init__(self, space: dict[str, typing.Any]) -> None:
        self.user_ns = space
        self.kernel = None  # libraries look for it: pandas shows more columns than in a terminal
        self.capturing: list[typing.Any] | None = None
        self.started: tuple[float, float, float] | None = None

    def __reduce__(self) -> typing.Any:
        return current_shell, ()

    def system(self, command: str) -> None:
        """Run a `!` line and show what it prints; `_exit_code` keeps its exit status."""
        self.user_ns["_exit_code"] = _run(expand(command, 2))[0]

    def getoutput(self, command: str) -> Lines:
        """Run a command and return the lines that it prints, errors included."""
        import subprocess

        done = subprocess.run(
            expand(command, 2),
            shell=True,
            executable=_shell(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        return Lines(done.stdout.splitlines())

    def script(self, program: str, text: str, check: bool = True, keep: bool = False) -> typing.Any:
        """Run a cell by another program; with `keep`, return what it prints."""
        import shlex
        import subprocess

        command = shlex.split(expand(program, 2))
        status, out, err = _run(command, text, not keep)
        if status and check:
            raise subprocess.CalledProcessError(status, text.encode())
        return (out, err) if keep else None

    def write_file(self, name: str, text: str, append: bool) -> None:
        """Write a cell to a file."""
        path = os.path.expanduser(expand(name, 2))
        print(("Appending to " if append else "Writing ") + path)
        with open(path, "a" if append else "w", encoding="utf-8") as file:
            file.write(text)

    def show(self, kind: str, text: str) -> None:
        """Show the text of a cell as HTML, Markdown, LaTeX, SVG or JavaScript."""
        name = {"HTML": "HTML", "SVG": "SVG", "js": "Javascript"}.get(kind, kind.title())
        plain = f"<IPython.core.display.{'HTML' if kind == 'html' else name} object>"
        display({_SHOWN[kind]: text, "text/plain": plain}, raw=True)

    def pip(self, line: str) -> None:
        """Run pip for this step's interpreter."""
        import shlex
        import subprocess

        words = [sys.executable, "-m", "pip", *shlex.split(expand(line, 2))]
        status = _run(words)[0]
        if status:
            raise subprocess.CalledProcessError(status, words)
        print("Note: you may need to restart the kernel to use updated packages.")

    def cd(self, folder: str, quiet: bool = False) -> None:
        """Change the working directory, and print it unless `quiet`."""
        os.chdir(os.path.expanduser(expand(folder, 2).strip("'\"") or "~"))
        if not quiet:
            print(os.getcwd())

    def env(self, line: str) -> typing.Any:
        """Read or set environment variables."""
        line = expand(line, 2).strip()
        if not line:
            return dict(os.environ)
        parts = line.split("=", 1) if "=" in line else line.split(None, 1)
        if len(parts) == 1:
            return os.environ[line]
        os.environ[parts[0].strip()] = parts[1].strip()
        print("env: %s=%s" % (parts[0].strip(), parts[1].strip()))  # noqa: UP031
        return None

    def run_line_magic(self, name: str, line: str = "", *_: typing.Any) -> typing.Any:
        """Do a magic that code calls by name; those about the notebook itself do nothing."""
        known: dict[str, typing.Any] = {
            "cd": self.cd,
            "env": self.env,
            "set_env": self.env,
            "pip": self.pip,
            "pwd": lambda _: os.getcwd(),
            "precision": self.precision,
            "sx": self.getoutput,
            "system": self.getoutput,
        }
        return known[name](line) if name in known else None

    def run_cell_magic(self, name: str, line: str, text: str) -> typing.Any:
        """Do a cell magic that code calls by name: a script, a file or something that is shown."""
        if name in _SHOWN:
            return self.show(name, text)
        if name in ("writefile", "file"):
            words = line.split()
            return self.write_file(words[-1], text, len(words) > 1)
        return self.script((line if name == "script" else f"{name} {line}").strip(), text)

    def precision(self, text: str) -> str:
        """Set how floats are shown as results: a number of digits, a format, or nothing."""
        FLOATS.clear()
        text = text.strip()
        if text:
            FLOATS["float"] = text if "%" in text else f"%.{int(text)}f"
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            numpy.set_printoptions(precision=int(text) if text.isdigit() else 8)
        return FLOATS.get("float", "%r")

    def timeit(self, options: str, setup: str, text: str) -> None:
        """Time statements, once unless the options say how often; they see names and bind none."""
        import timeit

        given = dict(re.findall(r"-([nr])\s*(\d+)", options))
        number, rounds = int(given.get("n", 1)), int(given.get("r", 1))
        timer = timeit.Timer(text, setup or "pass", globals=self.user_ns)
        times = [seconds / number for seconds in timer.repeat(rounds, number)]
        if not re.search(r"-\w*q", options):
            mean = sum(times) / rounds
            spread = (sum((t - mean) ** 2 for t in times) / rounds) ** 0.5
            print(
                "%s ± %s per loop (mean ± std. dev. of %d run%s, %d loop%s each)"  # noqa: UP031
                % (
                    _time(mean),
                    _time(spread),
                    rounds,
                    "s" * (rounds > 1),
                    number,
                    "s" * (number > 1),
                )
            )

    def start_clock(self) -> None:
        """Begin to time the cell, or the expression that follows."""
        self.started = (*os.times()[:2], time.perf_counter())

    def stop_clock(self, value: typing.Any = None, *_: typing.Any) -> typing.Any:
        """Print the time since `start_clock`; return the timed expression's value."""
        if self.started is not None:
            now = os.times()
            user, system = (_time(now[n] - self.started[n]) for n in (0, 1))
            total = _time(now[0] + now[1] - self.started[0] - self.started[1])
            wall = _time(time.perf_counter() - self.started[2])
            self.started = None
            print(f"CPU times: user {user}, sys: {system}, total: {total}\nWall time: {wall}")
        return value

    def start_capture(self) -> Captured:
        """Keep what the cell prints away from the notebook until the cell ends."""
        kept, streams = Captured(), (sys.stdout, sys.stderr)
        for stream in streams:
            setattr(stream, "held", [])  # noqa: B010
        self.capturing = [kept, *streams]
        return kept

    def end_cell(self) -> None:
        """Finish what a cell magic of this cell began."""
        if self.capturing is not None:
            kept, out, err = self.capturing
            kept.stdout, kept.stderr = "".join(out.held), "".join(err.held)
            out.held = err.held = self.capturing = None
        self.stop_clock()

    def listing(self, magic: str) -> None:
        """Do nothing in place of a magic that lists the names or inputs of a session."""
        del magic

    def note(self, text: str) -> None:
        """Say what a step leaves out."""
        print(text)
