"""Control flow as the kfp package writes it, each pipeline to its right end on a real plane."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Pipelines of `kfp_flow.py` by name, as specs with the Python that has kfp as interpreter."""
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")
    folder = tmp_path_factory.mktemp("kfp")
    source = Path(__file__).with_name("kfp_flow.py")
    subprocess.run([python, str(source), str(folder)], check=True, capture_output=True)
    found = {}
    for file in folder.glob("*.yaml"):
        spec = yaml.safe_load(file.read_text())
        metadata = {"podMetadata": {"annotations": {"fairlead.dev/interpreter": python}}}
        executors = {
            label: metadata
            for label, one in spec["deploymentSpec"]["executors"].items()
            if "container" in one
        }
        platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
        found[file.stem] = {"pipeline_spec": spec, "platform_spec": platform}
    return found


class Seen:
    """A run that has ended, by the paths of its tasks: names from the root, with iterations."""

    def __init__(self, run):
        self.run = run
        self.state = run["state"]
        details = run["run_details"]["task_details"]
        by_id = {one["task_id"]: one for one in details}

        def path(task):
            index = task.get("type_attributes", {}).get("iteration_index")
            own = task["name"] if index is None else str(index)
            above = by_id.get(task.get("parent_task_id"))
            return own if above is None else f"{path(above)}.{own}"

        self.tasks = {path(one): one for one in details}

    def out(self, path, key="Output"):
        """An output parameter."""
        outputs = self.tasks[path]["outputs"]["parameters"]
        return next((one["value"] for one in outputs if one["parameter_key"] == key), None)

    def given(self, path):
        """The input parameters of a task."""
        inputs = self.tasks[path]["inputs"]["parameters"]
        return {one["parameter_key"]: one["value"] for one in inputs}

    def ran(self):
        """Paths of the steps that ran or were cached, and of no scope."""
        return {
            path
            for path, task in self.tasks.items()
            if task["type"] == "RUNTIME" and task["state"] in ("SUCCEEDED", "CACHED")
        }


@pytest.fixture
def go(compiled, connect, shared_plane):
    """Run a pipeline to its end."""
    rest = connect(shared_plane)

    def run(name, **parameters):
        return Seen(rest.until(rest.start(compiled[name], **parameters)))

    return run


def test_a_loop_over_an_output_collects_what_its_iterations_made_in_order(go):
    seen = go("loops", n=4)
    assert (seen.state, seen.out("total")) == ("SUCCEEDED", 12)
    assert [seen.out(f"for-loop-1.{n}.double") for n in range(4)] == [0, 2, 4, 6]
    assert seen.tasks["for-loop-1"]["type_attributes"] == {"iteration_count": 4}
    assert seen.given("total") == {"xs": [0, 2, 4, 6]}


def test_items_of_unknown_type_arrive_as_what_they_are(go):
    seen = go("untyped-items")
    assert seen.state == "SUCCEEDED"
    said = [seen.out(f"for-loop-1.{n}.say") for n in range(3)]
    assert said == ["one", "it's", '{"a": 3}']
    states = [seen.tasks[f"for-loop-1.{n}.condition-2"]["state"] for n in range(3)]
    assert states == ["SKIPPED", "SUCCEEDED", "SKIPPED"]
    seen = go("untyped-output")
    assert [seen.out(f"for-loop-1.{n}.double") for n in range(3)] == [2, 4, 6]
    mixed = go("untyped-items", items=["x", 1, {"a": [2]}])
    assert mixed.state == "SUCCEEDED"
    assert [mixed.out(f"for-loop-1.{n}.say") for n in range(3)] == ["x", "1", '{"a":[2]}']


def test_loops_in_loops_collect_lists_of_lists(go):
    seen = go("nested-loops")
    assert (seen.state, seen.out("listed")) == ("SUCCEEDED", [[20, 40], [20, 40]])


def test_parts_of_items_are_found_also_those_of_outputs(go):
    seen = go("parts-of-items")
    assert seen.state == "SUCCEEDED"
    loop = next(path for path in seen.tasks if path.startswith("for-loop") and "." not in path)
    assert [seen.out(f"{loop}.{n}.say") for n in (0, 1)] == ["x", "it's"]
    assert {path.split(".")[1] for path in seen.ran() if "condition" in path} == {"1"}
    assert go("parts-of-outputs").out("total") == 6
    seen = go("loops-over-parts")
    assert seen.state == "SUCCEEDED"
    assert sorted(seen.out(path) for path in seen.ran()) == ["1", "2", "3"]


def test_a_loop_over_nothing_succeeds_and_leaves_empty_lists(go):
    seen = go("empty-loop")
    assert (seen.state, seen.out("total"), seen.out("read-all")) == ("SUCCEEDED", 0, [])
    assert seen.tasks["for-loop-1"]["type_attributes"] == {"iteration_count": 0}


def test_lists_of_artifacts_come_out_of_sub_pipelines_and_can_be_looped_over(go):
    seen = go("artifact-loop")
    assert (seen.state, seen.out("read-all"), seen.out("listed")) == ("SUCCEEDED", [1, 2], [1, 2])


@pytest.mark.parametrize(
    ("which", "said"), [("a", "was a"), ("it's", "was it's"), ('x" == "x', "was else")]
)
def test_one_branch_runs_and_its_output_is_the_one_of_all(go, which, said):
    seen = go("branches", which=which)
    assert (seen.state, seen.out("say-4")) == ("SUCCEEDED", said)
    assert sum(path.startswith("condition-branches") for path in seen.ran()) == 1
    branches = seen.tasks["condition-branches-1"]
    assert branches["type"] == "CONDITION_BRANCH"
    assert branches["outputs"]["parameters"][0]["type"] == "ONE_OF_OUTPUT"


def test_one_branchs_artifact_is_the_one_of_all(go):
    assert go("artifact-branches", n=3).out("read") == 1
    assert go("artifact-branches", n=2).out("read") == 2


def test_conditions_are_decided_by_typed_values(go):
    seen = go("typed-conditions", s='a "b" {c} \n d')
    assert {seen.given(path)["x"] for path in seen.ran()} == {
        "flag", "n", "r", "mixed", "text", "s",
    }  # fmt: skip
    seen = go("typed-conditions", flag=False, n=4, r=3.0)
    assert (seen.state, seen.ran()) == ("SUCCEEDED", set())


def test_an_exit_task_runs_and_learns_how_it_ended_and_the_run_has_failed(go):
    seen = go("exit-handler")
    assert seen.state == "FAILED"
    handler = seen.tasks["exit-handler-1"]
    assert (handler["type"], handler["state"]) == ("EXIT_HANDLER", "FAILED")
    state, name, code, message, note = seen.out("status-of")
    assert (state, name, code, note) == ("FAILED", "exit-handler-1", 2, "exit")
    assert "Task 'exit-handler-1.fail' failed" in message


def test_tasks_that_ignore_failures_above_run_after_them(go):
    seen = go("ignoring")
    assert (seen.state, seen.out("say")) == ("FAILED", "after")
    assert seen.out("status-of")[:2] == ["FAILED", "fail"]


def test_optional_inputs_of_sub_pipelines_may_be_missing(go):
    seen = go("optional-inputs")
    assert seen.state == "SUCCEEDED"
    assert seen.out("optional-inner.optional") == "None 3 True"
    assert seen.out("optional-inner-2.optional") == "given 3 True"
    assert seen.out("optional") == "None 1 True"


def test_what_is_imported_is_an_artifact_with_its_metadata_and_nothing_ran(go, tmp_path):
    (tmp_path / "data").write_text("17")
    seen = go("imports", uri=str(tmp_path / "data"))
    assert (seen.state, seen.out("read")) == ("SUCCEEDED", 17)
    one, other = (seen.tasks[name] for name in ("importer", "importer-2"))
    assert (one["type"], one["state"], "pod_name" in one) == ("IMPORTER", "SUCCEEDED", False)
    artifact = one["outputs"]["artifacts"][0]["artifacts"][0]
    assert artifact["uri"] == str(tmp_path / "data")
    assert artifact["metadata"] == {"who": "me", "list": [1, "me"], "me": "key"}
    artifact = other["outputs"]["artifacts"][0]["artifacts"][0]
    assert (artifact["uri"], artifact["type"]) == ("gs://bucket/thing", "Model")
    again = go("imports", uri=str(tmp_path / "data")).tasks["importer"]["outputs"]["artifacts"]
    assert (
        again[0]["artifacts"][0]["artifact_id"]
        == (one["outputs"]["artifacts"][0]["artifacts"][0]["artifact_id"])
    )


def test_a_failing_task_is_tried_again_after_its_wait(go):
    seen = go("retried")
    assert seen.state == "FAILED"
    assert len(seen.tasks["fail"]["executor_detail"]["failed_main_jobs"]) == 3


def test_conditions_in_loops_and_loops_in_conditions(go):
    seen = go("conditions-in-loops")
    assert seen.state == "SUCCEEDED"
    assert sorted(seen.out(path) for path in seen.ran() if "same" in path) == [1, 2, 2]


def test_an_iteration_that_fails_fails_its_loop_and_the_others_go_on(go):
    seen = go("failing-loop")
    assert (seen.state, seen.tasks["total"]["state"]) == ("FAILED", "SKIPPED")
    states = [seen.tasks[f"for-loop-2.{n}"]["state"] for n in range(3)]
    assert states == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert "for-loop-2.1.not-two" in seen.run["error"]["message"]


def test_items_are_put_into_texts(go):
    seen = go("texts-of-items")
    assert seen.state == "SUCCEEDED"
    said = {seen.out(path) for path in seen.ran() if path.startswith("for-loop")}
    assert said == {"v 0 2", "v 1 2", "w 1"}


def test_tasks_come_after_loops_and_loops_after_tasks(go):
    seen = go("order-round-loops")
    assert seen.state == "SUCCEEDED"
    times = {path: (task["start_time"], task["end_time"]) for path, task in seen.tasks.items()}
    first, last = times["say"], times["say-3"]
    inside = [times[path] for path in seen.ran() if path.startswith("for-loop")]
    assert all(first[1] <= begun and ended <= last[0] for begun, ended in inside)


def test_sub_pipelines_with_branches_run_in_loops(go):
    seen = go("sub-pipelines-in-loops")
    assert (seen.state, seen.out("listed")) == ("SUCCEEDED", ["one", "other", "one"])


def test_an_exit_task_runs_after_a_loop_in_which_an_iteration_failed(go):
    seen = go("loop-in-exit-handler")
    assert seen.state == "FAILED"
    state, name, _, message, _ = seen.out("status-of")
    assert (state, name) == ("FAILED", "exit-handler-1")
    assert ".1.not-two' failed" in message


def test_artifacts_of_nested_loops_come_in_one_list_and_values_in_lists_of_lists(go):
    assert go("artifacts-of-nested-loops").out("read-all") == [3, 4, 3, 4]
    assert go("three-levels").out("listed") == [[[10, 12]], [[10, 12]]]


def test_conditions_stand_in_conditions(go):
    seen = go("conditions-in-conditions")
    assert seen.state == "SUCCEEDED"
    assert sorted(seen.out(path) for path in seen.ran() if "say" in path) == ["q", "q", "z"]


def test_what_iterations_leave_out_is_not_collected(go):
    seen = go("collected-from-conditions")
    total = next(path for path in seen.tasks if path.endswith(".total"))
    assert (seen.state, seen.given(total), seen.out(total)) == ("SUCCEEDED", {"xs": [4, 6]}, 10)
    seen = go("collected-from-conditions", threshold=4)
    assert (seen.state, seen.ran()) == ("SUCCEEDED", set())
