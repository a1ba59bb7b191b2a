"""The command line, as a user runs it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture
def fairlead(data_dir, tmp_path):
    """Run `fairlead ...` in a folder of the test's own."""

    def call(*arguments, **more):
        return subprocess.run(
            [sys.executable, "-m", "fairlead.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            **more,
        )

    return call
