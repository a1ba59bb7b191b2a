"""A pod never changes the environment that it runs in."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

EXEC = {"env": [{"name": "PYTHONHASHSEED", "value": "random"}]}


def site_packages_hash(folder: str) -> str:
    """Hash names, sizes and contents of all files of an environment."""
    digest = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def make_wheel(folder: Path, name: str, version: str) -> Path:
    """Write a wheel of one module."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """An environment with pip and one package, `thing` 1.0."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    wheel = make_wheel(folder, "thing", "1.0")
    python = folder / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", wheel], check=True)
    return python


WAYS = {
    "module": "[sys.executable, '-m', 'pip', 'install', '-q', '--no-index', wheel]",
    "program": "['pip', 'install', '-q', '--no-index', wheel]",
    "program of the environment": (
        "[os.environ['BASE'] + '/pip', 'install', '-q', '--no-index', wheel]"
    ),
    "python of the environment": (
        "[os.environ['BASE'] + '/python', '-m', 'pip', 'install', '-q', '--no-index', wheel]"
    ),
}


@pytest.mark.parametrize("more", [{}, EXEC], ids=["forked", "execed"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_pip_install_lands_in_the_pod_and_the_pod_sees_it(
    pods, environment, tmp_path, way, more
) -> None:
    folder = environment.parent.parent
    before = site_packages_hash(str(folder))
    wheel = make_wheel(tmp_path, "thing", "2.0")
    source = (
        "import os, subprocess, sys\n"
        f"wheel = {str(wheel)!r}\n"
        f"subprocess.run({way}, check=True)\n"
        "import thing, pip\n"
        "print(thing.VERSION, os.environ['VIRTUAL_ENV'] in thing.__file__, pip.__file__)\n"
        "show = 'import thing; print(thing.VERSION)'\n"
        "subprocess.run([sys.executable, '-c', show], check=True)"
    )
    env = [*more.get("env", ()), {"name": "BASE", "value": str(environment.parent)}]
    metadata = {"annotations": {"fairlead.dev/interpreter": str(environment)}}
    text = pods.output("pod", source, metadata=metadata, container={"env": env})
    lines = [line for line in text.splitlines() if "notice" not in line and line]
    assert lines[0].startswith("2.0 True " + str(folder))
    assert lines[1] == "2.0"
    assert site_packages_hash(str(folder)) == before
    other = pods.output("other", "import thing; print(thing.VERSION)", metadata=metadata)
    assert other == "1.0\n"


def test_pip_uninstall_leaves_the_environment_as_it_is(pods, environment) -> None:
    folder = environment.parent.parent
    before = site_packages_hash(str(folder))
    source = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'pip', 'uninstall', '-y', 'thing'])"
    )
    metadata = {"annotations": {"fairlead.dev/interpreter": str(environment)}}
    pods.run("pod", source, metadata=metadata)
    assert site_packages_hash(str(folder)) == before


def test_an_environment_that_has_changed_is_seen_by_the_next_pod(pods, tmp_path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    site = Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())
    metadata = {"annotations": {"fairlead.dev/interpreter": str(python)}}
    source = "import importlib.util as u; print([u.find_spec(n) is not None for n in ('aa', 'bb')])"
    assert pods.output("first", source, metadata=metadata) == "[False, False]\n"
    (site / "aa.py").touch()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "bb.py").touch()
    (site / "editable.pth").write_text(str(tmp_path / "src"))
    assert pods.output("second", source, metadata=metadata) == "[True, True]\n"


def test_fairleads_own_environment_stays_as_it_is(pods, tmp_path) -> None:
    site = sysconfig.get_paths()["purelib"]
    names = sorted(path.name for path in Path(site).iterdir())
    wheel = make_wheel(tmp_path, "fairlead_visitor", "1.0")
    source = (
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'pip', 'install', '-q', '--no-index']\n"
        f"done = subprocess.run([*command, {str(wheel)!r}])\n"
        "import fairlead_visitor; print(fairlead_visitor.VERSION)"
    )
    pytest.importorskip("pip")
    assert pods.output("pod", source).endswith("1.0\n")
    assert sorted(path.name for path in Path(site).iterdir()) == names
