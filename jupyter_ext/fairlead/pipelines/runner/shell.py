"""`!` lines and the common magics without IPython: the object that `get_ipython()` returns."""

from __future__ import annotations

import os
import re
import sys
import time
import typing

from fairlead.pipelines.runner.displays import display

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
_EXPANSION = re.compile(r"\$\$|\$(\w+(?:\.\w+)*)|\{([^{}]+)\}")


def expand(text: str, depth: int) -> str:
    """Put values into `{expression}` and `$name`; what has no value stays as it is written."""
    frame = sys._getframe(depth)

    def value(match: typing.Any) -> str:
        source = match.group(1) or match.group(2)
        if source is None:
            return "$"
        try:
            return str(eval(source, frame.f_globals, frame.f_locals))
        except Exception:  # shell syntax, such as `{a,b}` or `$HOME`: not ours
            return str(match.group(0))

    return _EXPANSION.sub(value, text)


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


def _run(command: typing.Any, text: str | None = None, show: bool = True) -> tuple[int, str, str]:
    import subprocess
    import threading

    child = subprocess.Popen(
        command,
        shell=isinstance(command, str),
        executable=(os.environ.get("SHELL") or None) if isinstance(command, str) else None,
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


class Shell:
    """The few parts of IPython's shell that the code of a notebook calls."""

    def __init__(self, space: dict[str, typing.Any]) -> None:
        self.user_ns = space
        self.capturing: list[typing.Any] | None = None
        self.started: tuple[float, float] | None = None

    def system(self, command: str) -> None:
        """Run a `!` line and show what it prints; `_exit_code` keeps its exit status."""
        self.user_ns["_exit_code"] = _run(expand(command, 2))[0]

    def getoutput(self, command: str) -> Lines:
        """Run a command and return the lines that it prints, errors included."""
        import subprocess

        done = subprocess.run(
            expand(command, 2),
            shell=True,
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

        command = shlex.split(program)
        status, out, err = _run(command, text, not keep)
        if status and check:
            raise subprocess.CalledProcessError(status, command)
        return (out, err) if keep else None

    def write_file(self, name: str, text: str, append: bool) -> None:
        """Write a cell to a file."""
        path = os.path.expanduser(expand(name, 2))
        print(("Appending to " if append else "Writing ") + path)
        with open(path, "a" if append else "w", encoding="utf-8") as file:
            file.write(text)

    def show(self, kind: str, text: str) -> None:
        """Show the text of a cell as HTML, Markdown, LaTeX, SVG or JavaScript."""
        display({_SHOWN[kind]: text}, raw=True)

    def pip(self, line: str) -> None:
        """Run pip for this step's interpreter."""
        import shlex
        import subprocess

        words = [sys.executable, "-m", "pip", *shlex.split(expand(line, 2))]
        status = _run(words)[0]
        if status:
            raise subprocess.CalledProcessError(status, words)

    def cd(self, folder: str) -> None:
        """Change the working directory."""
        os.chdir(os.path.expanduser(expand(folder, 2).strip("'\"") or "~"))
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
        known: dict[str, typing.Any] = {"cd": self.cd, "env": self.env, "pip": self.pip}
        return known[name](line) if name in known else None

    def start_clock(self) -> None:
        """Begin to time the cell, or the expression that follows."""
        self.started = (time.process_time(), time.perf_counter())

    def stop_clock(self, value: typing.Any = None, *_: typing.Any) -> typing.Any:
        """Print the time since `start_clock`; return the timed expression's value."""
        if self.started is not None:
            cpu, wall = time.process_time() - self.started[0], time.perf_counter() - self.started[1]
            self.started = None
            print("CPU times: %.3g s\nWall time: %.3g s" % (cpu, wall))  # noqa: UP031
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

    def note(self, text: str) -> None:
        """Say what a step leaves out."""
        print(text)
