"""A cell with one typed function is a component that other pipelines load."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.documents import dump_pipeline
from fairlead.errors import NotFoundError, SpecError
from fairlead.pipelines import analyse, check_pipeline, compile_component, compile_notebook
from fairlead.pipelines.runner import function_source
from local_steps import code, notebook, run_processes

Json = dict[str, Any]

SETUP = code(
    "import math\nfrom typing import NamedTuple\nimport json as unused\nBY = 2\n"
    "def double(x):\n    return x * BY",
    "imports",
)
SCALE = code(
    'def scale_all(rows: list, factor: float = 1.5, note: str = "") -> '
    'NamedTuple("Outputs", [("scaled", list), ("count", int)]):\n'
    '    """Scale rows."""\n'
    '    made = NamedTuple("Outputs", [("scaled", list), ("count", int)])\n'
    "    return made([double(row) * factor for row in rows], len(rows))",
    "component",
)
ROOT = code("def root(a: int) -> float:\n    return math.sqrt(a)", fairlead={"component": True})
USE = code("found = scale_all([1, 2], 2.0)\nprint(found.scaled, root(9))", "step:use")
WHOLE = notebook(SETUP, SCALE, ROOT, USE)

KFP = """
import sys
import yaml
from kfp import compiler, components, dsl

scale = components.load_component_from_file(sys.argv[1])
root = components.load_component_from_file(sys.argv[2])

@dsl.pipeline
def both(n: int = 16):
    task = scale(rows=[1, 2], factor=3.0)
    root(a=task.outputs["count"])
    root(a=n)

compiler.Compiler().compile(both, sys.argv[3])
"""


def run(spec: Json, folder: Path, **values: Any) -> tuple[int, Json, str]:
    """Run a component as its executor says; return its exit status, outputs and stderr."""
    (executor,) = spec["deploymentSpec"]["executors"].values()
    container = executor["container"]
    given = {
        "inputs": {"parameterValues": values},
        "outputs": {"outputFile": str(folder / "out.json")},
    }
    arguments = [word.replace("{{$}}", json.dumps(given)) for word in container["args"]]
    command = [sys.executable, "-I", "-S", *container["command"][1:], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    path = folder / "out.json"
    outputs = json.loads(path.read_text())["parameterValues"] if path.exists() else {}
    return done.returncode, outputs, done.stderr


def test_a_component_has_typed_inputs_and_outputs_and_the_code_it_needs(tmp_path: Path) -> None:
    spec, platform = compile_component(WHOLE, "scale_all")
    check_pipeline(spec)
    assert platform == {}
    assert spec["pipelineInfo"] == {"name": "scale-all", "description": "Scale rows."}
    assert spec["root"]["inputDefinitions"]["parameters"] == {
        "rows": {"parameterType": "LIST"},
        "factor": {"parameterType": "NUMBER_DOUBLE", "isOptional": True, "defaultValue": 1.5},
        "note": {"parameterType": "STRING", "isOptional": True, "defaultValue": ""},
    }
    assert spec["root"]["outputDefinitions"]["parameters"] == {
        "scaled": {"parameterType": "LIST"},
        "count": {"parameterType": "NUMBER_INTEGER"},
    }
    (executor,) = spec["deploymentSpec"]["executors"].values()
    source = json.loads(executor["container"]["args"][-1])["source"]
    assert "def double" in source
    assert "BY = 2" in source
    assert "unused" not in source
    assert "math" not in source
    assert run(spec, tmp_path, rows=[1, 2])[:2] == (0, {"scaled": [3.0, 6.0], "count": 2})


def test_a_step_calls_the_function_as_the_notebook_does(tmp_path: Path) -> None:
    outcome = run_processes(WHOLE, tmp_path)
    assert outcome.logs["use"] == "[4.0, 8.0] 3.0\n"


def test_values_have_the_declared_types_or_the_component_fails(tmp_path: Path) -> None:
    source = "def f(a: int) -> int:\n    return str(a) if a > 1 else a"
    spec, _ = compile_component(notebook(code(source, "component")), "f")
    assert run(spec, tmp_path, a=1.0)[:2] == (0, {"Output": 1})
    (tmp_path / "out.json").unlink()
    status, _, said = run(spec, tmp_path, a=2.0)
    assert status == 1
    assert "'Output' is a str, and NUMBER_INTEGER is declared" in said


def test_an_error_shows_the_line_of_the_function(tmp_path: Path) -> None:
    source = "def f(a: int) -> int:\n    return 1 // a"
    spec, _ = compile_component(notebook(code(source, "component")), "f")
    status, _, said = run(spec, tmp_path, a=0)
    assert status == 1
    assert 'File "component f", line 2, in f\n    return 1 // a\n' in said


def test_kfps_loader_takes_components_and_uses_them_in_another_pipeline(tmp_path: Path) -> None:
    python = os.environ.get("FAIRLEAD_TEST_KFP_PYTHON")
    if not python:
        pytest.skip("FAIRLEAD_TEST_KFP_PYTHON does not name a Python with kfp")
    paths = []
    for name in ("scale-all", "root"):
        paths.append(tmp_path / f"{name}.yaml")
        paths[-1].write_text(dump_pipeline(*compile_component(WHOLE, name)))
    subprocess.run(
        [python, "-W", "ignore", "-c", KFP, *map(str, paths), str(tmp_path / "both.yaml")],
        check=True,
        timeout=120,
    )
    spec = yaml.safe_load((tmp_path / "both.yaml").read_text())
    check_pipeline(spec)
    assert len(spec["root"]["dag"]["tasks"]) == 3


def test_settings_of_the_cell_are_those_of_the_component() -> None:
    settings = {"component": True, "image": "mine:1", "packages": ["a==1"], "env": {"A": "b"}}
    source = "def f(a: int) -> int:\n    return a"
    spec, _ = compile_component(notebook(code(source, fairlead=settings)), "f")
    container = spec["deploymentSpec"]["executors"]["exec-f"]["container"]
    assert (container["image"], container["env"]) == ("mine:1", [{"name": "A", "value": "b"}])
    assert "'a==1'" in container["command"][2]


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        ("x = 1", 1, "component"),
        ("def f(a: int) -> int: ...\ndef g(): ...", 2, "component"),
        ("def f(a) -> int: ...", 1, "a"),
        ("def f(a: int, *more) -> int: ...", 1, "more"),
        ("def f(a: int = max(1, 2)) -> int: ...", 1, "a"),
        ("def f(a: int):\n    return a", 1, "f"),
        ("def f(a: int) -> set: ...", 1, "f"),
        ("def f(a: int) -> int:\n    return a + data", 2, "data"),
    ],
)
def test_what_is_no_component_is_refused_with_cell_line_and_name(
    source: str, line: int, name: str
) -> None:
    cells = [code("data = 1", "step:load"), code("y = data"), code(source, "component")]
    found = analyse(notebook(*cells)).errors
    assert [(p.cell_id, p.line, p.name) for p in found] == [("c2", line, name)]
    assert found[0].hint


def test_a_component_that_is_not_there_and_one_of_a_local_file_are_told() -> None:
    with pytest.raises(NotFoundError, match="no component 'nope'") as caught:
        compile_component(WHOLE, "nope")
    assert "'scale-all', 'root'" in caught.value.hint
    cells = [
        code("import helpers", "imports"),
        code("def f() -> int:\n    return helpers.a", "component"),
    ]
    with pytest.raises(SpecError, match="imports `helpers`"):
        compile_component(notebook(*cells), "f", modules=["helpers.py"])


def test_the_program_keeps_to_what_python_3_8_understands() -> None:
    ast.parse(function_source(), feature_version=(3, 8))


def test_the_notebooks_own_pipeline_has_no_task_for_a_component() -> None:
    assert list(compile_notebook(WHOLE, name="x")["root"]["dag"]["tasks"]) == ["use"]
