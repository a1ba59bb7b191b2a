"""What is refused before anything starts, and how it is said."""

from __future__ import annotations

import copy
import json

import pytest
import yaml

from fairlead_plane.pipelines.problems import PipelineSpecError, Problem
from fairlead_plane.pipelines.spec import MAX_DEPTH, MAX_STEPS, load_pipeline, read_arguments

from .machine import Machine


def problems(spec):
    with pytest.raises(PipelineSpecError) as caught:
        load_pipeline(spec)
    return list(caught.value.problems)


def test_a_pipeline_is_read_with_its_tasks_and_their_links(ir):
    pipeline = load_pipeline(ir.chain(3))
    assert pipeline.task_count == 3
    tasks = pipeline.root.dag.tasks
    assert {name: task.upstream for name, task in tasks.items()} == {
        "t0": (),
        "t1": ("t0",),
        "t2": ("t1",),
    }
    assert pipeline.root.dag.downstream == {"t0": ("t1",), "t1": ("t2",), "t2": ()}


def test_a_spec_with_a_platform_spec_is_unwrapped(ir):
    executors = {"add": {"podMetadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    pipeline = load_pipeline({"pipeline_spec": ir.chain(1), "platform_spec": platform})
    executor = pipeline.root.dag.tasks["t0"].component.executor
    assert (executor.pod_labels, executor.pod_annotations) == ({"a": "b"}, {"c": "d"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda spec: spec.update(schemaVersion="2.0.0"),
            Problem("schemaVersion", "must be 2.1.0 (kfp 2), not '2.0.0'"),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t1"].update(surprise=1),
            Problem("root.dag.tasks.t1.surprise", "unknown field", "t1"),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t1"]["componentRef"].update(name="none"),
            Problem("root.dag.tasks.t1.componentRef.name", "there is no component 'none'", "t1"),
        ),
        (
            lambda spec: spec["components"]["next"].update(executorLabel="none"),
            Problem("components.next.executorLabel", "there is no executor 'none'"),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t1"].update(dependentTasks=["none"]),
            Problem("root.dag.tasks.t1.dependentTasks", "there is no task 'none' beside it", "t1"),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t1"]["inputs"]["parameters"].pop("a"),
            Problem("root.dag.tasks.t1.inputs.parameters.a", "required input is missing", "t1"),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t1"]["inputs"].pop("artifacts"),
            Problem("root.dag.tasks.t1.inputs.artifacts.before", "required input is missing", "t1"),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t0"]["inputs"]["parameters"].update(
                b={"runtimeValue": {"constant": 1}}
            ),
            Problem(
                "root.dag.tasks.t0.inputs.parameters.b",
                "component 'first' has no such parameter",
                "t0",
            ),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t0"]["inputs"]["parameters"].update(
                a={"runtimeValue": {"constant": "one"}}
            ),
            Problem(
                "root.dag.tasks.t0.inputs.parameters.a.runtimeValue.constant",
                "Parameter 'a' takes an integer, not \"one\".",
                "t0",
            ),
        ),
        (
            lambda spec: spec["components"]["first"]["outputDefinitions"]["parameters"].update(
                out={"parameterType": "STRING"}
            ),
            Problem(
                "root.dag.tasks.t1.inputs.parameters.a",
                "takes NUMBER_INTEGER, but gets STRING",
                "t1",
            ),
        ),
        (
            lambda spec: spec["components"]["next"]["inputDefinitions"]["artifacts"]["before"][
                "artifactType"
            ].update(schemaTitle="system.Model"),
            Problem(
                "root.dag.tasks.t1.inputs.artifacts.before",
                "takes system.Model, but gets system.Dataset",
                "t1",
            ),
        ),
        (
            lambda spec: spec["root"]["dag"]["tasks"]["t0"].update(dependentTasks=["t1"]),
            Problem("root.dag.tasks.t0", "depends on itself: t0 <- t1 <- t0", "t0"),
        ),
        (
            lambda spec: spec["deploymentSpec"]["executors"].update(add={"resolver": {"a": 1}}),
            Problem(
                "deploymentSpec.executors.add.resolver",
                "`resolver` is not supported by this control plane",
            ),
        ),
    ],
)
def test_a_defect_is_named_with_its_task_and_field(ir, change, expected):
    spec = copy.deepcopy(ir.chain(2))
    change(spec)
    assert problems(spec) == [expected]


def test_a_component_that_contains_itself_is_refused(ir):
    spec = ir.chain(1)
    name, task = ir.task("inner", "loop")
    spec["components"]["loop"] = ir.component("", dag={"tasks": {name: task}})
    spec["root"]["dag"]["tasks"]["t1"] = ir.task("t1", "loop")[1]
    path = "components.loop.dag.tasks.inner.componentRef.name"
    assert problems(spec) == [Problem(path, "component 'loop' contains itself", "inner")]


def test_all_problems_are_said_at_once(ir):
    spec = ir.chain(2)
    spec["root"]["dag"]["tasks"]["t0"]["a"] = 1
    spec["root"]["dag"]["tasks"]["t1"]["b"] = 1
    assert [problem.path for problem in problems(spec)] == [
        "root.dag.tasks.t0.a",
        "root.dag.tasks.t1.b",
    ]


def test_a_platform_setting_that_would_change_the_result_is_refused_by_name(ir):
    executors = {"add": {"podResourceClaims": [{"resourceClaimTemplateName": "gpu"}]}}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    path = "platformSpec.platforms.kubernetes.deploymentSpec.executors.add.podResourceClaims"
    [problem] = problems({"pipeline_spec": ir.chain(1), "platform_spec": platform})
    assert problem.path == path
    assert problem.message.startswith("no driver on this machine allocates devices to claims")


def test_parameters_get_their_types_and_defaults(ir):
    spec = ir.pipeline(
        [ir.task("t", "c")],
        {"c": ir.component("add")},
        inputs={
            "whole": {"parameterType": "NUMBER_INTEGER"},
            "rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 1.0},
            "extra": {"parameterType": "STRUCT", "isOptional": True},
        },
    )
    assert read_arguments(load_pipeline(spec), {"whole": 3.0}) == {"whole": 3, "rate": 1.0}


def test_a_parameter_of_literals_takes_no_other_value(ir):
    which = {"parameterType": "STRING", "literals": ["a", "b"]}
    spec = ir.pipeline(
        [ir.task("t", "c", w="<which")],
        {"c": ir.component("add", [("w", which)])},
        inputs={"which": {**which, "defaultValue": "b"}},
    )
    pipeline = load_pipeline(spec)
    assert read_arguments(pipeline, {}) == {"which": "b"}
    words = 'Parameter \'which\' takes one of "a", "b", not "c".'
    with pytest.raises(PipelineSpecError) as caught:
        read_arguments(pipeline, {"which": "c"})
    assert list(caught.value.problems) == [Problem("runtime_config.parameters.which", words)]
    spec["root"]["inputDefinitions"]["parameters"]["which"]["defaultValue"] = "c"
    path = "root.inputDefinitions.parameters.which.defaultValue"
    assert problems(spec) == [Problem(path, words)]
    spec["root"]["inputDefinitions"]["parameters"]["which"]["defaultValue"] = "a"
    spec["root"]["dag"]["tasks"]["t"]["inputs"]["parameters"]["w"] = {
        "runtimeValue": {"constant": "d"}
    }
    (problem,) = problems(spec)
    assert problem.message == 'Parameter \'w\' takes one of "a", "b", not "d".'


def test_wrong_unknown_and_missing_parameters_are_named(ir):
    spec = ir.pipeline(
        [ir.task("t", "c")],
        {"c": ir.component("add")},
        inputs={
            "a": {"parameterType": "NUMBER_INTEGER"},
            "b": {"parameterType": "STRING"},
        },
    )
    with pytest.raises(PipelineSpecError) as caught:
        read_arguments(load_pipeline(spec), {"a": "3", "z": 1})
    assert list(caught.value.problems) == [
        Problem(
            "runtime_config.parameters.z",
            "the pipeline has no parameter of that name; it takes: a, b",
        ),
        Problem("runtime_config.parameters.a", "Parameter 'a' takes an integer, not \"3\"."),
        Problem("runtime_config.parameters.b", "parameter 'b' is required and has no default"),
    ]


def test_a_problem_of_a_notebooks_step_names_its_cell(ir):
    spec = ir.chain(1)
    task = spec["root"]["dag"]["tasks"]["t0"]
    step = {"name": "t0", "cells": [{"id": "c0ffee", "source": "1"}, {"id": "other"}]}
    task["inputs"]["parameters"]["step"] = {"runtimeValue": {"constant": step}}
    (problem,) = problems(spec)
    assert str(problem) == (
        "root.dag.tasks.t0.inputs.parameters.step: task 't0' (cell c0ffee): "
        "component 'first' has no such parameter"
    )


def scopes(ir, depth, width=1):
    """Scopes in scopes, each with several tasks of the next one."""
    components = {"c0": ir.component("add")}
    for level in range(1, depth + 1):
        tasks = dict(ir.task(f"t{number}", f"c{level - 1}") for number in range(width))
        components[f"c{level}"] = ir.component("", dag={"tasks": tasks})
    return ir.pipeline([ir.task("t", f"c{depth}")], components)


def test_scopes_may_be_deep_but_not_endlessly(ir):
    assert load_pipeline(scopes(ir, MAX_DEPTH - 1)).task_count == 1
    (problem,) = problems(scopes(ir, 2000))
    assert problem.message == f"scopes are more than {MAX_DEPTH} levels deep here"
    assert problem.task == "t0"


def test_a_small_spec_that_stands_for_very_many_steps_is_refused_at_once(ir):
    assert load_pipeline(scopes(ir, 4, 10)).task_count == 10_000
    found = problems(scopes(ir, 50, 10))
    assert found[0].path == "components.c6.dag"
    assert found[0].message == f"stands for more than {MAX_STEPS} steps"


def test_a_cycle_inside_a_scope_is_found_there(ir):
    spec = scopes(ir, 1, 2)
    tasks = spec["components"]["c1"]["dag"]["tasks"]
    tasks["t0"]["dependentTasks"], tasks["t1"]["dependentTasks"] = ["t1"], ["t0"]
    path = "components.c1.dag.tasks.t0"
    assert problems(spec) == [Problem(path, "depends on itself: t0 <- t1 <- t0", "t0")]


def test_a_tasks_name_has_no_dot_since_paths_have(ir):
    spec = ir.pipeline([ir.task("a.b", "c")], {"c": ir.component("add")})
    assert problems(spec) == [
        Problem("root.dag.tasks.a.b", "a task's name must not contain a dot", "a.b")
    ]


def test_outputs_of_a_scope_have_the_type_that_it_declares(ir):
    def spec_of(outputs, **made):
        spec = scopes(ir, 1)
        spec["components"]["c0"] = ir.component("add", [], [], ["out"], ["data"])
        spec["components"]["c1"]["dag"]["outputs"] = outputs
        spec["components"]["c1"]["outputDefinitions"] = made
        return spec

    link = {"valueFromParameter": {"producerSubtask": "t0", "outputParameterKey": "out"}}
    good = {"parameters": {"o": {"parameterType": "NUMBER_DOUBLE"}}}
    load_pipeline(spec_of({"parameters": {"o": link}}, **good))
    path = "components.c1.dag.outputs.parameters.o"
    wrong = {"parameters": {"o": {"parameterType": "BOOLEAN"}}}
    assert problems(spec_of({"parameters": {"o": link}}, **wrong)) == [
        Problem(path, "is BOOLEAN, but gets NUMBER_INTEGER")
    ]
    # So kfp declares, scope by scope, what a loop above collects.
    load_pipeline(
        spec_of({"parameters": {"o": link}}, parameters={"o": {"parameterType": "LIST"}})
    )  # fmt: skip
    assert problems(spec_of({"parameters": {"o": link}})) == [
        Problem(path, "component 'c1' declares no such output")
    ]
    link["valueFromParameter"]["outputParameterKey"] = "none"
    assert problems(spec_of({"parameters": {"o": link}}, **good)) == [
        Problem(path, "there is no output 'none' of task 't0'")
    ]
    several = {"valueFromOneof": {"parameterSelectors": []}}
    assert problems(spec_of({"parameters": {"o": several}}, **good)) == [
        Problem(f"{path}.valueFromOneof", "must name a task and its output")
    ]


# Fields of upstream's compiled pipelines that a later engine will run.
NOT_YET = ("command", "kubernetes")


def test_upstreams_pipelines_are_read_or_refused_by_a_field_of_theirs(shared_data):
    folder = shared_data / "conformance" / "kfp"
    read = 0
    for file in sorted(folder.glob("[cef]*/*.yaml")):
        documents = [one for one in yaml.safe_load_all(file.read_text()) if one is not None]
        posted = {"pipeline_spec": documents[0], "platform_spec": (documents[1:] or [None])[0]}
        try:
            load_pipeline(posted)
            read += 1
        except PipelineSpecError as error:
            for problem in error.problems:
                words = [*problem.path.split("."), *problem.message.split("`")]
                assert any(word in NOT_YET for word in words), (file.name, str(problem))
    assert read >= 40


def test_whole_numbers_within_a_value_are_integers_as_a_step_reads_them_on_a_cluster(ir):
    given = {"n": 3.0, "deep": [{"rates": [0.5, 1.0, 1e300], "name": "3.0"}], "on": True}
    spec = ir.pipeline(
        [ir.task("t", "c", config="<config")],
        {"c": ir.component("add", [("config", "STRUCT")])},
        inputs={"config": {"parameterType": "STRUCT", "defaultValue": given}},
    )
    config = read_arguments(load_pipeline(spec), {})["config"]
    assert config == given
    assert json.dumps(config) == (
        '{"n": 3, "deep": [{"rates": [0.5, 1, 1e+300], "name": "3.0"}], "on": true}'
    )
    assert Machine(spec).task("t").inputs.parameters == {"config": config}
