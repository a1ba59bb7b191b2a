"""Pipelines of Elyra: read, compiled, and run file by file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from elyra_files import flow, node, write, write_notebook
from fairlead.cli import main
from fairlead.documents import read_elyra_pipeline
from fairlead.errors import SpecError
from fairlead.pipelines import check_pipeline
from fairlead.sources import read_source
from local_steps import Json, run_spec


@pytest.fixture
def weather(tmp_path: Path) -> Path:
    """Write a pipeline: a notebook makes a file, a script cleans it, a notebook counts."""
    (tmp_path / "units.py").write_text("FACTOR = 2\n")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.bin").write_bytes(b"\xff\x00")
    write_notebook(
        tmp_path / "load.ipynb",
        "import os, units\nfrom pathlib import Path",
        "Path('data').mkdir()\nrows = [1, 2, units.FACTOR]",
        "Path('data/rows.csv').write_text(os.environ['SEPARATOR'].join(map(str, rows)))",
        "len(Path('raw/a.bin').read_bytes())",
    )
    (tmp_path / "clean it.py").write_text(
        "import json, os\n"
        "text = open('data/rows.csv').read()\n"
        "os.makedirs('clean')\n"
        "for number, part in enumerate(text.split(';')):\n"
        "    open(f'clean/{number}.txt', 'w').write(str(int(part) * int(os.environ['times'])))\n"
        "metric = {'name': 'rows', 'numberValue': 3}\n"
        "json.dump({'metrics': [metric]}, open('mlpipeline-metrics.json', 'w'))\n"
        "print('cleaned')\n"
    )
    write_notebook(
        tmp_path / "count.ipynb",
        "from pathlib import Path",
        "total = sum(int(p.read_text()) for p in Path('clean').glob('*.txt'))",
        "print('total', total, Path('data/rows.csv').read_text())",
    )
    return write(
        tmp_path,
        flow(
            "main",
            node(
                "1",
                "load.ipynb",
                label="Load the data",
                dependencies=["units.py", "raw"],
                outputs=["data/rows.csv"],
                env_vars=[{"env_var": "SEPARATOR", "value": ";"}],
            ),
            node("2", "clean it.py", "1", outputs=["clean/*.txt"], pipeline_parameters=["times"]),
            node("3", "count.ipynb", "2"),
            description="Rows, cleaned and counted",
            pipeline_parameters=[
                {"name": "times", "default_value": {"type": "Integer", "value": 10}}
            ],
        ),
    )


def test_each_node_is_a_task_that_waits_for_those_it_is_linked_to(weather: Path) -> None:
    spec, platform, problems = read_elyra_pipeline(weather)
    check_pipeline(json.loads(json.dumps(spec)))
    tasks = spec["root"]["dag"]["tasks"]
    assert {name: task.get("dependentTasks", []) for name, task in tasks.items()} == {
        "load-the-data": [],
        "clean-it": ["load-the-data"],
        "count": ["clean-it", "load-the-data"],
    }
    assert spec["pipelineInfo"] == {"name": "weather", "description": "Rows, cleaned and counted"}
    assert (platform, problems) == ({}, [])


def test_it_runs_as_elyra_runs_it_and_leaves_the_files_alone(weather: Path, tmp_path: Path) -> None:
    spec, _, _ = read_elyra_pipeline(weather)
    before = {p.name: p.read_bytes() for p in weather.parent.iterdir() if p.is_file()}
    folder = tmp_path / "out"
    outcome = run_spec(spec, folder)
    assert outcome.errors == {}, outcome.logs
    assert "cleaned" in outcome.logs["clean-it"]
    assert "total 50 1;2;2" in outcome.logs["count"]
    assert outcome.metadata("clean-it", "metrics") == {"rows": 3.0}
    assert outcome.page("load-the-data")["cells"][-1]["outputs"][0]["data"]["text/plain"] == "2"
    made = sorted(p.name for p in (folder / "clean-it" / "clean-.txt" / "clean").iterdir())
    assert made == ["0.txt", "1.txt", "2.txt"]
    assert {p.name: p.read_bytes() for p in weather.parent.iterdir() if p.is_file()} == before


def test_parameters_reach_the_nodes_that_ask_for_them_as_variables(
    weather: Path, tmp_path: Path
) -> None:
    spec, _, _ = read_elyra_pipeline(weather)
    outcome = run_spec(spec, tmp_path / "out", parameters={"times": 1})
    assert "total 5 " in outcome.logs["count"]


def test_steps_need_nothing_but_python(weather: Path, tmp_path: Path) -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or pytest.skip(
        "no system Python"
    )
    spec, _, _ = read_elyra_pipeline(weather)
    outcome = run_spec(spec, tmp_path / "out", python=[python, "-I"])
    assert outcome.errors == {}, outcome.logs


def test_a_failing_notebook_names_its_cell_and_a_failing_script_its_status(tmp_path: Path) -> None:
    write_notebook(tmp_path / "a.ipynb", "x = 1", "x / 0")
    (tmp_path / "b.py").write_text("raise SystemExit(3)")
    (tmp_path / "c.py").write_text("pass")
    path = write(
        tmp_path,
        flow("main", node("1", "a.ipynb"), node("2", "b.py"), node("3", "c.py", outputs=["x.csv"])),
    )
    outcome = run_spec(read_elyra_pipeline(path)[0], tmp_path / "out")
    assert (outcome.errors["a"]["cell_id"], outcome.errors["a"]["ename"]) == (
        "c1",
        "ZeroDivisionError",
    )
    assert outcome.errors["b"]["evalue"] == "b.py: it ended with status 3"
    assert outcome.errors["c"]["evalue"] == "c.py: it has not made its output x.csv"


def test_a_script_without_its_program_says_so_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.r").write_text("cat(1)")
    spec, _, _ = read_elyra_pipeline(write(tmp_path, flow("main", node("1", "a.r"))))
    step = spec["root"]["dag"]["tasks"]["a"]["inputs"]["parameters"]["step"]["runtimeValue"]
    assert step["constant"]["program"] == ["Rscript"]
    step["constant"]["program"] = ["Rscript-that-is-nowhere"]
    error = run_spec(spec, tmp_path / "out").errors["a"]["evalue"]
    assert error == (
        "a.r: there is no Rscript-that-is-nowhere here to run it: install it, or use an image "
        "that has it"
    )


def test_super_nodes_are_flattened_and_comments_left_out(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.py").write_text("")
    inner = flow("inner", node("b", "b.py"), node("c", "c.py", "b"), {"id": "x", "type": "binding"})
    whole = {
        "id": "super",
        "type": "super_node",
        "subflow_ref": {"pipeline_id_ref": "inner"},
        "inputs": [
            {
                "id": "b_inPort",
                "links": [{"node_id_ref": "a", "port_id_ref": "outPort"}],
            }
        ],
    }
    last = node("d", "d.py")
    last["inputs"][0]["links"] = [{"node_id_ref": "super", "port_id_ref": "c_outPort"}]
    main_flow = flow("main", node("a", "a.py"), whole, last)
    main_flow["app_data"]["ui_data"] = {"comments": [{"id": "1", "content": "text"}]}
    tasks = read_elyra_pipeline(write(tmp_path, main_flow, inner))[0]["root"]["dag"]["tasks"]
    after = {name: task.get("dependentTasks", []) for name, task in tasks.items()}
    assert after == {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}


def test_nodes_of_one_name_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    path = write(tmp_path, flow("main", node("1", "a.py"), node("2", "a.py", "1")))
    assert list(read_elyra_pipeline(path)[0]["root"]["dag"]["tasks"]) == ["a", "a-2"]


def test_the_oldest_files_have_other_words_in_other_places(tmp_path: Path) -> None:
    write_notebook(tmp_path / "a.ipynb", "print('x')")
    (tmp_path / "b.csv").write_text("1")
    old = node("1", "a.ipynb")
    old["type"], old["op"] = "pipeline_node", "any"
    old["app_data"] = {
        "notebook": "work/pipelines/a.ipynb",
        "docker_image": "own:1",
        "vars": ["A=1"],
        "file_dependencies": ["*.csv"],
        "recursive_dependencies": False,
        "invalidNodeError": None,
        "ui_data": {"label": "First"},
    }
    path = write(tmp_path, {**flow("main", old), "app_data": {"title": "oldest"}})
    spec, _, problems = read_elyra_pipeline(path)
    assert spec["pipelineInfo"]["name"] == "oldest"
    ((_, executor),) = spec["deploymentSpec"]["executors"].items()
    assert executor["container"]["image"] == "own:1"
    assert executor["container"]["env"][0] == {"name": "A", "value": "1"}
    constant = spec["root"]["dag"]["tasks"]["first"]["inputs"]["parameters"]["step"]
    assert list(constant["runtimeValue"]["constant"]["files"]) == ["a.ipynb", "b.csv"]
    assert problems == []


def test_before_version_4_properties_stood_beside_the_editors_own(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    old = node("1", "a.py")
    old["app_data"] = {**old["app_data"].pop("component_parameters"), **old["app_data"]}
    old["app_data"] |= {"invalidNodeError": "x", "cpu": 1}
    spec, _, problems = read_elyra_pipeline(write(tmp_path, flow("main", old)))
    assert list(spec["components"]) == ["comp-a"]
    assert problems == []


def broken(tmp_path: Path, *nodes: Json) -> str:
    """Return why a pipeline is refused."""
    with pytest.raises(SpecError) as caught:
        read_elyra_pipeline(write(tmp_path, flow("main", *nodes)))
    return caught.value.what


def test_what_cannot_run_is_refused_by_the_nodes_name(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "big.bin").write_bytes(b"\xff" * 9 * 2**20)
    write_notebook(tmp_path / "r.ipynb", "x <- 1", kernelspec={"language": "R"})
    write_notebook(tmp_path / "bad.ipynb", "x = 1", "%%javascript2\n1")
    component = node("1", "a.py", label="Bash", op="catalog:bash")
    assert "node 'Bash' is a component of a runtime" in broken(tmp_path, component)
    assert "'gone' runs gone.py, and there is no such file" in broken(
        tmp_path, node("1", "gone.py")
    )
    missing = node("1", "a.py", dependencies=["data/*.csv"])
    assert "'a' depends on data/*.csv, and there is no such file" in broken(tmp_path, missing)
    outside = node("1", "a.py", dependencies=["../x"])
    assert "depends on ../x, which is outside" in broken(tmp_path, outside)
    assert "leads out of the folder" in broken(tmp_path, node("1", "a.py", outputs=["/etc/x"]))
    large = node("1", "a.py", dependencies=["big.bin"])
    assert "9.0 MiB of files along, of which big.bin is the largest" in broken(tmp_path, large)
    assert "a notebook of R" in broken(tmp_path, node("1", "r.ipynb"))
    assert "'bad', bad.ipynb: Cell 2 (c1), line 1" in broken(tmp_path, node("1", "bad.ipynb"))
    unknown = node("1", "a.py", pipeline_parameters=["p"])
    assert "told the parameter 'p', which the pipeline has not" in broken(tmp_path, unknown)
    circle = [node("1", "a.py", "2"), node("2", "a.py", "1")]
    assert "wait for each other" in broken(tmp_path, *circle)
    model = {"id": "m", "type": "model_node", "app_data": {"label": "M"}}
    assert "'M' is of type 'model_node'" in broken(tmp_path, model)
    assert "has no nodes" in broken(tmp_path)


def test_a_folder_without_the_sub_folders_or_with_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    for name in ("in/x.csv", "in/deep/y.csv", "in/.hidden/z.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("1")

    def taken(*patterns: str, deep: bool) -> list[str]:
        given = {"dependencies": list(patterns), "include_subdirectories": deep}
        spec = read_elyra_pipeline(write(tmp_path, flow("main", node("1", "a.py", **given))))[0]
        constant = spec["root"]["dag"]["tasks"]["a"]["inputs"]["parameters"]["step"]
        return [name for name in constant["runtimeValue"]["constant"]["files"] if name != "a.py"]

    assert taken("in", deep=False) == ["in/x.csv"]
    assert taken("in", deep=True) == ["in/deep/y.csv", "in/x.csv"]
    assert taken("*.csv", deep=True) == ["in/deep/y.csv", "in/x.csv"]


def test_it_is_exported_for_a_cluster(weather: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deploy"
    assert main(["export", str(weather), "--to", "kustomize", "-o", str(folder)]) == 0
    version = yaml.safe_load((folder / "base" / "pipelineversion.yaml").read_text())
    assert version["spec"]["pipelineSpec"] == read_source(weather).spec
    assert main(["export", str(weather), "--to", "kfp", "-o", str(folder / "x.py")]) == 2


def test_the_command_line_compiles_it(
    weather: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "made.yaml"
    assert main(["compile", str(weather), "-o", str(target)]) == 0
    assert "3 steps" in capsys.readouterr().out
    assert yaml.safe_load(target.read_text()) == read_source(weather).spec
