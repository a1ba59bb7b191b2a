"""The state machine alone: events in, states and pods out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead_plane.pipelines.engine import MAX_LOSSES
from fairlead_plane.pipelines.events import (
    Cache,
    CacheHit,
    Changes,
    Ended,
    Resume,
    Retry,
    Started,
    Terminate,
)
from fairlead_plane.pipelines.records import Values, failure

from .machine import NOW, Machine


def diamond(ir, **more):
    """a -> b, c -> d; and e alone."""
    component = {"c": ir.component("add")}
    tasks = [
        ir.task("a", "c"),
        ir.task("b", "c", ["a"]),
        ir.task("c", "c", ["a"]),
        ir.task("d", "c", ["b", "c"]),
        ir.task("e", "c"),
    ]
    for name, changes in more.items():
        dict(tasks)[name].update(changes)
    return ir.pipeline(tasks, component)


def test_independent_tasks_start_together_and_dependents_after_all_they_wait_for(ir):
    machine = Machine(diamond(ir))
    assert machine.launched == ["a-1", "e-1"]
    machine.end("a")
    assert machine.launched == ["a-1", "e-1", "b-1", "c-1"]
    machine.end("b")
    assert machine.states["d"] == "PENDING"
    machine.end("c")
    machine.end("d")
    assert machine.run.state == "RUNNING"
    machine.end("e")
    assert machine.run.state == "SUCCEEDED"
    assert set(machine.states.values()) == {"SUCCEEDED"}


def test_after_a_failure_dependents_are_skipped_and_others_go_on(ir):
    machine = Machine(diamond(ir))
    machine.end("a")
    machine.end("b", ok=False)
    assert machine.states == {
        "a": "SUCCEEDED", "b": "FAILED", "c": "PENDING", "d": "PENDING", "e": "PENDING",
    }  # fmt: skip
    machine.end("c")
    assert machine.states["d"] == "SKIPPED"
    assert machine.run.state == "RUNNING"
    machine.end("e")
    assert machine.run.state == "FAILED"
    assert machine.run.error == failure(2, "Task 'b' failed: broken")


def test_a_retry_runs_what_did_not_succeed_and_nothing_else(ir):
    machine = Machine(diamond(ir))
    machine.end("a")
    machine.end("b", ok=False)
    machine.end("c")
    machine.end("e")
    machine.launched.clear()
    machine.send(Retry())
    assert (machine.launched, machine.run.state, machine.run.error) == (["b-2"], "RUNNING", None)
    machine.end("b")
    machine.end("d")
    assert machine.run.state == "SUCCEEDED"
    assert machine.launched == ["b-2", "d-1"]


def test_a_task_with_retries_left_starts_again(ir):
    machine = Machine(diamond(ir, a={"retryPolicy": {"maxRetryCount": 2}}))
    machine.end("a", ok=False)
    machine.end("a", ok=False)
    assert (machine.states["a"], machine.launched[-1]) == ("PENDING", "a-3")
    machine.end("a", ok=False)
    assert machine.states["a"] == "FAILED"
    assert machine.task("a").failed_pods == ["a-1", "a-2", "a-3"]


def test_a_lost_process_is_started_again_but_not_for_ever(ir):
    machine = Machine(diamond(ir))
    for number in range(MAX_LOSSES):
        machine.end("a", ok=False, lost=True)
        assert machine.launched[-1] == f"a-{number + 2}"
    machine.end("a", ok=False, lost=True)
    assert machine.states["a"] == "FAILED"


def test_a_stopped_process_is_started_again_however_often(ir):
    machine = Machine(diamond(ir))
    for number in range(20):
        machine.end("a", ok=False, stopped=True)
        assert machine.launched[-1] == f"a-{number + 2}"
    assert machine.states["a"] == "PENDING"


def test_terminate_deletes_pods_and_ends_when_they_are_gone(ir):
    machine = Machine(diamond(ir))
    task = machine.task("a")
    machine.send(Started(task.task_id, "a-1", NOW))
    changes = machine.send(Terminate())
    assert changes.deletions == ["a-1", "e-1"]
    assert (machine.run.state, machine.states["d"]) == ("CANCELING", "CANCELED")
    machine.end("e", ok=False, stopped=True)
    assert machine.run.state == "CANCELING"
    machine.end("a", ok=False)
    assert machine.run.state == "CANCELED"
    assert set(machine.states.values()) == {"CANCELED"}


def test_a_run_whose_last_task_succeeds_while_it_is_stopped_has_succeeded(ir):
    machine = Machine(ir.pipeline([ir.task("a", "c")], {"c": ir.component("add")}))
    machine.send(Terminate())
    machine.end("a")
    assert machine.run.state == "SUCCEEDED"


def test_events_of_pods_that_are_not_waited_for_change_nothing(ir):
    machine = Machine(diamond(ir))
    task = machine.task("a")
    event = Ended(task.task_id, "another-pod", NOW, True, Values())
    assert not machine.send(event)
    machine.end("a")
    assert not machine.send(Ended(task.task_id, "a-1", NOW, False, Values()))
    assert machine.states["a"] == "SUCCEEDED"


def test_a_chain_of_cached_tasks_takes_one_pass_and_no_pod(ir):
    found = CacheHit(Values({"out": 5}), "another task")
    machine = Machine(ir.chain(300), Cache(key=lambda task, _: task.path, find=lambda _: found))
    # The outputs of a hit are what the next task gets; the artifact is missing, so t1 fails.
    assert machine.states["t0"] == "CACHED"
    assert machine.states["t1"] == "FAILED"
    spec = ir.pipeline(
        [ir.task("t0", "c"), *(ir.task(f"t{n}", "c", [f"t{n - 1}"]) for n in range(1, 300))],
        {"c": ir.component("add")},
    )
    machine = Machine(spec, Cache(key=lambda task, _: task.path, find=lambda _: found))
    assert set(machine.states.values()) == {"CACHED"}
    assert (machine.run.state, machine.launched) == ("SUCCEEDED", [])


def test_a_task_without_caching_asks_no_cache(ir):
    def find(key):
        raise AssertionError(key)

    spec = ir.pipeline([ir.task("a", "c", cache=False)], {"c": ir.component("add")})
    machine = Machine(spec, Cache(key=lambda task, _: task.path, find=find))
    assert machine.task("a").reason == "Caching is off for this task."


def nested(ir):
    """outer (adds twice, inside) -> after; the outer's output is the inner's."""
    inner = {
        "tasks": dict([ir.task("x", "add", a="<n"), ir.task("y", "add", a="@x.out")]),
        "outputs": {
            "parameters": {
                "out": {"valueFromParameter": {"producerSubtask": "y", "outputParameterKey": "out"}}
            }
        },
    }
    components = {
        "add": ir.component("add", ["a"], [], ["out"]),
        "outer": ir.component("", ["n"], [], ["out"], dag=inner),
    }
    tasks = [ir.task("outer", "outer", n=5), ir.task("after", "add", a="@outer.out")]
    return ir.pipeline(tasks, components)


def test_a_sub_pipeline_is_a_scope_with_inputs_and_outputs_of_its_own(ir):
    machine = Machine(nested(ir))
    assert machine.launched == ["outer.x-1"]
    assert machine.task("outer.x").inputs.parameters == {"a": 5}
    machine.end("outer.x")
    machine.end("outer.y")
    assert machine.task("outer").outputs.parameters == {"out": 1}
    assert machine.task("after").inputs.parameters == {"a": 1}
    machine.end("after")
    assert machine.run.state == "SUCCEEDED"
    assert machine.run.counts() == (3, 3)


def test_a_failure_inside_a_sub_pipeline_fails_it_and_a_retry_goes_on_inside(ir):
    machine = Machine(nested(ir))
    machine.end("outer.x")
    machine.end("outer.y", ok=False)
    assert machine.states == {
        "outer": "FAILED", "after": "SKIPPED", "outer.x": "SUCCEEDED", "outer.y": "FAILED",
    }  # fmt: skip
    machine.launched.clear()
    machine.send(Retry())
    assert machine.states == {
        "outer": "RUNNING", "after": "PENDING", "outer.x": "SUCCEEDED", "outer.y": "PENDING",
    }  # fmt: skip
    machine.end("outer.y")
    machine.end("after")
    assert (machine.run.state, machine.launched) == ("SUCCEEDED", ["outer.y-2", "after-1"])


def test_an_exit_task_runs_however_its_upstream_ended(ir):
    always = {"triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}}
    machine = Machine(diamond(ir, d=always))
    machine.end("a", ok=False)
    assert machine.states["b"] == "SKIPPED"
    assert machine.launched == ["a-1", "e-1", "d-1"]
    machine.end("d")
    machine.end("e")
    assert machine.run.state == "FAILED"


DAGS = st.lists(st.sets(st.integers(0, 6)), min_size=1, max_size=7)
TROUBLE = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["fail", "stop", "lost", "resume", "terminate"])),
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(above=DAGS, trouble=TROUBLE)
def test_however_events_come_every_run_ends_and_nothing_runs_before_its_upstream(
    ir, above, trouble
):
    tasks = [
        ir.task(f"t{number}", "c", [f"t{other}" for other in sorted(names) if other < number])
        for number, names in enumerate(above)
    ]
    machine = Machine(ir.pipeline(tasks, {"c": ir.component("add")}))
    while waiting := [task for task in machine.run.tasks.values() if task.pod and not task.ended]:
        for task in waiting:
            done = {task.parent.children[name].state for name in task.spec.upstream}
            assert done <= {"SUCCEEDED", "CACHED"}
        place, kind = trouble.pop() if trouble else (0, "ok")
        if kind == "resume":
            machine.send(Resume())
        elif kind == "terminate":
            machine.send(Terminate())
        else:
            path = waiting[place % len(waiting)].path
            machine.end(path, ok=kind == "ok", stopped=kind == "stop", lost=kind == "lost")
    assert machine.run.state in ("SUCCEEDED", "FAILED", "CANCELED")
    assert all(task.ended for task in machine.run.tasks.values())


def test_a_pass_in_which_nothing_happens_says_so():
    assert not Changes()
