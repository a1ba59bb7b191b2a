"""The pipelines that upstream publishes for its own tests run here, by the stock `kfp` client.

`OUTCOMES` says of each file how it ends, or what it needs that one machine does not have.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"
PATIENCE_S = 900
"""For all of them together; their environments are built in it."""

NAMESPACE = "kubeflow"
SECRETS = {
    "test-secret-1": {"username": "user1"},
    "test-secret-2": {"password": "psw1"},
    "test-secret-3": {"password": "psw2"},
}


@dataclass(frozen=True)
class Ends:
    """How a run ends."""

    state: str = "SUCCEEDED"
    arguments: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, list[str]] = field(default_factory=dict)
    """States of the tasks of a name, in any order."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """`task.output` -> value."""
    either: tuple[str, ...] = ()
    """Tasks of which exactly one ran: the branches of a coin's flip."""
    program: str = ""
    """One that its image would bring."""


@dataclass(frozen=True)
class Needs:
    """What a file needs that is not here."""

    what: str


OUTCOMES: dict[str, Ends | Needs] = {
    "critical/add_numbers.yaml": Ends(
        arguments={"a": 2, "b": 3}, outputs={"add-numbers.Output": 5}
    ),
    "critical/artifact_cache.yaml": Ends(),
    "critical/artifact_crust.yaml": Ends(),
    "critical/collected_parameters.yaml": Ends(
        outputs={"consume-ids.Output": "completed"},
        tasks={"prepend-id": ["SUCCEEDED"] * 3, "consume-single-id": ["SUCCEEDED"] * 3},
    ),
    "critical/component_with_optional_inputs.yaml": Ends(),
    "critical/container_component_with_no_inputs.yaml": Ends(),
    "critical/flip_coin.yaml": Ends(either=("condition-1", "condition-4")),
    "critical/if_else_with_oneof_artifacts.yaml": Ends(),
    "critical/missing_kubernetes_optional_inputs.yaml": Ends(),
    "critical/mixed_parameters.yaml": Ends(),
    "critical/modelcar.yaml": Needs(
        "executors.exec-importer.importer.artifactUri: an image of a registry (oci://)"
    ),
    "critical/multiple_artifacts_namedtuple.yaml": Ends(),
    "critical/multiple_parameters_namedtuple.yaml": Ends(),
    "critical/notebook_component_simple.yaml": Ends(),
    "critical/parallel_for_after_dependency.yaml": Ends(),
    "critical/parameter_cache.yaml": Ends(),
    "critical/parameter_oneof.yaml": Ends(),
    "critical/parameters_simple.yaml": Ends(program="jq"),
    "critical/pipeline_with_artifact_custom_path.yaml": Ends(),
    "critical/pipeline_with_artifact_upload_download.yaml": Needs(
        "executors.exec-download-dataset-and-upload-as-artifact: a dataset of the internet"
    ),
    "critical/pipeline_with_env.yaml": Ends(),
    "critical/pipeline_with_importer_workspace.yaml": Ends(),
    "critical/pipeline_with_input_status_state.yaml": Ends(
        tasks={"some-task": ["SUCCEEDED"], "echo-state": ["SUCCEEDED"]}
    ),
    "critical/pipeline_with_placeholders.yaml": Ends(),
    "critical/pipeline_with_pod_metadata.yaml": Ends(),
    "critical/pipeline_with_retry.yaml": Ends(outputs={"add.Output": 8}),
    "critical/pipeline_with_secret_as_env.yaml": Ends(),
    "critical/pipeline_with_submit_request.yaml": Ends(),
    "critical/pipeline_with_volume_long_name.yaml": Ends(),
    "critical/pipeline_with_workspace.yaml": Ends(),
    "critical/producer_consumer_param_pipeline.yaml": Ends(),
    "critical/pythonic_artifacts_test_pipeline.yaml": Ends(),
    "critical/two_step_pipeline_containerized.yaml": Ends(),
    "essential/component_with_env_variable.yaml": Ends(),
    "essential/concat_message.yaml": Ends(
        arguments={"message1": "it's ", "message2": '"{{$}}"\n'},
        outputs={"concat-message.Output": 'it\'s "{{$}}"\n'},
    ),
    "essential/container_no_input.yaml": Ends(),
    "essential/dict_input.yaml": Ends(arguments={"struct": {"a": 1, "b": [True, None]}}),
    "essential/embedded_artifact.yaml": Ends(),
    "essential/iris_pipeline_compiled.yaml": Ends(),
    "essential/lightweight_python_functions_pipeline.yaml": Ends(arguments={"message": "hello"}),
    "essential/lightweight_python_functions_with_outputs.yaml": Ends(
        arguments={
            "first_message": "a", "second_message": "b", "first_number": 2, "second_number": 3
        }
    ),
    "essential/pipeline_with_after.yaml": Ends(),
    "essential/pipeline_with_condition.yaml": Ends(),
    "essential/pipeline_with_metrics_outputs.yaml": Ends(),
    "essential/pipeline_with_nested_conditions.yaml": Ends(),
    "essential/pipeline_with_nested_conditions_yaml.yaml": Ends(),
    "essential/pipeline_with_outputs.yaml": Ends(),
    "essential/pipeline_with_params_containing_format.yaml": Ends(),
    "essential/pipeline_with_reused_component.yaml": Ends(),
    "essential/placeholder_with_if_placeholder_none_input_value.yaml": Ends(),
    "failing/fail_v2.yaml": Ends("FAILED", tasks={"fail": ["FAILED"]}),
    "failing/pipeline_with_exit_handler.yaml": Ends("FAILED"),
    "failing/pipeline_with_multiple_exit_handlers.yaml": Ends("FAILED"),
}  # fmt: skip

REFUSED = {
    "invalid/empty_file.yaml": "empty",
    "invalid/invalid_yaml.yaml": "components_1",
    "invalid/no_name.yaml": "pipelineInfo.name",
}

SUBMIT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import kfp
from kfp_server_api import ApiException

host, token, authority, patience = sys.argv[1:]
client = kfp.Client(host=host, existing_token=token, ssl_ca_cert=authority)
asked = json.load(sys.stdin)
told = {}
for name, (path, arguments) in asked["runs"].items():
    try:
        made = client.create_run_from_pipeline_package(path, arguments, run_name=name)
        told[name] = ["", made.run_id]
    except ApiException as error:
        told[name] = [str(error), ""]
for name, path in asked["refused"].items():
    try:
        client.upload_pipeline(path, name)
        told[name] = ["", ""]
    except ApiException as error:
        told[name] = [str(error), ""]
for name in asked["runs"]:
    if told[name][1]:
        client.wait_for_run_completion(told[name][1], int(patience), sleep_duration=0.5)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def submitted(shared_plane, connect, kfp_inputs, tmp_path_factory):
    """Start all that can run, at once, and wait for all: name -> [error, run id]."""
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")
    core = client.CoreV1Api(config.new_client_from_config(str(shared_plane.kubeconfig)))
    for name, values in SECRETS.items():
        core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": name}, "stringData": values})
    rest = connect(shared_plane)
    asked = {
        "runs": {
            name: [str(kfp_inputs / name), outcome.arguments]
            for name, outcome in OUTCOMES.items()
            if isinstance(outcome, Ends)
        },
        "refused": {name: str(kfp_inputs / name) for name in REFUSED},
    }
    arguments = (rest.server, rest.token, str(shared_plane.data_dir / "ca.crt"), str(PATIENCE_S))
    ended = subprocess.run(
        [python, "-c", SUBMIT, *arguments],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))},
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_every_file_that_is_handed_out_is_in_the_table(kfp_inputs):
    files = {str(path.relative_to(kfp_inputs)) for path in Path(kfp_inputs).glob("*/*.yaml")}
    assert files == {*OUTCOMES, *REFUSED}


@pytest.mark.parametrize(
    "name", [name for name, each in OUTCOMES.items() if isinstance(each, Ends)]
)
def test_it_ends_as_on_a_cluster(name, submitted, shared_plane, connect):
    expected = OUTCOMES[name]
    assert isinstance(expected, Ends)
    if expected.program and not shutil.which(expected.program):
        pytest.skip(f"{expected.program} is not installed here")
    error, run_id = submitted[name]
    assert not error
    run = connect(shared_plane).call("GET", f"runs/{run_id}")
    tasks = run["run_details"]["task_details"]
    failed = [(each["display_name"], each.get("error")) for each in tasks if each.get("error")]
    assert run["state"] == expected.state, failed
    states: dict[str, list[str]] = {}
    for each in tasks:
        states.setdefault(each["name"], []).append(each["state"])
    for task, wanted in expected.tasks.items():
        assert sorted(states[task]) == sorted(wanted)
    for path, value in expected.outputs.items():
        task, _, output = path.partition(".")
        made = [
            each["value"]
            for one in tasks
            if one["name"] == task
            for each in one["outputs"]["parameters"]
            if each["parameter_key"] == output
        ]
        assert made
        assert all(each == value for each in made)
    if expected.either:
        ran = [each for each in expected.either if states[each] != ["SKIPPED"]]
        assert len(ran) == 1
    if expected.state == "SUCCEEDED":
        assert {state for every in states.values() for state in every} <= {
            "SUCCEEDED", "SKIPPED", "CACHED",
        }  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_pipeline_is_refused_in_words(name, submitted):
    error, _ = submitted[name]
    assert REFUSED[name] in error
