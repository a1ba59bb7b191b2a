"""The control plane with the session: what is written and where, and what is said elsewhere."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.cli import main
from fairlead.errors import CapabilityError
from fairlead.kube import autostart

# A stand-in: no systemd of a user runs where tests run. It notes how it was called.
SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$XDG_CONFIG_HOME/calls"
[ ! -e "$XDG_CONFIG_HOME/absent" ] || { echo "Failed to connect to bus" >&2; exit 1; }
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's configuration, and a systemctl."""
    config = tmp_path / "config"
    programs = tmp_path / "bin"
    for folder in (config, programs):
        folder.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL)
    (programs / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setenv("FAIRLEAD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "platform", "linux")
    return config


def test_it_is_written_and_enabled_when_it_is_asked_for_alone(home, capsys):
    unit = home / "systemd" / "user" / "fairlead.service"
    assert main(["autostart", "status"]) == 1
    assert not unit.exists()
    assert main(["autostart", "enable"]) == 0
    assert str(unit) in capsys.readouterr().out
    assert f'ExecStart="{sys.executable}" "-m" "fairlead_plane"' in unit.read_text()
    calls = (home / "calls").read_text().splitlines()
    assert calls[1:] == ["--user daemon-reload", "--user enable fairlead.service"]
    assert main(["autostart", "status"]) == 0
    assert main(["autostart", "disable"]) == 0
    assert not unit.exists()
    assert "--user disable fairlead.service" in (home / "calls").read_text()
    assert main(["autostart", "disable"]) == 0
    assert "does not start with the session" in capsys.readouterr().out


def test_another_data_directory_is_told(home, monkeypatch, capsys):
    main(["autostart", "enable"])
    monkeypatch.setenv("FAIRLEAD_DATA_DIR", "/elsewhere")
    assert main(["autostart", "status"]) == 0
    assert "another Python or data directory" in capsys.readouterr().out


def test_without_a_users_systemd_it_says_so_and_writes_nothing(home, capsys):
    (home / "absent").touch()
    assert main(["autostart", "enable"]) == 1
    said = capsys.readouterr().err
    assert "There is no systemd of this user's session here: Failed to connect to bus" in said
    assert "fairlead up" in said
    assert not (home / "systemd").exists()


def test_without_systemd_it_says_so(home, monkeypatch):
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(CapabilityError, match="no systemctl"):
        autostart.enable()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_nothing_wrong_with_the_unit(home, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    strange = tmp_path / 'a "strange" $folder 100%'
    strange.mkdir()
    unit = tmp_path / "fairlead.service"
    unit.write_text(autostart.unit_text(sys.executable, strange))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    about_it = [line for line in done.stderr.splitlines() if "fairlead" in line]
    assert (done.returncode, about_it) == (0, []), done.stderr


def test_on_macos_it_is_an_agent_of_the_user(home, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    now = autostart.enable()
    assert now.path == tmp_path / "Library" / "LaunchAgents" / "dev.fairlead.plane.plist"
    agent = plistlib.loads(now.path.read_bytes())
    assert agent["ProgramArguments"][:3] == [sys.executable, "-m", "fairlead_plane"]
    assert agent["RunAtLoad"] is True
    assert not autostart.disable().enabled
    assert not (home / "calls").exists()


def test_elsewhere_it_says_what_it_takes(home, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(CapabilityError, match="systemd or launchd"):
        autostart.status()
