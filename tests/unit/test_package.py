"""The package as a whole: light, one version, a tested public surface."""

import json
import re
import subprocess
import sys
from pathlib import Path

import fairlead

ROOT = Path(__file__).parents[2]


def test_importing_fairlead_loads_nothing_heavy():
    code = "import sys, fairlead; print(' '.join(m for m in sys.modules if '.' not in m))"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    heavy = {"kubernetes", "kfp", "google", "yaml", "urllib3", "IPython", "ipywidgets", "asyncio"}
    assert loaded & heavy == set()


def test_the_command_line_does_not_load_the_kubernetes_package():
    code = "import sys, fairlead.cli, fairlead.client; print('kubernetes' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "False"


def test_every_public_name_can_be_had():
    assert sorted(fairlead.__all__) == fairlead.__all__
    for name in fairlead.__all__:
        assert getattr(fairlead, name) is not None


def test_python_npm_and_changelog_have_one_version():
    package = json.loads((ROOT / "labextension" / "package.json").read_text())
    changelog = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest is not None
    assert (package["version"], newest[1]) == (fairlead.__version__, fairlead.__version__)


def test_lock_files_hold_no_hosts():
    assert "://" not in (ROOT / "labextension" / "yarn.lock").read_text()
