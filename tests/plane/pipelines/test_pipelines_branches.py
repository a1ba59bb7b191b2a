"""Conditions, branches of which one counts, and tasks that run however others ended."""

from __future__ import annotations

import pytest

from fairlead_plane.pipelines.events import Retry, Terminate
from fairlead_plane.pipelines.problems import PipelineSpecError, Problem
from fairlead_plane.pipelines.records import Artifact
from fairlead_plane.pipelines.spec import load_pipeline

from .machine import NOW, Machine

ALWAYS = {"triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}}


def when(text):
    return {"triggerPolicy": {"condition": text}}


def with_changes(task, **changes):
    task[1].update(changes)
    return task


def branches(ir, *conditions):
    """`choose` -> `condition-branches-1` with a branch per condition -> `after`, of one of them."""
    made = [("c", {"parameterType": "STRING"})]
    arms, tasks, components = [], [], {}
    for number, condition in enumerate(conditions):
        arm = f"condition-{number + 2}"
        arms.append(arm)
        components[arm] = ir.component(
            "", made, [], [("out", "STRING")], ["data"],
            dag={
                "tasks": dict([ir.task("work", "say", c="<c")]),
                "outputs": {
                    "parameters": {
                        "out": {
                            "valueFromParameter": {
                                "producerSubtask": "work", "outputParameterKey": "out",
                            }
                        }
                    },
                    "artifacts": {
                        "data": {
                            "artifactSelectors": [
                                {"producerSubtask": "work", "outputArtifactKey": "data"}
                            ]
                        }
                    },
                },
            },
        )  # fmt: skip
        tasks.append(with_changes(ir.task(arm, arm, c="<c"), **when(condition)))
    components["say"] = ir.component("add", made, [], [("out", "STRING")], ["data"])
    components["read"] = ir.component("add", [("x", "STRING")], ["data"])
    components["branches"] = ir.component(
        "", made, [], [("out", "STRING")], ["data"],
        dag={
            "tasks": dict(tasks),
            "outputs": {
                "parameters": {
                    "out": {
                        "valueFromOneof": {
                            "parameterSelectors": [
                                {"producerSubtask": arm, "outputParameterKey": "out"}
                                for arm in arms
                            ]
                        }
                    }
                },
                "artifacts": {
                    "data": {
                        "artifactSelectors": [
                            {"producerSubtask": arm, "outputArtifactKey": "data"} for arm in arms
                        ]
                    }
                },
            },
        },
    )  # fmt: skip
    wrapper = "condition-branches-1"
    root = [
        ir.task(wrapper, "branches", c="<c"),
        ir.task("after", "read", x=f"@{wrapper}.out", artifacts={"data": (wrapper, "data")}),
    ]
    return ir.pipeline(root, components, inputs={"c": {"parameterType": "STRING"}})


C = "inputs.parameter_values['c']"
IFS = (f"{C} == 'a'", f"!({C} == 'a') && {C} == 'it's'", f"!({C} == 'a') && !({C} == 'it's')")


@pytest.mark.parametrize(("value", "arm"), [("a", 2), ("it's", 3), ("' == '", 4)])
@pytest.mark.parametrize("kill", [False, True])
def test_one_branch_runs_and_what_it_makes_is_what_is_made(ir, value, arm, kill):
    machine = Machine(branches(ir, *IFS), c=value)
    wrapper = "condition-branches-1"
    assert machine.running == [f"{wrapper}.condition-{arm}.work"]
    others = {f"{wrapper}.condition-{one}" for one in (2, 3, 4)} - {f"{wrapper}.condition-{arm}"}
    assert {path for path, state in machine.states.items() if state == "SKIPPED"} == others
    assert machine.run.counts() == (2, 4)
    assert machine.task(others.pop()).reason.endswith("does not hold.")
    if kill:
        machine.kill()
    artifact = Artifact("1", "data", {}, "/made", {}, NOW)
    machine.end(machine.running[0], out={"out": value}, artifacts={"data": [artifact]})
    inputs = machine.task("after").inputs
    assert inputs.parameters == {"x": value}
    assert [one.uri for one in inputs.artifacts["data"]] == ["/made"]
    machine.end("after")
    assert machine.run.state == "SUCCEEDED"
    types = [task.type for task in machine.run.tasks.values()]
    assert types[:3] == ["CONDITION_BRANCH", "RUNTIME", "CONDITION"]


def test_branches_of_which_none_runs_have_succeeded_and_who_needs_them_says_so(ir):
    machine = Machine(branches(ir, f"{C} == 'a'"), c="b")
    assert machine.states["condition-branches-1"] == "SUCCEEDED"
    assert machine.task("after").error["message"] == (
        "Input parameter 'x' has no value: task 'condition-branches-1' wrote no output 'out'."
    )


def test_two_branches_that_both_make_the_one_output_fail_their_scope_in_words(ir):
    machine = Machine(branches(ir, "true", "1 < 2"), c="b")
    machine.end_all()
    assert machine.task("condition-branches-1").error["message"] == (
        "Output 'out' takes one value, and several of 'condition-2', 'condition-3' made one."
    )
    assert machine.states["after"] == "SKIPPED"
    machine.send(Retry())
    assert machine.run.state == "FAILED"
    machine.send(Terminate())
    assert machine.run.state == "FAILED"


def test_what_comes_after_a_skipped_task_is_skipped_and_the_run_has_succeeded(ir):
    skipped = with_changes(ir.task("a", "c"), **when("1 > 2"))
    machine = Machine(
        ir.pipeline([skipped, ir.task("b", "c", ["a"])], {"c": ir.component("add")})
    )  # fmt: skip
    assert machine.states == {"a": "SKIPPED", "b": "SKIPPED"}
    assert (machine.run.state, machine.run.error) == ("SUCCEEDED", None)


def test_a_condition_that_cannot_be_decided_fails_its_task_in_words(ir):
    task = with_changes(ir.task("t", "c", a="<c"), **when("inputs.parameter_values['a'] > 5"))
    spec = ir.pipeline(
        [task], {"c": ir.component("add", [("a", "STRING")])},
        inputs={"c": {"parameterType": "STRING"}},
    )  # fmt: skip
    machine = Machine(spec, c="6")
    assert machine.run.error["message"] == (
        "Task 't' failed: The condition `inputs.parameter_values['a'] > 5` cannot be decided: "
        'a text ("6") cannot be compared with a number (5) by >'
    )


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("inputs.parameter_values['b'] == 1", "the task has no input parameter 'b'"),
        ("inputs.parameter_values['a'] ==", "cannot be read: it ends too early"),
        ("heads", "`heads` is not known"),
        ("size(inputs.artifacts['m'].artifacts) > 0", "the task has no input artifact 'm'"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_with_its_task(ir, condition, message):
    task = with_changes(ir.task("t", "c", a=1), **when(condition))
    with pytest.raises(PipelineSpecError) as caught:
        load_pipeline(ir.pipeline([task], {"c": ir.component("add", ["a"])}))
    (problem,) = caught.value.problems
    assert (problem.path, problem.task) == ("root.dag.tasks.t.triggerPolicy.condition", "t")
    assert message in problem.message


def guarded(ir, **more):
    """`guard`, a scope with `work` in it, and `bye`, which learns how that ended."""
    components = {
        "c": ir.component("add"),
        "bye": ir.component("add", [("how", "TASK_FINAL_STATUS")]),
        "guard": ir.component("", dag={"tasks": dict([ir.task("work", "c")])}),
    }
    bye = with_changes(ir.task("bye", "bye", ["exit-handler-1"]), **ALWAYS)
    status = {"taskFinalStatus": {"producerTask": "exit-handler-1"}}
    bye[1]["inputs"] = {"parameters": {"how": status}}
    bye[1].update(more)
    return ir.pipeline([ir.task("exit-handler-1", "guard"), bye], components)


@pytest.mark.parametrize("kill", [False, True])
def test_an_exit_task_learns_how_its_scope_ended_and_the_run_ends_as_that_did(ir, kill):
    machine = Machine(guarded(ir))
    machine.end("exit-handler-1.work")
    if kill:
        machine.kill()
    assert machine.task("bye").inputs.parameters["how"] == {
        "state": "COMPLETE",
        "pipelineTaskName": "exit-handler-1",
        "pipelineJobResourceName": "run-1",
    }
    machine.end("bye")
    assert machine.run.state == "SUCCEEDED"
    machine = Machine(guarded(ir))
    machine.end("exit-handler-1.work", ok=False)
    if kill:
        machine.kill()
    how = machine.task("bye").inputs.parameters["how"]
    assert (how["state"], how["error"]) == (
        "FAILED",
        {"code": 2, "message": "Task 'exit-handler-1.work' failed: broken"},
    )
    machine.end("bye")
    assert machine.run.state == "FAILED"
    machine.send(Retry())
    machine.end("exit-handler-1.work")
    assert machine.run.state == "SUCCEEDED"
    assert machine.launched[-1] == "exit-handler-1.work-2"


def test_an_exit_task_does_not_start_while_the_run_is_being_stopped(ir):
    machine = Machine(guarded(ir))
    machine.send(Terminate())
    machine.end("exit-handler-1.work", ok=False, stopped=True)
    assert machine.states["bye"] == "CANCELED"
    assert machine.run.state == "CANCELED"


def test_only_the_status_of_a_task_goes_where_one_is_asked_for(ir):
    path = "root.dag.tasks.bye.inputs.parameters.how"
    wrong = {"parameters": {"how": {"runtimeValue": {"constant": {"state": "FINE"}}}}}
    with pytest.raises(PipelineSpecError) as caught:
        load_pipeline(guarded(ir, inputs=wrong))
    assert list(caught.value.problems) == [
        Problem(path, "only a `taskFinalStatus` gives a TASK_FINAL_STATUS", "bye")
    ]
    missing = {"parameters": {"how": {"taskFinalStatus": {"producerTask": "none"}}}}
    with pytest.raises(PipelineSpecError, match="there is no task 'none' beside it"):
        load_pipeline(guarded(ir, inputs=missing))


def test_an_exit_task_that_is_a_pipeline_hands_the_status_on_as_an_object(ir):
    spec = guarded(ir)
    inner = {"tasks": dict([ir.task("tell", "tell", what="<how")])}
    spec["components"]["bye"] = ir.component("", [("how", "TASK_FINAL_STATUS")], dag=inner)
    spec["components"]["tell"] = ir.component("add", [("what", "STRUCT")])
    machine = Machine(spec)
    machine.end("exit-handler-1.work", ok=False)
    assert machine.task("bye.tell").inputs.parameters["what"]["state"] == "FAILED"


def test_a_status_that_is_an_input_of_the_pipeline_may_be_missing(ir):
    status = {"parameterType": "TASK_FINAL_STATUS", "isOptional": True}
    spec = ir.pipeline(
        [ir.task("bye", "bye", how="<how")], {"bye": ir.component("add", [("how", status)])},
        inputs={"how": status},
    )  # fmt: skip
    machine = Machine(spec)
    assert machine.task("bye").inputs.parameters == {}
    machine.end_all()
    assert machine.run.state == "SUCCEEDED"


def test_a_field_of_an_item_is_taken_once_however_often_it_is_asked_for(ir):
    """As kfp compiles it where a condition stands between the loop and the use."""
    item, field = (
        "pipelinechannel--loop-item-param-1",
        "pipelinechannel--loop-item-param-1-subvar-b",
    )
    select = {"parameterExpressionSelector": 'parseJson(string_value)["b"]'}

    def scope(tasks, taken):
        return ir.component("", [(taken, "STRING")], dag={"tasks": dict(tasks)})

    asked = {field: {"componentInputParameter": item, **select}}
    again = {"componentInputParameter": field, **select}
    name, use = ir.task("use", "use")
    use["inputs"] = {"parameters": {"text": again}}
    within, deeper = ir.task("within", "within")
    deeper["inputs"] = {"parameters": {field: {"componentInputParameter": field}}}
    _, condition = ir.task("condition", "condition")
    condition["inputs"] = {"parameters": asked}
    condition["triggerPolicy"] = {
        "condition": f"inputs.parameter_values['{field}'] == '{{\"b\":1}}'"
    }
    _, loop = ir.task("loop", "loop")
    loop["parameterIterator"] = {"items": {"raw": '[{"a": 1, "b": {"b": 1}}]'}, "itemInput": item}
    components = {
        "use": ir.component("use", [("text", "STRING")]),
        "within": scope([(name, use)], field),
        "condition": scope([(within, deeper)], field),
        "loop": ir.component("", [(item, "STRUCT")], dag={"tasks": {"condition": condition}}),
    }
    machine = Machine(ir.pipeline([("loop", loop)], components, {"use": ir.executor()}))
    [path] = machine.running
    assert machine.task(path).inputs.parameters == {"text": '{"b":1}'}
