"""Importers: an artifact that exists becomes the output of a task, and nothing runs."""

from __future__ import annotations

import os

import pytest

from fairlead_plane.pipelines.problems import PipelineSpecError
from fairlead_plane.pipelines.spec import load_pipeline

READ = """
import json, sys
message = json.loads(sys.argv[1])
uri = message["inputs"]["artifacts"]["data"]["artifacts"][0]["uri"]
out = message["outputs"]["parameters"]["out"]["outputFile"]
open(out, "w").write(open(uri).read())
"""
WHO = "{{$.inputs.parameters['who']}}"


def importing(ir, metadata=None, **importer):
    """`import` -> `read`, which puts out the text of the file."""
    components = {
        "import": ir.component(
            "import", [("uri", "STRING"), ("who", {"parameterType": "STRUCT", "isOptional": True})],
            [], [], ["artifact"],
        ),
        "read": ir.component("read", [], ["data"], [("out", "STRING")]),
    }  # fmt: skip
    tasks = [
        ir.task("import", "import", uri="<uri"),
        ir.task("read", "read", artifacts={"data": ("import", "artifact")}),
    ]
    tasks[0][1]["inputs"]["parameters"]["who"] = {"componentInputParameter": "who"}
    inputs = {
        "uri": {"parameterType": "STRING"},
        "who": {"parameterType": "STRUCT", "isOptional": True},
    }
    spec = ir.pipeline(tasks, components, {"read": ir.executor(READ)}, inputs)
    spec["deploymentSpec"]["executors"]["import"] = {
        "importer": {
            "artifactUri": {"runtimeParameter": "uri"},
            "typeSchema": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"},
            **({} if metadata is None else {"metadata": metadata}),
            **importer,
        }
    }
    return spec


def imported(seen, run):
    return seen.details(run)["import"]["outputs"]["artifacts"][0]["artifacts"][0]


def test_what_is_imported_is_read_by_the_next_step_and_no_pod_was_made(ir, play, seen):
    async def story(world):
        (world.folder / "data").write_text("hello")
        spec = importing(ir, {"who": WHO, "note": f"of {WHO}", "n": 2.0, "deep": [{WHO: [WHO]}]})
        run = await world.run(spec, uri=str(world.folder / "data"), who={"a": 1})
        tasks = seen.details(run)
        assert (run["state"], world.ran) == ("SUCCEEDED", ["read"])
        assert (tasks["import"]["type"], tasks["import"]["state"]) == ("IMPORTER", "SUCCEEDED")
        assert "pod_name" not in tasks["import"]
        assert tasks["read"]["outputs"]["parameters"][0]["value"] == "hello"
        artifact = imported(seen, run)
        assert (artifact["uri"], artifact["size"]) == (str(world.folder / "data"), 5)
        assert artifact["metadata"] == {
            "who": {"a": 1}, "note": 'of {"a":1}', "n": 2, "deep": [{'{"a":1}': [{"a": 1}]}],
        }  # fmt: skip
        _, links = await world.call("GET", f"artifact_tasks?run_ids={run['run_id']}")
        assert {(one["type"], one["key"]) for one in links["artifact_tasks"]} == {
            ("OUTPUT", "artifact"), ("TASK_OUTPUT_INPUT", "data"),
        }  # fmt: skip

    play(story)


@pytest.mark.parametrize("reimport", [False, True])
def test_the_same_thing_is_one_artifact_unless_it_is_imported_anew(ir, play, seen, reimport):
    async def story(world):
        file = world.folder / "data"
        file.write_text("hello")
        spec = importing(ir, reimport=reimport)
        first = imported(seen, await world.run(spec, uri=str(file)))
        again = imported(seen, await world.run(spec, uri=str(file)))
        assert (first["artifact_id"] == again["artifact_id"]) is not reimport
        # The step that reads it was cached; it runs again when the file has changed.
        assert world.ran == ["read"]
        file.write_text("other")
        os.utime(file, (1, 1))
        run = await world.run(spec, uri=str(file))
        assert imported(seen, run)["artifact_id"] not in (
            first["artifact_id"], again["artifact_id"],
        )  # fmt: skip
        assert seen.details(run)["read"]["outputs"]["parameters"][0]["value"] == "other"

    play(story)


def test_a_uri_elsewhere_is_taken_as_it_is_and_an_empty_one_fails_in_words(ir, play, seen):
    async def story(world):
        spec = importing(ir, artifactUri={"constant": "s3://bucket/of {{$.pipeline_job_uuid}}"})
        del spec["root"]["dag"]["tasks"]["read"]
        run = await world.run(spec, uri="")
        assert imported(seen, run)["uri"] == f"s3://bucket/of {run['run_id']}"
        run = await world.run(importing(ir), uri="")
        assert run["error"]["message"] == (
            "Task 'import' failed: The uri of the artifact to import is empty."
        )
        run = await world.run(importing(ir), uri="oci://registry/model:1")
        assert run["error"]["message"] == (
            "Task 'import' failed: 'oci://registry/model:1' is an image, and no image is pulled on "
            "this machine: import the files from a path, or from s3://, gs:// or minio://."
        )

    play(story)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"artifactUri": {}}, "artifactUri: must have a `constant` or a `runtimeParameter`"),
        ({"artifactUri": {"runtimeParameter": "x"}}, "has no input parameter 'x'"),
        ({"surprise": 1}, "importer.surprise: unknown field"),
        (
            {"artifactUri": {"constant": "oci://registry/model:1"}},
            "no image is pulled on this machine",
        ),
        (
            {"artifactUri": {"constant": "huggingface://gpt2"}, "downloadToWorkspace": True},
            "nothing is downloaded from there",
        ),
    ],
)
def test_an_importer_that_cannot_import_is_refused(ir, change, message):
    with pytest.raises(PipelineSpecError) as caught:
        load_pipeline(importing(ir, **change))
    assert message in str(caught.value)


def test_an_importer_takes_no_condition(ir):
    spec = importing(ir)
    spec["root"]["dag"]["tasks"]["import"]["triggerPolicy"] = {"condition": "1 == 1"}
    with pytest.raises(PipelineSpecError, match="task 'import': an importer takes no condition"):
        load_pipeline(spec)


def test_a_step_is_told_of_what_it_is_given_and_nobody_fetches(ir, play, seen):
    async def story(world):
        def told(run):
            return seen.details(run)["read"]["status_metadata"]["custom_properties"]["cache"]

        run = await world.run(importing(ir), uri="huggingface://gpt2")
        assert "nothing is fetched from huggingface://" in told(run)
        assert "no file at the path of 'huggingface://gpt2'" in told(run)
        (world.folder / "data").write_text("hello")
        run = await world.run(importing(ir), uri=f"file://{world.folder}/data")
        assert "fetched" not in told(run)

    play(story)
