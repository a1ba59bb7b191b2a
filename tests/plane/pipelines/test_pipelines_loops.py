"""Loops in the state machine: iterations, their number at a time, what they leave, trouble."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead_plane.pipelines.events import Resume, Retry, Started, Terminate
from fairlead_plane.pipelines.pods import Folders
from fairlead_plane.pipelines.problems import PipelineSpecError
from fairlead_plane.pipelines.records import Artifact
from fairlead_plane.pipelines.spec import load_pipeline
from fairlead_plane.pipelines.tree import MAX_TASKS

from .machine import NOW, Machine

ITEM = "pipelinechannel--x-loop-item"


def chosen(task, key, kind="parameters"):
    if kind == "artifacts":
        return {"artifactSelectors": [{"producerSubtask": task, "outputArtifactKey": key}]}
    return {"valueFromParameter": {"producerSubtask": task, "outputParameterKey": key}}


def body(ir, *extra):
    """A scope that runs `work` on its item, and leaves what that makes."""
    return {
        "tasks": dict([ir.task("work", "add", a=f"<{ITEM}"), *extra]),
        "outputs": {
            "parameters": {"outs": chosen("work", "out")},
            "artifacts": {"datas": chosen("work", "data", "artifacts")},
        },
    }


def loop_spec(ir, items="[1, 2, 3]", limit=0, dag=None, **task):
    """`loop` over items, and `after`, which takes all that its iterations made."""
    components = {
        "add": ir.component("add", ["a"], [], ["out"], ["data"]),
        "all": ir.component("add", [("xs", "LIST")], ["ds"], [("out", "LIST")]),
        "body": ir.component(
            "", [(ITEM, "NUMBER_INTEGER"), ("x", {"parameterType": "LIST", "isOptional": True})],
            [], [("outs", "LIST")], ["datas"], dag=dag or body(ir),
        ),
    }  # fmt: skip
    components["body"]["outputDefinitions"]["artifacts"]["datas"]["isArtifactList"] = True
    components["all"]["inputDefinitions"]["artifacts"]["ds"]["isArtifactList"] = True
    source = {"inputParameter": "x"} if items is None else {"raw": items}
    name, made = ir.task("loop", "body", **({"x": "<x"} if items is None else {}))
    made["parameterIterator"] = {"items": source, "itemInput": ITEM}
    if limit:
        made["iteratorPolicy"] = {"parallelismLimit": limit}
    made.update(task)
    after = ir.task("after", "all", xs="@loop.outs", artifacts={"ds": ("loop", "datas")})
    inputs = {"x": {"parameterType": "LIST"}} if items is None else None
    return ir.pipeline([(name, made), after], components, inputs=inputs)


def data(name):
    return {"data": [Artifact(f"id-{name}", "data", {}, f"/{name}", {}, NOW)]}


def test_every_item_has_an_iteration_and_what_they_made_is_collected_in_order(ir):
    machine = Machine(loop_spec(ir))
    assert machine.launched == ["loop.0.work-1", "loop.1.work-1", "loop.2.work-1"]
    assert [machine.task(f"loop.{n}.work").inputs.parameters for n in range(3)] == [
        {"a": 1}, {"a": 2}, {"a": 3},
    ]  # fmt: skip
    assert (machine.task("loop").iterations, machine.task("loop.1").iteration) == (3, 1)
    for number in (2, 0, 1):
        machine.kill()
        machine.end(f"loop.{number}.work", out={"out": number * 10}, artifacts=data(number))
    machine.kill()
    inputs = machine.task("after").inputs
    assert inputs.parameters == {"xs": [0, 10, 20]}
    assert [one.uri for one in inputs.artifacts["ds"]] == ["/0", "/1", "/2"]
    machine.end("after")
    assert (machine.run.state, machine.run.counts()) == ("SUCCEEDED", (4, 4))


def test_no_more_iterations_run_at_once_than_may(ir):
    machine = Machine(loop_spec(ir, str(list(range(7))), limit=2))
    assert machine.running == ["loop.0.work", "loop.1.work"]
    assert machine.run.counts() == (0, 8)
    machine.kill()
    machine.end("loop.1.work")
    assert machine.running == ["loop.0.work", "loop.2.work"]
    machine.kill()
    assert [machine.task(f"loop.{n}").state for n in range(4)] == [
        "RUNNING", "SUCCEEDED", "RUNNING", "PENDING",
    ]  # fmt: skip
    machine.end_all()
    assert machine.run.state == "SUCCEEDED"
    assert machine.launched[-1] == "after-1"


def test_a_loop_over_nothing_succeeds_and_leaves_empty_lists(ir):
    machine = Machine(loop_spec(ir, None), x=[])
    assert (machine.states["loop"], machine.task("loop").iterations) == ("SUCCEEDED", 0)
    inputs = machine.task("after").inputs
    assert (inputs.parameters, inputs.artifacts) == ({"xs": []}, {"ds": []})
    assert machine.run.counts() == (0, 1)


def test_items_come_from_an_input_and_may_be_anything(ir):
    spec = loop_spec(ir, None)
    inputs = spec["components"]["body"]["inputDefinitions"]["parameters"]
    inputs[ITEM] = {"parameterType": "STRING"}
    spec["components"]["add"]["inputDefinitions"]["parameters"]["a"] = {"parameterType": "STRING"}
    items = ["it's", 1, {"a": [True]}, [2.5], False]
    machine = Machine(spec, x=items)
    assert [machine.task(f"loop.{n}").inputs.parameters[ITEM] for n in range(5)] == items
    machine.kill()
    given = [machine.task(f"loop.{n}.work").inputs.parameters["a"] for n in range(5)]
    assert given == ["it's", "1", '{"a":[true]}', "[2.5]", "false"]


def test_an_item_that_is_json_in_a_text_is_read_where_an_object_is_asked_for(ir):
    spec = loop_spec(ir, '["{\\"a\\": \\"-1\\"}", "{}"]')
    inputs = spec["components"]["body"]["inputDefinitions"]["parameters"]
    inputs[ITEM] = {"parameterType": "STRING"}
    spec["components"]["add"]["inputDefinitions"]["parameters"]["a"] = {"parameterType": "STRUCT"}
    machine = Machine(spec)
    given = [machine.task(f"loop.{n}.work").inputs.parameters["a"] for n in range(2)]
    assert given == [{"a": "-1"}, {}]


def test_an_item_of_the_wrong_type_fails_its_iteration_in_words(ir):
    machine = Machine(loop_spec(ir, '[1, "two"]'))
    machine.end("loop.0.work")
    assert machine.run.error["message"] == (
        "Task 'loop.1.work' failed: Parameter 'a' takes an integer, not \"two\"."
    )


def test_an_iteration_holds_its_item_only_in_the_tables(ir):
    machine = Machine(loop_spec(ir, None), x=list(range(100)))
    (size,) = machine.db.execute(
        "SELECT max(length(view)) FROM tasks WHERE iteration IS NOT NULL"
    ).fetchone()
    assert size < 1000
    machine.kill()
    assert machine.task("loop.99").inputs.parameters == {"x": list(range(100)), ITEM: 99}


def test_an_output_that_some_iterations_do_not_make_is_collected_from_the_others(ir):
    name, branch = ir.task("maybe", "inner", **{ITEM: f"<{ITEM}"})
    branch["triggerPolicy"] = {"condition": f"int(inputs.parameter_values['{ITEM}']) != 2"}
    dag = {
        "tasks": {name: branch},
        "outputs": {
            "parameters": {"outs": chosen("maybe", "outs")},
            "artifacts": {"datas": chosen("maybe", "datas", "artifacts")},
        },
    }
    spec = loop_spec(ir, dag=dag)
    spec["components"]["inner"] = ir.component(
        "", [ITEM], [], ["outs"], ["datas"], dag=body(ir)
    )  # fmt: skip
    machine = Machine(spec)
    assert machine.states["loop.1"] == "SUCCEEDED"
    assert machine.states["loop.1.maybe"] == "SKIPPED"
    machine.end("loop.0.maybe.work", out={"out": 1}, artifacts=data("a"))
    machine.end("loop.2.maybe.work", out={"out": 3}, artifacts=data("c"))
    inputs = machine.task("after").inputs
    assert inputs.parameters == {"xs": [1, 3]}
    assert [one.uri for one in inputs.artifacts["ds"]] == ["/a", "/c"]


def nested_spec(ir, limit=0):
    """A loop over lists, in it a loop over their items."""
    spec = loop_spec(ir, None)
    inner_item = f"{ITEM}-loop-item"
    inner = spec["components"]["body"]
    name, made = ir.task("inner", "inner", **{ITEM: f"<{ITEM}"})
    made["parameterIterator"] = {"items": {"inputParameter": ITEM}, "itemInput": inner_item}
    if limit:
        made["iteratorPolicy"] = {"parallelismLimit": limit}
    spec["components"]["inner"] = copy.deepcopy(inner)
    inputs = {ITEM: {"parameterType": "LIST"}, inner_item: {"parameterType": "NUMBER_INTEGER"}}
    spec["components"]["inner"]["inputDefinitions"]["parameters"] = inputs
    work = spec["components"]["inner"]["dag"]["tasks"]["work"]
    work["inputs"]["parameters"]["a"] = {"componentInputParameter": inner_item}
    inner["inputDefinitions"]["parameters"][ITEM] = {"parameterType": "LIST"}
    inner["dag"] = {
        "tasks": {name: made},
        "outputs": {
            "parameters": {"outs": chosen("inner", "outs")},
            "artifacts": {"datas": chosen("inner", "datas", "artifacts")},
        },
    }
    return spec


def test_loops_in_loops_leave_lists_of_lists_and_artifacts_in_one_list(ir):
    machine = Machine(nested_spec(ir), x=[[1, 2], [], [3]])
    assert machine.states["loop.1.inner"] == "SUCCEEDED"
    for path in ("loop.2.inner.0", "loop.0.inner.1", "loop.0.inner.0"):
        machine.kill()
        value = machine.task(f"{path}.work").inputs.parameters["a"]
        machine.end(f"{path}.work", out={"out": value}, artifacts=data(value))
    inputs = machine.task("after").inputs
    assert inputs.parameters == {"xs": [[1, 2], [], [3]]}
    assert [one.uri for one in inputs.artifacts["ds"]] == ["/1", "/2", "/3"]


def test_a_loop_over_artifacts_gives_one_to_each_iteration(ir):
    item = "pipelinechannel--ds-loop-item"
    one = ir.task("one", "read")[1]
    one["inputs"] = {"artifacts": {"d": {"componentInputArtifact": item}}}
    spec = loop_spec(ir)
    spec["components"]["read"] = ir.component("add", [], ["d"], ["out"])
    spec["components"]["over"] = ir.component(
        "", [], ["ds", item], [("outs", "LIST")],
        dag={
            "tasks": {"one": one},
            "outputs": {"parameters": {"outs": chosen("one", "out")}},
        },
    )  # fmt: skip
    spec["components"]["over"]["inputDefinitions"]["artifacts"]["ds"]["isArtifactList"] = True
    tasks = spec["root"]["dag"]["tasks"]
    tasks["again"] = ir.task("again", "over", artifacts={"ds": ("loop", "datas")})[1]
    tasks["again"]["artifactIterator"] = {"items": {"inputArtifact": "ds"}, "itemInput": item}
    machine = Machine(spec)
    for number in range(3):
        machine.end(f"loop.{number}.work", artifacts=data(number))
    machine.kill()
    assert [
        machine.task(f"again.{n}.one").inputs.artifacts["d"][0].uri for n in range(3)
    ] == ["/0", "/1", "/2"]  # fmt: skip
    links = machine.db.execute(
        """SELECT key, type FROM artifact_tasks WHERE artifact_id = 'id-1' AND task_id = ?""",
        (machine.task("again.1").task_id,),
    ).fetchall()
    assert links == [(item, "ITERATOR_INPUT")]
    machine.end_all()
    assert machine.run.state == "SUCCEEDED"


def test_a_failed_iteration_fails_the_loop_once_the_others_have_ended(ir):
    machine = Machine(loop_spec(ir, limit=1))
    machine.end("loop.0.work", ok=False)
    assert machine.states["loop.0"] == "FAILED"
    machine.end("loop.1.work")
    assert machine.states["loop"] == "RUNNING"
    machine.end("loop.2.work", ok=False)
    assert (machine.states["loop"], machine.states["after"]) == ("FAILED", "SKIPPED")
    assert machine.run.error["message"] == ("Task 'loop.0.work' failed: broken (1 more failed)")


@pytest.mark.parametrize("kill", [False, True])
def test_a_retry_runs_the_failed_iterations_only_and_no_more_at_once_than_may(ir, kill):
    machine = Machine(loop_spec(ir, str(list(range(5))), limit=2))
    for number in range(5):
        machine.end(f"loop.{number}.work", ok=number == 2, out={"out": number})
    machine.launched.clear()
    machine.send(Retry())
    if kill:
        machine.kill()
    assert machine.launched == ["loop.0.work-2", "loop.1.work-2"]
    assert machine.states["loop.3"] == "PENDING"
    machine.end("loop.0.work", out={"out": 0})
    assert machine.running == ["loop.1.work", "loop.3.work"]
    if kill:
        machine.kill()
    for number in (1, 3, 4):
        machine.end(f"loop.{number}.work", out={"out": number})
    assert machine.task("after").inputs.parameters == {"xs": [0, 1, 2, 3, 4]}
    machine.end("after")
    assert machine.run.state == "SUCCEEDED"


@pytest.mark.parametrize("kill", [False, True])
def test_a_run_that_is_stopped_in_a_loop_starts_no_other_iteration(ir, kill):
    machine = Machine(loop_spec(ir, str(list(range(6))), limit=2))
    machine.end("loop.0.work")
    task = machine.task("loop.1.work")
    machine.send(Started(task.task_id, task.pod, NOW))
    changes = machine.send(Terminate())
    assert changes.deletions == ["loop.1.work-1", "loop.2.work-1"]
    if kill:
        machine.kill()
    machine.end("loop.1.work", ok=False)
    machine.end("loop.2.work", ok=False, stopped=True)
    assert machine.run.state == "CANCELED"
    states = [machine.states[f"loop.{n}"] for n in range(6)]
    assert states == ["SUCCEEDED", *["CANCELED"] * 5]
    machine.launched.clear()
    machine.send(Retry())
    assert machine.launched == ["loop.1.work-2", "loop.2.work-2"]
    machine.end_all()
    assert machine.run.state == "SUCCEEDED"


def test_a_loop_over_what_is_no_list_fails_in_words(ir):
    spec = loop_spec(ir, None)
    spec["root"]["inputDefinitions"]["parameters"]["x"] = {"parameterType": "STRING"}
    spec["components"]["body"]["inputDefinitions"]["parameters"]["x"] = {"parameterType": "STRING"}
    machine = Machine(spec, x="[1, 2]")
    assert machine.task("loop").iterations == 2
    machine = Machine(spec, x="no list")
    assert machine.states == {"loop": "FAILED", "after": "SKIPPED"}
    assert machine.task("loop").error["message"] == (
        "A loop is over a list, and 'x' holds none: \"no list\""
    )


def test_a_loop_that_would_never_end_fails_in_words(ir):
    machine = Machine(loop_spec(ir, None), x=list(range(MAX_TASKS)))
    assert machine.run.error["message"] == (
        f"Task 'loop' failed: The loop has {MAX_TASKS} items, and a run {MAX_TASKS} tasks at most, "
        "of which there are 2 already."
    )


def test_each_iteration_writes_into_a_folder_of_its_own_however_long_its_path(ir):
    spec = loop_spec(ir, str(list(range(1000))))
    long = "a-step-with-a-name-" * 6
    tasks = spec["components"]["body"]["dag"]
    tasks["tasks"][long] = tasks["tasks"].pop("work")
    tasks["outputs"] = {
        "parameters": {"outs": chosen(long, "out")},
        "artifacts": {"datas": chosen(long, "data", "artifacts")},
    }
    machine = Machine(spec)
    folders = {Folders(machine.run, machine.run.pods[name]).base for name in machine.launched}
    assert len(folders) == 1000
    assert all(len(part) <= 100 for part in folders.pop().parts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameterIterator": {"itemInput": ITEM, "items": {"raw": "{}"}}}, "a list in JSON"),
        ({"parameterIterator": {"itemInput": ITEM, "items": {}}}, "a list in JSON"),
        (
            {"parameterIterator": {"itemInput": "y", "items": {"raw": "[]"}}},
            "component 'body' has no input parameter 'y'",
        ),
        (
            {"parameterIterator": {"itemInput": ITEM, "items": {"inputParameter": "y"}}},
            "the task has no input parameter 'y'",
        ),
        ({"iteratorPolicy": {"parallelismLimit": -1}}, "must be a whole number, 0 or more"),
        ({"artifactIterator": {"itemInput": "d", "items": {"inputArtifact": "d"}}}, "not both"),
        ({"componentRef": {"name": "add"}}, "a loop must be over a DAG"),
    ],
)
def test_a_loop_that_cannot_run_is_refused_before_the_start(ir, change, message):
    with pytest.raises(PipelineSpecError) as caught:
        load_pipeline(loop_spec(ir, **change))
    assert message in str(caught.value)
    assert "loop" in {problem.task for problem in caught.value.problems}


def test_a_loop_over_a_number_is_refused_before_the_start(ir):
    spec = loop_spec(ir, None)
    spec["root"]["inputDefinitions"]["parameters"]["x"] = {"parameterType": "NUMBER_INTEGER"}
    inputs = spec["components"]["body"]["inputDefinitions"]["parameters"]
    inputs["x"] = {"parameterType": "NUMBER_INTEGER"}
    with pytest.raises(PipelineSpecError, match="a loop is over a LIST, and 'x' is a NUMBER_INT"):
        load_pipeline(spec)


TROUBLE = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from(["ok", "fail", "stop", "kill", "resume", "terminate", "retry"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 3), max_size=4), limit=st.integers(0, 2), trouble=TROUBLE)
def test_whatever_happens_in_nested_loops_they_end_and_lose_nothing(ir, sizes, limit, trouble):
    machine = Machine(nested_spec(ir, limit), x=[list(range(size)) for size in sizes])
    trouble = list(trouble)
    for _ in range(400):
        running = machine.running
        if limit:
            for number in range(len(sizes)):
                inside = [path for path in running if path.startswith(f"loop.{number}.")]
                assert len(inside) <= limit
        place, kind = trouble.pop() if trouble else (0, "ok")
        if machine.run.state in ("SUCCEEDED", "FAILED", "CANCELED"):
            if machine.run.state == "SUCCEEDED":
                break
            machine.send(Retry())
        elif kind in ("resume", "terminate", "retry", "kill"):
            if kind == "kill":
                machine.kill()
            else:
                machine.send({"resume": Resume(), "terminate": Terminate(), "retry": Retry()}[kind])
        elif running:
            path = running[place % len(running)]
            value = machine.task(path).inputs.parameters.get("a")
            out = {"out": value} if value is not None else {}
            machine.end(path, kind == "ok", out, stopped=kind == "stop")
    assert machine.run.state == "SUCCEEDED"
    assert all(task.ended for task in machine.run.tasks.values())
    assert machine.task("after").inputs.parameters == {"xs": [list(range(n)) for n in sizes]}
    before = {
        path: (task.state, task.inputs, task.outputs, task.history)
        for path in machine.states
        for task in [machine.task(path)]
    }
    machine.kill()
    assert before == {
        path: (task.state, task.inputs, task.outputs, task.history)
        for path in machine.states
        for task in [machine.task(path)]
    }
