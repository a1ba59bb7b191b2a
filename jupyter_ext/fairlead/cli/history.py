"""`fairlead show | artifacts | delete`: a run that is there already."""

from __future__ import annotations

import argparse
import sys

from fairlead import client
from fairlead.errors import NotFoundError, SpecError
from fairlead.pipelines.client import FINAL_STATES
from fairlead.pipelines.graph import seconds_between


def show(given: argparse.Namespace) -> int:
    """Print a run: its steps in order, what went wrong, its metrics."""
    run = client.get_run(given.run_id, context=given.context)
    view = run.view()
    print(f"{view['name']} ({run.run_id}): {view['state'].capitalize()}")
    print(f"Started {view['created_at']}, {view['done']}/{view['total']} steps")
    if view["error"]:
        print(f"  {view['error']}")
    rows = [("STEP", "STATE", "TIME", "POD")]
    for node in view["graph"]["nodes"]:
        state = "CACHED" if node["cached"] else node["state"]
        took = ""
        if node["started_at"] and node["finished_at"]:
            took = f"{seconds_between(node['started_at'], node['finished_at']):.1f} s"
        rows.append((node["id"], state.capitalize(), took, node["pod"] or ""))
    _print_table(rows)
    for name, value in sorted(run.metrics.items()):
        print(f"  {name} = {value:.4g}")
    return 0


def artifacts(given: argparse.Namespace) -> int:
    """List a run's artifacts, or download one."""
    run = client.get_run(given.run_id, context=given.context)
    made = run.artifacts
    if given.step and given.step not in made:
        raise NotFoundError(
            f"Step '{given.step}' of run {run.name} has made nothing.",
            hint=f"Steps that have: {', '.join(made)}." if len(made) else "",
        )
    if given.name:
        if given.name not in made[given.step]:
            raise NotFoundError(
                f"Step '{given.step}' has no artifact '{given.name}'.",
                hint=f"It has: {', '.join(made[given.step])}.",
            )
        print(made[given.step][given.name].download(given.output))
        return 0
    rows = [("STEP", "NAME", "TYPE", "URI")]
    for step in [given.step] if given.step else made:
        for key in made[step]:
            rows += [(step, key, one.type, one.uri) for one in made[step].all(key)]
    if len(rows) == 1:
        print("No artifacts yet.")
        return 0
    _print_table(rows)
    return 0


def delete(given: argparse.Namespace) -> int:
    """Delete runs; asks first."""
    found = [client.get_run(run_id, context=given.context) for run_id in given.run_ids]
    if not given.yes:
        _confirm(found)
    for run in found:
        run.delete()
        print(f"Deleted {run.name} ({run.run_id}).")
    return 0


def _confirm(runs: list[client.Run]) -> None:
    going = sum(run.state not in FINAL_STATES for run in runs)
    what = f"Runs to be deleted with their history: {', '.join(run.name for run in runs)}."
    if going:
        what += f" {going} of them still run and would be stopped."
    if not sys.stdin.isatty():
        raise SpecError(what, hint="fairlead delete --yes RUN")
    if input(f"{what} Delete? [y/N] ").strip().lower() not in ("y", "yes"):
        raise SpecError("Nothing was deleted.")


def _print_table(rows: list[tuple[str, str, str, str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        )
