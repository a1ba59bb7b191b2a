"""`fairlead pin | unpin | label | prune | compare`: which runs stay, and how they differ."""

from __future__ import annotations

import argparse
import sys

from fairlead import client
from fairlead.cleanup import plan_cleanup
from fairlead.errors import SpecError
from fairlead.experiment import get_experiment
from fairlead.kinds.cleanup import cleanup_cronjob
from fairlead.kube.usage import parse_quantity
from fairlead.labels import change_labels, read_changes
from fairlead.pipelines.client import PipelinesClient
from fairlead.pipelines.compare import compare
from fairlead.pipelines.retention import Limits, Removal, read_age


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
    keep = commands.add_parser("pin", help="keep a run: it is not deleted, nor cleaned up")
    keep.add_argument("run_id", metavar="RUN", help="id of the run, or the beginning of it")
    keep.add_argument(
        "--baseline", action="store_true", help="compare the others of its experiment with it"
    )
    keep.set_defaults(action=pin)

    free = commands.add_parser("unpin", help="keep a run no longer")
    free.add_argument("run_id", metavar="RUN", help="id of the run, or the beginning of it")
    free.set_defaults(action=unpin)

    mark = commands.add_parser("label", help="set labels of a run, or print those that it has")
    mark.add_argument("run_id", metavar="RUN", help="id of the run, or the beginning of it")
    mark.add_argument(
        "changes", nargs="*", metavar="KEY=VALUE", help="team=vision sets one, team- takes it away"
    )
    mark.set_defaults(action=label)

    beside = commands.add_parser("compare", help="print runs beside each other, and what differs")
    beside.add_argument("run_ids", nargs="*", metavar="RUN", help="the first is the baseline")
    beside.add_argument("-l", "--label", default="", help="all runs that have it: team=vision")
    beside.set_defaults(action=compare_)

    clean = commands.add_parser(
        "prune",
        help="delete runs that are old, many or large; never pinned ones",
        description="Asks first. Runs that go on, and pinned ones, always stay.",
    )
    clean.add_argument("--older-than", metavar="AGE", help="ended so long ago: 30d, 12h, 2w")
    clean.add_argument(
        "--keep", type=int, metavar="N", help="keep the newest N of those that ended"
    )
    clean.add_argument("--max-size", metavar="SIZE", help="all artifacts together, such as 10Gi")
    clean.add_argument("--experiment", metavar="NAME", help="only the runs of this experiment")
    clean.add_argument(
        "--every",
        metavar="CRON",
        help="not now, but again and again, by a CronJob: '0 3 * * *'",
    )
    clean.add_argument(
        "--image", default="", help="with --every, on a cluster: an image that has Fairlead"
    )
    clean.add_argument("--dry-run", action="store_true", help="say what would go, delete nothing")
    clean.add_argument("-y", "--yes", action="store_true", help="do not ask")
    clean.set_defaults(action=prune)

    for command in (keep, free, mark, beside, clean):
        command.add_argument(
            "--context", metavar="CONTEXT", help="where (default: the context in use)"
        )


def pin(given: argparse.Namespace) -> int:
    """Keep a run."""
    run = client.get_run(given.run_id, context=given.context)
    run.pin(baseline=given.baseline)
    print(f"Pinned {run.name} ({run.run_id})" + (" as baseline." if given.baseline else "."))
    return 0


def unpin(given: argparse.Namespace) -> int:
    """Keep a run no longer."""
    run = client.get_run(given.run_id, context=given.context)
    run.unpin()
    print(f"Unpinned {run.name} ({run.run_id}).")
    return 0


def label(given: argparse.Namespace) -> int:
    """Set labels of a run, and print what it has."""
    changes = read_changes(given.changes)
    run = client.get_run(given.run_id, context=given.context)
    found = change_labels(run.pipelines, run.run_id, changes) if changes else run.labels
    for key, value in found.items():
        print(f"{key}={value}")
    return 0


def compare_(given: argparse.Namespace) -> int:
    """Print runs beside each other, and what differs in the code of their steps."""
    runs = [client.get_run(run_id, context=given.context) for run_id in given.run_ids]
    if given.label:
        found = client.list_runs(label=given.label, context=given.context)
        # Lists leave out what tasks made, and with it the metrics.
        known = {run.run_id for run in runs}
        runs += [run.refresh() for run in found if run.run_id not in known]
    if not runs:
        raise SpecError("No run is named, and none has the label.", hint="fairlead runs")
    comparison = compare(*runs)
    print(comparison)
    print(f"\n{comparison.sources!r}")
    return 0


def prune(given: argparse.Namespace) -> int:
    """Delete runs that are over the limits; asks first."""
    limits = _limits(given)
    experiment = (
        get_experiment(given.experiment, context=given.context) if given.experiment else None
    )
    pipelines = client.connect(given.context)
    if given.every:
        return _repeat(given, pipelines)
    gone = plan_cleanup(pipelines, limits, experiment.experiment_id if experiment else "")
    if not gone:
        print("Nothing to clean up.")
        return 0
    for removal in gone:
        print(f"{removal.run.run_id[:8]}  {removal.run.ended:%Y-%m-%d %H:%M}  {removal.run.name}")
    if given.dry_run:
        print(f"{_count(gone)} would be deleted.")
        return 0
    if not given.yes:
        _confirm(gone)
    for removal in gone:
        # Pinned since, it stays: `delete` looks again.
        client.Run(
            pipelines, {"run_id": removal.run.run_id, "display_name": removal.run.name}
        ).delete()
    print(f"Deleted {_count(gone)}.")
    return 0


def _repeat(given: argparse.Namespace, pipelines: PipelinesClient) -> int:
    """Let a CronJob do it: it runs also while nobody is here."""
    limits = {
        "--older-than": given.older_than,
        "--keep": given.keep,
        "--max-size": given.max_size,
        "--experiment": given.experiment,
    }
    arguments = [f"{name}={value}" for name, value in limits.items() if value is not None]
    job = cleanup_cronjob(arguments, given.every, image=given.image, interpreter=sys.executable)
    namespace = pipelines.namespace
    pipelines.kube.apply(job, namespace)
    name = job["metadata"]["name"]
    print(f"Made the CronJob {name} in the namespace {namespace}: {' '.join(arguments)}.")
    print(f"It is ended by: kubectl delete cronjob {name} -n {namespace}")
    return 0


def _limits(given: argparse.Namespace) -> Limits:
    limits = Limits(
        age=read_age(given.older_than) if given.older_than else None,
        runs=given.keep,
        size=_bytes(given.max_size) if given.max_size else None,
    )
    if limits == Limits():
        raise SpecError(
            "What is to be cleaned up?",
            hint="fairlead prune --older-than 30d, --keep 100, --max-size 10Gi",
        )
    if limits.runs is not None and limits.runs < 0:
        raise SpecError("--keep: must not be less than 0.")
    return limits


def _bytes(text: str) -> int:
    try:
        found = parse_quantity(text)
    except ValueError as error:
        raise SpecError(
            f"--max-size: '{text}' is no size.", hint="For example 10Gi or 500M."
        ) from error
    return int(found)


def _count(gone: list[Removal]) -> str:
    return f"{len(gone)} {'run' if len(gone) == 1 else 'runs'}"


def _confirm(gone: list[Removal]) -> None:
    what = f"{_count(gone)} to be deleted with history and artifacts."
    if not sys.stdin.isatty():
        raise SpecError(what, hint="fairlead prune --yes, or --dry-run to look first")
    if input(f"{what} Delete? [y/N] ").strip().lower() not in ("y", "yes"):
        raise SpecError("Nothing was deleted.")
