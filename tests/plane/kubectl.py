"""The real kubectl, for one namespace of a plane."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from typing import Any

import pytest

KUBECTL = shutil.which("kubectl")
TIMEOUT_S = 60


class Kubectl:
    """Runs kubectl; skips the test where there is none.

    With `spdy` it upgrades to SPDY instead of a WebSocket, as before version 1.29.
    """

    def __init__(self, kubeconfig: Any, namespace: str, *, spdy: bool = False) -> None:
        if KUBECTL is None:
            pytest.skip("there is no kubectl on this machine")
        self._start = [KUBECTL, "--kubeconfig", str(kubeconfig), "-n", namespace]
        if spdy:
            off = [
                f"KUBECTL_{name}_WEBSOCKETS=false" for name in ("REMOTE_COMMAND", "PORT_FORWARD")
            ]
            self._start = ["/usr/bin/env", *off, *self._start]

    def argv(self, *words: str) -> list[str]:
        """Return the whole command line."""
        return [*self._start, *words]

    def run(self, *words: str, code: int = 0, **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end, which must be with this exit code."""
        done = subprocess.run(
            self.argv(*words), capture_output=True, timeout=TIMEOUT_S, check=False, **options
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start it with pipes."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.argv(*words), **{**pipes, **options})


class Terminal:
    """kubectl in a terminal of its own, as a user has it."""

    def __init__(self, argv: list[str]) -> None:
        self.text = b""
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.execv(argv[0], argv)

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._file, line.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._file, b"\x03")

    def expect(self, text: str) -> None:
        """Wait until the text has been shown."""
        end = time.monotonic() + TIMEOUT_S
        while text.encode() not in self.text:
            assert select.select([self._file], [], [], max(0, end - time.monotonic()))[0], self.text
            try:
                data = os.read(self._file, 65536)
            except OSError:
                data = b""
            assert data, self.text
            self.text += data

    def exit_code(self) -> int:
        """Read to the end and return how it ended."""
        while True:
            try:
                data = os.read(self._file, 65536)
            except OSError:
                break
            if not data:
                break
            self.text += data
        os.close(self._file)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
