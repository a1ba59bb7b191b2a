import copy

import pytest

from fairlead.errors import SpecError
from fairlead.pipelines.rerun import clone_request, runs_again, without_cache_from

ON = {"enableCache": True}


def task(component, *after, **more):
    return {
        "componentRef": {"name": component},
        "cachingOptions": ON,
        "dependentTasks": list(after),
        **more,
    }


def spec():
    """a -> (b, c); b -> d; two uses of one sub-pipeline: s after a, t alone; e after s."""
    reads = {"artifacts": {"x": {"taskOutputArtifact": {"producerTask": "b"}}}}
    return {
        "root": {
            "dag": {
                "tasks": {
                    "a": task("leaf"),
                    "b": task("leaf", "a"),
                    "c": task("leaf", "a"),
                    "d": task("leaf", inputs=reads),
                    "s": task("sub", "a"),
                    "t": task("sub"),
                    "e": task("leaf", "s"),
                }
            }
        },
        "components": {
            "leaf": {"executorLabel": "exec"},
            "sub": {"dag": {"tasks": {"p": task("leaf"), "q": task("leaf", "p")}}},
        },
    }


def fresh(changed):
    """Paths of the tasks whose caching is off."""
    found = []

    def walk(dag, prefix):
        for name, one in dag["tasks"].items():
            if one["cachingOptions"] != ON:
                found.append(prefix + name)
            inner = changed["components"][one["componentRef"]["name"]].get("dag")
            if inner:
                walk(inner, f"{prefix}{name}.")

    walk(changed["root"]["dag"], "")
    return found


@pytest.mark.parametrize(
    ("node", "off"),
    [
        ("d", ["d"]),
        ("b", ["b", "d"]),
        ("a", ["a", "b", "c", "d", "s", "s.p", "s.q", "e"]),
        ("s", ["s", "s.p", "s.q", "e"]),
        # Within a scope: from there on, and what comes after the scope.
        ("s.q", ["s.q", "e"]),
        ("s.3.p", ["s.p", "s.q", "e"]),
    ],
)
def test_caching_is_off_from_a_step_on_and_nowhere_else(node, off):
    before = spec()
    assert fresh(without_cache_from(before, node)) == off
    assert before == spec()


@pytest.mark.parametrize(
    ("node", "again"),
    [
        ("d", ["a", "s.p", "t.p"]),
        ("a", ["t.p"]),
        ("s", ["a", "t.p"]),
        ("s.q", ["a", "s.p", "t.p"]),
        ("s.3.p", ["a", "t.p"]),
        ("t", ["a", "s.p"]),
    ],
)
def test_the_steps_are_named_that_run_although_they_were_not_meant(node, again):
    given = spec()
    tasks = given["root"]["dag"]["tasks"]
    tasks["a"]["cachingOptions"] = {}
    given["components"]["sub"]["dag"]["tasks"]["p"].pop("cachingOptions")
    # What is imported is no step that runs.
    tasks["i"] = {**task("import"), "cachingOptions": {}}
    given["components"]["import"] = {"executorLabel": "exec-import"}
    given["deploymentSpec"] = {"executors": {"exec-import": {"importer": {}}}}
    assert runs_again(given, node) == again


@pytest.mark.parametrize("node", ["nobody", "a.b", "s.nobody"])
def test_a_step_that_is_not_there_is_refused(node):
    with pytest.raises(SpecError, match=f"no step '{node}'"):
        without_cache_from(spec(), node)


def record(**more):
    return {
        "run_id": "r1",
        "display_name": "digits",
        "experiment_id": "e1",
        "service_account": "",
        "runtime_config": {"parameters": {"n": 1}, "pipeline_root": "/tmp/x"},
        "pipeline_spec": {"pipeline_spec": spec(), "platform_spec": {"platforms": {}}},
        **more,
    }


def test_a_clone_asks_for_the_same_run():
    given = record()
    assert clone_request(given) == {
        "display_name": "digits",
        "experiment_id": "e1",
        "runtime_config": {"parameters": {"n": 1}, "pipeline_root": "/tmp/x"},
        "pipeline_spec": given["pipeline_spec"],
    }
    assert given == record()


def test_a_clone_takes_other_values_and_leaves_the_platform_spec():
    request = clone_request(
        record(), name="again", experiment_id="e2", parameters={"n": 2}, rerun_from="d"
    )
    assert (request["display_name"], request["experiment_id"]) == ("again", "e2")
    assert request["runtime_config"]["parameters"] == {"n": 2}
    assert request["pipeline_spec"]["platform_spec"] == {"platforms": {}}
    assert fresh(request["pipeline_spec"]["pipeline_spec"]) == ["d"]


def test_a_run_of_a_pipeline_version_is_cloned_by_its_reference_unless_the_spec_changes():
    reference = {"pipeline_id": "p", "pipeline_version_id": "v"}
    given = record(pipeline_version_reference=reference, pipeline_spec=copy.deepcopy(spec()))
    assert clone_request(given)["pipeline_version_reference"] == reference
    request = clone_request(given, rerun_from="b")
    assert "pipeline_version_reference" not in request
    assert fresh(request["pipeline_spec"]) == ["b", "d"]


def test_a_run_without_a_pipeline_cannot_be_cloned():
    with pytest.raises(SpecError, match="does not say its pipeline"):
        clone_request({"run_id": "r1"})
