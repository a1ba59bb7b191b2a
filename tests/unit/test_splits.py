"""Loops and conditions over steps: what may be split, and what is refused at its place."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairlead.documents import dump_pipeline
from fairlead.pipelines import analyse, check_pipeline, compile_notebook
from local_steps import code, notebook

Json = dict[str, Any]
FOR: Json = {"step": "loop", "forEach": True}
IF: Json = {"step": "test", "if": True}


def compiled(*cells: Json) -> Json:
    spec = json.loads(json.dumps(compile_notebook(notebook(*cells), name="x")))
    check_pipeline(spec)
    return spec


def loop(source: str, *before: Json, after: str = "print(xs)", **more: Any) -> Json:
    """Compile a notebook whose loop collects `xs`."""
    cells = [*before, code(source, fairlead={**FOR, **more}), code(after, "step:after")]
    return compiled(*cells)


def group(spec: Json, name: str) -> tuple[Json, Json]:
    """Return a topmost task and its component."""
    task = spec["root"]["dag"]["tasks"][name]
    return task, spec["components"][task["componentRef"]["name"]]


def refused(*cells: Json) -> tuple[str, int, str, str]:
    """Return cell, line, name and message of the only error."""
    found = analyse(notebook(*cells)).errors
    assert len(found) == 1, found
    assert found[0].hint
    return found[0].cell_id, found[0].line, found[0].name, found[0].message


def test_a_loop_over_what_the_text_shows_has_its_items_in_the_spec() -> None:
    spec = loop("xs = []\nfor x in [1, 'a', (2, None)]:\n    xs.append(x)", parallelism=2)
    task, component = group(spec, "for-loop-loop")
    assert task["parameterIterator"] == {
        "itemInput": "pipelinechannel--loop-loop-item",
        "items": {"raw": '["1", "\'a\'", "(2, None)"]'},
    }
    assert task["iteratorPolicy"] == {"parallelismLimit": 2}
    assert component["outputDefinitions"]["artifacts"]["xs"]["isArtifactList"] is True
    inside = component["dag"]["tasks"]["loop"]
    assert inside["inputs"]["parameters"]["loop-item"] == {
        "componentInputParameter": "pipelinechannel--loop-loop-item"
    }
    after = spec["root"]["dag"]["tasks"]["after"]
    assert after["dependentTasks"] == ["for-loop-loop"]
    assert spec["components"]["comp-after"]["inputDefinitions"]["artifacts"]["xs"]["isArtifactList"]


def test_a_loop_over_a_parameter_takes_its_items() -> None:
    parameters = code("ns = [1, 2]\nmixed = [1, 'a']", "parameters")
    task, component = group(
        loop("xs = []\nfor n in ns:\n    xs.append(n)", parameters), "for-loop-loop"
    )
    assert task["inputs"]["parameters"]["pipelinechannel--loop-items"] == {
        "componentInputParameter": "ns"
    }
    inputs = component["inputDefinitions"]["parameters"]
    assert inputs["pipelinechannel--loop-loop-item"] == {"parameterType": "NUMBER_INTEGER"}
    # Items of several types would not come through a parameter's one type.
    spec = loop("xs = []\nfor n in mixed:\n    xs.append(n)", parameters)
    assert "loop-items" in spec["root"]["dag"]["tasks"]


def test_a_loop_over_anything_else_is_preceded_by_a_task_that_evaluates_it() -> None:
    before = code("d = {'a': 1}\nk = 2", "step:before")
    spec = loop("xs = []\nfor n, (k2, v) in enumerate(d.items()):\n    xs += [k2 * k]", before)
    task, _ = group(spec, "for-loop-loop")
    assert task["inputs"]["parameters"]["pipelinechannel--loop-items"] == {
        "taskOutputParameter": {"outputParameterKey": "items", "producerTask": "loop-items"}
    }
    items, component = group(spec, "loop-items")
    assert list(items["inputs"]["artifacts"]) == ["d"]
    assert component["outputDefinitions"] == {"parameters": {"items": {"parameterType": "LIST"}}}
    # A turn has its item, and needs not all of them.
    assert list(task["inputs"]["artifacts"]) == ["k"]


@pytest.mark.parametrize(
    ("source", "line", "name", "says"),
    [
        ("xs = []\nt = 0\nfor x in [1]:\n    xs.append(x)", 2, "loop", "not part of it"),
        ("xs = [1]\nfor x in [1]:\n    xs.append(x)", 1, "loop", "not part of it"),
        ("xs = []\nfor x in [1]:\n    xs.append(x)\nprint(xs)", 4, "loop", "not part of it"),
        ("xs = []", 1, "loop", "no `for` statement"),
        ("xs = []\nfor x in [1]:\n    xs.append(len(xs))", 3, "xs", "more than adding"),
        ("xs = []\nfor x in [1]:\n    xs.insert(0, x)", 3, "xs", "more than adding"),
        ("xs = []\nfor x in [1]:\n    if x:\n        break\n    xs.append(x)", 4, "break", "early"),
        ("xs = []\nfor x in [1]:\n    xs.append(x)\nelse:\n    y = 1", 5, "else", "no task"),
        ("xs = []\nfor x in f(3):\n    xs.append(x)", 2, "f(3)", "by itself"),
        ("xs = []\nfor x in [1]:\n    total += x\n    xs.append(x)", 3, "total", "turn to turn"),
        (
            "xs = []\nfor x in [1]:\n    if x > 1:\n        xs.append(old)\n    old = x",
            4,
            "old",
            "turn to turn",
        ),
        ("xs = []\nfor x in [1]:\n    outer.append(x)", 3, "outer", "made before it"),
        ("xs = []\nfor x in [1]:\n    xs.append(note(x))", 2, "kept", "made before it"),
        ("xs = []\nfor x in [1]:\n    add(outer, x)", 3, "outer", "made before it"),
        ("xs = []\nfor x in [1]:\n    same = outer\n    same[0] = x", 3, "outer", "made before it"),
    ],
)
def test_what_cannot_be_split_is_refused_with_cell_line_and_name(
    source: str, line: int, name: str, says: str
) -> None:
    cells = [
        code(
            "kept = []\ndef f(n): return range(n)\ndef add(to, x): to.append(x)\n"
            "def note(x):\n    kept.append(x)\n    return len(kept)",
            "setup",
        ),
        code("total = 0\nouter = [0]", "step:before"),
        code(source, fairlead=FOR),
        code("print(total, outer)", "step:after"),
    ]
    cell, at, what, message = refused(*cells)
    assert (cell, at, what) == ("c2", line, name)
    assert says in message


def test_a_value_that_the_last_turn_would_leave_is_refused() -> None:
    cells = [
        code("xs = []\nfor x in [1, 2]:\n    m = x * 2\n    xs.append(m)", fairlead=FOR),
        code("print(m)", "step:after"),
    ]
    assert refused(*cells)[:3] == ("c0", 3, "m")


def test_random_numbers_in_turns_are_refused_unless_each_turn_has_its_own() -> None:
    one = "import random\nxs = []\nfor n in [1, 2]:\n    xs.append(random.random())"
    seed = code("import random\nrandom.seed(1)", "step:seed")
    after = code("print(xs)", "step:after")
    assert refused(seed, code(one, fairlead=FOR), after)[:3] == ("c1", 3, "random")
    own = "import random\nxs = []\nfor n in [1, 2]:\n    xs.append(random.Random(n).random())"
    assert analyse(notebook(seed, code(own, fairlead=FOR), after)).errors == []


def test_one_object_in_several_turns_is_refused_where_that_matters_later() -> None:
    cells = [
        code("row = [0]", "step:before"),
        code("xs = []\nfor n in [1, 2]:\n    xs.append((n, row))", fairlead=FOR),
    ]
    changes = code("xs[0][1].append(1)\nprint(xs)", "step:after")
    assert refused(*cells, changes)[:3] == ("c1", 3, "row")
    assert analyse(notebook(*cells, code("print(xs)", "step:after"))).errors == []


def test_a_loop_that_may_raise_is_refused() -> None:
    cell = code("for n in [1, 2]:\n    print(1 / n)", "raises-exception", fairlead=FOR)
    assert refused(cell)[:3] == ("c0", 1, "raises-exception")


def test_a_list_that_a_function_uses_by_name_is_refused() -> None:
    cells = [
        code("def mean(): return sum(xs)", "setup"),
        code("xs = []\nfor x in [1, 2]:\n    xs.append(x)", fairlead=FOR),
    ]
    assert refused(*cells)[:3] == ("c1", 2, "xs")


def test_a_second_cell_of_a_loop_or_condition_is_refused() -> None:
    for mark in (FOR, IF):
        source = "for x in [1]:\n    print(x)" if mark is FOR else "if 1:\n    print(1)"
        assert refused(code(source, fairlead=mark), code("y = 1"))[0] == "c1"


def conditions(test: str) -> list[str]:
    """Return the conditions of the branches of an `if` on parameters."""
    parameters = code("n = 3\nrate = 0.5\nmode = 'full'\nfast = False\nnames = ['a']", "parameters")
    spec = compiled(parameters, code(f"if {test}:\n    print(1)", fairlead=IF))
    assert "test-branch" not in spec["root"]["dag"]["tasks"], "evaluated by a task"
    _, component = group(spec, "condition-branches-test")
    return [task["triggerPolicy"]["condition"] for task in component["dag"]["tasks"].values()]


@pytest.mark.parametrize(
    ("test", "condition"),
    [
        ("n > 2", "int(inputs.parameter_values['pipelinechannel--n']) > 2"),
        ("mode == 'full'", "inputs.parameter_values['pipelinechannel--mode'] == 'full'"),
        ("fast", "inputs.parameter_values['pipelinechannel--fast'] == true"),
        ("not fast", "!(inputs.parameter_values['pipelinechannel--fast'] == true)"),
        (
            "rate < n",
            "double(inputs.parameter_values['pipelinechannel--rate']) < "
            "double(int(inputs.parameter_values['pipelinechannel--n']))",
        ),
        (
            "n == 1 or rate >= 1",
            "(int(inputs.parameter_values['pipelinechannel--n']) == 1) || "
            "(double(inputs.parameter_values['pipelinechannel--rate']) >= double(1))",
        ),
    ],
)
def test_a_condition_on_parameters_is_kfps(test: str, condition: str) -> None:
    assert conditions(test) == [f"({condition})"]


def test_any_other_condition_is_asked_by_a_task_before_it() -> None:
    cells = [
        code("accuracy = 0.5\nmodel = 'old'", "step:fit"),
        code("if accuracy > 0.9:\n    model = 'new'\nelse:\n    other = 1", fairlead=IF),
        code("print(model)", "step:after"),
    ]
    spec = compiled(*cells)
    task, component = group(spec, "condition-branches-test")
    assert task["dependentTasks"] == ["fit", "test-branch"]
    assert [one["triggerPolicy"]["condition"] for one in component["dag"]["tasks"].values()] == [
        f"int(inputs.parameter_values['pipelinechannel--test-branch']) == {n}" for n in (0, 1)
    ]
    assert component["dag"]["outputs"]["artifacts"]["model"]["artifactSelectors"] == [
        {"outputArtifactKey": "model", "producerSubtask": f"condition-test{end}"}
        for end in ("", "-else")
    ]


def test_what_a_condition_leaves_alone_is_handed_on_by_a_task_without_its_settings() -> None:
    cells = [
        code("ok = True\nmodel = 'old'", "step:fit"),
        code("if ok:\n    model = 'new'", fairlead={**IF, "resources": {"cpu": "2"}}),
        code("print(model)", "step:after"),
    ]
    spec = compiled(*cells)
    labels = [spec["components"][f"comp-{name}"]["executorLabel"] for name in ("test", "test-keep")]
    containers = [spec["deploymentSpec"]["executors"][label]["container"] for label in labels]
    assert ["resources" in container for container in containers] == [True, False]


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        ("x = 1\nif x:\n    print(x)", 1, "test"),
        ("if 1:\n    print(1)\nprint(2)", 3, "test"),
        ("print(1)", 1, "test"),
        ("if ask():\n    print(1)", 1, "ask()"),
        ("if (y := 1) > 0:\n    print(y)", 1, "(y := 1)"),
    ],
)
def test_a_condition_of_another_form_is_refused(source: str, line: int, name: str) -> None:
    cells = [code("def ask(): return True", "setup"), code(source, fairlead=IF)]
    assert refused(*cells)[:3] == ("c1", line, name)


def test_kfps_loader_takes_loops_and_conditions(tmp_path: Path) -> None:
    python = os.environ.get("FAIRLEAD_TEST_KFP_PYTHON")
    if not python:
        pytest.skip("FAIRLEAD_TEST_KFP_PYTHON does not name a Python with kfp")
    cells = [
        code("ns = [1, 2]\nfast = True", "parameters"),
        code("pairs = {'a': 1}", "step:load"),
        code("xs = []\nfor n in ns:\n    xs.append(n)", fairlead=FOR),
        code(
            "ys = []\nfor k, v in pairs.items():\n    ys.append(k)", fairlead={**FOR, "step": "b"}
        ),
        code("if fast:\n    way = 1\nelse:\n    way = 2", fairlead=IF),
        code("if xs:\n    more = way", fairlead={**IF, "step": "c"}),
        code("print(xs, ys, way, more)", "step:after"),
    ]
    file = tmp_path / "x.yaml"
    file.write_text(dump_pipeline(compiled(*cells)))
    load = (
        "import sys; from kfp import components; components.load_component_from_file(sys.argv[1])"
    )
    subprocess.run([python, "-W", "ignore", "-c", load, str(file)], check=True, timeout=120)


def run_bare(spec: Json, component: str, step: Json, folder: Path, **values: Any) -> Json:
    """Run the program of a task in a Python without packages; return its ExecutorOutput."""
    label = spec["components"][component]["executorLabel"]
    container = spec["deploymentSpec"]["executors"][label]["container"]
    keys = spec["components"][component]["outputDefinitions"].get("artifacts", {})
    given = {
        "inputs": {"parameterValues": {"step": step, **values}},
        "outputs": {
            "outputFile": str(folder / "output.json"),
            "artifacts": {key: {"artifacts": [{"uri": str(folder / key)}]} for key in keys},
        },
    }
    arguments = [word.replace("{{$}}", json.dumps(given)) for word in container["args"]]
    command = [sys.executable, "-I", "-S", *container["command"][1:], *arguments]
    subprocess.run(command, check=True, timeout=60, cwd=folder)
    output: Json = json.loads((folder / "output.json").read_text())
    return output


def constant(task: Json) -> Json:
    step: Json = task["inputs"]["parameters"]["step"]["runtimeValue"]["constant"]
    return step


def test_turns_branches_and_what_decides_on_them_run_in_a_bare_python(tmp_path: Path) -> None:
    cells = [
        code("ns = [1, 'a']", "parameters"),
        code("xs = []\nfor n in ns[::-1]:\n    xs.append(n)", fairlead=FOR),
        code("if ns[0] == 1:\n    way = 'one'\nelse:\n    way = 'two'", fairlead=IF),
        code("print(xs, way)", "step:after"),
    ]
    spec = compiled(*cells)
    tasks = spec["root"]["dag"]["tasks"]
    for name, decided in (("loop-items", {"items": ["'a'", "1"]}), ("test-branch", {"branch": 0})):
        step = constant(tasks[name])
        output = run_bare(spec, f"comp-{name}", step, tmp_path, ns=[1, "a"])
        assert output["parameterValues"] == decided
    turn = constant(spec["components"]["comp-for-loop-loop"]["dag"]["tasks"]["loop"])
    run_bare(spec, "comp-loop", turn, tmp_path, **{"loop-item": "'a'"})
    assert pickle.loads((tmp_path / "xs").read_bytes()) == ["a"]
    other = spec["components"]["comp-condition-test-else"]["dag"]["tasks"]["test-else"]
    run_bare(spec, "comp-test-else", constant(other), tmp_path, ns=[1, "a"])
    assert pickle.loads((tmp_path / "way").read_bytes()) == "two"
