"""A pipeline gives every variable the value that the notebook gives it, run top to bottom."""

from __future__ import annotations

import contextlib
import io
import random
import types
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.pipelines import analyse, compile_notebook
from generated_notebooks import Program, generate
from local_steps import Json, LocalRunner, run_plainly

RUNNER = LocalRunner()
_HIDDEN = {"suppress", "await_value", "contextmanager", "Trouble", "noted", "gen"}
_HIDDEN |= {"walker"}  # to describe it would use it up


def describe(value: Any, depth: int = 0, above: tuple[int, ...] = ()) -> Any:
    """Describe a value by its structure; a part that contains itself by how far up it is."""
    if id(value) in above:
        return ("again", len(above) - above.index(id(value)))
    above = (*above, id(value))
    if isinstance(value, dict):
        parts = [
            (describe(k, depth + 1, above), describe(v, depth + 1, above)) for k, v in value.items()
        ]
        return ("dict", parts)
    if isinstance(value, np.ndarray):
        return ("array", [describe(v, depth + 1, above) for v in value.tolist()])
    if isinstance(value, type({}.values())):
        return ("view", len(value))
    if isinstance(value, list | tuple):
        return (type(value).__name__, [describe(v, depth + 1, above) for v in value])
    if isinstance(value, types.FunctionType):
        return ("function", value.__name__, describe(value.__defaults__, depth + 1, above))
    if isinstance(value, types.MethodType):
        return ("method", value.__name__, describe(value.__self__, depth + 1, above))
    if isinstance(value, type) and value.__module__ == "__main__":
        shown = {k: v for k, v in vars(value).items() if isinstance(v, int | list)}
        shown = {k: v for k, v in shown.items() if not k.startswith("__")}
        return ("class", value.__name__, describe(shown, depth + 1, above))
    if type(value).__module__ == "__main__":
        inside = describe(vars(value), depth + 1, above)
        return ("instance", describe(type(value), depth + 1, above), inside)
    if callable(value):
        return ("callable", type(value).__name__)
    return value


def variables(space: Json) -> dict[str, Any]:
    """Return the notebook's variables by name."""
    return {
        name: value
        for name, value in space.items()
        if not name.startswith("__")
        and name not in _HIDDEN
        and not isinstance(value, types.ModuleType)
    }


def runnable(program: Program) -> tuple[Program, Json]:
    """Drop the statements that fail, and return what is left with the values that it gives."""
    position = 0
    while position < len(program.statements):
        start = Program(program.statements[: position + 1], program.steps[: position + 1])
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                space = run_plainly(start.notebook())
        except Exception:  # whatever a random statement raises
            program = program.without(position)
        else:
            position += 1
    return program, space


def check(program: Program, *, identity: bool) -> None:
    """Compare the pipeline of a program with the program."""
    program, space = runnable(program)
    names = sorted(variables(space))
    plain = variables(space)
    probe = "".join(f"{name}\n" for name in names)
    if identity:
        pairs = [(a, b) for a in names for b in names if a < b]
        probe += "same = [" + ", ".join(f"{a} is {b}" for a, b in pairs) + "]\n"
    source = program.notebook(probe)
    refused = analyse(source).errors
    if refused:
        assert all(p.message and p.hint for p in refused), refused
        return
    spec = compile_notebook(source, name="generated")
    with contextlib.redirect_stdout(io.StringIO()):
        got = variables(RUNNER.run(spec)["probe"])
    same = got.pop("same", None)
    expected = {name: describe(plain[name]) for name in names}
    found = {name: describe(value) for name, value in got.items() if name in names}
    differing = {n: (expected[n], found.get(n)) for n in names if found.get(n) != expected[n]}
    assert not differing, f"\n{program}\n{differing}"
    if identity:
        containers = (list, dict, np.ndarray, types.FunctionType, type)
        for (a, b), is_same in zip(pairs, same or [], strict=True):
            both = [plain[a], plain[b]]
            if all(isinstance(v, containers) or type(v).__module__ == "__main__" for v in both):
                assert is_same == (plain[a] is plain[b]), f"{a} is {b}\n{program}"


quick = settings(
    max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)


@quick
@given(seed=st.integers(0, 2**32), size=st.integers(4, 22))
def test_every_variable_of_a_pipeline_equals_that_of_the_notebook(seed: int, size: int) -> None:
    check(generate(random.Random(seed), size), identity=False)


@settings(quick, max_examples=60)
@given(seed=st.integers(0, 2**32), size=st.integers(4, 22))
def test_names_that_are_one_object_in_the_notebook_are_one_in_the_pipeline(
    seed: int, size: int
) -> None:
    check(generate(random.Random(seed), size), identity=True)


@settings(quick, max_examples=60)
@given(seed=st.integers(0, 2**32), size=st.integers(4, 22))
def test_a_step_in_several_pieces_gives_the_same_or_is_refused(seed: int, size: int) -> None:
    check(generate(random.Random(seed), size, mixed=True), identity=False)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_every_variable_of_many_pipelines_equals_that_of_the_notebook() -> None:
    for seed in range(6000):
        program = generate(random.Random(seed), 6 + seed % 24, mixed=seed % 5 == 0)
        check(program, identity=seed % 4 == 0)
