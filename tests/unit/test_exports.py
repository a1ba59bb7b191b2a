"""A notebook's pipeline in other forms."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.cli import main
from fairlead.errors import SpecError
from fairlead.exchange import export, kfp_python
from fairlead.pipelines.exports.kustomize import build_kustomize
from fairlead.pipelines.exports.plain_code import function_body, indented
from fairlead.sources import read_source
from local_steps import Json, code, notebook, run_plainly
from test_dataflow_constructs import read_notebooks

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"

STORY = notebook(
    code("n = 3\nsizes = (1, 2)\nmaybe = None", "parameters"),
    code("import dataclasses\nimport random", "imports"),
    code("COUNT = 0\ndef bump():\n    global COUNT\n    COUNT += n\n    return COUNT", "setup"),
    code(
        "@dataclasses.dataclass\nclass Point:\n    x: int\n\n"
        "points = [Point(i) for i in range(n)]\nfirst = points[0]\n"
        "text = '''one\n  two'''\nrandom.seed(1)",
        "step:make",
    ),
    code("drawn = random.random()", "step:draw"),
    code(
        "first.x = 7\ntotal = sum(p.x for p in points)\ncalls = [bump(), bump()]\n"
        "!echo said\nfirst",
        "step:use it",
        "metrics",
    ),
    code(
        "result = (total, text, drawn, calls, type(sizes).__name__, maybe)",
        "step:end",
        "after:draw",
    ),
)


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.ipynb"
    path.write_text(json.dumps(STORY))
    return path


def links(spec: Json) -> dict[str, Any]:
    """Return each task with its order, and where its values come from, without Fairlead's own."""
    found = {}
    for name, task in spec["root"]["dag"]["tasks"].items():
        given = task.get("inputs", {})
        artifacts = {
            (v["taskOutputArtifact"]["producerTask"], v["taskOutputArtifact"]["outputArtifactKey"])
            for v in given.get("artifacts", {}).values()
        }
        plain = {(step, key.replace(".", "_").replace("-", "_")) for step, key in artifacts}
        parameters = {
            v["componentInputParameter"]
            for v in given.get("parameters", {}).values()
            if "componentInputParameter" in v
        }
        component = spec["components"][task["componentRef"]["name"]]
        outputs = component.get("outputDefinitions", {}).get("artifacts", {})
        kinds = {
            key.replace(".", "_").replace("-", "_"): value["artifactType"]["schemaTitle"]
            for key, value in outputs.items()
            if key != "notebook"
        }
        found[name] = (sorted(task.get("dependentTasks", [])), plain, parameters, kinds)
    return found


def test_the_spec_is_written_as_it_is_compiled(story: Path, tmp_path: Path) -> None:
    target = tmp_path / "story.yaml"
    assert export(story, "ir", target) == []
    assert yaml.safe_load(target.read_text()) == read_source(story).spec


def test_loops_and_conditions_compile_with_kfp(tmp_path: Path) -> None:
    python = os.environ.get(KFP_VARIABLE) or pytest.skip(
        f"{KFP_VARIABLE} does not name a Python with kfp"
    )
    target = tmp_path / "loops.py"
    target.write_text(kfp_python(LOOPS, tmp_path / "loops.ipynb"))
    subprocess.run([python, target], check=True, capture_output=True, timeout=120)
    compiled = yaml.safe_load(target.with_suffix(".yaml").read_text())
    assert len(compiled["root"]["dag"]["tasks"]) == 9


def test_python_of_kfp_compiles_to_the_same_pipeline(story: Path, tmp_path: Path) -> None:
    python = os.environ.get(KFP_VARIABLE) or pytest.skip(
        f"{KFP_VARIABLE} does not name a Python with kfp"
    )
    target = tmp_path / "story.py"
    export(story, "kfp", target)
    subprocess.run([python, target], check=True, capture_output=True, timeout=120)
    compiled = yaml.safe_load(target.with_suffix(".yaml").read_text())
    own = read_source(story).spec
    assert links(compiled) == links(own)
    assert compiled["pipelineInfo"] == own["pipelineInfo"]
    declared = compiled["root"]["inputDefinitions"]["parameters"]
    assert declared == own["root"]["inputDefinitions"]["parameters"]


def test_it_needs_no_kfp_to_be_written_and_is_plain_python(story: Path) -> None:
    text = kfp_python(STORY, story)
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert names == ["make", "draw", "use_it", "end", "pipeline"]
    assert max(len(line) for line in text.splitlines()) <= 110
    assert "nonlocal COUNT" in text
    assert "from typing import Optional" in text


def test_its_functions_give_the_values_of_the_notebook(story: Path, tmp_path: Path) -> None:
    made = run_functions({"story": kfp_python(STORY, story)}, tmp_path)["story"]
    wanted = (10, "one\n  two", 0.13436424411240122, [3, 6], "tuple", None)
    assert made == {"result": repr(wanted), "measured": {"total": 10.0}}


def run_functions(texts: dict[str, str], folder: Path) -> dict[str, Json]:
    """Run exported pipelines with stand-ins for kfp that call the functions in order."""
    (folder / "driver.py").write_text(_DRIVER)
    (folder / "texts.json").write_text(json.dumps(texts))
    command = [sys.executable, str(folder / "driver.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Json] = json.loads((folder / "results.json").read_text())
    return found


_DRIVER = '''\
"""Calls the functions of exported files as kfp would: artifacts are files, names are new ones."""
import inspect, json, pickle, sys, tempfile, types
from pathlib import Path

folder = Path(sys.argv[1])
measured, made, module = {}, {}, None


class Artifact:
    def __init__(self, path):
        self.path = str(path)

    def log_metric(self, name, value):
        measured[name] = value

    def __class_getitem__(cls, item):
        return cls


class Task:
    def __init__(self, outputs):
        self.outputs = outputs

    def after(self, *tasks):
        return self


def component(**options):
    def wrap(function):
        def call(**given):
            names = inspect.signature(function).parameters
            own = {}
            for name in names:
                if name not in given and names[name].default is inspect.Parameter.empty:
                    own[name] = Artifact(place / f"{function.__name__}.{name}")
            before = set(vars(module))
            function(**given, **own)
            for name in set(vars(module)) - before:  # each component has a process of its own
                delattr(module, name)
            for name, artifact in own.items():
                if name.startswith("result") and Path(artifact.path).exists():
                    made["result"] = pickle.loads(Path(artifact.path).read_bytes())
            return Task(own)

        return call

    return wrap


dsl = types.SimpleNamespace(component=component, pipeline=lambda **options: lambda f: f)
kfp = types.ModuleType("kfp")
kfp.compiler, kfp.dsl, kfp.__path__ = None, dsl, []
inner = types.ModuleType("kfp.dsl")
inner.Artifact = inner.Input = inner.Metrics = inner.Output = Artifact
sys.modules.update({"kfp": kfp, "kfp.dsl": inner})
results = {}
for key, text in json.loads((folder / "texts.json").read_text()).items():
    place = Path(tempfile.mkdtemp(dir=folder))
    measured.clear()
    made.clear()
    module = types.ModuleType("ephemeral_component")
    sys.modules["ephemeral_component"] = module
    try:
        exec(compile(text, key, "exec"), vars(module))
        module.pipeline()
        results[key] = {"result": repr(made["result"]), "measured": dict(measured)}
    except Exception as error:
        results[key] = {"error": f"{type(error).__name__}: {error}"}
(folder / "results.json").write_text(json.dumps(results))
'''


def test_no_tricky_notebook_ends_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_CONSTRUCT", "")
    texts, expected = {}, {}
    for name, (sources, wanted) in read_notebooks().items():
        names = ", ".join(wanted.split())
        cells = [code(source, f"step:s{number}") for number, source in enumerate(sources)]
        made = notebook(*cells, code(f"result = [repr(v) for v in ({names},)]", "step:probe"))
        try:
            texts[name] = kfp_python(made, tmp_path / "x.ipynb")
        except SpecError:
            continue  # refused by name
        with contextlib.redirect_stdout(io.StringIO()):
            monkeypatch.setenv("FAIRLEAD_CONSTRUCT", "")
            expected[name] = repr(run_plainly(made)["result"])
    found = run_functions(texts, tmp_path)
    ended = {name: one["result"] for name, one in found.items() if "result" in one}
    assert ended == {name: expected[name] for name in ended}
    assert len(ended) >= 100


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("from math import *", "Cell 2, line 1: `from math import *` cannot stand in a function"),
        ("x = 1\ny = globals()['x']", "Cell 2, line 2: `globals()` sees other names"),
        ("import asyncio\nawait asyncio.sleep(0)", "Cell 2, line 2: a cell that awaits"),
        ("who = 1\n!echo {who}", "Cell 2, line 2: this line of IPython's"),
        ("%%capture out\nprint(1)", "Cell 2, line 1: this line of IPython's"),
        ("load_artifact = 1", "uses the name `load_artifact`"),
    ],
)
def test_what_has_no_equal_in_a_function_is_refused_with_its_place(
    tmp_path: Path, source: str, words: str
) -> None:
    made = notebook(code("z = 1", "step:a"), code(source, "step:b"))
    with pytest.raises(SpecError) as caught:
        kfp_python(made, tmp_path / "x.ipynb")
    assert words in caught.value.what


def test_a_function_that_travels_as_a_value_is_refused(tmp_path: Path) -> None:
    cells = [code("k = [1]\nf = lambda: k", "step:a"), code("k.append(2)\nf()", "step:b")]
    with pytest.raises(SpecError, match=r"Cell 1, line 2: the function `f` travels"):
        kfp_python(notebook(*cells), tmp_path / "x.ipynb")


LOOPS = notebook(
    code("n = 3\nkinds = ['a', 'b']", "parameters"),
    code("xs = [(1, 'u'), (2, 'v')]\nbase = 10", "step:start"),
    code(
        "squares = []\nfor x in [1, 2]:\n    squares.append(x * x + base)",
        fairlead={"step": "squared", "forEach": True, "parallelism": 2},
    ),
    code(
        "names = {}\nfor kind in kinds:\n    names[kind] = kind * 2",
        fairlead={"step": "named", "forEach": True},
    ),
    code(
        "pairs = []\nfor number, word in xs:\n    pairs.append((word, number))",
        fairlead={"step": "paired", "forEach": True},
    ),
    code(
        "if n > 2:\n    size = 'large'\nelif n == 2:\n    size = 'two'\nelse:\n    size = 'small'",
        fairlead={"step": "sized", "if": True},
    ),
    code("if len(xs) > 5:\n    base = base + 1", fairlead={"step": "grown", "if": True}),
    code("result = (squares, names, pairs, size, base)", "step:end"),
)


def test_loops_and_conditions_by_metadata_are_those_of_kfp(tmp_path: Path) -> None:
    text = kfp_python(LOOPS, tmp_path / "x.ipynb")
    compile(text, "exported", "exec")
    for line in (
        "from typing import List",
        "    with dsl.ParallelFor(items=[1, 2], parallelism=2) as squared_item:",
        "    with dsl.ParallelFor(items=kinds) as named_item:",
        "    with dsl.ParallelFor(items=paired_items_task.output) as paired_item:",
        "    with dsl.If(n > 2):",
        "    with dsl.Elif(n == 2):",
        "    with dsl.Else():",
        "    with dsl.If(grown_branch_task.output == 0):",
        '        squares=dsl.Collected(squared_task.outputs["squares"]),',
        "    squares: Input[List[Artifact]],",
    ):
        assert line in text.splitlines()
    assert "dsl.OneOf(grown_task.outputs" in text


def test_an_order_that_kfp_has_not_is_refused(tmp_path: Path) -> None:
    cells = [
        code("for x in [1, 2]:\n    print(x)", fairlead={"step": "turns", "forEach": True}),
        code("y = 1", "step:late", "after:turns"),
    ]
    with pytest.raises(SpecError, match=r"'late' waits for 'turns', whose turns"):
        kfp_python(notebook(*cells), tmp_path / "x.ipynb")


def test_settings_of_steps_become_calls(tmp_path: Path) -> None:
    settings = {
        "step": "a",
        "resources": {"cpu": "2", "memory": "1Gi", "nvidia.com/gpu": "1"},
        "cache": False,
        "retries": 2,
        "timeout": "1m",
        "env": {"A": "b"},
        "secrets": [{"secret": "s", "env": {"KEY": "k"}}, {"secret": "t", "path": "/t"}],
        "configMaps": [{"configMap": "c", "env": {"C": "k"}}],
        "volumes": [{"claim": "v", "path": "/v"}],
        "labels": {"l": "1"},
        "annotations": {"n": "2"},
        "image": "own:1",
        "packages": ["six==1.17.0"],
    }
    text = kfp_python(notebook(code("x = 1", fairlead=settings)), tmp_path / "x.ipynb")
    for line in (
        '@dsl.component(base_image="own:1", packages_to_install=["six==1.17.0"])',
        'a_task.set_cpu_request("2").set_cpu_limit("2")',
        'a_task.set_memory_request("1Gi").set_memory_limit("1Gi")',
        'a_task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit("1")',
        "a_task.set_caching_options(False)",
        'a_task.set_retry(2, backoff_duration="0s"',
        "kubernetes.set_timeout(a_task, 60)",
        'a_task.set_env_variable("A", "b")',
        'kubernetes.use_secret_as_env(a_task, "s", secret_key_to_env={"k": "KEY"})',
        'kubernetes.use_secret_as_volume(a_task, "t", "/t")',
        'kubernetes.use_config_map_as_env(a_task, "c", config_map_key_to_env={"k": "C"})',
        'kubernetes.mount_pvc(a_task, "v", "/v")',
        'kubernetes.add_pod_label(a_task, "l", "1")',
        'kubernetes.add_pod_annotation(a_task, "n", "2")',
        "from kfp import compiler, dsl, kubernetes",
    ):
        assert line in text


def test_the_notebooks_own_modules_are_carried(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text('"""Doc."""\nVALUE = "a\\n"\n')
    text = kfp_python(notebook(code("import helper\nx = helper.VALUE")), tmp_path / "x.ipynb")
    assert 'module_folder / "helper.py"' in text
    assert repr((tmp_path / "helper.py").read_text()) in text


def test_lines_inside_of_texts_are_not_indented() -> None:
    source = "x = '''a\nb'''\ny = f'''{x}\n  c'''\nif x:\n    z = 1"
    made = indented(source)
    assert made == "    x = '''a\nb'''\n    y = f'''{x}\n  c'''\n    if x:\n        z = 1"


def test_global_becomes_nonlocal_only_for_names_of_the_outer_function() -> None:
    source = "def f():\n    global é, b\n    é = b = 1"
    assert "global b; nonlocal é" in function_body(source, "Cell 1", {"é"})


def test_every_file_of_a_kustomize_folder_is_written_and_builds(
    story: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    assert main(["export", str(story), "--to", "kustomize", "-o", str(folder), "-n", "team"]) == 0
    version = yaml.safe_load((folder / "base" / "pipelineversion.yaml").read_text())
    assert version["spec"]["pipelineSpec"] == read_source(story).spec
    assert version["spec"]["pipelineName"] == "story"
    kubectl = shutil.which("kubectl") or pytest.skip("no kubectl to build it with")
    built = {}
    for part in ("", "base", "upload"):
        done = subprocess.run(
            [kubectl, "kustomize", folder / part], capture_output=True, text=True, check=True
        )
        built[part] = list(yaml.safe_load_all(done.stdout))
    kinds = {part: sorted(one["kind"] for one in found) for part, found in built.items()}
    assert kinds == {
        "": ["Pipeline", "PipelineVersion"],
        "base": ["Pipeline", "PipelineVersion"],
        "upload": ["ConfigMap", "Job"],
    }
    assert {one["metadata"]["namespace"] for found in built.values() for one in found} == {"team"}


def test_the_version_is_another_one_only_where_the_pipeline_is(story: Path) -> None:
    spec = read_source(story).spec

    def name(**more: str) -> str:
        info = {**spec["pipelineInfo"], **more}
        files = build_kustomize({**spec, "pipelineInfo": info}, {}, "")
        found: str = files["base/pipelineversion.yaml"]["metadata"]["name"]
        return found

    assert name() == name() != name(description="other")


def test_a_pipeline_that_no_object_holds_is_refused() -> None:
    spec = {"pipelineInfo": {"name": "x"}, "root": {"a": "b" * 1_100_000}}
    with pytest.raises(SpecError, match=r"1\.1 MB"):
        build_kustomize(spec, {}, "")


def test_importing_fairlead_loads_no_exporter() -> None:
    code_ = (
        "import sys, fairlead; print([m for m in ('nbconvert', 'papermill') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code_], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert importlib.util.find_spec("nbconvert") is not None
