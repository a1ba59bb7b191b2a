"""What a step may leave behind, and that nothing of it can harm the engine."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead_plane.pipelines import files
from fairlead_plane.pipelines.model import ROOT
from fairlead_plane.pipelines.outputs import read_error, read_outputs
from fairlead_plane.pipelines.pods import Folders
from fairlead_plane.pipelines.records import Run, Task
from fairlead_plane.pipelines.spec import load_pipeline


@pytest.fixture
def attempt(ir, tmp_path):
    """A task with two output parameters and an output artifact, and the folders of an attempt."""
    outputs = [("count", "NUMBER_INTEGER"), ("words", "LIST")]
    spec = ir.pipeline([ir.task("t", "c")], {"c": ir.component("add", out=outputs, made=["data"])})
    pipeline = load_pipeline(spec)
    root = Task("", ROOT, "", pipeline.root, None, None)
    one = pipeline.root.dag.tasks["t"]
    task = Task("id", "t", "t", one.component, one, root, attempt=1)
    place = str(tmp_path)
    run = Run(str(uuid.uuid4()), "run", "run-1", "", "kubeflow", pipeline, place, root, "")
    folders = Folders(run, task)
    folders.make()
    return task, folders


def test_parameters_come_from_the_message_or_from_their_files(attempt):
    task, folders = attempt
    Path(folders.output_file).write_text(json.dumps({"parameterValues": {"count": 3.0}}))
    Path(folders.parameter("words")).write_text('["a", "b"]')
    values, problem = read_outputs(task, folders, ok=True)
    assert (values.parameters, problem) == ({"count": 3, "words": ["a", "b"]}, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("three", "Parameter 'count' takes an integer, not the text \"three\""),
        ("3.5", "Parameter 'count' takes an integer, not 3.5"),
    ],
)
def test_a_parameter_of_another_type_is_said(attempt, text, words):
    task, folders = attempt
    Path(folders.parameter("count")).write_text(text)
    Path(folders.parameter("words")).write_text("[]")
    _, problem = read_outputs(task, folders, ok=True)
    assert problem["message"] == f"The step ended well, but an output is wrong: {words}."


def test_an_artifact_has_the_hash_of_its_content_and_the_metadata_of_the_message(attempt):
    task, folders = attempt
    Path(folders.artifact("data")).write_text("abc")
    said = {"artifacts": {"data": {"artifacts": [{"name": "data", "metadata": {"rows": 3}}]}}}
    Path(folders.output_file).write_text(json.dumps(said))
    values, _ = read_outputs(task, folders, ok=False)
    (artifact,) = values.artifacts["data"]
    assert (artifact.metadata, artifact.size, artifact.sha256) == (
        {"rows": 3},
        3,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )


def test_an_artifact_without_a_file_is_known_by_its_metadata_wherever_it_was_made(attempt):
    task, folders = attempt
    said = {"artifacts": {"data": {"artifacts": [{"metadata": {"accuracy": 0.9}}]}}}
    hashes = set()
    for number in (1, 2):
        task.attempt = number
        run = Run("", "", f"run-{number}", "", "", None, str(folders.base.parents[2]), None, "")
        place = Folders(run, task)
        place.base.parents[1].mkdir(exist_ok=True)
        place.make()
        Path(place.output_file).write_text(json.dumps(said))
        (artifact,) = read_outputs(task, place, ok=True)[0].artifacts["data"]
        hashes.add(artifact.sha256)
    assert len(hashes) == 1


def test_an_artifact_elsewhere_is_known_by_its_place_and_time_and_not_read(attempt, tmp_path):
    task, folders = attempt
    elsewhere = tmp_path / "large"
    elsewhere.mkdir()
    (elsewhere / "part").write_text("abc")

    def read(uri):
        said = {"artifacts": {"data": {"artifacts": [{"uri": uri}]}}}
        Path(folders.output_file).write_text(json.dumps(said))
        (artifact,) = read_outputs(task, folders, ok=True)[0].artifacts["data"]
        return artifact

    first = read(str(elsewhere))
    assert files.is_unchanged(first.uri, first.stamp)
    (elsewhere / "another").write_text("abc")
    assert not files.is_unchanged(first.uri, first.stamp)
    assert read(str(elsewhere)).sha256 != first.sha256
    remote = read("hf://org/model")
    assert (remote.uri, remote.stamp, remote.size) == ("hf://org/model", "", 0)


def test_a_failed_step_gives_what_there_is(attempt):
    task, folders = attempt
    values, problem = read_outputs(task, folders, ok=False)
    assert (values.parameters, values.artifacts, problem) == ({}, {}, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "parameterValues artifacts count words data uri metadata sha256".split()
            ),
            inner,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
@given(message=JSON)
def test_whatever_message_a_step_writes_reading_it_does_not_raise(attempt, message):
    task, folders = attempt
    Path(folders.output_file).write_text(json.dumps(message))
    _, problem = read_outputs(task, folders, ok=True)
    assert problem is None or problem["code"] == 3
    Path(folders.error_file).write_text(json.dumps(message))
    assert read_error(task, folders, {"status": {"phase": "Failed"}})["message"]


def test_folders_and_pipes_in_the_place_of_files_are_only_said(attempt):
    task, folders = attempt
    os.mkdir(folders.output_file)
    os.mkdir(folders.parameter("count"))
    Path(folders.parameter("words")).write_bytes(b"\xff")
    os.mkfifo(folders.artifact("data"))
    values, problem = read_outputs(task, folders, ok=True)
    assert problem["message"].startswith("The step ended well, but the file ")
    (artifact,) = values.artifacts["data"]
    assert (artifact.size, artifact.stamp) == (0, "")


def test_the_hash_of_a_folder_is_that_of_its_names_and_contents(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / "a").write_text("a")
        (folder / "b").write_text("b")
    assert files.sha256(str(first)) == files.sha256(str(second))
    stamp = files.stamp(str(first))
    (first / "inner" / "a").write_text("changed")
    assert files.sha256(str(first)) != files.sha256(str(second))
    assert files.stamp(str(first)) != stamp


def test_removing_a_tree_leaves_what_its_links_lead_to(tmp_path):
    mine, ours = tmp_path / "mine", tmp_path / "ours"
    mine.mkdir()
    (mine / "keep").write_text("me")
    ours.mkdir()
    (ours / "folder").symlink_to(mine)
    (ours / "file").symlink_to(mine / "keep")
    files.remove_tree(ours)
    assert not ours.exists()
    assert (mine / "keep").read_text() == "me"


@pytest.mark.parametrize(
    ("ended", "message", "code"),
    [
        (
            {"exitCode": 137, "reason": "OOMKilled", "signal": 9},
            "The step used more memory than its limit and was killed (OOMKilled).",
            8,
        ),
        (
            {"exitCode": 139, "reason": "Error", "signal": 11},
            "The step was killed by signal 11; its log may say more.",
            2,
        ),
        (
            {"exitCode": 1, "reason": "Error"},
            "The step ended with exit code 1; its log says more.",
            2,
        ),
        ({"exitCode": 127, "message": "no such program"}, "no such program", 2),
        (
            {"exitCode": 3, "reason": "Error", "message": "[KFP Executor x]: {\n    1\n}\nbad\n"},
            "The step ended with exit code 3; its log says more.\nbad",
            2,
        ),
    ],
)  # fmt: skip
def test_what_the_node_says_of_a_process_becomes_the_error(attempt, ended, message, code):
    task, folders = attempt
    pod = {"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": ended}}]}}
    assert read_error(task, folders, pod) == {"code": code, "message": message, "details": []}


LOG = """\
[KFP Executor 2026-01-01 00:00:00,000 INFO]: Got executor_input:
{
    "outputs": {}
}
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/e/lib/python3.11/site-packages/kfp/dsl/executor_main.py", line 101, in executor_main
    output_file = executor.execute()
                  ^^^^^^^^^^^^^^^^^^
  File "/a/run/fail/1/.run/ephemeral_component.py", line 12, in fail
    helper(3)
  File "/code/helper.py", line 2, in helper
    raise ValueError("two\\nlines: {}")
ValueError: two
lines: {}
"""


def test_a_failed_component_shows_the_traceback_of_its_own_code(attempt):
    task, folders = attempt
    ended = {"exitCode": 1, "reason": "Error", "message": LOG}
    pod = {"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": ended}}]}}
    error = read_error(task, folders, pod)
    assert error["message"] == (
        "ValueError: two\nlines: {}\n"
        "in component 'c' (most recent call last):\n"
        "  line 12, in fail\n"
        "    helper(3)\n"
        '  File "/code/helper.py", line 2, in helper\n'
        '    raise ValueError("two\\nlines: {}")'
    )
    (detail,) = error["details"]
    assert detail["reason"] == detail["metadata"]["ename"] == "ValueError"
    assert detail["metadata"]["evalue"] == "two\nlines: {}"


@pytest.mark.parametrize("field", ["custom_path", "customPath"])
def test_what_was_written_to_a_path_of_its_own_is_the_artifact(attempt, tmp_path, field):
    task, folders = attempt
    place = tmp_path / "elsewhere"
    (place / "inner").mkdir(parents=True)
    (place / "inner" / "file").write_text("text")
    artifact = {"name": "data", "uri": folders.artifact("data"), field: str(place)}
    message = {"artifacts": {"data": {"artifacts": [artifact]}}}
    Path(folders.output_file).write_text(json.dumps(message))
    for _ in range(2):
        values, _ = read_outputs(task, folders, ok=True)
        (found,) = values.artifacts["data"]
        assert found.uri == folders.artifact("data")
        assert (Path(found.uri) / "inner" / "file").read_text() == "text"
    assert (place / "inner" / "file").exists()


def test_a_path_of_its_own_at_which_nothing_is_is_said(attempt, tmp_path):
    task, folders = attempt
    artifact = {"uri": folders.artifact("data"), "customPath": str(tmp_path / "nothing")}
    Path(folders.output_file).write_text(
        json.dumps({"artifacts": {"data": {"artifacts": [artifact]}}, "parameterValues": {}})
    )
    Path(folders.parameter("count")).write_text("1")
    Path(folders.parameter("words")).write_text("[]")
    _, problem = read_outputs(task, folders, ok=True)
    assert "output artifact 'data' cannot be read" in problem["message"]


def test_numbers_that_python_writes_and_json_does_not_know_become_text(attempt):
    task, folders = attempt
    curve = '[{"confidenceThreshold": Infinity, "recall": 0.0, "falsePositiveRate": NaN}]'
    metadata = f'{{"confidenceMetrics": {curve}}}'
    artifact = f'{{"name": "data", "metadata": {metadata}}}'
    Path(folders.output_file).write_text(
        f'{{"artifacts": {{"data": {{"artifacts": [{artifact}]}}}}}}'
    )
    found, _ = read_outputs(task, folders, ok=True)
    (made,) = found.artifacts["data"]
    assert made.metadata["confidenceMetrics"] == [
        {"confidenceThreshold": "Infinity", "recall": 0.0, "falsePositiveRate": "NaN"}
    ]
