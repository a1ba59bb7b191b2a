"""The identity of a Python environment."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fairlead_plane import environments
from fairlead_plane.environments import InterpreterError, fingerprint


@pytest.fixture
def environment(tmp_path):
    """Return interpreter and site folder of an empty environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    site = next((tmp_path / "env" / "lib").iterdir()) / "site-packages"
    return str(tmp_path / "env" / "bin" / "python"), site


def test_equal_content_is_one_identity_and_a_new_version_another(environment) -> None:
    python, site = environment
    empty = fingerprint(python)
    (site / "thing-1.0.dist-info").mkdir()
    first = fingerprint(python)
    (site / "thing-1.0.dist-info").rename(site / "thing-2.0.dist-info")
    second = fingerprint(python)
    assert len({empty, first, second}) == 3
    (site / "thing-2.0.dist-info").rmdir()
    assert fingerprint(python) == empty


def test_files_that_are_no_distribution_do_not_count(environment) -> None:
    python, site = environment
    before = fingerprint(python)
    (site / "module.py").touch()
    assert fingerprint(python) == before


def test_an_unchanged_environment_is_not_asked_again(environment, monkeypatch) -> None:
    python, _ = environment
    before = fingerprint(python)
    monkeypatch.setattr(environments.subprocess, "run", None)
    assert fingerprint(python) == before


def test_an_interpreter_that_cannot_run_is_named() -> None:
    with pytest.raises(InterpreterError, match="/no/such/python cannot be run"):
        fingerprint("/no/such/python")
