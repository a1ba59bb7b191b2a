"""Runs from REST to REST: the service, its tables and its files, with processes of the test's."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from pathlib import Path

import pytest

from fairlead_plane.resources import POD, WORKFLOW

WRITE = """
import json, sys
message = json.loads(sys.argv[1])
for name, one in message["outputs"].get("artifacts", {}).items():
    open(one["artifacts"][0]["uri"], "w").write("MARK")
"""


def two_branches(ir, b="b", platform=None):
    """a -> b -> d and a -> c, each with an executor of its own, so that one can be edited."""
    components = {
        "a": ir.component("a", made=["data"]),
        "b": ir.component("b", artifacts=["data"], made=["data"]),
        "c": ir.component("c", artifacts=["data"], made=["data"]),
        "d": ir.component("d", artifacts=["data"], made=["data"]),
    }
    tasks = [
        ir.task("a", "a"),
        ir.task("b", "b", ["a"], artifacts={"data": ("a", "data")}),
        ir.task("c", "c", ["a"], artifacts={"data": ("a", "data")}),
        ir.task("d", "d", ["b"], artifacts={"data": ("b", "data")}),
    ]
    sources = {"a": "a", "b": b, "c": "c", "d": "d"}
    executors = {name: ir.executor(WRITE.replace("MARK", text)) for name, text in sources.items()}
    return ir.pipeline(tasks, components, executors)


def test_values_and_artifacts_go_from_step_to_step(ir, play, seen):
    async def story(world):
        run = await world.run(ir.chain(3), start=4)
        tasks = seen.details(run)
        assert (run["state"], seen.states(run)) == (
            "SUCCEEDED",
            {"t0": "SUCCEEDED", "t1": "SUCCEEDED", "t2": "SUCCEEDED"},
        )
        assert tasks["t1"]["inputs"]["parameters"] == [
            {
                "parameter_key": "a",
                "value": 5,
                "type": "TASK_OUTPUT_INPUT",
                "producer": {"task_name": "t0"},
            }
        ]
        assert tasks["t2"]["outputs"]["parameters"] == [
            {"parameter_key": "out", "value": 7, "type": "OUTPUT"}
        ]
        made = tasks["t1"]["outputs"]["artifacts"][0]
        assert made["artifact_key"] == "data"
        artifact = made["artifacts"][0]
        assert Path(artifact["uri"]).read_text() == "x" * 6
        assert artifact == {
            "artifact_id": artifact["artifact_id"],
            "name": "data",
            "type": "Dataset",
            "uri": str(world.folder / "artifacts" / await workflow_of(world) / "t1" / "1" / "data"),
            "metadata": {},
            "created_at": artifact["created_at"],
            "namespace": "",
            "schema_title": "system.Dataset",
            "size": 6,
            "sha256": hashlib.sha256(b"x" * 6).hexdigest(),
        }
        states = [entry["state"] for entry in tasks["t1"]["state_history"]]
        assert states == ["PENDING", "RUNNING", "SUCCEEDED"]
        child = {"task_id": tasks["t2"]["task_id"], "name": "t2"}
        assert tasks["t1"]["child_tasks"] == [child]

    play(story)


def test_tasks_are_shown_with_their_type_and_the_scope_that_they_are_in(ir, play):
    async def story(world):
        tasks = dict([ir.task("x", "add", a=1)])
        components = {
            "add": ir.component("add", ["a"], [], ["out"], ["data"]),
            "group": ir.component("", dag={"tasks": tasks}),
        }
        outer = [ir.task("condition-branches-1", "group"), ir.task("exit-handler-2", "group")]
        outer.append(ir.task("y", "group"))
        outer[2][1]["taskInfo"]["name"] = "why"
        run = await world.run(ir.pipeline(outer, components))
        _, listed = await world.call("GET", "runs")
        for details in (run["run_details"], listed["runs"][0]["run_details"]):
            tasks = {one["task_id"]: one for one in details["task_details"]}
            parents = {
                (one["name"], one["type"]): tasks[one["parent_task_id"]]["name"]
                if "parent_task_id" in one
                else None
                for one in tasks.values()
            }
            assert parents == {
                ("condition-branches-1", "CONDITION_BRANCH"): None,
                ("exit-handler-2", "EXIT_HANDLER"): None,
                ("y", "DAG"): None,
                ("x", "RUNTIME"): "y",
            }
            assert {"why", "y"} & {one["display_name"] for one in tasks.values()} == {"why"}

    play(story)


async def workflow_of(world):
    (workflow,) = (await world.resources.list(WORKFLOW)).items
    return workflow["metadata"]["name"]


def test_the_lineage_of_a_run_can_be_read(ir, play, seen):
    async def story(world):
        run = await world.run(ir.chain(2))
        tasks = seen.details(run)
        _, answer = await world.call("GET", f"artifact_tasks?run_ids={run['run_id']}")
        links = [
            (one["task_id"], one["type"], one["key"], one["producer"]["task_name"])
            for one in answer["artifact_tasks"]
        ]
        first, second = tasks["t0"]["task_id"], tasks["t1"]["task_id"]
        assert set(links) == {
            (first, "OUTPUT", "data", "t0"),
            (second, "TASK_OUTPUT_INPUT", "before", "t0"),
            (second, "OUTPUT", "data", "t1"),
        }
        assert len(links) == answer["total_size"] == 3
        identity = answer["artifact_tasks"][0]["artifact_id"]
        _, artifact = await world.call("GET", f"artifacts/{identity}")
        assert (artifact["artifact_id"], artifact["name"]) == (identity, "data")
        _, listed = await world.call("GET", "artifacts?sort_by=created_at desc&page_size=1")
        assert (listed["total_size"], len(listed["artifacts"])) == (2, 1)

    play(story)


def test_a_second_run_is_all_cache_hits_and_starts_no_process(ir, play, seen):
    async def story(world):
        await world.run(two_branches(ir))
        ran = len(world.ran)
        run = await world.start(two_branches(ir))
        assert run["state"] == "SUCCEEDED"
        assert set(seen.states(run).values()) == {"CACHED"}
        assert len(world.ran) == ran == 4
        run = await world.get(run["run_id"])
        assert all(one["executor_detail"]["cached"] for one in seen.details(run).values())

    play(story)


def test_an_edited_step_runs_again_with_what_depends_on_it_and_nothing_else(ir, play, seen):
    async def story(world):
        await world.run(two_branches(ir))
        world.ran.clear()
        run = await world.run(two_branches(ir, b="edited"))
        assert seen.states(run) == {
            "a": "CACHED", "b": "SUCCEEDED", "c": "CACHED", "d": "SUCCEEDED",
        }  # fmt: skip
        assert world.ran == ["b", "d"]

    play(story)


def test_an_edited_step_that_writes_the_same_lets_its_dependents_be_cached(ir, play, seen):
    async def story(world):
        await world.run(two_branches(ir))
        spec = two_branches(ir)
        command = spec["deploymentSpec"]["executors"]["b"]["container"]["command"]
        command[-1] += "\n# the same bytes"
        assert seen.states(await world.run(spec)) == {
            "a": "CACHED", "b": "SUCCEEDED", "c": "CACHED", "d": "CACHED",
        }  # fmt: skip

    play(story)


def test_a_cached_artifact_that_was_changed_or_removed_is_made_again(ir, play, seen):
    async def story(world):
        run = await world.run(two_branches(ir))
        made = seen.details(run)["c"]["outputs"]["artifacts"][0]["artifacts"][0]
        Path(made["uri"]).write_text("tampered with")
        run = await world.run(two_branches(ir))
        assert seen.states(run)["c"] == "SUCCEEDED"
        why = seen.details(run)["c"]["status_metadata"]["custom_properties"]["cache"]
        assert why == f"The cached artifact 'data' ({made['uri']}) is gone or was changed."

    play(story)


def test_another_environment_is_another_result(ir, play, seen):
    def spec(interpreter):
        annotations = {"fairlead.dev/interpreter": interpreter}
        executors = {"add": {"podMetadata": {"annotations": annotations}}}
        platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
        return {"pipeline_spec": ir.chain(1), "platform_spec": platform}

    async def story(world):
        await world.run(spec("/one/python"))
        assert seen.states(await world.run(spec("/two/python"))) == {"t0": "SUCCEEDED"}
        assert seen.states(await world.run(spec("/two/python"))) == {"t0": "CACHED"}

    play(story)


def test_a_failed_step_says_which_line_and_a_retry_goes_on_from_there(ir, play, seen):
    async def story(world):
        detail = {
            "cell_id": "abc", "line": 3, "ename": "NameError",
            "evalue": "name 'x' is not defined", "traceback": "...",
        }  # fmt: skip

        async def fail(message):
            folder = Path(message["outputs"]["outputFile"]).parent
            (folder / "error.json").write_text(json.dumps(detail))
            Path(message["outputs"]["artifacts"]["data"]["artifacts"][0]["uri"]).write_text("half")
            return 1

        world.behave["b"] = fail
        run = await world.run(two_branches(ir))
        assert (run["state"], seen.states(run)) == (
            "FAILED",
            {"a": "SUCCEEDED", "b": "FAILED", "c": "SUCCEEDED", "d": "SKIPPED"},
        )
        failed = seen.details(run)["b"]
        message = "NameError: name 'x' is not defined  (cell abc, line 3)"
        assert failed["error"] == {
            "code": 2,
            "message": message,
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "NameError",
                    "domain": "fairlead.dev",
                    "metadata": {**detail, "line": "3"},
                }
            ],
        }
        assert run["error"]["message"] == f"Task 'b' failed: {message}"
        # What the failed step had written can be looked at.
        assert await read(world, run, "b", "data") == b"half"
        del world.behave["b"]
        world.ran.clear()
        assert await world.call("POST", f"runs/{run['run_id']}:retry") == (200, {})
        run = await world.until(run["run_id"])
        assert (run["state"], world.ran) == ("SUCCEEDED", ["b", "d"])
        assert seen.details(run)["b"]["executor_detail"]["failed_main_jobs"] == [failed["pod_name"]]
        assert await read(world, run, "b", "data") == b"b"

    play(story)


async def read(world, run, node, name):
    status, answer = await world.call(
        "GET", f"runs/{run['run_id']}/nodes/{node}/artifacts/{name}:read"
    )
    assert status == 200, answer
    return base64.b64decode(answer["data"])


def test_a_step_that_leaves_out_an_output_has_failed(ir, play, seen):
    async def story(world):
        spec = ir.pipeline(
            [ir.task("a", "c")],
            {"c": ir.component("add", out=["out"])},
            {"add": ir.executor("pass")},
        )
        run = await world.run(spec)
        message = "The step ended well, but it did not write output parameter 'out'."
        assert seen.details(run)["a"]["error"]["message"] == message

    play(story)


def test_an_exit_code_without_words_says_to_look_at_the_log(ir, play, seen):
    async def story(world):
        spec = ir.pipeline(
            [ir.task("a", "c")],
            {"c": ir.component("add")},
            {"add": ir.executor("raise SystemExit(3)")},
        )
        run = await world.run(spec)
        message = "The step ended with exit code 3; its log says more."
        assert seen.details(run)["a"]["error"] == {"code": 2, "message": message, "details": []}

    play(story)


def test_a_pod_that_the_api_refuses_fails_its_task(ir, play, seen):
    async def story(world):
        executor = ir.executor(resources={"resourceMemoryLimit": "much"})
        spec = ir.pipeline(
            [ir.task("a", "c"), ir.task("b", "c", ["a"])],
            {"c": ir.component("add")},
            {"add": executor},
        )
        run = await world.run(spec)
        assert seen.states(run) == {"a": "FAILED", "b": "SKIPPED"}
        assert "The pod was refused: Pod" in seen.details(run)["a"]["error"]["message"]

    play(story)


def test_terminate_stops_the_steps_and_ends_canceled(ir, play, seen):
    async def story(world):
        sleep = ir.executor("import time; time.sleep(60)")
        spec = ir.pipeline(
            [ir.task("a", "c"), ir.task("b", "c", ["a"])],
            {"c": ir.component("add")},
            {"add": sleep},
        )
        run_id = (await world.start(spec))["run_id"]
        await world.until(run_id, lambda run: seen.states(run)["a"] == "RUNNING")
        assert await world.call("POST", f"runs/{run_id}:terminate") == (200, {})
        run = await world.get(run_id)
        assert (run["state"], seen.states(run)["b"]) == ("CANCELING", "CANCELED")
        run = await world.until(run_id)
        assert (run["state"], seen.states(run)) == ("CANCELED", {"a": "CANCELED", "b": "CANCELED"})
        status, answer = await world.call("POST", f"runs/{run_id}:terminate")
        assert (status, answer["code"]) == (400, 9)

    play(story)


@pytest.mark.parametrize("reason", ["NodeLost", "NodeShutdown"])
def test_a_step_whose_process_the_node_lost_runs_again(ir, play, seen, reason):
    async def story(world):
        lost = []

        async def vanish(message):
            if lost:
                Path(message["outputs"]["parameters"]["out"]["outputFile"]).write_text("1")
                return 0
            lost.append(message)
            (pod,) = (await world.resources.list(POD)).items
            await world.set_status(pod["metadata"]["name"], phase="Failed", reason=reason)
            return None

        world.behave["t0"] = vanish
        run = await world.run(ir.chain(1))
        assert (run["state"], len(world.ran)) == ("SUCCEEDED", 2)

    play(story)


def test_a_step_whose_pod_was_deleted_by_hand_runs_again(ir, play, seen):
    async def story(world):
        async def wait(message):
            await asyncio.Event().wait()

        world.behave["t0"] = wait
        run_id = (await world.start(ir.chain(1)))["run_id"]
        run = await world.until(run_id, lambda run: seen.states(run)["t0"] == "RUNNING")
        del world.behave["t0"]
        name = seen.details(run)["t0"]["pod_name"]
        await world.resources.delete(POD, name, "kubeflow", grace_period_seconds=0)
        assert (await world.until(run_id))["state"] == "SUCCEEDED"

    play(story)


def test_a_restart_takes_a_run_up_where_it_was(ir, play, seen):
    async def before(world):
        async def wait(message):
            return None

        world.behave["t1"] = wait
        run_id = (await world.start(ir.chain(3)))["run_id"]
        await world.until(run_id, lambda run: seen.states(run)["t1"] == "RUNNING")
        return run_id

    run_id = play(before)

    async def after(world):
        run = await world.get(run_id)
        assert seen.states(run) == {"t0": "SUCCEEDED", "t1": "RUNNING", "t2": "PENDING"}
        task = seen.details(run)["t1"]
        folder = Path(task["inputs"]["artifacts"][0]["artifacts"][0]["uri"]).parents[2] / "t1" / "1"
        (folder / ".run" / "parameters" / "out").write_text("3")
        await world.set_status(task["pod_name"], phase="Succeeded")
        run = await world.until(run_id)
        assert (run["state"], world.ran) == ("SUCCEEDED", ["t2"])
        assert seen.details(run)["t2"]["outputs"]["parameters"][0]["value"] == 4

    play(after)


def test_a_pod_that_is_gone_after_a_restart_is_started_again(ir, play, seen):
    async def before(world):
        async def wait(message):
            return None

        world.behave["t0"] = wait
        run_id = (await world.start(ir.chain(1)))["run_id"]
        run = await world.until(run_id, lambda run: seen.states(run)["t0"] == "RUNNING")
        for work in list(world._tasks):
            work.cancel()
        await asyncio.gather(*world._tasks, return_exceptions=True)
        name = seen.details(run)["t0"]["pod_name"]
        await world.resources.delete(POD, name, "kubeflow", grace_period_seconds=0)
        return run_id

    run_id = play(before)

    async def after(world):
        assert (await world.until(run_id))["state"] == "SUCCEEDED"

    play(after)


def test_deleting_the_workflow_stops_its_run(ir, play, seen):
    async def story(world):
        spec = ir.pipeline(
            [ir.task("a", "c")],
            {"c": ir.component("add")},
            {"add": ir.executor("import time; time.sleep(60)")},
        )
        run_id = (await world.start(spec))["run_id"]
        await world.until(run_id, lambda run: seen.states(run)["a"] == "RUNNING")
        await world.resources.delete(WORKFLOW, await workflow_of(world), "kubeflow")
        assert (await world.until(run_id))["state"] == "CANCELED"

    play(story)


def test_a_deleted_run_takes_its_files_but_not_those_that_others_use(ir, play, seen):
    async def story(world):
        first = await world.run(two_branches(ir))
        second = await world.run(two_branches(ir, b="edited"))
        assert await world.call("DELETE", f"runs/{first['run_id']}") == (200, {})
        assert (await world.call("GET", f"runs/{first['run_id']}"))[0] == 404
        # a and c of the second run came from the cache: their files were made by the first.
        assert await read(world, second, "a", "data") == b"a"
        files = [path for path in (world.folder / "artifacts").rglob("data") if path.is_file()]
        assert sorted(path.parts[-3] for path in files) == ["a", "b", "c", "d"]
        assert await world.call("DELETE", f"runs/{second['run_id']}") == (200, {})
        assert list((world.folder / "artifacts").iterdir()) == []
        assert (await world.resources.list(WORKFLOW)).items == []
        assert (await world.resources.list(POD)).items == []
        # Nothing of the deleted runs counts as cached.
        assert set(seen.states(await world.run(two_branches(ir))).values()) == {"SUCCEEDED"}

    play(story)


def test_a_folder_of_the_user_is_used_and_never_deleted(ir, play, seen, tmp_path):
    async def story(world):
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "keep").write_text("me")
        body = {
            "display_name": "run",
            "pipeline_spec": ir.chain(1),
            "runtime_config": {"pipeline_root": f"file://{mine}"},
        }
        _, run = await world.call("POST", "runs", body)
        run = await world.until(run["run_id"])
        made = seen.details(run)["t0"]["outputs"]["artifacts"][0]["artifacts"][0]["uri"]
        assert Path(made).is_relative_to(mine)
        await world.call("DELETE", f"runs/{run['run_id']}")
        assert (mine / "keep").read_text() == "me"
        assert Path(made).is_file()

    play(story)


def test_a_parameter_value_reaches_the_step_as_it_is(ir, play, seen):
    nasty = 'it\'s "quoted" $(HOME) $$ {{$}} {{$.outputs.output_file}} `x` \\ \n}}'
    source = """
import json, sys
json.dump({"parameterValues": {"out": sys.argv[1]}}, open(sys.argv[2], "w"))
"""

    async def story(world):
        executor = ir.executor(source)
        executor["args"] = ["{{$.inputs.parameters['a']}}", "{{$.outputs.output_file}}"]
        spec = ir.pipeline(
            [ir.task("t", "c", a="<text")],
            {"c": ir.component("e", [("a", "STRING")], out=[("out", "STRING")])},
            {"e": executor},
            {"text": {"parameterType": "STRING"}},
        )
        run = await world.run(spec, text=nasty)
        # The node of this test expands nothing, so what Kubernetes reads as $ is still $$.
        value = seen.details(run)["t"]["outputs"]["parameters"][0]["value"]
        assert value == nasty.replace("$", "$$")

    play(story)


def test_the_workflow_of_a_run_is_valid_and_tells_each_change(ir, play, assert_valid):
    async def story(world):
        seen = []
        watch = world.resources.watch(WORKFLOW)
        run = await world.run(ir.chain(2))
        async for event in watch:
            assert_valid(event.object)
            seen.append(event.object)
            if event.object["status"]["phase"] == "Succeeded":
                watch.close()
        last = seen[-1]
        assert last["metadata"]["labels"] == {"pipeline/runid": run["run_id"]}
        assert last["metadata"]["annotations"]["pipelines.kubeflow.org/run_name"] == "a run"
        assert (last["status"]["phase"], last["status"]["progress"]) == ("Succeeded", "2/2")
        counts = [int(one["metadata"]["annotations"]["fairlead.dev/changes"]) for one in seen]
        assert counts == sorted(set(counts))
        # Created and begun; then each of the two tasks starts and ends.
        assert len(counts) >= 4

    play(story)


def test_a_pod_is_built_from_the_executor(ir, play):
    async def story(world):
        executor = ir.executor(
            "pass",
            env=[{"name": "MODE", "value": "{{$.inputs.parameters['a']}}"}],
            resources={
                "cpuLimit": 2.0,
                "memoryLimit": 1.5,
                "resourceCpuRequest": "500m",
                "resourceMemoryLimit": "1Gi",
            },
        )
        executors = {"e": {"podMetadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}}}
        platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
        spec = ir.pipeline(
            [ir.task("t", "c", a=1)], {"c": ir.component("e", ["a"])}, {"e": executor}
        )
        run = await world.run({"pipeline_spec": spec, "platform_spec": platform})
        (pod,) = (await world.resources.list(POD)).items
        metadata, container = pod["metadata"], pod["spec"]["containers"][0]
        assert metadata["labels"] == {
            "team": "a",
            "pipeline/runid": run["run_id"],
            "fairlead.dev/task": "t",
        }
        assert metadata["annotations"] == {"note": "b"}
        assert metadata["ownerReferences"][0]["kind"] == "Workflow"
        assert pod["spec"]["restartPolicy"] == "Never"
        assert container["name"] == "main"
        assert container["env"] == [{"name": "MODE", "value": "1"}]
        assert container["resources"] == {
            "limits": {"cpu": "2", "memory": "1Gi"},
            "requests": {"cpu": "500m", "memory": "1Gi"},
        }

    play(story)


def test_independent_steps_overlap(ir, play, seen):
    meet = """
import json, os, sys, time
folder, me, other = sys.argv[1:]
open(os.path.join(folder, me), "w").close()
while not os.path.exists(os.path.join(folder, other)):
    time.sleep(0.01)
"""

    async def story(world):
        executors = {}
        for me, other in (("a", "b"), ("b", "a")):
            executors[me] = {
                "image": "python",
                "command": ["python3", "-c", meet, str(world.folder), me, other],
            }
        components = {name: ir.component(name) for name in executors}
        # Each waits for the other: only at one time can both end.
        run = await world.run(
            ir.pipeline([ir.task("a", "a"), ir.task("b", "b")], components, executors)
        )
        assert run["state"] == "SUCCEEDED"

    play(story)
