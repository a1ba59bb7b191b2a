"""Notebooks annotated for Kale, of both its generations."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import SpecError
from fairlead.pipelines import Problem, analyse, compile_notebook
from fairlead.pipelines.cells import sort_cells
from fairlead.pipelines.kale import read_kale
from fairlead.pipelines.kale_notebooks import put_together
from local_steps import Json, LocalRunner, code, notebook, run_plainly, run_processes


def kale(*cells: Json, **metadata: Any) -> Json:
    """Build a notebook with Kale's own metadata."""
    return {**notebook(*cells), "metadata": {"kubeflow_notebook": metadata}}


def steps(source: Json) -> dict[str, list[str]]:
    """Return each step and those that it waits for."""
    analysis = analyse(source)
    assert analysis.errors == []
    return {step.name: step.depends_on for step in analysis.steps}


def settings(source: Json) -> list[Json]:
    """Return what each code cell says of its step, in Fairlead's words."""
    cells = read_kale(source).notebook["cells"]
    return [cell["metadata"].get("fairlead", {}) for cell in cells]


def problems(source: Json) -> list[tuple[str, str, str]]:
    """Return severity, cell and name of what could not be translated."""
    layout = sort_cells(read_kale(source).notebook)
    read_kale(source).report(layout)
    found: list[Problem] = layout.problems
    return [(p.severity, p.cell_id, p.name) for p in found]


CANDIES = kale(
    code("import math", "imports"),
    code("SWEETS = 20", "pipeline-parameters"),
    code("def third(left):\n    return math.ceil(left / 3)", "functions"),
    code("def rest(left, taken):\n    return left - sum(taken)"),
    code("first = third(SWEETS)", "block:kid_one"),
    code("taken = [first]"),
    code("second = third(rest(SWEETS, taken))", "block:kid_two", "prev:kid_one"),
    code("1 / 0", "skip"),
    code("print(first)\nprint(second)", "pipeline-metrics"),
    pipeline_name="candy-share",
    pipeline_description="Two kids, one bag",
    experiment_name="sweets",
)


def test_tags_of_the_first_generation_make_steps_parameters_functions_and_metrics() -> None:
    assert steps(CANDIES) == {
        "kid-one": [],
        "kid-two": ["kid-one"],
        "pipeline-metrics": ["kid-one", "kid-two"],
    }
    assert [(p.name, p.default) for p in analyse(CANDIES).parameters] == [("SWEETS", 20)]


def test_it_gives_the_values_that_the_notebook_gives() -> None:
    spaces = LocalRunner().run(compile_notebook(CANDIES, name="x"))
    plain = {**CANDIES, "cells": [c for c in CANDIES["cells"] if "1 / 0" not in c["source"]]}
    expected = run_plainly(plain)
    assert spaces["kid-two"]["second"] == expected["second"] == 5
    assert spaces["kid-one"]["taken"] == expected["taken"]


def test_printed_names_are_the_metrics_of_the_run(tmp_path: Any) -> None:
    outcome = run_processes(CANDIES, tmp_path, parameters={"SWEETS": 9})
    assert outcome.errors == {}
    assert outcome.metadata("pipeline-metrics", "metrics") == {"first": 3, "second": 2}


def test_metadata_of_the_notebook_names_the_pipeline() -> None:
    spec = compile_notebook(CANDIES, name="file")
    assert spec["pipelineInfo"] == {"name": "candy-share", "description": "Two kids, one bag"}
    assert read_kale(CANDIES).experiment == "sweets"
    older = kale(code("x = 1", "block:a"), experiment={"id": "", "name": "old"})
    assert read_kale(older).experiment == "old"


def test_tags_of_the_second_generation_are_settings_of_the_step() -> None:
    source = kale(
        code(
            "x = 1",
            "step:fit",
            "limit:nvidia.com/gpu:2",
            "limit:memory:4Gi",
            "image:python:3.11-slim",
            "cache:disabled",
            "report:enabled",
            "label:team:a",
            "annotation:example.com/note:at 10:30",
        )
    )
    assert settings(source) == [
        {
            "step": "fit",
            "resources": {"nvidia.com/gpu": "2", "memory": "4Gi"},
            "image": "python:3.11-slim",
            "cache": False,
            "labels": {"team": "a"},
            "annotations": {"example.com/note": "at 10:30"},
        }
    ]


def test_what_holds_for_every_step_yields_to_the_steps_own_tags() -> None:
    source = kale(
        code("x = 1", "step:a", "limit:cpu:4", "image:own"),
        code("y = x"),
        code("z = x", "step:b", "prev:a"),
        base_image="python:3.12",
        enable_caching=False,
        steps_defaults=["limit:cpu:1", "limit:memory:1Gi", "label:all:yes"],
        volumes=[{"name": "raw", "type": "pvc", "mount_point": "/data"}],
    )
    common = {
        "cache": False,
        "labels": {"all": "yes"},
        "volumes": [{"claim": "raw", "path": "/data"}],
    }
    first, second, third = settings(source)
    assert first == {
        "step": "a",
        "resources": {"memory": "1Gi", "cpu": "4"},
        "image": "own",
        **common,
    }
    assert second == {}
    assert third == {
        "step": "b",
        "after": ["a"],
        "resources": {"memory": "1Gi", "cpu": "1"},
        "image": "python:3.12",
        **common,
    }


def test_defaults_may_be_a_map_with_retries_and_a_timeout() -> None:
    defaults = {
        "limits": {"cpu": 2},
        "labels": {"a": "b"},
        "timeout": 90,
        "retry_count": 3,
        "retry_interval": "20s",
        "retry_factor": 2,
        "enable_caching": None,
    }
    assert settings(kale(code("x = 1", "step:a"), steps_defaults=defaults)) == [
        {
            "step": "a",
            "resources": {"cpu": "2"},
            "labels": {"a": "b"},
            "timeout": "90s",
            "retries": {"maxRetryCount": 3, "backoffDuration": "20s", "backoffFactor": 2.0},
        }
    ]


def test_fairleads_own_metadata_wins() -> None:
    own = {"step": "mine", "resources": {"cpu": "8"}, "cache": True}
    tags = ("block:theirs", "limit:cpu:1", "limit:memory:1Gi", "cache:disabled")
    wanted = {"step": "mine", "resources": {"memory": "1Gi", "cpu": "8"}, "cache": True}
    assert settings(kale(code("x = 1", *tags, fairlead=own))) == [wanted]


def test_an_empty_block_tag_continues_the_step_before() -> None:
    assert steps(kale(code("x = 1", "block:a"), code("y = x", "block:"))) == {"a": []}


def test_commands_before_the_first_tag_are_left_out_and_other_code_is_not() -> None:
    source = kale(
        code("# needed\n!pip install pandas"), code("y = 1 + 1"), code("x = y", "block:a")
    )
    assert steps(source) == {"start": [], "a": ["start"]}
    assert [step.cell_ids for step in analyse(source).steps] == [["c1"], ["c2"]]
    assert problems(source) == [("warning", "", "")]


def test_foreign_tags_are_ignored() -> None:
    tags = ("hide-input", "remove_cell", "blocked", "limits", "labelled:x")
    source = notebook(code("x = 1", "step:a", *tags))
    assert read_kale(source).notebook is source
    assert problems(source) == []


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("cache:maybe", "cache:maybe"),
        ("limit:cpu", "limit:cpu"),
        ("label:team", "label:team"),
        ("image:", "image:"),
    ],
)
def test_a_tag_that_is_written_wrongly_is_warned_about_at_its_cell(tag: str, name: str) -> None:
    assert problems(kale(code("x = 1", "step:a", tag))) == [("warning", "c0", name)]


def test_a_reference_to_another_notebook_is_told_and_never_left_out_of_a_run() -> None:
    source = kale(code("# see there", "notebook:prepare"), code("x = 1", "step:a"))
    assert problems(source) == [("warning", "c0", "prepare")]
    assert steps(source) == {"a": []}
    with pytest.raises(SpecError, match="Cell 1: `notebook:prepare` stands for the cells"):
        compile_notebook(source, name="x")


PARTS: dict[str, Json] = {
    "./prepare.ipynb": kale(
        code("import math", "imports"),
        code("xs = [1, 4, 9]", "step:load"),
        code("roots = [math.sqrt(x) for x in xs]", "step:work", "prev:load"),
        base_image="sub:1",
    )
}


def refers(name: str, path: str | None, source: str = "# see there") -> Json:
    """Build a cell that stands for another notebook."""
    return code(source, f"notebook:{name}", **({"notebook_path": path} if path else {}))


def test_the_cells_of_a_notebook_that_is_referred_to_are_steps_of_this_one() -> None:
    source = kale(
        refers("my_data", "./prepare.ipynb"),
        code("total = sum(roots)", "step:add"),
        pipeline_name="whole",
        steps_defaults=["limit:cpu:1"],
    )
    whole = put_together(source, PARTS.get)
    assert steps(whole) == {
        "my-data-load": [],
        "my-data-work": ["my-data-load"],
        "add": ["my-data-work"],
    }
    assert LocalRunner().run(compile_notebook(whole, name="x"))["add"]["total"] == 6.0
    assert [s.get("image") for s in settings(whole)] == [None, "sub:1", "sub:1", None]


def test_cells_of_a_copied_notebook_have_ids_of_their_own() -> None:
    cells = (code("y = 2", "step:b"), refers("c", "./copy.ipynb"), code("print(x, y)", "step:d"))
    whole = put_together(kale(*cells), lambda path: kale(code("x = 1", "step:a")))
    assert [cell["id"] for cell in whole["cells"]] == ["c0", "c-1-c0", "c2"]
    assert steps(whole) == {"b": [], "c-a": [], "d": ["b", "c-a"]}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (refers("a", "./gone.ipynb"), "not there: ./gone.ipynb"),
        (refers("a", None), "no `notebook_path`"),
        (refers("a", "./prepare.ipynb", "x = 1"), "has code"),
        (refers("a", "./nested.ipynb"), "refers to other notebooks itself"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_with_its_cell(cell: Json, words: str) -> None:
    parts = {**PARTS, "./nested.ipynb": kale(refers("b", "./prepare.ipynb"))}
    with pytest.raises(SpecError, match=r"Cell 1 \(`notebook:a`\)") as caught:
        put_together(kale(cell), parts.get)
    assert words in caught.value.what


def test_a_claim_may_be_told_to_the_steps_by_a_variable() -> None:
    volume = {"name": "raw-data", "mount_point": "/data", "expose_as_env_var": True}
    (made,) = settings(kale(code("x = 1", "step:a"), volumes=[volume]))
    assert made["env"] == {"KALE_VOLUME_RAW_DATA": "/data"}
    assert made["volumes"] == [{"claim": "raw-data", "path": "/data"}]


def test_a_cell_of_two_steps_is_refused() -> None:
    assert problems(kale(code("x = 1", "step:a", "step:b"))) == [("error", "c0", "b")]


def test_what_has_no_effect_here_is_said_by_name() -> None:
    source = kale(
        code("x = 1", "block:a"),
        katib_run=True,
        autosnapshot=True,
        marshal_path="/x",
        kfp_host="h",
        strange=1,
        steps_defaults=["step:a", "limit:cpu"],
        volumes=[{"name": "ws", "type": "clone", "mount_point": "/home"}],
    )
    assert sorted(problems(source)) == [
        ("warning", "", "autosnapshot"),
        ("warning", "", "katib_run"),
        ("warning", "", "limit:cpu"),
        ("warning", "", "step:a"),
        ("warning", "", "strange"),
        ("warning", "", "ws"),
    ]
