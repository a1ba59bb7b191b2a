"""Kale's volumes: mounted, made by the run, told of, or refused."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.errors import SpecError
from fairlead.exchange import export
from fairlead.pipelines import NotebookError, analyse, check_pipeline, compile_documents
from fairlead.pipelines.kale import read_kale
from fairlead.pipelines.kale_notebooks import put_together
from local_steps import Json, code, notebook

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"

NEW = {"name": "work", "type": "new_pvc", "mount_point": "/work", "size": 5, "size_type": "Gi"}
PV = {"name": "nfs", "type": "pv", "mount_point": "/nfs", "size": 1, "size_type": "Gi"}
CLONE = {"name": "data", "type": "clone", "mount_point": "/home/jovyan/data", "size": 5}


def kale(*volumes: Json, cells: tuple[Json, ...] = (), **metadata: Any) -> Json:
    """Build a notebook of two steps with Kale's volumes."""
    steps = cells or (code("x = 1", "step:a"), code("y = x", "step:b", "prev:a"))
    own = {"volumes": list(volumes), **metadata}
    return {**notebook(*steps), "metadata": {"kubeflow_notebook": own}}


def compiled(source: Json) -> tuple[Json, list[Json]]:
    """Return the spec, and what each executor of the platform spec mounts."""
    spec, platform = compile_documents(source, name="x")
    check_pipeline(json.loads(json.dumps(spec)))
    kubernetes = platform.get("platforms", {}).get("kubernetes", {})
    executors = kubernetes.get("deploymentSpec", {}).get("executors", {})
    return spec, [one["pvcMount"] for one in executors.values()]


def warnings(source: Json) -> list[str]:
    """Return what the notebook is told of its metadata."""
    return [problem.message for problem in read_kale(source).problems]


def test_a_new_claim_is_made_mounted_in_each_step_and_deleted_after_the_last() -> None:
    annotated = [{"key": "a/b", "value": "c"}, {"key": "", "value": ""}]
    more = {"storage_class_name": "fast", "volume_access_mode": "rwo", "annotations": annotated}
    source = kale({**NEW, **more, "expose_as_env_var": True})
    spec, (mounts,) = compiled(source)
    made = {"producerTask": "create-work", "outputParameterKey": "name"}
    reference = {"taskOutputParameter": made}
    assert mounts == [{"mountPath": "/work", "pvcNameParameter": reference, **reference}]
    tasks = spec["root"]["dag"]["tasks"]
    after = {name: sorted(task.get("dependentTasks", [])) for name, task in tasks.items()}
    assert after == {
        "create-work": [],
        "a": ["create-work"],
        "b": ["a", "create-work"],
        "delete-work": ["a", "b", "create-work"],
    }
    given = tasks["create-work"]["inputs"]["parameters"]
    assert {key: value["runtimeValue"]["constant"] for key, value in given.items()} == {
        "access_modes": ["ReadWriteOnce"],
        "size": "5Gi",
        "pvc_name_suffix": "-work",
        "storage_class_name": "fast",
        "annotations": {"a/b": "c"},
    }
    assert tasks["create-work"]["cachingOptions"] == tasks["delete-work"]["cachingOptions"] == {}
    executors = spec["deploymentSpec"]["executors"]
    assert executors["exec-createpvc"] == {"container": {"image": "argostub/createpvc"}}
    assert executors["exec-deletepvc"] == {"container": {"image": "argostub/deletepvc"}}
    (step,) = [e["container"] for name, e in executors.items() if name.startswith("exec-step")]
    assert step["env"] == [{"name": "KALE_VOLUME_WORK", "value": "/work"}]
    (told,) = warnings(source)
    assert "each run makes a claim for 'work' at /work" in told


def test_a_persistent_volume_gets_one_claim_that_stays() -> None:
    spec, (mounts,) = compiled(kale(PV, volume_access_mode="rom", storage_class_name="slow"))
    constant = {"runtimeValue": {"constant": "nfs-claim"}}
    mount = {"mountPath": "/nfs", "constant": "nfs-claim", "pvcNameParameter": constant}
    assert mounts == [mount]
    tasks = spec["root"]["dag"]["tasks"]
    assert sorted(tasks) == ["a", "b", "create-nfs"]
    given = tasks["create-nfs"]["inputs"]["parameters"]
    assert {key: value["runtimeValue"]["constant"] for key, value in given.items()} == {
        "access_modes": ["ReadOnlyMany"],
        "size": "1Gi",
        "pvc_name": "nfs-claim",
        "volume_name": "nfs",
        "storage_class_name": "slow",
    }
    # From the cache, where its name is, come the later runs.
    assert tasks["create-nfs"]["cachingOptions"] == {"enableCache": True}
    assert warnings(kale(PV)) == []


def test_a_steps_own_volume_takes_the_place_of_a_claim_at_its_path() -> None:
    own = {"step": "a", "volumes": [{"claim": "mine", "path": "/work"}]}
    _, (mounts,) = compiled(kale(NEW, cells=(code("x = 1", fairlead=own),)))
    assert [(one["mountPath"], one["constant"]) for one in mounts] == [("/work", "mine")]


def test_a_copy_that_rok_would_make_is_told_of_and_refused_where_its_files_are_named() -> None:
    (told,) = warnings(kale(CLONE))
    assert "`volumes[0]`, 'data' at /home/jovyan/data, is a copy that Rok makes" in told
    uses = (code("skipped = '/home/jovyan/data/x'", "skip"), code("p = '/home/jovyan/data/a.csv'"))
    steps = (uses[0], code(uses[1]["source"], "step:a"))
    with pytest.raises(NotebookError) as caught:
        compile_documents(kale(CLONE, cells=steps), name="x")
    (problem,) = [one for one in caught.value.problems if one.severity == "error"]
    assert (problem.cell_index, problem.name) == (1, "data")
    assert problem.message.startswith("This cell names /home/jovyan/data.")
    rok = {**NEW, "annotations": [{"key": "rok/origin", "value": "http://rok"}]}
    (told,) = warnings(kale(rok))
    assert "is filled from a snapshot in Rok (`rok/origin`)" in told


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        ({**NEW, "type": "nfs"}, "`volumes[0].type` is 'nfs'"),
        ({**NEW, "size": ""}, "`volumes[0].size` is no quantity above 0: Gi"),
        ({**NEW, "volume_access_mode": "all"}, "`volumes[0].volume_access_mode` is 'all'"),
        ({**NEW, "mount_point": ""}, "`volumes[0].mount_point` is missing"),
        ({**NEW, "name": "My_Data"}, "`volumes[0].name` is no name of Kubernetes"),
    ],
)
def test_a_wrong_volume_is_refused_by_its_field(volume: Json, words: str) -> None:
    errors = [one.message for one in analyse(kale(volume)).errors]
    assert [words in message for message in errors] == [True]


@pytest.mark.parametrize("other", [{**NEW, "name": "other"}, {**NEW, "type": "pvc", "name": "c"}])
def test_two_volumes_at_one_path_are_refused(other: Json) -> None:
    (problem,) = analyse(kale(NEW, {**other, "mount_point": "work/"})).errors
    assert problem.message == "`volumes[1]` is mounted at /work, where `volumes[0]` is, too."


def test_volumes_that_are_no_list_and_a_step_of_a_claims_name_are_refused() -> None:
    assert [one.message for one in analyse(kale(volumes="none")).errors] == [
        "`volumes` is no list."
    ]
    cells = (code("x = 1", "step:create-work"), code("y = x", "step:delete-work"))
    assert [one.name for one in analyse(kale(NEW, cells=cells)).errors] == [
        "create-work",
        "delete-work",
    ]


def test_what_of_a_volume_has_no_effect_is_told_by_its_field() -> None:
    claim = {"name": "c", "type": "pvc", "mount_point": "/c", "snapshot": True, "speed": 3}
    told = warnings(kale(claim, marshal_volume=True, katib_run=True, autosnapshot=True))
    names = ("`katib_run`", "`marshal_volume`", "`autosnapshot`", "[0].snapshot`", "[0].speed`")
    assert [sum(name in text for text in told) for name in names] == [1] * 5
    assert len(told) == 5


def test_a_loop_cannot_mount_what_each_run_makes_anew_and_can_what_stays() -> None:
    loop = code("for i in [1, 2]:\n    print(i)", fairlead={"step": "a", "forEach": True})
    (problem,) = analyse(kale(NEW, cells=(loop,))).errors
    assert (problem.cell_index, problem.name) == (0, "work")
    spec, (mounts,) = compiled(kale(PV, cells=(loop,)))
    assert mounts[0]["constant"] == "nfs-claim"
    assert spec["root"]["dag"]["tasks"]["for-loop-a"]["dependentTasks"] == ["create-nfs"]


def test_a_notebook_that_is_referred_to_cannot_have_a_claim_of_the_run() -> None:
    cell = code("# see there", "notebook:other", notebook_path="other.ipynb")
    with pytest.raises(SpecError, match="the volume 'work' is a claim that a run makes"):
        put_together(kale(cells=(cell,)), lambda path: kale(NEW))


def test_a_tag_takes_a_variable_from_a_secret() -> None:
    cells = (
        code("x = 1", "step:a", "secret:db.main:pass-word:DB_PASSWORD", "secret:db:user:DB_USER"),
        code("y = x", "step:b", "secret:db"),
    )
    source = kale(cells=cells, steps_defaults=["secret:all:key:KEY"])
    first, second = [cell["metadata"]["fairlead"] for cell in read_kale(source).notebook["cells"]]
    assert first["secrets"] == [
        {"secret": "db.main", "env": {"DB_PASSWORD": "pass-word"}},
        {"secret": "db", "env": {"DB_USER": "user"}},
        {"secret": "all", "env": {"KEY": "key"}},
    ]
    assert second["secrets"] == [{"secret": "all", "env": {"KEY": "key"}}]
    (told,) = warnings(source)
    assert told == "Cell 2: The tag `secret:db` is not understood: it would be " + (
        "`secret:NAME:KEY:VARIABLE`."
    )


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    path = tmp_path / "vols.ipynb"
    path.write_text(json.dumps(kale(NEW, PV, {"name": "c", "mount_point": "/c"})))
    return path


def test_python_of_kfp_makes_the_same_claims(volumes: Path, tmp_path: Path) -> None:
    python = os.environ.get(KFP_VARIABLE) or pytest.skip(
        f"{KFP_VARIABLE} does not name a Python with kfp"
    )
    target = tmp_path / "vols.py"
    export(volumes, "kfp", target)
    subprocess.run([python, target], check=True, capture_output=True, timeout=120)
    theirs, theirs_pods = list(yaml.safe_load_all(target.with_suffix(".yaml").read_text()))
    export(volumes, "ir", tmp_path / "own.yaml")
    own, own_pods = list(yaml.safe_load_all((tmp_path / "own.yaml").read_text()))
    names = {"createpvc": "create-work", "createpvc-2": "create-nfs", "deletepvc": "delete-work"}

    def renamed(value: Any) -> Any:
        text = json.dumps(value)
        for name, wanted in names.items():
            text = text.replace(f'"{name}"', f'"{wanted}"')
        return json.loads(text)

    def claims(spec: Json) -> Json:
        tasks = spec["root"]["dag"]["tasks"]
        found = {}
        for name, task in tasks.items():
            own_inputs = task["inputs"]["parameters"] if name in names.values() else None
            order = sorted(set(task.get("dependentTasks", [])))
            found[name] = (order, own_inputs, task["cachingOptions"])
        return found

    def mounts(platform: Json) -> list[Json]:
        executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        both = [one["pvcMount"] for one in executors.values()]
        return [{key: one[key] for key in ("mountPath", "pvcNameParameter")} for one in both[0]]

    tasks = renamed(theirs["root"]["dag"]["tasks"])
    theirs["root"]["dag"]["tasks"] = {names.get(name, name): task for name, task in tasks.items()}
    assert claims(theirs) == claims(own)
    assert sorted(mounts(renamed(theirs_pods)), key=str) == sorted(mounts(own_pods), key=str)


def test_a_kustomize_folder_has_them(volumes: Path, tmp_path: Path, assert_valid: Any) -> None:
    export(volumes, "kustomize", tmp_path / "deploy")
    files = sorted((tmp_path / "deploy").rglob("*.yaml"))
    for file in files:
        for document in yaml.safe_load_all(file.read_text()):
            if document.get("kind") not in (None, "Kustomization") and "/" in str(
                document.get("apiVersion")
            ):
                assert_valid(document)
    version = yaml.safe_load((tmp_path / "deploy" / "base" / "pipelineversion.yaml").read_text())
    text = json.dumps(version["spec"])
    assert all(word in text for word in ("argostub/createpvc", "nfs-claim", "create-work"))
    assert "pvcMount" in json.dumps(version["spec"]["platformSpec"])
