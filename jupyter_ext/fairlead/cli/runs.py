"""`fairlead run | demo | compile | runs | logs | stop | retry`."""

from __future__ import annotations

import argparse
import shutil
import sys
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

from fairlead import client
from fairlead.cli.stream import RunStream
from fairlead.documents import dump_pipeline
from fairlead.errors import CapabilityError
from fairlead.labels import known_labels
from fairlead.pipelines.bindings import read_assignments
from fairlead.pipelines.graph import run_summary, seconds_between
from fairlead.sources import read_component, read_source

DEMO = "digits.ipynb"
_DEMO_NEEDS = ("sklearn", "matplotlib", "pandas")


def run(given: argparse.Namespace) -> int:
    """Start a run, show it, and say how it ended."""
    parameters = read_assignments(given.parameters)
    return _show(
        client.submit(
            given.source,
            parameters,
            name=given.name,
            experiment=given.experiment,
            pipeline_root=given.pipeline_root,
            context=given.context,
        )
    )


def demo(given: argparse.Namespace) -> int:
    """Copy the example notebook into this folder, run it, and say how to open it in Lab."""
    missing = [name for name in _DEMO_NEEDS if find_spec(name) is None]
    if missing:
        raise CapabilityError(
            f"The example needs packages that are not installed: {', '.join(missing)}.",
            hint='pip install "fairlead[demo]"',
        )
    notebook = Path(DEMO)
    if not notebook.exists():
        with as_file(_bundled(DEMO)) as bundled:
            shutil.copyfile(bundled, notebook)
    print(f"Running {notebook} as a pipeline ...", flush=True)
    code = _show(client.submit(notebook, context=given.context))
    print(f"\nOpen it in JupyterLab:  jupyter lab {notebook}")
    return code


def compile_(given: argparse.Namespace) -> int:
    """Write the pipeline spec of a notebook, of one component in it, or of a pipeline of Elyra."""
    if given.component:
        found = read_component(given.source, given.component)
    else:
        found = read_source(given.source)
    for warning in found.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    spec = found.spec
    given.output.write_text(dump_pipeline(spec, found.platform))
    steps = len(spec["root"]["dag"]["tasks"])
    name = spec["pipelineInfo"]["name"]
    what = f"component {name}" if given.component else f"{steps} steps"
    print(f"Wrote {given.output}: {what}.")
    return 0


def runs(given: argparse.Namespace) -> int:
    """List runs."""
    found = client.list_runs(label=given.label, context=given.context)
    rows = [run_summary(run.record) for run in found]
    if not rows:
        print(
            "No run has this label."
            if given.label
            else "No runs yet. Start one: fairlead run NOTEBOOK"
        )
        return 0
    labels = known_labels(found[0].pipelines)
    width = max(len(row["name"]) for row in rows)
    head = f"{'RUN':<8}  {'NAME':<{width}}  {'STATE':<9}  {'STEPS':>9}  {'STARTED':<20}"
    print(f"{head}  LABELS" if labels else head.rstrip())
    for row in rows:
        steps = f"{row['done']}/{row['total']}"
        marks = ",".join(f"{key}={value}" for key, value in labels.get(row["id"], {}).items())
        print(
            f"{row['id'][:8]}  {row['name']:<{width}}  {row['state'].capitalize():<9}  "
            f"{steps:>9}  {row['created_at']:<20}  {marks}".rstrip()
        )
    return 0


def logs(given: argparse.Namespace) -> int:
    """Print the logs of a run's steps, one step after another."""
    found = client.get_run(given.run_id, context=given.context)
    nodes = found.view()["graph"]["nodes"]
    steps = [given.step] if given.step else [node["id"] for node in nodes]
    width = max(map(len, steps), default=0)
    for step in steps:
        for line in found.logs(step):
            print(line if given.step else f"{step:<{width}} | {line}")
    return 0


def stop(given: argparse.Namespace) -> int:
    """Stop a run."""
    found = client.get_run(given.run_id, context=given.context)
    found.stop()
    print(f"Stopping {found.name} ({found.run_id}).")
    return 0


def retry(given: argparse.Namespace) -> int:
    """Run again what failed, and show it."""
    return _show(client.get_run(given.run_id, context=given.context).retry())


def _show(started: client.Run) -> int:
    for warning in started.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    print(f"Run {started.name} ({started.run_id})", flush=True)
    try:
        state = RunStream(started).show()
    except KeyboardInterrupt:
        print(f"\nThe run goes on. Stop it with: fairlead stop {started.run_id[:8]}")
        raise
    view = started.view()
    took = ""
    if view["created_at"] and view["finished_at"]:
        took = f" in {seconds_between(view['created_at'], view['finished_at']):.1f} s"
    print(f"\n{view['name']}: {state.capitalize()}{took}, {view['done']}/{view['total']} steps")
    for name, value in sorted(view["metrics"].items()):
        print(f"  {name} = {value:.4g}")
    if state == "SUCCEEDED":
        return 0
    print(
        f"  Try: fairlead retry {started.run_id[:8]}   (resumes from what failed)", file=sys.stderr
    )
    return 1


def _bundled(name: str):  # type: ignore[no-untyped-def]
    """Find a bundled file; in a checkout it lies where its own folder is."""
    packaged = files("fairlead.cli") / name
    if packaged.is_file():
        return packaged
    return Path(__file__).parents[3] / "binder" / name
