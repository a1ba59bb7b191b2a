"""`fairlead up | down | status | kubeconfig`."""

from __future__ import annotations

import argparse
import sys

from fairlead.errors import SpecError
from fairlead.kube import EMBEDDED_CONTEXT, KubeClient, load_context
from fairlead.kube.client import NODES, PODS
from fairlead.kube.contexts import plane_pid, stop_plane
from fairlead.settings import data_dir


def up(_: argparse.Namespace) -> int:
    """Start the control plane."""
    context = load_context(EMBEDDED_CONTEXT)
    context.start()
    print(f"The control plane is up (process {plane_pid()}).\nKubeconfig: {context.kubeconfig}")
    return 0


def down(given: argparse.Namespace) -> int:
    """Stop the control plane; asks first when pods still run."""
    if plane_pid() is None:
        print("The control plane is not running.")
        return 0
    running = _running_pods()
    if running and not given.yes:
        _confirm(running)
    stop_plane()
    print("The control plane is down.")
    return 0


def status(_: argparse.Namespace) -> int:
    """Print where the control plane is; exit code 1 where it is down."""
    pid = plane_pid()
    print(f"Data directory  {data_dir()}")
    if pid is None:
        print("Control plane   down; it starts when it is needed, or with `fairlead up`")
        return 1
    client = KubeClient(EMBEDDED_CONTEXT)
    node = client.list(NODES)[0]
    allocatable = node["status"]["allocatable"]
    print(f"Control plane   up, process {pid}")
    print(f"Kubeconfig      {client.context.kubeconfig}")
    print(
        f"Node            {node['metadata']['name']}: "
        + ", ".join(f"{amount} {resource}" for resource, amount in sorted(allocatable.items()))
    )
    print(f"Pods running    {len(_running_pods())}")
    return 0


def kubeconfig(_: argparse.Namespace) -> int:
    """Print the path of the kubeconfig."""
    context = load_context(EMBEDDED_CONTEXT)
    if not context.ready() or plane_pid() is None:
        context.start()
    print(context.kubeconfig)
    return 0


def _running_pods() -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in KubeClient(EMBEDDED_CONTEXT).list(PODS)
        if pod.get("status", {}).get("phase") == "Running"
    ]


def _confirm(running: list[str]) -> None:
    what = (
        f"{len(running)} pods still run and would be stopped; "
        "their steps run again at the next start."
    )
    if not sys.stdin.isatty():
        raise SpecError(what, hint="fairlead down --yes")
    if input(f"{what} Stop them? [y/N] ").strip().lower() not in ("y", "yes"):
        raise SpecError("Nothing was stopped.")
