"""What `pipelineConfig` says of a whole run: deadline, how long its objects stay, locks."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from fairlead_plane.pipelines.events import Retry, Terminate
from fairlead_plane.pipelines.problems import PipelineSpecError
from fairlead_plane.pipelines.spec import load_pipeline
from fairlead_plane.resources import CONFIG_MAP, POD, WORKFLOW

from .machine import Machine

SLEEP = "import time; time.sleep(300)"


def one_step(ir, source=""):
    task = ir.task("t0", "c", cache=False)
    return ir.pipeline([task], {"c": ir.component("e")}, {"e": ir.executor(source)})


def configured(spec, **config):
    kubernetes = {"pipelineConfig": config}
    return {"pipeline_spec": spec, "platform_spec": {"platforms": {"kubernetes": kubernetes}}}


def test_every_field_that_an_sdk_of_kfp_2_writes_is_read(ir):
    found = load_pipeline(
        configured(
            ir.chain(1),
            activeDeadlineSeconds=60,
            resourceTtlOnCompletion=10.0,
            resourceTtlOnFailure=20,
            semaphoreKey="gpu",
            mutexName="one",
            maxActiveRuns=3,
        )
    ).config
    assert (found.deadline_s, found.ttl_success_s, found.ttl_failure_s) == (60, 10, 20)
    assert (found.semaphore, found.mutex, found.version_limit) == ("gpu", "one", 3)
    for name in ("pipelineVersionConcurrencyLimit", "pipelineRunParallelism"):
        assert load_pipeline(configured(ir.chain(1), **{name: 2})).config.version_limit == 2
    assert not load_pipeline(configured(ir.chain(1), activeDeadlineSeconds=0)).config.locks


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"activeDeadlineSeconds": -1}, "activeDeadlineSeconds: must be a whole number"),
        ({"resourceTtlOnSuccess": 1.5}, "resourceTtlOnSuccess: must be a whole number"),
        ({"maxActiveRuns": True}, "maxActiveRuns: must be a whole number"),
        ({"mutexName": 7}, "mutexName: must be a string"),
        ({"colour": "red"}, "colour: unknown field"),
    ],
)
def test_what_it_cannot_mean_is_refused_by_its_field(ir, config, words):
    with pytest.raises(PipelineSpecError, match=rf"pipelineConfig\.{words}"):
        load_pipeline(configured(ir.chain(1), **config))


@pytest.mark.parametrize("kill", [False, True])
def test_a_run_that_is_active_for_too_long_is_stopped_and_has_failed(ir, kill):
    tasks = [ir.task("t0", "c"), ir.task("t1", "c", ["t0"]), ir.task("t2", "c", ["t1"])]
    spec = ir.pipeline(tasks, {"c": ir.component("add")})
    machine = Machine(configured(spec, activeDeadlineSeconds=60))
    machine.wait(59)
    machine.end("t0")
    if kill:
        machine.kill()
    changes = machine.wait(1)
    assert changes.deletions == ["t1-1"]
    if kill:
        machine.kill()
    machine.end("t1", ok=False)
    assert machine.run.state == "FAILED"
    assert machine.run.error["message"] == (
        "The run was active for 60 s, as long as its deadline allows."
    )
    assert machine.states == {"t0": "SUCCEEDED", "t1": "CANCELED", "t2": "CANCELED"}
    machine.send(Retry())
    assert (machine.run.state, machine.run.error) == ("RUNNING", None)
    machine.wait(59)
    machine.end_all()
    assert machine.run.state == "SUCCEEDED"


def test_a_deadline_ends_the_processes_of_a_run(ir, play, seen):
    async def story(world):
        spec = configured(one_step(ir, SLEEP), activeDeadlineSeconds=1)
        run = await world.run(spec)
        assert (run["state"], run["error"]["code"]) == ("FAILED", 4)
        assert seen.states(run) == {"t0": "CANCELED"}

    play(story)


def held(world, run):
    """What a run waits for, as its record and its Workflow say it."""
    return [entry["error"]["message"] for entry in run["state_history"] if "error" in entry]


async def waiting(world, run):
    return await world.until(run["run_id"], lambda one: held(world, one))


def test_runs_with_a_mutex_are_active_one_after_another(ir, play):
    async def story(world):
        go = asyncio.Event()

        async def until_told(_):
            await go.wait()
            return 0

        world.behave["t0"] = until_told
        spec = configured(one_step(ir), mutexName="db")
        runs = [await world.start(spec) for _ in range(3)]
        other = await world.start(configured(one_step(ir), mutexName="other"))
        second = await waiting(world, runs[1])
        assert second["state"] == "PENDING"
        assert held(world, second) == [f"Waits for the mutex 'db', after run {runs[0]['run_id']}."]
        [message] = [
            one["status"]["message"]
            for one in (await world.resources.list(WORKFLOW)).items
            if one["metadata"]["labels"]["pipeline/runid"] == runs[1]["run_id"]
        ]
        assert message == held(world, second)[0]
        pods = (await world.resources.list(POD)).items
        assert len(pods) == 2  # Of the first, and of the one with another name.
        go.set()
        ended = [await world.until(run["run_id"]) for run in runs]
        await world.until(other["run_id"])
        assert {run["state"] for run in ended} == {"SUCCEEDED"}
        times = [
            [entry["update_time"] for entry in run["state_history"] if "error" not in entry]
            for run in ended
        ]
        spans = [(one[-2], one[-1]) for one in times]
        assert spans == sorted(spans)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
        assert not world.store.reader.execute("SELECT * FROM locks").fetchall()

    play(story)


def test_a_run_that_waits_can_be_stopped_deleted_and_tried_again(ir, play):
    async def story(world):
        go = asyncio.Event()

        async def until_told(_):
            await go.wait()
            return 0

        world.behave["t0"] = until_told
        spec = configured(one_step(ir), mutexName="db")
        first, second, third = [await world.start(spec) for _ in range(3)]
        await world.call("POST", f"runs/{second['run_id']}:terminate")
        assert (await world.get(second["run_id"]))["state"] == "CANCELED"
        await world.call("DELETE", f"runs/{third['run_id']}")
        await world.call("POST", f"runs/{second['run_id']}:retry")
        again = await world.get(second["run_id"])
        assert again["state"] == "PENDING"
        assert len(held(world, again)) == 2
        go.set()
        assert (await world.until(first["run_id"]))["state"] == "SUCCEEDED"
        assert (await world.until(second["run_id"]))["state"] == "SUCCEEDED"

    play(story)


def test_a_semaphore_has_the_places_that_its_config_map_says(ir, play):
    async def story(world):
        config = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "semaphore-config", "namespace": "kubeflow"},
            "data": {"gpu": "two"},
        }
        await world.resources.create(config)
        spec = configured(one_step(ir, SLEEP), semaphoreKey="gpu")
        run = await waiting(world, await world.start(spec))
        assert "a whole number of places, 1 or more, not 'two'" in held(world, run)[0]
        await world.call("POST", f"runs/{run['run_id']}:terminate")

        def two(transaction):
            found = transaction.get(CONFIG_MAP, "semaphore-config", "kubeflow")
            transaction.update({**found, "data": {"gpu": "2"}})

        await world.resources.transaction(two)
        runs = [await world.start(spec) for _ in range(3)]
        assert [run["state"] for run in runs] == ["RUNNING", "RUNNING", "PENDING"]
        await world.call("DELETE", f"runs/{runs[0]['run_id']}")
        await world.until(runs[2]["run_id"], lambda run: run["state"] == "RUNNING")

    play(story)


def test_so_many_runs_of_a_version_are_active_as_it_allows(ir, play):
    async def story(world):
        spec = configured(one_step(ir, SLEEP), maxActiveRuns=2)
        runs = [await world.start(spec) for _ in range(3)]
        assert [run["state"] for run in runs] == ["RUNNING", "RUNNING", "PENDING"]
        spec["pipeline_spec"]["pipelineInfo"]["name"] = "another"
        assert (await world.start(spec))["state"] == "RUNNING"

    play(story)


def test_the_objects_of_an_ended_run_go_when_their_time_is_over(ir, play):
    async def story(world):
        kept = await world.run(configured(ir.chain(1), resourceTtlOnSuccess=3600))
        gone = await world.run(configured(ir.chain(1), resourceTtlOnCompletion=1))
        async for event in world.resources.watch(WORKFLOW):
            if event.type == "DELETED":
                break
        left = (await world.resources.list(WORKFLOW)).items
        assert [one["metadata"]["labels"]["pipeline/runid"] for one in left] == [kept["run_id"]]
        run = await world.get(gone["run_id"])
        assert run["state"] == "SUCCEEDED"
        assert run["run_details"]["task_details"]

    play(story)


def test_a_run_that_waits_and_is_stopped_takes_nothing(ir):
    machine = Machine(configured(ir.chain(1), mutexName="db"))
    machine.run.state, machine.run.waits_for = "PENDING", "another"
    machine.run.root.children.clear()
    machine.run.tasks.clear()
    machine.send()
    assert machine.run.history[-1]["error"]["message"] == "another"
    machine.send(Terminate())
    assert machine.run.state == "CANCELED"
    machine.send()
    assert machine.run.state == "CANCELED"
