"""KFP's REST: shapes, lists and refusals."""

from __future__ import annotations

import asyncio
import base64
import functools
import http.server
import io
import json
import tarfile
import threading
import zipfile
from urllib.parse import quote

import orjson
import pytest

from fairlead_plane.pipelines.rest.answers import RestError
from fairlead_plane.pipelines.rest.uploads import read_package


def test_health_says_that_there_is_one_user(play):
    async def story(world):
        assert await world.call("GET", "healthz") == (
            200,
            {"multi_user": False, "pipeline_store": "database"},
        )

    play(story)


def test_what_is_not_there_is_404_in_upstreams_words(play):
    async def story(world):
        for path, message in {
            "runs/none": "Run none not found.",
            "experiments/none": "Experiment none not found.",
            "pipelines/none": "Pipeline none not found.",
            "artifacts/none": "Artifact none not found.",
            "runs/none/nodes/a/artifacts/b:read": "Run none not found.",
            "nonsense": "Not Found",
        }.items():
            status, answer = await world.call("GET", path)
            assert (status, answer) == (
                404,
                {"error": message, "code": 5, "message": message, "details": []},
            )
        for verb in ("terminate", "retry", "archive", "unarchive"):
            assert (await world.call("POST", f"runs/none:{verb}"))[0] == 404

    play(story)


def test_a_broken_spec_is_400_with_every_field_and_starts_nothing(ir, play):
    async def story(world):
        spec = ir.chain(2)
        spec["root"]["dag"]["tasks"]["t1"]["dependentTasks"] = ["gone"]
        status, answer = await world.call(
            "POST", "runs", {"display_name": "run", "pipeline_spec": spec}
        )
        field = "root.dag.tasks.t1.dependentTasks"
        what = f"Invalid input error: {field}: task 't1': there is no task 'gone' beside it"
        assert (status, answer) == (
            400,
            {
                "error": what,
                "code": 3,
                "message": what,
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.BadRequest",
                        "field_violations": [
                            {
                                "field": field,
                                "description": "there is no task 'gone' beside it",
                                "task": "t1",
                            }
                        ],
                    }
                ],
            },
        )
        assert (await world.call("GET", "runs"))[1] == {
            "runs": [],
            "total_size": 0,
            "next_page_token": "",
        }
        assert list((world.folder / "artifacts").iterdir()) == []

    play(story)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "The run name is empty. Please specify a valid name."),
        ({"display_name": 1}, "display_name must be a string"),
        (
            {"display_name": "a"},
            "A run needs a pipeline_spec or a pipeline_version_reference.",
        ),
        (
            {"display_name": "a", "pipeline_spec": {}},
            "pipeline_spec: a pipeline spec with a `root` is required",
        ),
    ],
)
def test_a_run_without_what_it_needs_is_400(play, body, message):
    async def story(world):
        status, answer = await world.call("POST", "runs", body)
        assert (status, answer["message"]) == (400, f"Invalid input error: {message}")

    play(story)


def test_a_wrong_parameter_is_400_and_names_it(ir, play):
    async def story(world):
        body = {
            "display_name": "run",
            "pipeline_spec": ir.chain(1),
            "runtime_config": {"parameters": {"start": "one"}},
        }
        status, answer = await world.call("POST", "runs", body)
        assert (status, answer["details"][0]["field_violations"][0]["field"]) == (
            400,
            "runtime_config.parameters.start",
        )

    play(story)


def test_a_pipeline_root_elsewhere_is_refused_in_words(ir, play):
    async def story(world):
        body = {
            "display_name": "run",
            "pipeline_spec": ir.chain(1),
            "runtime_config": {"pipeline_root": "ftp://bucket"},
        }
        status, answer = await world.call("POST", "runs", body)
        assert status == 400
        assert "pipeline_root 'ftp://bucket'" in answer["message"]
        body = {
            "display_name": "run",
            "pipeline_spec": {**ir.chain(1), "defaultPipelineRoot": "dummy_root"},
        }
        _, answer = await world.call("POST", "runs", body)
        assert "defaultPipelineRoot 'dummy_root'" in answer["message"]

    play(story)


def test_what_a_run_cannot_be_given_is_refused_and_not_dropped(ir, play):
    async def story(world):
        body = {
            "display_name": "run",
            "pipeline_spec": ir.chain(1),
            "runtime_config": {"inputArtifacts": {"data": {"artifactId": "1"}}},
        }
        status, answer = await world.call("POST", "runs", body)
        assert status == 400
        assert "runtime_config.inputArtifacts is no field of KFP's" in answer["message"]

    play(story)


def test_runs_are_filtered_sorted_and_paged(ir, play):
    async def story(world):
        for name in ("beta", "alpha", "gamma", "alphabet"):
            body = {"display_name": name, "pipeline_spec": ir.chain(1)}
            _, run = await world.call("POST", "runs", body)
            await world.until(run["run_id"])

        async def names(query):
            status, answer = await world.call("GET", f"runs?{query}")
            assert status == 200, answer
            return [run["display_name"] for run in answer["runs"]], answer

        assert (await names("sort_by=created_at desc"))[0] == ["alphabet", "gamma", "alpha", "beta"]
        first, answer = await names("sort_by=display_name&page_size=3")
        assert (first, answer["total_size"]) == (["alpha", "alphabet", "beta"], 4)
        token = answer["next_page_token"]
        rest, answer = await names(f"sort_by=display_name&page_size=3&page_token={token}")
        assert (rest, answer["next_page_token"]) == (["gamma"], "")
        for predicate, expected in (
            ({"key": "display_name", "operation": 1, "stringValue": "beta"}, ["beta"]),
            ({"key": "name", "operation": "EQUALS", "string_value": "beta"}, ["beta"]),
            ({"key": "name", "operation": "IS_SUBSTRING", "string_value": "ALPHA"},
             ["alpha", "alphabet"]),
            ({"key": "name", "operation": "IN", "string_values": {"values": ["beta", "gamma"]}},
             ["beta", "gamma"]),
            ({"key": "state", "operation": "NOT_EQUALS", "string_value": "SUCCEEDED"}, []),
        ):  # fmt: skip
            text = json.dumps({"predicates": [predicate]})
            assert (await names(f"sort_by=name&filter={text}"))[0] == expected
        bad = json.dumps({"predicates": [{"key": "secret", "operation": 1, "stringValue": "x"}]})
        assert (await world.call("GET", f"runs?filter={bad}"))[0] == 400
        assert (await world.call("GET", "runs?sort_by=secret"))[0] == 400
        assert (await world.call("GET", "runs?page_token=nonsense"))[0] == 400
        assert (await world.call("GET", "runs?page_size=-1"))[0] == 400

    play(story)


def test_a_run_is_put_away_and_brought_back(ir, play):
    async def story(world):
        run = await world.run(ir.chain(1))
        assert run["storage_state"] == "AVAILABLE"
        await world.call("POST", f"runs/{run['run_id']}:archive")
        assert (await world.get(run["run_id"]))["storage_state"] == "ARCHIVED"
        await world.call("POST", f"runs/{run['run_id']}:unarchive")
        assert (await world.get(run["run_id"]))["storage_state"] == "AVAILABLE"
        status, answer = await world.call("POST", f"runs/{run['run_id']}:retry")
        assert (status, answer["code"]) == (400, 9)

    play(story)


def test_runs_belong_to_experiments(ir, play):
    async def story(world):
        _, listed = await world.call("GET", "experiments")
        assert [one["display_name"] for one in listed["experiments"]] == ["Default"]
        _, made = await world.call("POST", "experiments", {"display_name": "mine"})
        status, answer = await world.call("POST", "experiments", {"display_name": "mine"})
        assert (status, answer["code"]) == (409, 6)
        body = {
            "display_name": "run",
            "pipeline_spec": ir.chain(1),
            "experiment_id": made["experiment_id"],
        }
        _, run = await world.call("POST", "runs", body)
        await world.run(ir.chain(1))
        _, listed = await world.call("GET", f"runs?experiment_id={made['experiment_id']}")
        assert [one["run_id"] for one in listed["runs"]] == [run["run_id"]]
        await world.call("POST", f"experiments/{made['experiment_id']}:archive")
        assert (await world.get(run["run_id"]))["storage_state"] == "ARCHIVED"
        _, experiment = await world.call("GET", f"experiments/{made['experiment_id']}")
        assert experiment["storage_state"] == "ARCHIVED"
        assert experiment["last_run_created_at"] == run["created_at"]
        body["experiment_id"] = "none"
        assert (await world.call("POST", "runs", body))[0] == 404
        await world.call("DELETE", f"experiments/{made['experiment_id']}")
        assert (await world.call("GET", f"experiments/{made['experiment_id']}"))[0] == 404

    play(story)


def test_a_pipeline_is_kept_in_versions_and_run_by_reference(ir, play, seen):
    async def story(world):
        body = {
            "pipeline": {"display_name": "My Pipeline"},
            "pipeline_version": {"display_name": "v1", "pipeline_spec": ir.chain(1)},
        }
        status, pipeline = await world.call("POST", "pipelines/create", body)
        assert (status, pipeline["name"]) == (200, "my-pipeline")
        base = f"pipelines/{pipeline['pipeline_id']}"
        version = {"display_name": "v2", "pipeline_spec": ir.chain(2)}
        _, second = await world.call("POST", f"{base}/versions", version)
        assert second["pipeline_spec"] == ir.chain(2)
        assert (await world.call("POST", f"{base}/versions", version))[0] == 409
        _, listed = await world.call("GET", f"{base}/versions?sort_by=created_at")
        assert [one["display_name"] for one in listed["pipeline_versions"]] == ["v1", "v2"]
        reference = {"pipeline_id": pipeline["pipeline_id"]}
        _, run = await world.call(
            "POST", "runs", {"display_name": "run", "pipeline_version_reference": reference}
        )
        run = await world.until(run["run_id"])
        # Without a version it is the newest.
        assert len(seen.states(run)) == 2
        assert run["pipeline_version_reference"] == {
            "pipeline_id": pipeline["pipeline_id"],
            "pipeline_version_id": second["pipeline_version_id"],
        }
        assert (await world.call("GET", "pipelines/names/my-pipeline"))[1] == pipeline
        assert (await world.call("DELETE", base))[0] == 400
        assert (await world.call("DELETE", f"{base}?cascade=true"))[0] == 200
        assert (await world.call("GET", base))[0] == 404

    play(story)


def packed(kind, text):
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("pipeline.yaml", text)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            info = tarfile.TarInfo("pipeline.yaml")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_a_package_is_read_from_yaml_json_zip_and_tar(ir):
    spec = ir.chain(1)
    text = json.dumps(spec)
    assert read_package(text.encode(), "a.json") == spec
    assert read_package(f"# comment\n{text}".encode(), "a.yaml") == spec
    assert read_package(packed("zip", text), "a.zip") == spec
    assert read_package(packed("tar", text), "a.tar.gz") == spec
    both = read_package(f"{text}\n---\nplatforms: {{}}\n".encode(), "a.yaml")
    assert both == {"pipeline_spec": spec, "platform_spec": {"platforms": {}}}


@pytest.mark.parametrize("content", [b"", b"{unclosed", b"\x00\x01"])
def test_a_package_that_cannot_be_read_is_refused(content):
    with pytest.raises(RestError) as caught:
        read_package(content, "a.yaml")
    assert caught.value.code == 3


def test_the_bytes_of_an_artifact_can_be_read_while_its_step_runs(ir, play, seen):
    async def story(world):
        written, ended = asyncio.Event(), asyncio.Event()

        async def write(message):
            path = message["outputs"]["artifacts"]["data"]["artifacts"][0]["uri"]
            with open(path, "w") as file:
                file.write("so far")
            with open(message["outputs"]["parameters"]["out"]["outputFile"], "w") as file:
                file.write("1")
            written.set()
            await ended.wait()
            return 0

        world.behave["t0"] = write
        run_id = (await world.start(ir.chain(1)))["run_id"]
        path = f"runs/{run_id}/nodes/t0/artifacts/data:read"
        await written.wait()
        assert await world.call("GET", path) == (200, {"data": "c28gZmFy"})
        ended.set()
        run = await world.until(run_id)
        node = seen.details(run)["t0"]
        for name in (node["task_id"], node["pod_name"]):
            path = f"runs/{run_id}/nodes/{name}/artifacts/data:read"
            assert await world.call("GET", path) == (200, {"data": "c28gZmFy"})
        status, answer = await world.call("GET", f"runs/{run_id}/nodes/t0/artifacts/none:read")
        assert (status, answer["code"]) == (404, 5)
        status, _ = await world.call("GET", f"runs/{run_id}/nodes/none/artifacts/data:read")
        assert status == 404

    play(story)


def test_a_large_artifact_is_whole(ir, play, tmp_path):
    content = bytes(range(256)) * 8192  # 2 MiB: several chunks

    async def story(world):
        source = tmp_path / "source"
        source.write_bytes(content)
        copy = f"import sys, shutil; shutil.copy({str(source)!r}, sys.argv[1])"
        executor = ir.executor(copy)
        executor["args"] = ["{{$.outputs.artifacts['data'].path}}"]
        spec = ir.pipeline(
            [ir.task("a", "c")], {"c": ir.component("e", made=["data"])}, {"e": executor}
        )
        run = await world.run(spec)
        _, answer = await world.call("GET", f"runs/{run['run_id']}/nodes/a/artifacts/data:read")
        assert base64.b64decode(answer["data"]) == content

    play(story)


def test_a_list_leaves_out_specs_and_values_but_not_states(ir, play):
    async def story(world):
        run = await world.run(ir.chain(2))
        _, answer = await world.call("GET", "runs")
        (listed,) = answer["runs"]
        brief = listed["run_details"]["task_details"]
        assert "pipeline_spec" not in listed
        assert [(one["display_name"], one["state"]) for one in brief] == [
            ("t0", "SUCCEEDED"), ("t1", "SUCCEEDED"),
        ]  # fmt: skip
        full = run["run_details"]["task_details"]
        for short, whole in zip(brief, full, strict=True):
            assert short == {key: whole[key] for key in short}
        assert orjson.loads(orjson.dumps(run["pipeline_spec"])) == ir.chain(2)

    play(story)


def test_a_folder_is_read_as_an_archive_of_what_is_in_it(ir, play):
    source = """
import os, sys
os.makedirs(sys.argv[1] + "/inner")
open(sys.argv[1] + "/inner/a", "w").write("one")
os.symlink("/etc/passwd", sys.argv[1] + "/link")
"""

    async def story(world):
        executor = ir.executor(source)
        executor["args"] = ["{{$.outputs.artifacts['data'].path}}"]
        spec = ir.pipeline(
            [ir.task("a", "c")], {"c": ir.component("e", made=["data"])}, {"e": executor}
        )
        run = await world.run(spec)
        status, answer = await world.call(
            "GET", f"runs/{run['run_id']}/nodes/a/artifacts/data:read"
        )
        assert status == 200
        content = io.BytesIO(base64.b64decode(answer["data"]))
        with tarfile.open(fileobj=content, mode="r:gz") as archive:
            assert archive.getnames() == ["inner", "inner/a"]
            assert archive.extractfile("inner/a").read() == b"one"

    play(story)


def test_a_pipeline_and_its_version_can_be_renamed_and_tagged(ir, play):
    async def story(world):
        body = {
            "pipeline": {"display_name": "one", "description": "first", "tags": {"team": "a"}},
            "pipeline_version": {"display_name": "v1", "pipeline_spec": ir.chain(1)},
        }
        _, made = await world.call("POST", "pipelines/create", body)
        assert made["tags"] == {"team": "a"}
        base = f"pipelines/{made['pipeline_id']}"
        _, changed = await world.call("PATCH", base, {"display_name": "two"})
        assert changed == {**made, "display_name": "two"}
        _, listed = await world.call("GET", f"{base}/versions")
        (version,) = listed["pipeline_versions"]
        path = f"{base}/versions/{version['pipeline_version_id']}"
        _, changed = await world.call("PATCH", path, {"tags": {"stage": "test"}})
        assert changed == {**version, "tags": {"stage": "test"}}
        assert (await world.call("PATCH", base, {"tags": {"a": 1}}))[0] == 400
        assert (await world.call("PATCH", "pipelines/none", {}))[0] == 404

    play(story)


def test_a_version_is_fetched_from_the_url_that_it_names(ir, play, tmp_path):
    (tmp_path / "package.yaml").write_text(json.dumps(ir.chain(1)))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"

    async def story(world):
        def body(url):
            version = {"display_name": "v1", "package_url": {"pipeline_url": url}}
            return {"pipeline": {"display_name": "one"}, "pipeline_version": version}

        for url, words in {
            f"{base}/none.yaml": "was answered with 404",
            "file:///etc/passwd": "only http and https can be fetched",
        }.items():
            status, answer = await world.call("POST", "pipelines/create", body(url))
            assert status == 400
            assert words in answer["message"]
        _, made = await world.call("POST", "pipelines/create", body(f"{base}/package.yaml"))
        _, listed = await world.call("GET", f"pipelines/{made['pipeline_id']}/versions")
        assert listed["pipeline_versions"][0]["pipeline_spec"] == ir.chain(1)

    try:
        play(story)
    finally:
        server.shutdown()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "1",
        '{"predicates": 1}',
        '{"predicates": [1]}',
        '{"predicates": [{"key": "name", "operation": "EQUALS"}]}',
        '{"predicates": [{"key": "name", "operation": [], "stringValue": "a"}]}',
        '{"predicates": [{"key": "name", "operation": "IN", "stringValue": "a"}]}',
        '{"predicates": [{"key": "name", "operation": "IN", "stringValues": {"values": [[]]}}]}',
        '{"predicates": [{"key": "name", "operation": "EQUALS", "stringValue": {}}]}',
        '{"predicates": [{"key": "created_at", "operation": "EQUALS", "timestampValue": "now"}]}',
    ],
)
def test_a_filter_that_is_none_is_400(play, text):
    async def story(world):
        status, answer = await world.call("GET", f"runs?filter={quote(text)}")
        assert (status, answer["code"]) == (400, 3)

    play(story)


def test_whoever_gets_here_may_do_everything(play):
    async def story(world):
        assert (await world.call("GET", "auth?namespace=a"))[0] == 200

    play(story)
