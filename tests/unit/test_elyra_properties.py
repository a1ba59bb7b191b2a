"""Each property of Elyra's nodes and pipelines: it is in the spec, told of, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from elyra_files import flow, node, write
from fairlead.documents import read_elyra_pipeline
from fairlead.errors import SpecError
from fairlead.pipelines import Problem, check_pipeline
from fairlead.sources import read_source
from local_steps import Json


def named(key: str, name: str) -> Json:
    """Write a name as kfp-kubernetes writes it."""
    return {key: name, f"{key}Parameter": {"runtimeValue": {"constant": name}}}


def mount(claim: str, path: str, **more: str) -> Json:
    """Write a mount as kfp-kubernetes writes it."""
    constant = {"runtimeValue": {"constant": claim}}
    return {"pvcNameParameter": constant, "constant": claim, "mountPath": path, **more}


class Made:
    """What a pipeline of one node, a script, became."""

    def __init__(self, folder: Path, given: Json, **properties: Any) -> None:
        (folder / "a.py").write_text("")
        (folder / "b.csv").write_text("")
        path = write(folder, flow("main", node("1", "a.py", label="A", **given), **properties))
        self.spec, platform, self.problems = read_elyra_pipeline(path)
        check_pipeline(json.loads(json.dumps(self.spec)))
        ((label, executor),) = self.spec["deploymentSpec"]["executors"].items()
        kubernetes = platform.get("platforms", {}).get("kubernetes", {})
        self.pod = kubernetes.get("deploymentSpec", {}).get("executors", {}).get(label, {})
        self.container = executor["container"]
        self.task = self.spec["root"]["dag"]["tasks"]["a"]

    @property
    def step(self) -> Json:
        """What the step is told."""
        found: Json = self.task["inputs"]["parameters"]["step"]["runtimeValue"]["constant"]
        return found

    @property
    def env(self) -> Json:
        """The variables."""
        return {one["name"]: one["value"] for one in self.container["env"]}


TOLERATIONS = [
    {"key": "gpu", "operator": "Exists", "value": "", "effect": "NoSchedule"},
    {"key": "gpu", "operator": "Exists", "value": "", "effect": "NoExecute"},
    {"key": "", "operator": "Exists"},
    {"key": "zone", "operator": "Equal", "value": "a"},
]

HONOURED: dict[str, tuple[Any, Any]] = {
    # The node's file, and what goes with it.
    "dependencies": (["b.csv"], lambda made: made.step["files"] == {"a.py": "", "b.csv": ""}),
    "include_subdirectories": (True, lambda made: made.step["files"] == {"a.py": ""}),
    "outputs": (["x.csv"], lambda made: made.step["gives"] == {"x.csv": "x.csv"}),
    "pipeline_parameters": (["p"], lambda made: made.step["variables"] == {"env.p": "p"}),
    # Its container.
    "runtime_image": ("own:1", lambda made: made.container["image"] == "own:1"),
    "cpu": (2, lambda made: made.container["resources"] == {"resourceCpuRequest": "2"}),
    "cpu_limit": (3, lambda made: made.container["resources"] == {"resourceCpuLimit": "3"}),
    "memory": (4, lambda made: made.container["resources"] == {"resourceMemoryRequest": "4G"}),
    "memory_limit": (5, lambda made: made.container["resources"] == {"resourceMemoryLimit": "5G"}),
    "gpu": (
        1,
        lambda made: (
            made.container["resources"]
            == {"accelerator": {"resourceType": "nvidia.com/gpu", "resourceCount": "1"}}
        ),
    ),
    "env_vars": (
        [{"env_var": "A", "value": " 1 "}, {"env_var": "B", "value": ""}, "C=2"],
        lambda made: made.env == {"A": "1", "C": "2", "ELYRA_RUNTIME_ENV": "kfp"},
    ),
    # Its pod.
    "kubernetes_secrets": (
        [{"env_var": "KEY", "name": "s", "key": "k"}],
        lambda made: (
            made.pod["secretAsEnv"]
            == [{**named("secretName", "s"), "keyToEnv": [{"secretKey": "k", "envVar": "KEY"}]}]
        ),
    ),
    "mounted_volumes": (
        [{"path": "data/", "pvc_name": "own", "sub_path": "in", "read_only": False}],
        lambda made: made.pod["pvcMount"] == [mount("own", "/data", subPath="in")],
    ),
    "kubernetes_pod_annotations": (
        [{"key": "n/x", "value": "any thing"}],
        lambda made: made.pod["podMetadata"] == {"annotations": {"n/x": "any thing"}},
    ),
    "kubernetes_pod_labels": (
        [{"key": "team", "value": "a"}, {"key": "empty"}],
        lambda made: made.pod["podMetadata"] == {"labels": {"team": "a", "empty": ""}},
    ),
    "kubernetes_tolerations": (
        TOLERATIONS,
        lambda made: (
            made.pod["tolerations"] == [{k: v for k, v in one.items() if v} for one in TOLERATIONS]
        ),
    ),
    "kubernetes_shared_mem_size": (
        {"size": 0.5, "units": "G"},
        lambda made: made.pod["enabledSharedMemory"] == {"volumeName": "shm", "size": "0.5G"},
    ),
    "disable_node_caching": ("True", lambda made: made.task["cachingOptions"] == {}),
}
"""Each property of a node that runs a file: a value, and whether it reached the spec."""

OF_ALL_NODES = (
    "runtime_image",
    "env_vars",
    "kubernetes_secrets",
    "mounted_volumes",
    "kubernetes_pod_annotations",
    "kubernetes_pod_labels",
    "kubernetes_tolerations",
    "kubernetes_shared_mem_size",
    "disable_node_caching",
)
"""Those that a pipeline can have for all its nodes."""

PARAMETERS = {"pipeline_parameters": [{"name": "p", "default_value": {"type": "Integer"}}]}


@pytest.mark.parametrize("key", HONOURED)
def test_a_property_of_a_node_reaches_the_spec(key: str, tmp_path: Path) -> None:
    value, reached = HONOURED[key]
    made = Made(tmp_path, {key: value}, **PARAMETERS)
    assert reached(made)
    assert made.problems == []


@pytest.mark.parametrize("key", OF_ALL_NODES)
def test_a_property_of_the_pipeline_holds_for_its_nodes(key: str, tmp_path: Path) -> None:
    value, reached = HONOURED[key]
    empty: dict[str, Any] = {"kubernetes_shared_mem_size": {"size": 0}, "disable_node_caching": ""}
    made = Made(tmp_path, {key: empty.get(key)}, pipeline_defaults={key: value})
    assert reached(made)
    assert made.problems == []


def test_what_a_node_says_itself_wins_entry_by_entry(tmp_path: Path) -> None:
    defaults = {
        "env_vars": [{"env_var": "A", "value": "1"}, {"env_var": "KEY", "value": "plain"}],
        "mounted_volumes": [{"path": "/data", "pvc_name": "common"}],
        "kubernetes_pod_labels": [{"key": "team", "value": "all"}],
        "kubernetes_shared_mem_size": {"size": 2},
        "disable_node_caching": "True",
    }
    given = {
        "env_vars": [{"env_var": "A", "value": "2"}],
        "kubernetes_secrets": [{"env_var": "KEY", "name": "s", "key": "k"}],
        "mounted_volumes": [{"path": "data/", "pvc_name": "own"}, {"path": "/b", "pvc_name": "b"}],
        "kubernetes_pod_labels": [{"key": "team", "value": "a"}],
        "kubernetes_shared_mem_size": {"size": 1},
        "disable_node_caching": "False",
        "gpu": 2,
        "gpu_vendor": "amd.com/gpu",
    }
    made = Made(tmp_path, given, pipeline_defaults=defaults)
    assert made.env == {"A": "2", "ELYRA_RUNTIME_ENV": "kfp"}  # the secret takes its place
    assert made.pod["pvcMount"] == [mount("own", "/data"), mount("b", "/b")]
    assert made.pod["podMetadata"] == {"labels": {"team": "a"}}
    assert made.pod["enabledSharedMemory"] == {"volumeName": "shm", "size": "1G"}
    assert made.task["cachingOptions"] == {"enableCache": True}
    accelerator = {"resourceType": "amd.com/gpu", "resourceCount": "2"}
    assert made.container["resources"] == {"accelerator": accelerator}


VOLUME = {"path": "/d", "pvc_name": "c"}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        (
            {"mounted_volumes": [{**VOLUME, "read_only": True}]},
            "mounted_volumes[0].read_only",
            "KFP mounts no claim for reading only, so /d can be written to",
        ),
        ({"mounted_volumes": [{**VOLUME, "mode": "x"}]}, "mounted_volumes[0].mode", "not known"),
        ({"gpu_vendor": "amd.com/gpu"}, "gpu_vendor", "`gpu` asks for none"),
        ({"kubernetes_priority": "high"}, "kubernetes_priority", "it is not known"),
    ],
)
def test_what_of_a_node_has_no_effect_is_told_by_its_field(
    given: Json, path: str, words: str, tmp_path: Path
) -> None:
    (problem,) = Made(tmp_path, given).problems
    assert (problem.severity, problem.node, problem.path) == ("warning", "A", path)
    assert words in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        (
            {"pipeline_defaults": {"cos_object_prefix": "a/b"}},
            "pipeline_defaults.cos_object_prefix",
        ),
        ({"cos_object_prefix": "a/b"}, "pipeline_defaults.cos_object_prefix"),
        (
            {"pipeline_defaults": {"mounted_volumes": [{**VOLUME, "read_only": True}]}},
            "pipeline_defaults.mounted_volumes[0].read_only",
        ),
        ({"pipeline_defaults": {"priority": "x"}}, "pipeline_defaults.priority"),
        ({"team": "x"}, "team"),
    ],
)
def test_what_of_a_pipeline_has_no_effect_is_told_once_for_all_nodes(
    properties: Json, path: str, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("")
    nodes = [node("1", "a.py", label="A"), node("2", "a.py", label="B")]
    _, _, problems = read_elyra_pipeline(write(tmp_path, flow("main", *nodes, **properties)))
    assert [(one.node, one.path) for one in problems] == [("", path)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"runtime_image": "not an image"}, "`runtime_image` must be an image"),
        ({"cpu": "many"}, "`cpu` must be a quantity"),
        ({"cpu": 4, "cpu_limit": 2}, "`cpu_limit` is less than `cpu`"),
        ({"memory": 4, "memory_limit": 2}, "`memory_limit` is less than `memory`"),
        ({"gpu": 1.5}, "`gpu` must be a whole number"),
        ({"gpu": 1, "gpu_vendor": "gpu"}, "`gpu_vendor` must be"),
        ({"env_vars": {"A": "1"}}, "`env_vars` must be a list"),
        (
            {"env_vars": ["A"]},
            "`env_vars[0]` must be an object with fields, or a text `NAME=VALUE`",
        ),
        ({"kubernetes_secrets": ["KEY=s"]}, "or a text `VARIABLE=SECRET:KEY`, not 'KEY=s'"),
        ({"env_vars": [{"value": "1"}]}, "`env_vars[0].env_var` is missing"),
        ({"env_vars": [{"env_var": "A B", "value": "1"}]}, "`env_vars[0].env_var` must be"),
        ({"kubernetes_secrets": [{"env_var": "A", "key": "k"}]}, "[0].name` is missing"),
        ({"kubernetes_secrets": [{"env_var": "A", "name": "s"}]}, "[0].key` is missing"),
        ({"kubernetes_secrets": [{"name": "s", "key": "k"}]}, "[0].env_var` is missing"),
        ({"mounted_volumes": [{"path": "/d"}]}, "`mounted_volumes[0].pvc_name` is missing"),
        ({"mounted_volumes": [{"pvc_name": "c"}]}, "`mounted_volumes[0].path` is missing"),
        ({"mounted_volumes": [{**VOLUME, "sub_path": "/x"}]}, "[0].sub_path` leads out"),
        ({"mounted_volumes": [{"path": "/d", "pvc_name": "C_1"}]}, "[0].pvc_name` must be a name"),
        ({"kubernetes_pod_labels": [{"key": "a", "value": "b c"}]}, "[0].value` must be the value"),
        ({"kubernetes_pod_labels": [{"value": "b"}]}, "[0].key` is missing"),
        ({"kubernetes_pod_annotations": [{"key": "a b", "value": "c"}]}, "[0].key` must be a key"),
        ({"kubernetes_tolerations": [{"operator": "Equal", "value": "a"}]}, "[0].key` is missing"),
        ({"kubernetes_tolerations": [{"key": "a", "operator": "Is"}]}, "[0].operator` must be"),
        (
            {"kubernetes_tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
            "[0].value` must be empty",
        ),
        (
            {"kubernetes_tolerations": [{"key": "a", "operator": "Exists", "effect": "No"}]},
            "[0].effect` must be one of NoExecute",
        ),
        ({"kubernetes_shared_mem_size": {"size": -1}}, "`kubernetes_shared_mem_size.size` must"),
        ({"kubernetes_shared_mem_size": {"size": 1, "units": "M"}}, "size.units` must be G"),
        ({"kubernetes_shared_mem_size": 3}, "`kubernetes_shared_mem_size` must be an object"),
    ],
)
def test_a_wrong_property_is_refused_by_its_node_and_field(
    given: Json, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        Made(tmp_path, given)
    assert caught.value.what.startswith("Node 'A': `")
    assert words in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize(
    ("given", "definition"),
    [
        (
            {"default_value": {"type": "Integer", "value": 3}, "description": "how many"},
            {"parameterType": "NUMBER_INTEGER", "defaultValue": 3, "description": "how many"},
        ),
        ({"default_value": {"type": "Float"}}, {"parameterType": "NUMBER_DOUBLE"}),
        (
            {"default_value": {"type": "Bool", "value": False}},
            {"parameterType": "BOOLEAN", "defaultValue": False},
        ),
        (
            {"value": "b", "default_value": {"type": "String", "value": "a"}},
            {"parameterType": "STRING", "defaultValue": "b"},
        ),
        ({"default_value": {"type": "CustomString"}}, {"parameterType": "STRING"}),
        ({"required": True}, {"parameterType": "STRING", "isOptional": False}),
    ],
)
def test_a_parameter_of_the_pipeline_is_one_of_the_spec(
    given: Json, definition: Json, tmp_path: Path
) -> None:
    made = Made(tmp_path, {}, pipeline_parameters=[{"name": "p", **given}])
    wanted = {"isOptional": True, **definition}
    if not wanted["isOptional"]:
        del wanted["isOptional"]
    assert made.spec["root"]["inputDefinitions"]["parameters"] == {"p": wanted}


def test_entries_that_earlier_versions_wrote_as_texts_mean_the_same(tmp_path: Path) -> None:
    given = {
        "env_vars": ["column = finding", "predicate=x == 1"],
        "mounted_volumes": ["/data=own"],
        "kubernetes_pod_annotations": ["n/x=y z"],
        "kubernetes_secrets": ["KEY=s:k"],
        "kubernetes_tolerations": ["0=gpu:Exists::NoSchedule", "1=zone:Equal:a:"],
    }
    both = [Made(tmp_path, given), Made(tmp_path, {}, pipeline_defaults=given)]
    for made in both:
        assert made.env == {
            "column": "finding",
            "predicate": "x == 1",
            "ELYRA_RUNTIME_ENV": "kfp",
        }
        assert made.pod["pvcMount"] == [mount("own", "/data")]
        assert made.pod["podMetadata"] == {"annotations": {"n/x": "y z"}}
        (secret,) = made.pod["secretAsEnv"]
        assert secret["keyToEnv"] == [{"secretKey": "k", "envVar": "KEY"}]
        assert made.pod["tolerations"] == [
            {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "zone", "operator": "Equal", "value": "a"},
        ]
        assert made.problems == []


def test_a_parameter_of_an_unknown_type_is_refused(tmp_path: Path) -> None:
    wrong = [{"name": "p", "default_value": {"type": "GCSPath"}}]
    with pytest.raises(SpecError, match=r"`pipeline_parameters\[0\].default_value.type` is GCS"):
        Made(tmp_path, {}, pipeline_parameters=wrong)


def test_the_runs_name_is_told_to_a_node_that_mentions_it(tmp_path: Path) -> None:
    made = Made(tmp_path, {})
    assert "env.ELYRA_RUN_NAME" not in made.task["inputs"]["parameters"]
    (tmp_path / "c.py").write_text("import os; os.environ['ELYRA_RUN_NAME']")
    spec, _, _ = read_elyra_pipeline(write(tmp_path, flow("main", node("1", "c.py"))))
    run_name = spec["root"]["dag"]["tasks"]["c"]["inputs"]["parameters"]["env.ELYRA_RUN_NAME"]
    assert run_name == {"runtimeValue": {"constant": "{{$.pipeline_job_name}}"}}


def test_a_comment_that_is_linked_to_a_node_documents_its_pod(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    made = flow("main", node("1", "a.py"))
    linked = [{"node_ref": "1"}]
    made["app_data"]["ui_data"] = {
        "comments": [
            {"content": "Reads all rows", "associated_id_refs": linked},
            {"content": "Slowly", "associated_id_refs": linked},
            {"content": "Of the whole"},
        ]
    }
    _, platform, _ = read_elyra_pipeline(write(tmp_path, made))
    ((_, pod),) = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].items()
    text = "Reads all rows\n\nSlowly"
    assert pod == {"podMetadata": {"annotations": {"elyra/node-user-doc": text}}}


def test_a_script_of_r_without_an_image_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.r").write_text("cat(1)")
    path = write(tmp_path, flow("main", node("1", "a.r")))
    assert read_source(path).warnings == [
        "Node 'a.r': `runtime_image` is not set, and python:3.11 has no Rscript to run a.r. Set an "
        "image that has it. Here, the Rscript of this machine is used."
    ]
    path = write(tmp_path, flow("main", node("1", "a.r", runtime_image="r-base:4.4")))
    assert read_source(path).warnings == []


def test_a_description_for_the_viewers_of_the_first_kfp_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("open('mlpipeline-ui-metadata.json', 'w')")
    (told,) = read_source(write(tmp_path, flow("main", node("1", "b.py")))).warnings
    assert told.startswith("Node 'b': `mlpipeline-ui-metadata.json`, which its files mention, is")


def test_a_warning_says_its_node_in_words(tmp_path: Path) -> None:
    problem = Problem("warning", "", -1, 0, "x", "`x` has no effect.", "Remove it.", "x", "A")
    (tmp_path / "a.py").write_text("")
    path = write(tmp_path, flow("main", node("1", "a.py", label="A", x=1)))
    assert read_source(path).problems[0].node == problem.node
    assert read_source(path).warnings == [
        "Node 'A': `x` has no effect: it is not known. Remove it, or set it in another way."
    ]
