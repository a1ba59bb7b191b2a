"""The options of a training job as the command line and `%%train` have them."""

from __future__ import annotations

import argparse
from typing import Any

from fairlead.errors import SpecError
from fairlead.kinds.frameworks import KINDS
from fairlead.kinds.training import RunPolicy


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a job is like."""
    kinds = ", ".join(kind.kind for kind in KINDS)
    parser.add_argument("--kind", default="PyTorchJob", help=f"{kinds} (default: PyTorchJob)")
    parser.add_argument("--workers", type=int, default=1, help="replicas that train, all together")
    parser.add_argument("--processes", type=int, help="processes in each replica")
    parser.add_argument("--servers", type=int, default=0, help="parameter servers beside them")
    parser.add_argument("--gpus", type=int, default=0, help="of each replica")
    parser.add_argument("--cpu", default="", help="of each replica")
    parser.add_argument("--memory", default="", help="of each replica, such as 4Gi")
    parser.add_argument("--name", default="", help="of the job")
    parser.add_argument("--image", default="", help="on a cluster")
    parser.add_argument("--package", dest="packages", action="append", default=[])
    parser.add_argument(
        "-e", "--env", action="append", default=[], metavar="NAME=VALUE", help="a variable"
    )
    parser.add_argument(
        "--workspace", metavar="FOLDER", help="whose files go along, but those in .fairleadignore"
    )
    parser.add_argument(
        "--data", action="append", default=[], metavar="CLAIM:PATH", help="a claim and its place"
    )
    parser.add_argument("--restart-policy", default="")
    parser.add_argument("--runtime", default="", help="of a TrainJob")
    parser.add_argument(
        "--ttl", type=int, metavar="SECONDS", help="delete it so long after its end"
    )
    parser.add_argument("--deadline", type=int, metavar="SECONDS", help="end it after so long")
    parser.add_argument(
        "--backoff-limit", type=int, metavar="N", help="restarts until it has failed"
    )
    parser.add_argument("--queue", default="", help="of the scheduler")
    parser.add_argument("--priority-class", default="")
    parser.add_argument("--context", metavar="CONTEXT", help="default: the context in use")


def read_train_options(given: argparse.Namespace) -> dict[str, Any]:
    """Return the options as `fairlead.train` takes them."""
    return {
        "kind": given.kind,
        "workers": given.workers,
        "processes": given.processes,
        "servers": given.servers,
        "gpus": given.gpus,
        "cpu": given.cpu,
        "memory": given.memory,
        "name": given.name,
        "image": given.image,
        "packages": given.packages,
        "env": dict(_pair("--env", each, "=") for each in given.env),
        "workspace": given.workspace,
        "volumes": dict(_pair("--data", each, ":") for each in given.data),
        "restart_policy": given.restart_policy,
        "runtime": given.runtime,
        "policy": RunPolicy(
            ttl_seconds_after_finished=given.ttl,
            active_deadline_seconds=given.deadline,
            backoff_limit=given.backoff_limit,
            queue=given.queue,
            priority_class=given.priority_class,
        ),
        "context": given.context,
    }


def _pair(option: str, text: str, sign: str) -> tuple[str, str]:
    name, found, value = text.partition(sign)
    if not (found and name):
        raise SpecError(f"{option}: '{text}' lacks its `{sign}`.")
    return name, value
