"""Warm interpreters that have imported before what their steps begin with."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fairlead_plane.node import interpreters
from fairlead_plane.node.interpreters import NOTHING, Interpreters, Preload
from fairlead_plane.node.runtime import Runtime

MODULE = "kfp.dsl.executor_main"
SAY = """
import os, sys, kfp
parent = open(f"/proc/{os.getppid()}/cmdline").read().split(chr(0))
print("kfp.dsl.executor" in parent, kfp.RUNTIME, os.path.dirname(kfp.__file__), sys.argv[1:])
"""


def write_kfp(folder: Path, say: str = SAY) -> Path:
    """Write a package with the modules that kfp's runtime has; returns its folder."""
    package = folder / "kfp"
    (package / "dsl").mkdir(parents=True)
    (package / "__init__.py").write_text("import os\nRUNTIME = os.environ.get('_KFP_RUNTIME')\n")
    for name in ("__init__", "executor", "kfp_config", "utils"):
        (package / "dsl" / f"{name}.py").write_text("")
    (package / "dsl" / "executor_main.py").write_text(say)
    return package


@pytest.fixture
def python(tmp_path) -> tuple[str, Path]:
    """Interpreter and `kfp` package of an environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    site = next((tmp_path / "env" / "lib").iterdir()) / "site-packages"
    return str(tmp_path / "env" / "bin" / "python"), write_kfp(site)


def spec(python: str, value: str | None, **annotations: str):
    """A pod that runs kfp's executor."""
    env = [] if value is None else [{"name": "_KFP_RUNTIME", "value": value}]
    return {
        "metadata": {"annotations": {"fairlead.dev/interpreter": python, **annotations}},
        "container": {"command": ["python3", "-m", MODULE, "a"], "env": env},
    }


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_step_of_kfp_is_forked_with_kfp_only_where_that_equals_an_exec(
    pods, python, tmp_path
) -> None:
    path, package = python
    said = pods.output("preloaded", "", **spec(path, "true"))
    assert said == f"True true {package} ['a']\n"
    for value in ("false", None):
        said = pods.output(f"plain-{value}".lower(), "", **spec(path, value))
        assert said == f"False {value} {package} ['a']\n"
    own = write_kfp(tmp_path / "own")
    annotation = {"fairlead.dev/working-dir": str(own.parent)}
    said = pods.output("own", "", **spec(path, "true", **annotation))
    assert said == f"False true {own} ['a']\n"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_cannot_be_imported_before_is_left_to_the_step(pods, python) -> None:
    path, package = python
    (package / "dsl" / "utils.py").write_text("raise ImportError('not here')")
    assert pods.output("pod", "", **spec(path, "true")) == f"False true {package} ['a']\n"


def test_an_interpreter_that_nobody_uses_ends_and_another_is_started(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(interpreters, "IDLE_S", 0.05)
    preload = Preload(("json",))

    async def main() -> None:
        runtime = Runtime(tmp_path / "shim")
        await runtime.start()
        try:
            warm = Interpreters(runtime, {"PATH": os.environ["PATH"]})
            found = {}
            for modules in (NOTHING, preload):
                name = await warm.warm(sys.executable, modules)
                found[name] = psutil.Process(runtime.warm[name]["hello"]["pid"])
            assert len(found) == 2
            for process in found.values():
                await asyncio.to_thread(process.wait)
            monkeypatch.setattr(interpreters, "IDLE_S", 600)
            assert (await warm.describe(sys.executable)).path == sys.executable
            assert not runtime.warm
            again = await warm.warm(sys.executable, preload)
            assert runtime.warm[again]["hello"]["pid"] != found[again].pid
        finally:
            await runtime.stop()

    asyncio.run(main())
