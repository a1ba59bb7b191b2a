"""The parameters cell: types, defaults, and what overriding them does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fairlead.pipelines import NotebookError, analyse, compile_notebook
from local_steps import LocalRunner, code, notebook, run_processes

RUNNER = LocalRunner()


def declared(source: str) -> list[tuple[str, str, Any]]:
    """Return name, type and default of the parameters of a cell."""
    analysis = analyse(notebook(code(source, "parameters"), code("1", "step:a")))
    assert analysis.errors == []
    return [(p.name, p.type, p.default) for p in analysis.parameters]


@pytest.mark.parametrize(
    ("source", "parameter"),
    [
        ("n = 3", ("n", "NUMBER_INTEGER", 3)),
        ("n = -3", ("n", "NUMBER_INTEGER", -3)),
        ("r = -1.5e-3", ("r", "NUMBER_DOUBLE", -0.0015)),
        ('s = "it\'s \\"so\\""', ("s", "STRING", 'it\'s "so"')),
        ("s = ''", ("s", "STRING", "")),
        ("b = False", ("b", "BOOLEAN", False)),
        ("l = ['a', -1, [2.5, None]]", ("l", "LIST", ["a", -1, [2.5, None]])),
        ("t = (1, 2)", ("t", "LIST", [1, 2])),
        ("d = {'k': {'x': 1}}", ("d", "STRUCT", {"k": {"x": 1}})),
        ("x = None", ("x", "STRING", None)),
        ("n: int = 3", ("n", "NUMBER_INTEGER", 3)),
        ("r: float = 1", ("r", "NUMBER_DOUBLE", 1)),
        ("r: 'float' = 1", ("r", "NUMBER_DOUBLE", 1)),
        ("n: int | None = None", ("n", "NUMBER_INTEGER", None)),
        ("n: Optional[int] = None", ("n", "NUMBER_INTEGER", None)),
        ("l: list[str] = []", ("l", "LIST", [])),
        ("n = 1\nn = 2", ("n", "NUMBER_INTEGER", 2)),
    ],
)
def test_a_literal_is_a_typed_parameter(source: str, parameter: tuple[str, str, Any]) -> None:
    assert declared(source) == [parameter]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("v = -3", -3),
        ("v = 1.0", 1.0),
        ("v: float = 1", 1),
        ("v = (1, (2, 'a'))", (1, (2, "a"))),
        ("v = {1: 'a', (2, 3): None}", {1: "a", (2, 3): None}),
        ("v = [1.0, 2]", [1.0, 2]),
        ("v = None", None),
        ("v = 'it\\'s \"x\" {{$}} \\n'", 'it\'s "x" {{$}} \n'),
        ("v = {1, 2}", {1, 2}),
        ("v = b'x'", b"x"),
        ("import os\nv = os.sep", "/"),
    ],
)
def test_a_step_sees_the_default_as_python_wrote_it(source: str, value: Any) -> None:
    spec = compile_notebook(notebook(code(source, "parameters"), code("w = v", "step:a")), name="x")
    found = RUNNER.run(spec)["a"]["w"]
    assert (found, type(found)) == (value, type(value))


def test_a_given_value_overrides_the_default() -> None:
    cells = [code("n = 3\nr = 0.5\ntags = ['a']", "parameters"), code("w = (n, r, tags)", "step:a")]
    spec = compile_notebook(notebook(*cells), name="x")
    found = RUNNER.run(spec, {"n": 7.0, "r": 1, "tags": ["b", "c"]})["a"]["w"]
    assert found == (7, 1, ["b", "c"])
    assert type(found[0]) is int


def test_values_are_put_in_after_the_cell_has_run_as_papermill_does() -> None:
    cells = [
        code("n = 3\nm = n * 2\nif n > 2:\n    k = 1", "parameters"),
        code("w = (n, m, k)", "step:a"),
    ]
    spec = compile_notebook(notebook(*cells), name="x")
    assert RUNNER.run(spec, {"n": 5})["a"]["w"] == (5, 6, 1)


def test_a_name_that_code_computes_can_still_be_given() -> None:
    cells = [code("n = 3\nn = n * 2", "parameters"), code("w = n", "step:a")]
    spec = compile_notebook(notebook(*cells), name="x")
    assert RUNNER.run(spec)["a"]["w"] == 6
    assert RUNNER.run(spec, {"n": 5})["a"]["w"] == 5


def test_setup_sees_the_parameters() -> None:
    cells = [
        code("n = 3", "parameters"),
        code("double = n * 2", "setup"),
        code("w = double", "step:a"),
    ]
    spec = compile_notebook(notebook(*cells), name="x")
    assert RUNNER.run(spec, {"n": 5})["a"]["w"] == 10


def test_a_parameter_that_a_step_binds_again_or_changes_flows_from_there() -> None:
    cells = [
        code("n = 3\ntags = ['a']", "parameters"),
        code("first = n", "step:a"),
        code("n = n + 1\ntags.append('b')", "step:b"),
        code("w = (first, n, tags)", "step:c"),
    ]
    spec = compile_notebook(notebook(*cells), name="x")
    assert RUNNER.run(spec, {"n": 5})["c"]["w"] == (5, 6, ["a", "b"])


def test_a_step_takes_only_the_parameters_that_it_reads() -> None:
    cells = [code("n = 3\nm = 4", "parameters"), code("x = n", "step:a"), code("y = m", "step:b")]
    assert [s.reads for s in analyse(notebook(*cells)).steps] == [["n"], ["m"]]


def test_a_parameter_may_have_the_name_of_what_the_steps_use_themselves(tmp_path: Path) -> None:
    cells = [
        code("step = 3\nnotebook = 'n'", "parameters"),
        code("metrics = step\nstep = notebook", "step:a"),
        code("print(metrics, step, notebook)", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path, parameters={"step": 5})
    assert outcome.logs["b"] == "5 n n\n"


def test_an_annotation_alone_is_a_required_parameter() -> None:
    spec = compile_notebook(
        notebook(code("n: int", "parameters"), code("w = n", "step:a")), name="x"
    )
    assert spec["root"]["inputDefinitions"]["parameters"] == {
        "n": {"parameterType": "NUMBER_INTEGER"}
    }
    assert RUNNER.run(spec, {"n": 5})["a"]["w"] == 5


def test_the_problems_of_a_notebook_are_in_the_error() -> None:
    with pytest.raises(NotebookError) as caught:
        compile_notebook(notebook(code("%nonsense", "step:a")), name="x")
    assert [p.name for p in caught.value.problems] == ["%nonsense"]
    assert str(caught.value).startswith("Cell 1 (c0), line 1: The magic `%nonsense` cannot run")
    assert caught.value.status == 400
