"""Trying again: how often, after what wait, and that a kill of the plane changes nothing of it."""

from __future__ import annotations

import pytest

from fairlead_plane.pipelines.events import Due, Retry, Terminate
from fairlead_plane.pipelines.problems import PipelineSpecError
from fairlead_plane.pipelines.spec import load_pipeline

from .machine import NOW, Machine

A_SECOND_LATER = "2026-01-01T00:00:01.000000Z"


def spec_with(ir, **policy):
    name, task = ir.task("a", "c")
    task["retryPolicy"] = policy
    return ir.pipeline([(name, task)], {"c": ir.component("add")})


@pytest.mark.parametrize("kill", [False, True])
def test_each_wait_is_longer_than_the_one_before(ir, kill):
    policy = {"maxRetryCount": 3, "backoffDuration": "10s", "backoffFactor": 3}
    machine = Machine(spec_with(ir, **policy, backoffMaxDuration="3600s"))
    for attempt, wait in enumerate((10, 30, 90), 1):
        machine.end("a", ok=False)
        assert (machine.states["a"], machine.running) == ("PENDING", [])
        machine.wait(wait - 1)
        if kill:
            machine.kill()
        assert len(machine.launched) == attempt
        machine.wait(1)
        assert machine.launched[-1] == f"a-{attempt + 1}"
    machine.end("a", ok=False)
    assert (machine.run.state, machine.launched) == ("FAILED", ["a-1", "a-2", "a-3", "a-4"])


def test_nothing_is_tried_again_later_than_the_longest_time_allows(ir):
    policy = {"maxRetryCount": 9, "backoffDuration": "10s", "backoffMaxDuration": "35s"}
    machine = Machine(spec_with(ir, **policy))
    machine.end("a", ok=False)
    machine.wait(10)
    machine.end("a", ok=False)
    machine.wait(20)
    machine.end("a", ok=False)
    assert (machine.run.state, len(machine.launched)) == ("FAILED", 3)


def test_a_wait_is_over_when_its_alarm_says_so_whatever_the_clock_says_by_then(ir):
    machine = Machine(spec_with(ir, maxRetryCount=1, backoffDuration="1s"))
    machine.end("a", ok=False)
    machine.now = "2020-01-01T00:00:00.000000Z"
    machine.send(Due(A_SECOND_LATER))
    assert machine.launched == ["a-1", "a-2"]
    machine.send(Due(A_SECOND_LATER))
    assert machine.launched == ["a-1", "a-2"]


def test_a_run_that_is_stopped_while_a_task_waits_starts_it_no_more(ir):
    machine = Machine(spec_with(ir, maxRetryCount=1, backoffDuration="1s"))
    machine.end("a", ok=False)
    machine.send(Terminate())
    assert machine.run.state == "CANCELED"
    machine.wait(5)
    assert machine.launched == ["a-1"]
    machine.send(Retry())
    assert machine.launched == ["a-1", "a-2"]
    machine.end("a", ok=False)
    assert machine.task("a").not_before == "2026-01-01T00:00:06.000000Z"


def test_a_lost_process_is_started_at_once_and_counts_as_no_failure(ir):
    machine = Machine(spec_with(ir, maxRetryCount=1, backoffDuration="60s"))
    machine.end("a", ok=False, lost=True)
    assert machine.launched == ["a-1", "a-2"]
    machine.end("a", ok=False)
    assert machine.task("a").not_before > NOW


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"maxRetryCount": -1}, "maxRetryCount: task 'a': must be a whole number, 0 or more"),
        ({"maxRetryCount": 1.5}, "maxRetryCount: task 'a': must be a whole number, 0 or more"),
        ({"backoffDuration": "soon"}, "backoffDuration: task 'a': must be a duration in seconds"),
        ({"backoffDuration": "-1s"}, "backoffDuration: task 'a': must be a duration in seconds"),
        ({"backoffFactor": "x"}, "backoffFactor: task 'a': must be a number, 0 or more"),
        ({"often": 1}, "retryPolicy.often: task 'a': unknown field"),
    ],
)
def test_a_policy_that_means_nothing_is_refused(ir, policy, message):
    with pytest.raises(PipelineSpecError) as caught:
        load_pipeline(spec_with(ir, **policy))
    assert message in str(caught.value)


def test_a_pipeline_in_a_pipeline_says_that_it_is_not_tried_again(ir):
    name, inner = ir.task("inner", "inner")
    inner["retryPolicy"] = {"maxRetryCount": 2}
    components = {
        "inner": ir.component("", dag={"tasks": dict([ir.task("step", "c")])}),
        "c": ir.component("add"),
    }
    machine = Machine(ir.pipeline([(name, inner)], components))
    machine.end("inner.step", ok=False)
    assert machine.run.state == "FAILED"
    assert "KFP tries steps again, not pipelines" in machine.task("inner").reason
