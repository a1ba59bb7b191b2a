"""The control plane as a part of the user's session: a systemd user unit, or a launchd agent.

Nothing is written before it is asked for, and nothing outside of the user's own configuration.
"""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from fairlead.errors import CapabilityError, ClusterError
from fairlead.settings import data_dir

UNIT = "fairlead.service"
LABEL = "dev.fairlead.plane"
_HELD = 3
"""Exit code of a plane that finds another one at its data directory: nothing is wrong then."""
_BY_HAND = "Start it when you need it: fairlead up"

_UNIT = """\
# Written by `fairlead autostart enable`; `fairlead autostart disable` removes it.
[Unit]
Description=Fairlead control plane
Documentation=https://pypi.org/project/fairlead/

[Service]
ExecStart={command}
# Pods outlive a plane that fails, for the next one to take up; one that is stopped stops them.
KillMode=process
TimeoutStopSec=90
Restart=on-failure
RestartSec=5
# Another plane of the same data directory runs already.
SuccessExitStatus={held}
RestartPreventExitStatus={held}

[Install]
WantedBy=default.target
"""


class Autostart(NamedTuple):
    """How it is now."""

    enabled: bool
    path: Path
    """The file that says so, whether it is there or not."""
    stale: bool
    """It starts another Python, or another data directory, than is used here."""


def status() -> Autostart:
    """Tell how it is now; raises `CapabilityError` where this system has neither way."""
    path, wanted = _file()
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return Autostart(False, path, False)
    return Autostart(True, path, found != wanted)


def enable() -> Autostart:
    """Let the control plane start with the session, with this Python and this data directory.

    Raises
    ------
    CapabilityError
        This system has no systemd for users, nor launchd; nothing was written.
    """
    path, wanted = _file()
    if _systemd():
        _check_systemd()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wanted)
    if _systemd():
        _systemctl("daemon-reload")
        _systemctl("enable", UNIT)
    return status()


def disable() -> Autostart:
    """Take it back; a control plane that runs goes on."""
    path, _ = _file()
    if path.exists():
        if _systemd():
            _check_systemd()
            _systemctl("disable", UNIT)
        path.unlink()
        if _systemd():
            _systemctl("daemon-reload")
    return status()


def unit_text(python: str, folder: Path) -> str:
    """Return the systemd unit that starts a data directory's plane with a Python."""
    words = [python, "-m", "fairlead_plane", "--data-dir", str(folder)]
    return _UNIT.format(command=" ".join(map(_quoted, words)), held=_HELD)


def agent_plist(python: str, folder: Path) -> bytes:
    """Return the launchd agent that starts a data directory's plane with a Python."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": [python, "-m", "fairlead_plane", "--data-dir", str(folder)],
            "RunAtLoad": True,
            # Not when it ends by itself: another plane may have the data directory.
            "KeepAlive": {"Crashed": True},
            # Pods outlive a plane that fails.
            "AbandonProcessGroup": True,
        }
    )


def _file() -> tuple[Path, bytes]:
    """Return where the file belongs, and what it has to say."""
    python, folder = sys.executable, data_dir()
    if sys.platform == "darwin":
        path = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        return path, agent_plist(python, folder)
    if _systemd():
        config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        return Path(config) / "systemd" / "user" / UNIT, unit_text(python, folder).encode()
    raise CapabilityError(
        f"The control plane cannot start with the session on {sys.platform}: that takes systemd "
        "or launchd.",
        hint=_BY_HAND,
    )


def _systemd() -> bool:
    return sys.platform.startswith("linux")


def _check_systemd() -> None:
    if shutil.which("systemctl") is None:
        raise CapabilityError("This machine has no systemd: there is no systemctl.", hint=_BY_HAND)
    done = _run("show-environment")
    if done.returncode:
        raise CapabilityError(
            f"There is no systemd of this user's session here: {_said(done)}", hint=_BY_HAND
        )


def _systemctl(*words: str) -> None:
    done = _run(*words)
    if done.returncode:
        raise ClusterError(f"systemctl --user {' '.join(words)} failed: {_said(done)}")


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemctl", "--user", *words], capture_output=True, text=True, timeout=30, check=False
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip() or f"exit code {done.returncode}"


def _quoted(word: str) -> str:
    """Write a word of ExecStart as systemd reads it; see systemd.service(5), "Command lines"."""
    for what, instead in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(what, instead)
    return f'"{word}"'
