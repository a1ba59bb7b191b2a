"""Cells become steps."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.pipelines import analyse
from local_steps import code, notebook, text


def steps(*cells: Any) -> list[tuple[str, list[str]]]:
    """Return the names of the steps and their cells."""
    analysis = analyse(notebook(*cells))
    assert analysis.errors == []
    return [(step.name, step.cell_ids) for step in analysis.steps]


def errors(*cells: Any) -> list[tuple[str, str]]:
    """Return the cell and name of each error."""
    return [(p.cell_id, p.name) for p in analyse(notebook(*cells)).errors]


def test_a_tag_names_the_step_of_a_cell_and_of_the_untagged_cells_after_it() -> None:
    cells = [
        code("x = 1", "step:load"),
        code("y = 2"),
        text("note"),
        code("z = x", "step:Train it"),
    ]
    assert steps(*cells) == [("load", ["c0", "c1"]), ("train-it", ["c3"])]


def test_metadata_names_the_step_and_what_it_waits_for_and_asks_for() -> None:
    wanted = {"step": "fit", "after": ["load"], "resources": {"cpu": "2", "memory": "1Gi"}}
    analysis = analyse(notebook(code("x = 1", "step:load"), code("y = 2", fairlead=wanted)))
    step = analysis.steps[1]
    assert (step.name, step.after, step.depends_on, step.resources) == (
        "fit",
        ["load"],
        ["load"],
        {"cpu": "2", "memory": "1Gi"},
    )


def test_without_tags_a_heading_starts_a_step() -> None:
    cells = [
        text("# The title\nwords"),
        code("import math"),
        text("## Load data"),
        code("x = 1"),
        code("y = 2"),
        text("plain words"),
        code("z = 3"),
        text("## Train\n```\n# not a heading\n```"),
        code("w = x"),
        text("## Train"),
        code("v = w"),
    ]
    assert steps(*cells) == [
        ("load-data", ["c3", "c4", "c6"]),
        ("train", ["c8"]),
        ("train-2", ["c10"]),
    ]


def test_without_tags_and_headings_there_is_one_step() -> None:
    assert steps(code("x = 1"), code("print(x)")) == [("notebook", ["c0", "c1"])]


def test_code_before_the_first_step_that_only_defines_is_setup() -> None:
    cells = [code("import math\nN = 3\ndef f(): return N"), code("x = f()", "step:a")]
    assert steps(*cells) == [("a", ["c1"])]


def test_code_before_the_first_step_that_does_something_is_a_step() -> None:
    cells = [code("import math"), code("x = print(1)"), code("y = x", "step:a")]
    assert steps(*cells) == [("start", ["c0", "c1"]), ("a", ["c2"])]


def test_skipped_empty_and_setup_cells_are_in_no_step() -> None:
    cells = [
        code("import math", "imports"),
        code("x = 1", "step:a"),
        code("1 / 0", "skip"),
        code("def f(): return 1", "setup"),
        code("   "),
        code("y = x"),
    ]
    assert steps(*cells) == [("a", ["c1", "c5"])]


def test_cells_of_fairlead_itself_are_left_out() -> None:
    cells = [
        code("%load_ext fairlead"),
        code("x = 1", "step:a"),
        code("%fairlead run this.ipynb"),
        code("%%fairlead\nanything at all"),
        code("import fairlead\nrun = fairlead.run('this.ipynb')\nrun"),
        code("run.wait()\ny = x", "step:b"),
    ]
    analysis = analyse(notebook(*cells))
    assert [(s.name, s.cell_ids, s.reads) for s in analysis.steps] == [
        ("a", ["c1"], []),
        ("b", ["c5"], ["x"]),
    ]


def test_cells_of_one_step_in_two_places_are_joined_where_that_changes_nothing() -> None:
    cells = [code("x = 1", "step:a"), code("y = x", "step:b"), code("z = x", "step:a")]
    assert steps(*cells) == [("a", ["c0", "c2"]), ("b", ["c1"])]


def test_a_step_in_two_places_that_would_see_another_value_is_refused() -> None:
    cells = [code("x = [1]", "step:a"), code("y = x[0]", "step:b"), code("x.append(2)", "step:a")]
    assert errors(*cells) == [("c2", "x")]


def test_steps_that_wait_for_each_other_are_refused_with_their_names() -> None:
    cells = [code("x = 1", "step:a"), code("y = x", "step:b"), code("z = y", "step:a")]
    (problem,) = analyse(notebook(*cells)).errors
    assert "'a' waits for 'b' (`y`)" in problem.message
    assert "'b' waits for 'a' (`x`)" in problem.message


def test_an_unknown_step_to_wait_for_is_refused() -> None:
    assert errors(code("x = 1", "step:a", "after:nowhere")) == [("c0", "nowhere")]


def test_two_titles_with_one_name_are_refused() -> None:
    assert errors(code("x = 1", "step:a b"), code("y = 2", "step:a-b")) == [("c1", "a-b")]


def test_resources_that_are_not_known_are_refused() -> None:
    assert errors(code("x = 1", fairlead={"step": "a", "resources": {"cpus": 1}})) == [
        ("c0", "cpus")
    ]


def test_code_that_is_not_python_is_refused_with_its_line() -> None:
    (problem,) = analyse(notebook(code("x = 1\nx = = 2", "step:a"))).errors
    assert (problem.cell_id, problem.cell_index, problem.line) == ("c0", 0, 2)


def test_a_return_outside_a_function_is_refused() -> None:
    assert errors(code("return 1", "step:a")) == [("c0", "")]


def test_old_notebooks_without_ids_get_stable_ones() -> None:
    cells = [{"cell_type": "code", "metadata": {}, "source": ["x = 1\n", "y = 2"]}] * 2
    first = analyse({"nbformat": 4, "nbformat_minor": 4, "cells": cells}).steps[0].cell_ids
    again = analyse({"nbformat": 4, "nbformat_minor": 4, "cells": [text("new"), *cells]})
    assert len(set(first)) == 2
    assert again.steps[0].cell_ids == first


@pytest.mark.parametrize("source", [{}, {"cells": []}, {"cells": [text("only words")]}])
def test_a_notebook_without_code_has_no_steps(source: Any) -> None:
    assert analyse(source).as_dict() == {"steps": [], "parameters": [], "problems": []}


def test_a_file_that_two_steps_use_orders_them_and_is_remarked() -> None:
    cells = [
        code("open('out.txt', 'w').write('1')", "step:a"),
        code("x = open('out.txt').read()", "step:b"),
        code("y = 1", "step:c"),
    ]
    analysis = analyse(notebook(*cells))
    assert [(s.name, s.depends_on) for s in analysis.steps] == [("a", []), ("b", ["a"]), ("c", [])]
    assert [(p.severity, p.cell_id, p.name) for p in analysis.problems] == [
        ("warning", "c1", "out.txt")
    ]


def test_the_analysis_as_json_is_what_the_front_end_shows() -> None:
    cells = [
        code("n = 3", "parameters"),
        code("x = [n]", "step:load"),
        code("print(x)", "step:show"),
    ]
    shown = analyse(notebook(*cells)).as_dict()
    assert shown == {
        "steps": [
            {
                "name": "load",
                "title": "load",
                "cell_ids": ["c1"],
                "first_cell_index": 1,
                "reads": ["n"],
                "writes": ["x"],
                "after": [],
                "depends_on": [],
                "color_index": 0,
                "resources": {},
                "settings": {},
            },
            {
                "name": "show",
                "title": "show",
                "cell_ids": ["c2"],
                "first_cell_index": 2,
                "reads": ["x"],
                "writes": [],
                "after": [],
                "depends_on": ["load"],
                "color_index": 1,
                "resources": {},
                "settings": {},
            },
        ],
        "parameters": [{"name": "n", "type": "NUMBER_INTEGER", "default": 3}],
        "problems": [],
    }


def test_settings_stand_in_any_cell_of_a_step_and_are_shown_with_it() -> None:
    cells = [
        code("x = 1", "step:a", fairlead={"cache": False, "after": "b"}),
        code("y = 2", fairlead={"timeout": "5m", "resources": {"memory": "1Gi"}}),
        code("z = 3", "step:b"),
    ]
    step = analyse(notebook(*cells)).steps[0]
    assert step.after == ["b"]
    assert step.settings == {"cache": False, "timeout": 300, "resources": {"memory": "1Gi"}}


def test_a_wrong_setting_is_refused_at_its_cell_with_its_field() -> None:
    cells = [
        code("x = 1", "step:a", fairlead={"cahe": False}),
        code("y = 2", fairlead={"timeout": "soon"}),
        code("z = 3", fairlead={"cache": True}),
        code("w = 4", fairlead={"cache": False}),
        code("import math", "setup", fairlead={"image": "python:3.12"}),
        code("not Python", "skip", fairlead={"whatever": 1}),
    ]
    found = [(p.cell_id, p.message) for p in analyse(notebook(*cells)).errors]
    assert [cell for cell, _ in found] == ["c0", "c1", "c3", "c4"]
    for (_, message), path in zip(
        found,
        ["fairlead.cahe", "fairlead.timeout", "fairlead.cache", "fairlead.image"],
        strict=True,
    ):
        assert path in message


def test_tags_and_metadata_of_others_are_ignored() -> None:
    cells = [
        code("x = 1", "step:a", "hide-input", "other:b", tool={"a": 1}),
        code("y = x", "remove-cell", papermill={"duration": 1}),
    ]
    analysis = analyse(notebook(*cells))
    assert analysis.problems == []
    assert [(step.name, step.settings) for step in analysis.steps] == [("a", {})]
