"""KFP components, compiled by the stock kfp: the same graphs on the plane and by other runners.

Wall time too, since what is asked is what runs at the same time. The peers' Pythons are named by
`FAIRLEAD_BENCH_KFP_PYTHON`, `FAIRLEAD_BENCH_METAFLOW_PYTHON` and `FAIRLEAD_BENCH_ELYRA_PYTHON`.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from measuring import cpu_of, cpu_of_command, own_plane, plane_tree, report

WIDTH, NAPS, NAP_S, MANY = 16, 5, 5.0, 1000

GRAPHS = """
import sys, time
from kfp import dsl

@dsl.component({options})
def add(x: int) -> int:
    return x + 1

@dsl.component({options})
def nap(seconds: float, number: int) -> int:
    import time
    time.sleep(seconds)
    return number

def chain_of(length):
    @dsl.pipeline(name="chain")
    def chain(start: int):
        task = add(x=start)
        for _ in range(length - 1):
            task = add(x=task.output)
    return chain

def fan_of(width):
    @dsl.pipeline(name="fan")
    def fan(seconds: float):
        for number in range(width):
            nap(seconds=seconds, number=number)
    return fan

shape, size, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
graph = {{"chain": chain_of, "fan": fan_of}}[shape](size)
if target == "local":
    from kfp import local
    local.init(local.SubprocessRunner(use_venv={venv}), pipeline_root=sys.argv[4])
    first, kind = {{"chain": ("start", int), "fan": ("seconds", float)}}[shape]
    graph(**{{first: kind(sys.argv[5])}})
else:
    from kfp import compiler
    compiler.Compiler().compile(graph, target)
"""

METAFLOW = """
import time
from metaflow import FlowSpec, step

class {name}(FlowSpec):
{steps}
if __name__ == "__main__":
    {name}()
"""


def measure_components(start: float) -> None:
    """Chains and fans of lightweight components here, then by every peer that is named."""
    python = os.environ.get("FAIRLEAD_BENCH_KFP_PYTHON")
    if not python:
        print("FAIRLEAD_BENCH_KFP_PYTHON names no Python that has kfp: nothing to compile with")
        return
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as name:
        folder = Path(name)
        _measure_plane(python, folder, start)
        _measure_kfp_local(python, folder, start)
        if metaflow := os.environ.get("FAIRLEAD_BENCH_METAFLOW_PYTHON"):
            _measure_metaflow(metaflow, folder, start)
        if elyra := os.environ.get("FAIRLEAD_BENCH_ELYRA_PYTHON"):
            _measure_elyra(elyra, folder, start)


def _measure_plane(python: str, folder: Path, start: float) -> None:
    from fairlead.client import connect, submit_spec

    def compiled(shape: str, size: int) -> Any:
        target = folder / f"{shape}-{size}.yaml"
        script = _script(folder, options="", venv=False)
        subprocess.run([python, script, shape, str(size), str(target)], check=True, env=_quiet())
        return yaml.load(target.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))

    def run(spec: Any, **parameters: Any) -> tuple[float, float]:
        pipelines = connect()
        before, began = cpu_of(plane_tree()), time.monotonic()
        run = submit_spec(
            pipelines, spec, name="bench", parameters=parameters, interpreter="",
            working_dir=folder,
        )  # fmt: skip
        run.wait()
        wall = time.monotonic() - began
        time.sleep(0.3)
        return wall, cpu_of(plane_tree()) - before

    with own_plane():
        wall, _ = run(compiled("chain", 1), start=_new())
        print(f"{'first component: its environment is made':<44} wall {wall:.1f} s")
        for length in (10, 50):
            wall, cpu = run(compiled("chain", length), start=_new())
            each = f"wall {wall:.2f} s, {wall / length * 1000:.0f} ms a step"
            report(f"plane, chain of {length} components", cpu, length, start, each)
        wall, cpu = run(compiled("fan", WIDTH), seconds=1.0)
        report(f"plane, {WIDTH} that wait 1 s", cpu, WIDTH, start, f"wall {wall:.2f} s")
        wall, cpu = run(compiled("fan", NAPS), seconds=NAP_S)
        report(f"plane, {NAPS} that take {NAP_S:g} s", cpu, NAPS, start, f"wall {wall:.2f} s")
        _measure_start(compiled("chain", MANY), folder)


def _new() -> int:
    """Return a number from which no step has begun yet: none of a chain comes from the cache."""
    return time.time_ns() // 1_000_000


def _measure_start(spec: Any, folder: Path) -> None:
    """From the submission of a spec of many tasks until its first step has ended."""
    from fairlead.client import connect, submit_spec

    began = time.monotonic()
    run = submit_spec(
        connect(), spec, name="many", parameters={"start": _new()}, interpreter="",
        working_dir=folder,
    )  # fmt: skip
    accepted = time.monotonic() - began
    while not any(
        task["state"] == "SUCCEEDED" for task in run.refresh().record["run_details"]["task_details"]
    ):
        time.sleep(0.01)
    first = time.monotonic() - began
    run.stop()
    print(f"{f'plane, IR of {MANY} tasks':<44} accepted {accepted:.2f} s, first step {first:.2f} s")


def _measure_kfp_local(python: str, folder: Path, start: float) -> None:
    ways = (
        ("kfp.local, barest", "install_kfp_package=False", False, 10),
        ("kfp.local, no venv", "", False, 10),
        ("kfp.local, its default", "", True, 2),
    )
    for title, options, venv, length in ways:
        script = _script(folder, options=options, venv=venv)
        command = [python, script, "chain", str(length), "local", str(folder / "root"), "0"]
        _report_command(f"{title}, chain of {length}", command, length, start, folder)
    script = _script(folder, options="install_kfp_package=False", venv=False)
    command = [python, script, "fan", str(WIDTH), "local", str(folder / "root"), "1"]
    _report_command(f"kfp.local, barest, {WIDTH} that wait 1 s", command, WIDTH, start, folder)


def _measure_metaflow(python: str, folder: Path, start: float) -> None:
    chain = "".join(
        _metaflow_step(f"s{n}", [f"self.x = {'0' if not n else 'self.x + 1'}"], f"self.s{n + 1}")
        for n in range(10)
    )
    chain = chain.replace("def s0(", "def start(").replace("self.s10", "self.end")
    names = ", ".join(f"self.n{n}" for n in range(WIDTH))
    fan = _metaflow_step("start", ["pass"], names)
    for n in range(WIDTH):
        fan += _metaflow_step(f"n{n}", ["time.sleep(1)"], "self.join")
    fan += "    @step\n    def join(self, inputs):\n        self.next(self.end)\n\n"
    end = "    @step\n    def end(self):\n        pass\n\n"
    for title, name, steps, size in (
        ("chain of 10", "Chain", chain, 10),
        (f"{WIDTH} that wait 1 s", "Fan", fan, WIDTH),
    ):
        script = folder / f"{name.lower()}_flow.py"
        script.write_text(METAFLOW.format(name=name, steps=steps + end))
        command = [python, str(script), "run", "--max-workers", str(WIDTH)]
        _report_command(f"Metaflow, {title}", command, size, start, folder)


def _metaflow_step(name: str, body: list[str], following: str) -> str:
    lines = ["@step", f"def {name}(self):", *(f"    {line}" for line in body)]
    lines.append(f"    self.next({following})")
    return "".join(f"    {line}\n" for line in lines) + "\n"


def _measure_elyra(python: str, folder: Path, start: float) -> None:
    """Scripts, the cheapest that Elyra's local runner has."""
    runner = Path(python).with_name("elyra-pipeline")
    for title, size, after in (("chain of 10", 10, True), (f"{NAPS} that wait 1 s", NAPS, False)):
        place = folder / title.replace(" ", "-")
        place.mkdir()
        (place / "step.py").write_text("pass\n" if after else "import time; time.sleep(1)\n")
        (place / "graph.pipeline").write_text(json.dumps(_elyra_graph(size, after=after)))
        command = [str(runner), "run", str(place / "graph.pipeline")]
        _report_command(f"Elyra local, scripts, {title}", command, size, start, folder)


def _elyra_graph(size: int, *, after: bool) -> Any:
    nodes = []
    for number in range(size):
        links = [{"id": f"l{number}", "node_id_ref": f"n{number - 1}", "port_id_ref": "outPort"}]
        nodes.append(
            {
                "id": f"n{number}",
                "type": "execution_node",
                "op": "execute-python-node",
                "app_data": {
                    "component_parameters": {
                        "filename": "step.py", "dependencies": [], "outputs": [],
                        "include_subdirectories": False, "env_vars": [],
                        "runtime_image": "python",
                    },
                    "label": f"n{number}",
                    "ui_data": {"label": f"n{number}", "x_pos": 0, "y_pos": 0},
                },
                "inputs": [
                    {"id": "inPort", "app_data": {}, "links": links if after and number else []}
                ],
                "outputs": [{"id": "outPort", "app_data": {}}],
            }
        )  # fmt: skip
    return {
        "doc_type": "pipeline",
        "version": "3.0",
        "id": "graph",
        "primary_pipeline": "primary",
        "schemas": [],
        "pipelines": [
            {
                "id": "primary",
                "nodes": nodes,
                "runtime_ref": "",
                "app_data": {
                    "name": "graph", "version": 8, "ui_data": {"comments": []},
                    "properties": {"name": "graph", "runtime": "Generic"},
                },
            }
        ],
    }  # fmt: skip


def _script(folder: Path, *, options: str, venv: bool) -> str:
    path = folder / "graphs.py"
    path.write_text(GRAPHS.format(options=options, venv=venv))
    return str(path)


def _quiet() -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "ignore"}


def _report_command(title: str, command: list[str], per: int, start: float, cwd: Path) -> None:
    try:
        began = time.monotonic()
        # Metaflow wants to know who runs it.
        cpu = cpu_of_command(command, cwd=str(cwd), env={"USERNAME": "bench", **os.environ})
        wall = time.monotonic() - began
    except subprocess.CalledProcessError as error:
        print(f"{title:<44} failed with {error.returncode}: {' '.join(command[:2])}")
        return
    each = f"wall {wall:.2f} s, {wall / per * 1000:.0f} ms a step"
    report(title, cpu, per, start, each)
