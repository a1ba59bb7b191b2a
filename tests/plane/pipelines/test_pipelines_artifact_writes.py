"""Artifacts that a client makes known by POST."""

from __future__ import annotations

import pytest


async def ended_run(world, ir):
    run = await world.run(ir.chain(1), start=1)
    [task] = (await world.get(run["run_id"]))["run_details"]["task_details"]
    return run["run_id"], task["task_id"]


def test_an_artifact_is_made_known_and_goes_with_its_run(ir, play):
    async def story(world):
        run_id, task_id = await ended_run(world, ir)
        body = {
            "artifact": {"name": "accuracy", "type": "Metric", "number_value": 0.5},
            "run_id": run_id,
            "task_id": task_id,
            "producer_key": "metrics",
        }
        status, made = await world.call("POST", "artifacts", body)
        assert status == 200, made
        assert (made["type"], made["number_value"]) == ("Metric", 0.5)
        assert await world.call("GET", f"artifacts/{made['artifact_id']}") == (200, made)
        _, found = await world.call("GET", f"artifact_tasks?artifact_ids={made['artifact_id']}")
        [link] = found["artifact_tasks"]
        assert (link["run_id"], link["task_id"]) == (run_id, task_id)
        assert (link["type"], link["key"]) == ("OUTPUT", "metrics")
        assert link["producer"] == {"task_name": "t0"}
        read = {"artifactId": made["artifact_id"], "runId": run_id, "taskId": task_id, "type": 2}
        _, used = await world.call("POST", "artifact_tasks", {"artifact_task": read})
        assert (used["type"], used["key"]) == ("TASK_OUTPUT_INPUT", "accuracy")
        await world.call("DELETE", f"runs/{run_id}")
        assert (await world.call("GET", f"artifacts/{made['artifact_id']}"))[0] == 404

    play(story)


def test_several_are_made_known_or_none(ir, play):
    async def story(world):
        run_id, task_id = await ended_run(world, ir)
        before = (await world.call("GET", "artifacts"))[1]["total_size"]
        one = {
            "artifact": {"name": "a", "type": 2, "uri": "s3://bucket/a", "metadata": {"n": 1}},
            "run_id": run_id,
            "task_id": task_id,
        }
        wrong = {**one, "task_id": "none"}
        status, answer = await world.call(
            "POST", "artifacts:batchCreate", {"artifacts": [one, wrong]}
        )
        assert (status, answer["message"]) == (404, f"Task none of run {run_id} not found.")
        assert (await world.call("GET", "artifacts"))[1]["total_size"] == before
        _, answer = await world.call("POST", "artifacts:batchCreate", {"artifacts": [one, one]})
        assert [made["type"] for made in answer["artifacts"]] == ["Model", "Model"]
        links = [
            {"artifact_id": made["artifact_id"], "run_id": run_id, "task_id": task_id}
            for made in answer["artifacts"]
        ]
        _, linked = await world.call(
            "POST", "artifact_tasks:batchCreate", {"artifact_tasks": links}
        )
        assert [link["key"] for link in linked["artifact_tasks"]] == ["a", "a"]

    play(story)


@pytest.mark.parametrize(
    ("artifact", "message"),
    [
        (None, "artifact must be an object"),
        ({"type": "Model"}, "artifact.name is required"),
        ({"name": "a"}, "artifact.type must be one of"),
        ({"name": "a", "type": 9}, "artifact.type must be one of"),
        ({"name": "a", "type": "Metric", "number_value": "1"}, "number_value must be a number"),
        ({"name": "a", "type": "Model", "metadata": []}, "artifact.metadata must be an object"),
    ],
)
def test_what_is_no_artifact_is_400(ir, play, artifact, message):
    async def story(world):
        run_id, task_id = await ended_run(world, ir)
        body = {"artifact": artifact, "run_id": run_id, "task_id": task_id}
        status, answer = await world.call("POST", "artifacts", body)
        assert status == 400
        assert message in answer["message"]

    play(story)
