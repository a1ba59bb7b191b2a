"""The platform spec: what `kfp-kubernetes` sets reaches the pod, is said, or is refused."""

from __future__ import annotations

import json

import pytest
from kubernetes import client

from fairlead_plane.pipelines.problems import PipelineSpecError
from fairlead_plane.pipelines.spec import load_pipeline

LOOK = """
import json, os, sys
message = json.loads(sys.argv[1])
found = {name: os.environ.get(name) for name in ("PASSWORD", "SETTING", "TASK", "ABSENT")}
for path in ("/l-secret/password", "/l-config/setting", "/l-claim/left"):
    found[path] = open(path).read() if os.path.exists(path) else None
for path in ("/l-empty", "/l-own", "/l-claim"):
    open(path + "/left", "w").write("left")
json.dump({"parameterValues": {"out": found}}, open(message["outputs"]["outputFile"], "w"))
"""


def posted(spec, **config):
    """A pipeline whose one executor `e` has these settings."""
    executors = {"e": config}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    return {"pipeline_spec": spec, "platform_spec": platform}


@pytest.fixture
def single(ir):
    """A pipeline of one task without inputs."""
    return ir.pipeline([ir.task("t", "c")], {"c": ir.component("e")}, {"e": ir.executor("")})


def constant(value):
    return {"runtimeValue": {"constant": value}}


def parameter(name):
    return {"componentInputParameter": name}


def test_secrets_config_maps_fields_and_volumes_reach_the_step(connect, ir, shared_plane, seen):
    claim = {"access_modes": ["ReadWriteMany"], "size": "1Mi", "pvc_name_suffix": "-l"}
    tasks = [
        ir.task("make", "make", **claim, storage_class_name="fast"),
        ir.task("first", "look", ["make"]),
        ir.task("second", "look", ["first"], cache=False),
        ir.task("delete", "delete", ["second"], pvc_name="@make.name"),
    ]
    inputs = [("access_modes", "LIST"), ("size", "STRING"), ("pvc_name_suffix", "STRING")]
    components = {
        "make": ir.component(
            "make", [*inputs, ("storage_class_name", "STRING")], out=[("name", "STRING")]
        ),
        "look": ir.component("e", out=[("out", "STRUCT")]),
        "delete": ir.component("delete", [("pvc_name", "STRING")]),
    }
    executors = {
        "make": {"image": "argostub/createpvc"},
        "delete": {"image": "argostub/deletepvc"},
        "e": ir.executor(LOOK),
    }
    optional = {"parameterType": "STRING", "isOptional": True}
    names = {"secret": {"parameterType": "STRING"}, "absent": optional}
    spec = ir.pipeline(tasks, components, executors, names)
    produced = {"producerTask": "make", "outputParameterKey": "name"}
    body = posted(
        spec,
        secretAsEnv=[
            {
                "secretNameParameter": parameter("secret"),
                "keyToEnv": [{"secretKey": "password", "envVar": "PASSWORD"}],
            },
            {
                "secretNameParameter": parameter("absent"),
                "keyToEnv": [{"secretKey": "password", "envVar": "ABSENT"}],
            },
        ],
        configMapAsEnv=[
            {
                "configMapNameParameter": constant("l-config"),
                "keyToEnv": [{"configMapKey": "setting", "envVar": "SETTING"}],
            }
        ],
        secretAsVolume=[{"secretName": "l-secret", "mountPath": "/l-secret"}],
        configMapAsVolume=[
            {"configMapNameParameter": constant("l-config"), "mountPath": "/l-config"},
            {"configMapNameParameter": parameter("absent"), "mountPath": "/l-absent"},
        ],
        pvcMount=[
            {"pvcNameParameter": {"taskOutputParameter": produced}, "mountPath": "/l-claim"}
        ],
        emptyDirMounts=[{"volumeName": "e", "mountPath": "/l-empty", "sizeLimit": "1Mi"}],
        genericEphemeralVolume=[
            {
                "volumeName": "own", "mountPath": "/l-own", "accessModes": ["ReadWriteOnce"],
                "size": "1Mi", "storageClassName": "ssd",
            }
        ],
        fieldPathAsEnv=[{"name": "TASK", "fieldPath": "metadata.labels['l-label']"}],
        podMetadata={"labels": {"l-label": "here"}},
        activeDeadlineSeconds="600",
        nodeSelector={"labels": {"cloud.example.com/accelerator": "t4"}},
        nodeAffinity=[{"nodeAffinityJson": parameter("absent")}],
        tolerations=[{"key": "gpu", "operator": "Exists"}, {"tolerationJson": parameter("absent")}],
        imagePullSecret=[{"secretName": "registry"}],
        imagePullPolicy="Always",
    )  # fmt: skip
    with shared_plane.api() as api:
        core = client.CoreV1Api(api)
        metadata = {"metadata": {"name": "l-secret"}}
        core.create_namespaced_secret("kubeflow", {**metadata, "stringData": {"password": "p"}})
        config = {"metadata": {"name": "l-config"}, "data": {"setting": "s"}}
        core.create_namespaced_config_map("kubeflow", config)
        rest = connect(shared_plane)
        run = rest.until(rest.start(body, secret="l-secret"))
        assert (run["state"], run.get("error")) == ("SUCCEEDED", None)

        def claims():
            found = core.list_namespaced_persistent_volume_claim("kubeflow").items
            return [one for one in found if one.metadata.name.endswith("-l")]

        # A claim goes when the pods that used it are known to have ended.
        shared_plane.wait_for(lambda: not claims(), "the claim stays")
    found = seen.details(run)
    look = {
        "PASSWORD": "p", "SETTING": "s", "TASK": "here", "ABSENT": None,
        "/l-secret/password": "p", "/l-config/setting": "s", "/l-claim/left": None,
    }  # fmt: skip
    outputs = [found[name]["outputs"]["parameters"][0]["value"] for name in ("first", "second")]
    assert outputs == [look, {**look, "/l-claim/left": "left"}]
    said = found["first"]["status_metadata"]["custom_properties"]["cache"]
    for words in ("its node selector is not used", "storage class 'ssd' is not used"):
        assert f"On this machine {words}" in said
    assert "affinity" not in said


def test_the_name_of_what_is_mounted_counts_for_the_cache(play, ir, seen):
    async def story(world):
        spec = ir.pipeline(
            [ir.task("t", "c")],
            {"c": ir.component("e")},
            {"e": ir.executor("")},
            {"name": {"parameterType": "STRING"}},
        )
        config = {"configMapNameParameter": parameter("name"), "mountPath": "/x"}
        body = posted(spec, configMapAsVolume=[config])
        found = [seen.states(await world.run(body, name=name))["t"] for name in ("a", "a", "b")]
        assert found == ["SUCCEEDED", "CACHED", "SUCCEEDED"]

    play(story)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"podResourceClaims": [{"resourceClaimTemplateName": "x"}]}, "podResourceClaims"),
        ({"imagePullPolicy": "Sometimes"}, "must be one of Always"),
        ({"secretAsVolume": [{"mountPath": "/x"}]}, "`secretName` or `secretNameParameter`"),
        ({"pvcMount": [{"constant": "x"}]}, "mountPath: is required"),
        ({"activeDeadlineSeconds": "soon"}, "must be a whole number of seconds"),
        ({"fieldPathAsEnv": {}}, "fieldPathAsEnv: must be a list"),
        ({"somethingNew": 1}, "somethingNew: unknown field"),
    ],
)
def test_what_would_change_the_result_or_is_not_known_is_refused(single, config, words):
    with pytest.raises(PipelineSpecError) as caught:
        load_pipeline(posted(single, **config))
    assert words in str(caught.value)


def test_a_claim_that_has_no_name_fails_its_task_in_words(play, ir, seen):
    async def story(world):
        optional = {"parameterType": "STRING", "isOptional": True}
        spec = ir.pipeline(
            [ir.task("t", "c")],
            {"c": ir.component("e")},
            {"e": ir.executor("")},
            {"claim": optional},
        )
        mount = {"pvcNameParameter": parameter("claim"), "mountPath": "/x"}
        run = await world.run(posted(spec, pvcMount=[mount]))
        message = seen.details(run)["t"]["error"]["message"]
        assert message.startswith("The name of the PersistentVolumeClaim to mount is empty")

    play(story)


WRITE = """
import json, sys
message = json.loads(sys.argv[1])
place = message["inputs"]["parameterValues"]["place"]
if place.endswith("/file"):
    text = open(place).read()
else:
    place += "/file"
    open(place, "w").write("left")
    text = place
json.dump({"parameterValues": {"out": text}}, open(message["outputs"]["outputFile"], "w"))
"""


def test_tasks_share_the_workspace_of_their_run_and_of_no_other(connect, ir, shared_plane, seen):
    tasks = [
        ir.task("write", "c", place="{{$.workspace_path}}"),
        ir.task("read", "c", ["write"], place="@write.out"),
    ]
    component = ir.component("e", [("place", "STRING")], out=[("out", "STRING")])
    spec = ir.pipeline(tasks, {"c": component}, {"e": ir.executor(WRITE)})
    with pytest.raises(PipelineSpecError, match="asks for the path of the run's workspace"):
        load_pipeline(spec)
    workspace = {"size": "1Mi", "kubernetes": {"pvcSpecPatch": {"storageClassName": "fast"}}}
    single = {"pipelineConfig": {"workspace": workspace}}
    body = {"pipeline_spec": spec, "platform_spec": {"platforms": {"kubernetes": single}}}
    rest = connect(shared_plane)
    for _ in range(2):
        run = rest.until(rest.start(json.loads(json.dumps(body))))
        found = seen.details(run)
        assert [found[name]["state"] for name in ("write", "read")] == ["SUCCEEDED"] * 2
        assert found["read"]["outputs"]["parameters"][0]["value"] == "left"


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("nvidia.com/gpu", {"nvidia.com/gpu": "2"}),
        ("NVIDIA_TESLA_A100", {"nvidia.com/gpu": "2"}),
        ("amd.com/gpu", {"amd.com/gpu": "2"}),
    ],
)
def test_accelerators_are_a_limit_of_the_pod(ir, kind, limits):
    accelerator = {"resourceType": kind, "resourceCount": "2"}
    executor = ir.executor("", resources={"accelerator": accelerator})
    spec = ir.pipeline([ir.task("t", "c")], {"c": ir.component("e")}, {"e": executor})
    found = load_pipeline(spec).root.dag.tasks["t"].component.executor.resources
    assert {name: quantity.parts[0] for _, name, quantity in found} == limits
    accelerator["resourceType"] = "TPU_V3"
    with pytest.raises(PipelineSpecError, match="'TPU_V3' is no resource of a node"):
        load_pipeline(spec)


@pytest.mark.parametrize(
    ("kind", "count", "ends"),
    [
        ("", "", "SUCCEEDED"),
        ("nvidia.com/gpu", "0", "SUCCEEDED"),
        ("TPU_V3", "1", "'TPU_V3' is no resource of a node"),
        ("NVIDIA_TESLA_P4", "999", "nvidia.com/gpu"),
    ],
)
def test_an_accelerator_may_be_given_by_inputs(connect, ir, shared_plane, kind, count, ends):
    accelerator = {
        "resourceType": "{{$.inputs.parameters['kind']}}",
        "resourceCount": "{{$.inputs.parameters['count']}}",
    }
    names = [("kind", "STRING"), ("count", "STRING")]
    spec = ir.pipeline(
        [ir.task("t", "c", kind=kind, count=count)],
        {"c": ir.component("e", names)},
        {"e": ir.executor("", resources={"accelerator": accelerator})},
    )
    rest = connect(shared_plane)
    run_id = rest.start(spec)
    rest.until(run_id, lambda run: ends in json.dumps(run["run_details"]))
    if count == "999":  # it waits for them
        rest.call("POST", f"runs/{run_id}:terminate")


def test_what_a_task_waits_for_is_said_until_it_is_there(connect, single, shared_plane, seen):
    env = {"secretName": "l-late", "keyToEnv": [{"secretKey": "k", "envVar": "K"}]}
    rest = connect(shared_plane)
    run_id = rest.start(posted(single, secretAsEnv=[env]))
    said = {"message": 'secret "l-late" not found'}

    def message(run):
        return seen.details(run)["t"].get("status_metadata", {}).get("message")

    rest.until(run_id, lambda run: message(run) == said["message"])
    with shared_plane.api() as api:
        secret = {"metadata": {"name": "l-late"}, "stringData": {"k": "v"}}
        client.CoreV1Api(api).create_namespaced_secret("kubeflow", secret)
    run = rest.until(run_id)
    assert (run["state"], message(run)) == ("SUCCEEDED", None)


def test_packages_that_cannot_be_installed_fail_the_task_and_say_what_to_do(
    connect, single, shared_plane, seen
):
    lines = "--index-url http://127.0.0.1:1/simple\nfairlead-no-such-package==1.0"
    metadata = {"annotations": {"fairlead.dev/packages": lines}}
    rest = connect(shared_plane)
    run = rest.until(rest.start(posted(single, podMetadata=metadata)))
    task = seen.details(run)["t"]
    assert (run["state"], task["state"], task["error"]["code"]) == ("FAILED", "FAILED", 14)
    first, _, rest_of_it = task["error"]["message"].partition("\n")
    assert first.startswith("The packages of the step cannot be installed: ERROR: No matching")
    assert "pip ended with 1" in rest_of_it
    assert "fairlead-no-such-package==1.0" in task["error"]["message"]
    assert "`install_kfp_package=False`" in rest_of_it
    with shared_plane.api() as api:
        pods = client.CoreV1Api(api).list_namespaced_pod(
            "kubeflow", label_selector=f"pipeline/runid={run['run_id']}"
        )
    assert not [pod for pod in pods.items if pod.metadata.deletion_timestamp is None]


@pytest.mark.parametrize("command", [["no-such-program"], ["sh", "-c", "no-such-program"]])
def test_a_program_that_is_not_here_is_said_with_its_image(
    connect, ir, shared_plane, seen, command
):
    executor = {"image": "registry/tool:1", "command": command}
    spec = ir.pipeline([ir.task("t", "c")], {"c": ir.component("e")}, {"e": executor})
    rest = connect(shared_plane)
    message = seen.details(rest.until(rest.start(spec)))["t"]["error"]["message"]
    assert "no-such-program" in message
    assert "The component was made for image 'registry/tool:1', and no image is pulled" in message


def test_a_component_whose_code_is_in_an_image_says_what_it_needs(connect, ir, shared_plane, seen):
    executor = {
        "image": "registry/mine:1",
        "command": ["python3", "-m", "kfp.dsl.executor_main"],
        "args": ["--executor_input", "{{$}}", "--function_to_execute", "f"],
    }
    spec = ir.pipeline([ir.task("t", "c")], {"c": ir.component("e")}, {"e": executor})
    rest = connect(shared_plane)
    message = seen.details(rest.until(rest.start(spec)))["t"]["error"]["message"]
    assert "The code of this component is in image 'registry/mine:1'" in message
    assert "fairlead.dev/working-dir" in message


TELL = """
import json, os, sys
message = json.loads(sys.argv[1])
told = message["inputs"]["parameterValues"]["settings"]
found = [told, os.environ.get("ONE")]
json.dump({"parameterValues": {"out": found}}, open(message["outputs"]["outputFile"], "w"))
"""


@pytest.mark.parametrize("apply", [True, False])
def test_a_component_is_told_the_settings_of_its_pod(connect, ir, shared_plane, seen, apply):
    executor = ir.executor(
        TELL, env=[{"name": "ONE", "value": "1"}], resources={"resourceCpuLimit": "1"}
    )
    optional = {"parameterType": "TASK_CONFIG", "isOptional": True}
    component = ir.component("e", [("settings", optional)], out=[("out", "LIST")])
    component["taskConfigPassthroughs"] = [
        {"field": "ENV", "applyToTask": apply},
        {"field": "RESOURCES"},
        {"field": "KUBERNETES_VOLUMES", "applyToTask": apply},
        {"field": "KUBERNETES_NODE_SELECTOR"},
    ]
    spec = ir.pipeline([ir.task("t", "c")], {"c": component}, {"e": executor})
    rest = connect(shared_plane)
    run = rest.until(rest.start(posted(spec, emptyDirMounts=[
        {"volumeName": "own", "mountPath": "/l-told"}
    ])))  # fmt: skip
    told, variable = seen.details(run)["t"]["outputs"]["parameters"][0]["value"]
    assert told == {
        "env": [{"name": "ONE", "value": "1"}],
        "resources": {"limits": {"cpu": "1"}},
        "volumes": [{"name": "own", "emptyDir": {}}],
        "volumeMounts": [{"name": "own", "mountPath": "/l-told"}],
    }
    assert variable == ("1" if apply else None)


def test_settings_that_cannot_be_told_are_refused_by_name(ir):
    component = ir.component("e")
    component["taskConfigPassthroughs"] = [{"field": "COLOUR"}]
    spec = ir.pipeline([ir.task("t", "c")], {"c": component}, {"e": ir.executor("")})
    with pytest.raises(PipelineSpecError, match=r"Passthroughs\[0\]\.field: 'COLOUR' is none of"):
        load_pipeline(spec)
