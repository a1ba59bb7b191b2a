"""`fairlead train` and `fairlead jobs list | get | logs | delete | suspend | resume | prune`."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import Any

from fairlead.cli import training_cluster
from fairlead.errors import SpecError
from fairlead.kinds.training_status import JobStatus
from fairlead.pipelines.retention import read_age
from fairlead.training.job import TrainingJob, get_job, list_jobs
from fairlead.training.options import add_train_options, read_train_options
from fairlead.yaml_text import dump_yaml


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this file."""
    start = commands.add_parser(
        "train",
        help="run a script or command as a training job of any kind, and show its output",
        description="fairlead train --workers 4 train.py --lr 0.1. Options of the job stand before "
        "the script. Exit code 0: Succeeded; 1: Failed; 2: refused before the start.",
    )
    add_train_options(start)
    start.add_argument("--detach", action="store_true", help="do not wait for the end")
    start.add_argument("words", nargs=argparse.REMAINDER, metavar="SCRIPT|COMMAND ...")
    start.set_defaults(action=train)

    jobs = commands.add_parser("jobs", help="list training jobs, and look after them")
    verbs = jobs.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="list them, newest first")
    listing.set_defaults(action=list_)
    show = verbs.add_parser("get", help="print a job's replicas and why one waits or has failed")
    show.add_argument("-o", dest="output", choices=["yaml"], help="the manifest instead")
    show.set_defaults(action=get)
    logs = verbs.add_parser("logs", help="print the output of all replicas, failed ones first")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until they have ended")
    logs.set_defaults(action=print_logs)
    for name, action, words in (
        ("delete", delete, "delete jobs with their pods and code"),
        ("suspend", suspend, "take a job's pods away and keep the job"),
        ("resume", resume, "let a suspended job go on"),
    ):
        verbs.add_parser(name, help=words).set_defaults(action=action)
    old = verbs.add_parser("prune", help="delete jobs that ended long ago")
    old.add_argument("--older-than", required=True, metavar="AGE", help="30d, 12h, 2w")
    old.set_defaults(action=prune)
    verbs.add_parser("top", help="print what is free, and what each job asks for").set_defaults(
        action=training_cluster.top
    )
    turned = verbs.add_parser(
        "convert",
        help="print a job of the training operator as a TrainJob",
        description="A job's name, or a file. What is lost goes to the error output.",
    )
    turned.set_defaults(action=training_cluster.convert)
    who = commands.add_parser("whoami", help="print who the server takes you for, and where")
    who.add_argument("--context", metavar="CONTEXT", help="default: the context in use")
    who.set_defaults(action=training_cluster.whoami)
    for name, verb in verbs.choices.items():
        if name not in ("list", "prune", "top"):
            count: Any = "+" if name in ("delete", "suspend", "resume") else None
            verb.add_argument("job", nargs=count, metavar="JOB", help="name, or KIND/NAME")
        verb.add_argument("--context", metavar="CONTEXT", help="default: the context in use")


def train(given: argparse.Namespace) -> int:
    """Start a job, show its output and say how it ended."""
    words = given.words[1:] if given.words[:1] == ["--"] else given.words
    if not words:
        raise SpecError("What is to be run?", hint="fairlead train --workers 2 train.py")
    # Loaded here: what the other commands do needs none of it.
    from fairlead.training.train import train as start

    script = words[0].endswith(".py")
    what, rest = (words[0], words[1:]) if script else (words, [])
    job = start(what, rest, **read_train_options(given))
    print(f"{job.kind} {job.name}", flush=True)
    if given.detach:
        return 0
    try:
        return follow(job)
    except KeyboardInterrupt:
        print(f"\nThe job goes on. Delete it with: fairlead jobs delete {job.name}")
        raise


def follow(job: TrainingJob) -> int:
    """Print a job's output until its end, and how it ended; returns an exit code."""
    job.wait_begun(lambda message: print(f"Waiting: {message}", flush=True))
    for line in job.logs(follow=True):
        print(line, flush=True)
    job.wait()
    print(f"{job.name}: Succeeded")
    return 0


def list_(given: argparse.Namespace) -> int:
    """List jobs."""
    jobs = list_jobs(given.context)
    if not jobs:
        print("No training jobs. Start one: fairlead train SCRIPT")
    for job in jobs:
        status = job.status()
        count = f"{status.running}/{status.wanted}"
        print(f"{job.kind:<11} {job.name:<40} {status.state:<10} {count:>6} {status.created_at}")
    return 0


def get(given: argparse.Namespace) -> int:
    """Print a job."""
    job = get_job(given.job, context=given.context)
    if given.output:
        print(dump_yaml([job.manifest]), end="")
        return 0
    print(describe(job, job.status()))
    return 0


def describe(job: TrainingJob, status: JobStatus) -> str:
    """Return how a job and its replicas stand, as text."""
    lines = [f"{job.kind} {job.namespace}/{job.name}: {status.state}"]
    lines += [f"  {status.message}"] if status.message else []
    for one in status.replicas:
        told = f"  {one.message}" if one.message else ""
        again = f"  {one.restarts} restarts" if one.restarts else ""
        lines.append(f"  {one.name:<40} {one.state:<10}{again}{told}")
    lines += [f"  {kind:<8} {reason:<22} {message}" for kind, reason, message in job.events()]
    return "\n".join(lines)


def print_logs(given: argparse.Namespace) -> int:
    """Print the output of all replicas."""
    for line in get_job(given.job, context=given.context).logs(follow=given.follow):
        print(line, flush=True)
    return 0


def delete(given: argparse.Namespace) -> int:
    """Delete jobs."""
    for job in _named(given):
        job.delete()
        print(f"Deleted {job.name}.")
    return 0


def suspend(given: argparse.Namespace) -> int:
    """Suspend jobs."""
    for job in _named(given):
        job.suspend()
        print(f"Suspended {job.name}.")
    return 0


def resume(given: argparse.Namespace) -> int:
    """Resume jobs."""
    for job in _named(given):
        job.resume()
        print(f"Resumed {job.name}.")
    return 0


def prune(given: argparse.Namespace) -> int:
    """Delete jobs that ended long ago."""
    age = read_age(given.older_than)
    limit = datetime.now(timezone.utc) - age
    for job in list_jobs(given.context):
        status = job.status()
        if status.state not in ("SUCCEEDED", "FAILED") or not status.finished_at:
            continue
        if datetime.fromisoformat(status.finished_at.replace("Z", "+00:00")) < limit:
            job.delete()
            print(f"Deleted {job.name}.")
    return 0


def _named(given: argparse.Namespace) -> list[TrainingJob]:
    return [get_job(name, context=given.context) for name in given.job]
