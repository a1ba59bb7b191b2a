"""Recurring runs over a clock of the test's own: what is started, when, and how often."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import pytest

from fairlead.triggers import read_time, write_time
from fairlead_plane.resources import SCHEDULED_WORKFLOW, WORKFLOW

BEGIN = read_time("2026-03-01T00:00:00Z")


class Clocked:
    """A world whose clock is set by the test."""

    def __init__(self, ir, now=BEGIN) -> None:
        self.world = None
        self.ir = ir
        self.now = float(now)

    async def create(self, trigger, spec=None, parameters=None, **body):
        """Make a recurring run, as if at the time of our clock; returns its id."""
        given = {
            "display_name": "often",
            "pipeline_spec": spec or self.ir.chain(1),
            "runtime_config": {"parameters": parameters or {}},
            "trigger": trigger,
            "max_concurrency": "1",
            "mode": "ENABLE",
            **body,
        }
        status, made = await self.world.call("POST", "recurringruns", given)
        assert status == 200, made
        identity = made["recurring_run_id"]

        def backdate(transaction):
            transaction.db.execute(
                "UPDATE recurring_runs SET created_at = ? WHERE recurring_run_id = ?",
                (write_time(self.now), identity),
            )

        await self.world.resources.transaction(backdate)
        return identity

    async def at(self, moment):
        """Set the clock, and let what is due begin and end."""
        self.now = float(moment)
        schedules = self.world.service.schedules
        while True:
            before = await self.runs()
            schedules.wake()
            await schedules.look()
            for run in await self.runs():
                await self.world.until(run["run_id"])
            if await self.runs() == before:
                return before

    async def runs(self):
        """All runs, as they were due."""
        _, answer = await self.world.call("GET", "runs?page_size=200&sort_by=scheduled_at")
        return answer["runs"]

    async def times(self):
        """When the runs were due."""
        return [run["scheduled_at"][:19] + "Z" for run in await self.runs()]

    async def get(self, identity):
        _, found = await self.world.call("GET", f"recurringruns/{identity}")
        return found

    async def told(self):
        """The only ScheduledWorkflow, when it has a condition; an event alone tells of it."""
        while True:
            found = await self.object()
            if found["status"].get("conditions"):
                return found
            await asyncio.sleep(0.01)

    async def object(self):
        """The only ScheduledWorkflow."""
        found = await self.world.resources.list(SCHEDULED_WORKFLOW, "kubeflow")
        return found.items[0]


def look_alone(schedules):
    """Let a look begin when the one before is over: the keeper looks too, whenever it is told."""
    look, turn = schedules.look, asyncio.Lock()

    async def in_turn():
        async with turn:
            await look()

    schedules.look = in_turn


@pytest.fixture
def clocked(play, ir):
    """Run a story in a world with a clock of its own."""

    def run(story, now=BEGIN):
        clocked = Clocked(ir, now)

        async def wrapped(world):
            clocked.world = world
            look_alone(world.service.schedules)
            return await story(clocked)

        return play(wrapped, lambda: clocked.now)

    return run


def every(seconds, **more):
    return {"periodic_schedule": {"interval_second": str(seconds), **more}}


def cron(text, **more):
    return {"cron_schedule": {"cron": text, **more}}


def after(seconds):
    return write_time(BEGIN + seconds)


def test_a_run_is_started_at_each_time_once(clocked):
    async def story(plane):
        identity = await plane.create(every(60))
        await plane.at(BEGIN + 59)
        assert await plane.times() == []
        for moment in (60, 60, 61, 119, 120, 121):
            await plane.at(BEGIN + moment)
        assert await plane.times() == [after(60), after(120)]
        runs = await plane.runs()
        assert [run["display_name"] for run in runs] == ["often #1", "often #2"]
        assert {run["recurring_run_id"] for run in runs} == {identity}
        assert [run["state"] for run in runs] == ["SUCCEEDED"] * 2

    clocked(story)


def test_what_was_missed_is_made_up_one_after_the_other(clocked):
    async def story(plane):
        await plane.create(every(3600))
        await plane.at(BEGIN + 4 * 3600 + 5)
        assert await plane.times() == [after(3600 * hour) for hour in (1, 2, 3, 4)]

    clocked(story)


def test_without_catch_up_only_the_latest_is_started(clocked):
    async def story(plane):
        await plane.create(every(3600), no_catchup=True)
        await plane.at(BEGIN + 4 * 3600 + 5)
        await plane.at(BEGIN + 5 * 3600 + 5)
        assert await plane.times() == [after(4 * 3600), after(5 * 3600)]

    clocked(story)


def test_a_clock_set_back_starts_nothing_again(clocked):
    async def story(plane):
        await plane.create(every(60))
        await plane.at(BEGIN + 180)
        for moment in (100, 60, 0, -86400, 179, 200):
            await plane.at(BEGIN + moment)
        assert await plane.times() == [after(60), after(120), after(180)]

    clocked(story)


@pytest.mark.parametrize(
    ("zone", "days", "found"),
    [
        ("Europe/Berlin", ("2026-03-28", "2026-03-31"), ["01:30:00", "01:00:00", "00:30:00"]),
        ("Europe/Berlin", ("2026-10-24", "2026-10-27"), ["00:30:00", "00:30:00", "01:30:00"]),
        ("America/New_York", ("2026-03-07", "2026-03-10"), ["07:30:00", "07:00:00", "06:30:00"]),
    ],
)
def test_a_daily_run_comes_once_on_the_day_when_clocks_are_set(clocked, zone, days, found):
    async def story(plane):
        begin, end = (read_time(f"{day}T12:00:00Z") - 86400 for day in days)
        plane.now = begin
        await plane.create(cron(f"CRON_TZ={zone} 0 30 2 * * *"))
        for moment in range(begin, end + 1, 3600):
            await plane.at(moment)
        assert [one[11:19] for one in await plane.times()] == found

    clocked(story)


def test_the_last_day_of_months_and_of_february(clocked):
    async def story(plane):
        plane.now = read_time("2028-01-30T00:00:00Z")
        await plane.create(cron("0 0 0 31 * *"))
        await plane.create(cron("0 0 0 29 2 *"), display_name="leap")
        await plane.at(read_time("2028-06-01T00:00:00Z"))
        assert await plane.times() == [
            "2028-01-31T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z",
            "2028-05-31T00:00:00Z",
        ]  # fmt: skip

    clocked(story)


def test_no_more_runs_are_there_at_one_time_than_allowed(clocked):
    async def story(plane):
        ended = asyncio.Event()

        async def behave(message):
            await ended.wait()
            return 0

        plane.world.behave["t0"] = behave
        spec = plane.ir.pipeline(
            [plane.ir.task("t0", "none", cache=False)], {"none": plane.ir.component("add")}
        )
        await plane.create(every(10), spec, max_concurrency="2")
        plane.now = BEGIN + 55
        plane.world.service.schedules.wake()

        async def count(number):
            while True:
                runs = await plane.runs()
                if len(runs) >= number:
                    return runs
                await asyncio.sleep(0.01)

        await count(2)
        await plane.world.service.schedules.look()
        assert await plane.times() == [after(10), after(20)]
        active = (await plane.object())["status"]["workflowHistory"]["active"]
        assert [one["index"] for one in active] == [2, 1]
        ended.set()
        runs = await count(5)
        for run in runs:
            await plane.world.until(run["run_id"])
        assert await plane.times() == [after(10 * number) for number in (1, 2, 3, 4, 5)]

    clocked(story)


def test_a_disabled_one_starts_nothing_and_makes_up_for_it_when_it_is_enabled(clocked):
    async def story(plane):
        identity = await plane.create(every(60), mode="DISABLE")
        assert (await plane.get(identity))["status"] == "DISABLED"
        await plane.at(BEGIN + 130)
        assert await plane.times() == []
        assert (await plane.world.call("POST", f"recurringruns/{identity}:enable"))[0] == 200
        found = await plane.get(identity)
        assert (found["status"], found["mode"]) == ("ENABLED", "ENABLE")
        await plane.at(BEGIN + 130)
        assert await plane.times() == [after(60), after(120)]
        assert (await plane.world.call("POST", f"recurringruns/{identity}:disable"))[0] == 200
        await plane.at(BEGIN + 190)
        assert len(await plane.times()) == 2

    clocked(story)


def test_nothing_is_started_outside_of_start_and_end(clocked):
    async def story(plane):
        await plane.create(every(60, start_time=after(90), end_time=after(160)))
        await plane.at(BEGIN + 89)
        assert await plane.times() == []
        await plane.at(BEGIN + 600)
        assert await plane.times() == [after(90), after(150)]
        assert "nextTriggeredTime" not in (await plane.object())["status"]["trigger"]

    clocked(story)


def test_the_object_says_what_a_cluster_says(clocked):
    async def story(plane):
        identity = await plane.create(
            cron("0 0 7 * * *"), parameters={"start": 4}, no_catchup=True, max_concurrency="3"
        )
        await plane.at(BEGIN + 7 * 3600)
        found = await plane.object()
        assert found["metadata"]["uid"] == identity
        assert found["spec"]["trigger"] == {"cronSchedule": {"cron": "0 0 7 * * *"}}
        assert found["spec"]["workflow"]["parameters"] == [{"name": "start", "value": "4"}]
        assert [found["spec"][name] for name in ("enabled", "maxConcurrency", "noCatchup")] == [
            True, 3, True,
        ]  # fmt: skip
        status = found["status"]
        assert status["trigger"] == {
            "lastTriggeredTime": after(7 * 3600),
            "nextTriggeredTime": after(31 * 3600),
            "lastWorkflowIndex": 1,
        }
        assert [one["type"] for one in status["conditions"]] == ["Enabled"]
        done = status["workflowHistory"]["completed"][0]
        workflow = (await plane.world.resources.list(WORKFLOW, "kubeflow")).items[0]
        assert (done["name"], done["phase"]) == (workflow["metadata"]["name"], "Succeeded")
        labels = workflow["metadata"]["labels"]
        group = "scheduledworkflows.kubeflow.org"
        assert labels[f"{group}/isOwnedByScheduledWorkflow"] == "true"
        assert labels[f"{group}/scheduledWorkflowName"] == found["metadata"]["name"]
        assert labels[f"{group}/workflowEpoch"] == str(BEGIN + 7 * 3600)
        assert labels[f"{group}/workflowIndex"] == "1"

    clocked(story)


def test_what_kubectl_changes_at_the_object_counts(clocked):
    async def story(plane):
        identity = await plane.create(every(60))

        async def change(**spec):
            found = await plane.object()
            # Whatever the plane writes meanwhile: kubectl's apply goes over it as well.
            del found["metadata"]["resourceVersion"]
            await plane.world.resources.update({**found, "spec": {**found["spec"], **spec}})
            await plane.world.service.schedules.look()

        await change(enabled=False, maxConcurrency=4)
        await plane.at(BEGIN + 70)
        found = await plane.get(identity)
        assert (found["status"], found["max_concurrency"]) == ("DISABLED", "4")
        assert await plane.times() == []
        await change(enabled=True, trigger={"cronSchedule": {"cron": "often"}})
        await plane.at(BEGIN + 80)
        condition = (await plane.object())["status"]["conditions"][0]
        assert condition["type"] == "Error"
        assert "expected 5 to 6 fields, found 1: [often]" in condition["message"]
        await change(trigger={"cronSchedule": {"cron": "30 * * * * *"}})
        await plane.at(BEGIN + 95)
        assert await plane.times() == [after(30), after(90)]
        assert (await plane.object())["status"]["conditions"][0]["type"] == "Enabled"
        found = await plane.object()
        await plane.world.resources.delete(
            SCHEDULED_WORKFLOW, found["metadata"]["name"], "kubeflow"
        )
        await plane.at(BEGIN + 200)
        assert (await plane.world.call("GET", f"recurringruns/{identity}"))[0] == 404
        assert len(await plane.times()) == 2

    clocked(story)


def test_an_object_that_nobody_made_here_says_why_it_starts_nothing(clocked):
    async def story(plane):
        await plane.world.resources.create(
            {
                "apiVersion": "kubeflow.org/v1beta1",
                "kind": "ScheduledWorkflow",
                "metadata": {"name": "by-hand", "namespace": "kubeflow"},
                "spec": {"enabled": True, "trigger": {"periodicSchedule": {"intervalSecond": 5}}},
                "status": {},
            }
        )
        await plane.at(BEGIN + 60)
        condition = (await plane.told())["status"]["conditions"][0]
        assert condition["type"] == "Error"
        assert "fairlead schedule" in condition["message"]

    clocked(story)


def test_placeholders_are_filled_in_parameters(clocked):
    async def story(plane):
        inputs = {"day": {"parameterType": "STRING"}, "tags": {"parameterType": "LIST"}}
        spec = plane.ir.pipeline(
            [plane.ir.task("t0", "none", cache=False)], {"none": plane.ir.component("add")},
            inputs=inputs,
        )  # fmt: skip

        async def behave(message):
            return 0

        plane.world.behave["t0"] = behave
        given = {"day": "[[ScheduledTime.2006-01-02]]", "tags": ["[[Index]]", "[[RunUUID]]"]}
        identity = await plane.create(every(86400), spec, given)
        await plane.at(BEGIN + 2 * 86400)
        runs = await plane.runs()
        assert [run["runtime_config"]["parameters"] for run in runs] == [
            {"day": "2026-03-02", "tags": ["1", runs[0]["run_id"]]},
            {"day": "2026-03-03", "tags": ["2", runs[1]["run_id"]]},
        ]
        assert (await plane.get(identity))["runtime_config"]["parameters"] == given

    clocked(story)


def test_a_pipeline_that_is_gone_is_told_and_tried_again(clocked):
    async def story(plane):
        call = plane.world.call
        body = {
            "pipeline": {"display_name": "p"},
            "pipeline_version": {"display_name": "v1", "pipeline_spec": plane.ir.chain(1)},
        }
        status, pipeline = await call("POST", "pipelines/create", body)
        assert status == 200, pipeline
        _, versions = await call("GET", f"pipelines/{pipeline['pipeline_id']}/versions")
        version = versions["pipeline_versions"][0]["pipeline_version_id"]
        identity = await plane.create(
            every(60), None, pipeline_spec=None,
            pipeline_version_reference={"pipeline_id": pipeline["pipeline_id"]},
        )  # fmt: skip
        await plane.at(BEGIN + 60)
        runs = await plane.runs()
        assert runs[0]["pipeline_version_reference"]["pipeline_version_id"] == version
        await call("DELETE", f"pipelines/{pipeline['pipeline_id']}/versions/{version}")
        await plane.at(BEGIN + 120)
        found = await plane.get(identity)
        assert found["error"]["message"].startswith("PipelineVersion of pipeline")
        assert (await plane.object())["status"]["conditions"][0]["type"] == "Error"
        # A new version, and the time that could not be used before is used now.
        spec = {"display_name": "v2", "pipeline_spec": plane.ir.chain(1)}
        status, _ = await call("POST", f"pipelines/{pipeline['pipeline_id']}/versions", spec)
        assert status == 200
        await plane.at(BEGIN + 121 + 360)
        assert (await plane.times())[:2] == [after(60), after(120)]
        assert "error" not in await plane.get(identity)

    clocked(story)


def test_recurring_runs_are_filtered_sorted_and_paged(clocked):
    async def story(plane):
        _, other = await plane.world.call("POST", "experiments", {"display_name": "other"})
        await plane.create(every(60), display_name="beta")
        await plane.create(every(60), display_name="alpha", mode="DISABLE")
        await plane.create(every(60), display_name="gamma", experiment_id=other["experiment_id"])

        async def names(query):
            status, answer = await plane.world.call("GET", f"recurringruns?{query}")
            assert status == 200, answer
            return [one["display_name"] for one in answer["recurringRuns"]], answer

        assert (await names("sort_by=display_name%20desc"))[0] == ["gamma", "beta", "alpha"]
        assert (await names(f"experiment_id={other['experiment_id']}"))[0] == ["gamma"]
        wanted = json.dumps(
            {"predicates": [{"operation": "EQUALS", "key": "status", "string_value": "DISABLED"}]}
        )
        assert (await names(f"filter={quote(wanted)}"))[0] == ["alpha"]
        first, page = await names("page_size=2&sort_by=name")
        second, last = await names(f"page_token={quote(page['next_page_token'])}")
        assert (first + second, last["next_page_token"]) == (["alpha", "beta", "gamma"], "")
        assert page["total_size"] == 3

    clocked(story)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"display_name": ""}, "The recurring run name is empty."),
        ({"max_concurrency": "0"}, "at least 1 and at most 10. Received 0"),
        ({"max_concurrency": 11}, "at least 1 and at most 10. Received 11"),
        ({"trigger": None}, "a cron_schedule or a periodic_schedule is required"),
        ({"trigger": cron("0 7 *")}, "Schedule cron is not a supported format"),
        ({"trigger": every(0)}, "Found invalid period schedule interval 0."),
        ({"mode": "SOMETIMES"}, "Recurring run's mode is invalid: SOMETIMES"),
        ({"pipeline_spec": None}, "A run needs a pipeline_spec or a pipeline_version_reference."),
        ({"pipeline_spec": {}}, "a pipeline spec with a `root` is required"),
        ({"runtime_config": {"parameters": {"start": "[[Index]]"}}}, "takes an integer"),
        ({"runtime_config": {"parameters": {"gone": 1}}}, "no parameter of that name"),
    ],
)
def test_what_could_not_run_is_refused_before_there_is_a_schedule(play, ir, change, words):
    async def story(world):
        body = {
            "display_name": "often", "pipeline_spec": ir.chain(1), "trigger": every(5),
            "max_concurrency": "1", "mode": "ENABLE", **change,
        }  # fmt: skip
        status, answer = await world.call("POST", "recurringruns", body)
        assert status == 400
        assert words in answer["message"]
        assert (await world.call("GET", "recurringruns"))[1]["total_size"] == 0

    play(story)


def test_what_is_not_there_is_404(play):
    async def story(world):
        message = "RecurringRun none not found."
        for method, path in (
            ("GET", "recurringruns/none"),
            ("DELETE", "recurringruns/none"),
            ("POST", "recurringruns/none:enable"),
            ("POST", "recurringruns/none:disable"),
        ):
            status, answer = await world.call(method, path)
            assert (status, answer["message"]) == (404, message)

    play(story)


def test_deleting_one_leaves_its_runs_and_an_archived_experiment_disables_its_own(clocked):
    async def story(plane):
        first = await plane.create(every(60))
        await plane.at(BEGIN + 60)
        assert (await plane.world.call("DELETE", f"recurringruns/{first}"))[0] == 200
        await plane.at(BEGIN + 120)
        assert len(await plane.runs()) == 1
        found = await plane.world.resources.list(SCHEDULED_WORKFLOW, "kubeflow")
        assert found.items == []
        _, other = await plane.world.call("POST", "experiments", {"display_name": "other"})
        second = await plane.create(every(60), experiment_id=other["experiment_id"])
        await plane.world.call("POST", f"experiments/{other['experiment_id']}:archive")
        assert (await plane.get(second))["status"] == "DISABLED"

    clocked(story)


def test_a_stop_of_the_plane_is_made_up_for(clocked):
    """Two worlds over one folder: what was due between them is started by the second."""
    made = {}

    async def before(plane):
        made["all"] = await plane.create(every(60))
        made["latest"] = await plane.create(every(60), display_name="latest", no_catchup=True)
        await plane.at(BEGIN + 60)
        assert len(await plane.times()) == 2

    async def later(plane):
        await plane.at(BEGIN + 250)
        found = {
            name: [
                run["scheduled_at"][:19] + "Z"
                for run in await plane.runs()
                if run["recurring_run_id"] == identity
            ]
            for name, identity in made.items()
        }
        assert found == {
            "all": [after(60), after(120), after(180), after(240)],
            "latest": [after(60), after(240)],
        }

    clocked(before)
    clocked(later, BEGIN + 250)
