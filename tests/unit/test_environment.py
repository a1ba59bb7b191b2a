"""Modules are found in the distributions of an environment, with their versions."""

from __future__ import annotations

import json
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

from fairlead.environment import Pins, pinned
from fairlead.errors import SpecError


def install(
    site: Path, name: str, number: str, files: list[str], *, top: str = "", origin: object = None
) -> None:
    """Put a distribution into a folder as pip does."""
    info = site / f"{name}-{number}.dist-info"
    info.mkdir()
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).touch()
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if top:
        (info / "top_level.txt").write_text(top + "\n")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An environment with distributions of every kind."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    install(site, "alpha", "1.0", ["alpha/__init__.py"])
    install(site, "Beta_Learn", "2.0+cu121", ["betal/__init__.py"], top="betal")
    install(site, "gamma_one", "3.0", ["gamma.py"])
    install(site, "cloud_store", "4.0", ["cloud/store/__init__.py"])
    install(site, "cloud_auth", "5.0", ["cloud/auth.py"])
    edited = {"url": "file:///home/me/own", "dir_info": {"editable": True}}
    install(site, "own", "6.0", ["own/__init__.py"], origin=edited)
    install(site, "built", "7.0", ["built.py"], origin={"url": "file:///w", "dir_info": {}})
    return str(folder / "bin" / "python")


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        (["alpha", "alpha.sub", "os", "json.decoder"], ["alpha==1.0"]),
        (["betal.trees"], ["Beta-Learn==2.0"]),
        (["gamma"], ["gamma-one==3.0"]),
        (["cloud.store"], ["cloud-store==4.0"]),
        (["cloud.auth.Key"], ["cloud-auth==5.0"]),
        (["own", "nowhere"], []),
        (["built"], ["built==7.0"]),
    ],
)
def test_a_module_is_pinned_by_the_distribution_that_has_it(
    python: str, modules: list[str], expected: list[str]
) -> None:
    assert pinned(modules, python) == expected


def test_what_no_index_has_is_remembered(python: str) -> None:
    pins = Pins(python)
    assert pins(["own.part", "alpha"]) == ["alpha==1.0"]
    assert pins.left_out == {"own"}


def test_without_an_interpreter_the_running_one_is_asked() -> None:
    wanted = [f"numpy=={version('numpy')}", f"pyyaml=={version('PyYAML')}"]
    assert pinned(["yaml", "numpy.linalg"]) == wanted == pinned(["yaml", "numpy"], sys.executable)


def test_an_interpreter_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "python"
    bad.write_text("no program")
    for path in (bad, tmp_path / "nowhere"):
        with pytest.raises(SpecError, match=str(path)):
            pinned(["alpha"], str(path))


def test_what_lies_in_other_folders_of_the_path_is_not_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "beside", "1.0", ["beside/__init__.py"])
    monkeypatch.syspath_prepend(tmp_path)
    assert pinned(["beside"]) == []
