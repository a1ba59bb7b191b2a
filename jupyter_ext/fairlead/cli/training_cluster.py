"""`fairlead jobs top | convert` and `fairlead whoami`: what is free, a job anew, who asks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from fairlead.errors import FairleadError, SpecError
from fairlead.kinds.training_convert import to_train_job
from fairlead.kube import KubeClient
from fairlead.kube.usage import pod_requests, read_usage
from fairlead.training.job import get_job, list_jobs
from fairlead.yaml_text import dump_yaml

_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_GIB = 2**30


def top(given: argparse.Namespace) -> int:
    """Print what is used and free, and what each running job asks for."""
    kube = KubeClient(given.context)
    usage = read_usage(kube, kube.context.namespace)
    for name, unit, by in (("cpu", "cores", 1), ("memory", "GiB", _GIB), ("gpu", "", 1)):
        used, there = usage[name]["used"], usage[name]["allocatable"]
        total = "?" if there is None else f"{there / by:g}" if by == 1 else f"{there / by:.1f}"
        print(f"{name:<8} {used / by:.4g} of {total} {unit}".rstrip())
    for job in list_jobs(given.context):
        if job.status().state not in ("RUNNING", "RESTARTING", "PENDING"):
            continue
        asked = [pod_requests(pod) for pod in job.pods()]
        cpu, memory, gpu = (sum(a.get(n, 0.0) for a in asked) for n in ("cpu", "memory", "gpu"))
        print(f"{job.kind:<11} {job.name:<40} cpu {cpu:g}  memory {memory / _GIB:.1f}  gpu {gpu:g}")
    return 0


def convert(given: argparse.Namespace) -> int:
    """Print a job as a TrainJob; what is lost goes to the error output."""
    path = Path(given.job)
    if path.suffix in (".yaml", ".yml", ".json"):
        if not path.is_file():
            raise SpecError(f"There is no file {path}.")
        try:
            documents = [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each]
        except yaml.YAMLError as error:
            raise SpecError(f"{path} is no YAML: {error}") from error
    else:
        documents = [get_job(given.job, context=given.context).manifest]
    made = []
    for each in documents:
        job, warnings = to_train_job(each)
        made.append(job)
        for warning in warnings:
            print(f"Warning: {job['metadata']['name']}: {warning}", file=sys.stderr)
    print(dump_yaml(made), end="")
    return 0


def whoami(given: argparse.Namespace) -> int:
    """Print the context, its namespace, and who the server takes one for."""
    kube = KubeClient(given.context)
    context = kube.context
    print(f"context:    {context.name}\nserver:     {context.server}")
    print(f"namespace:  {context.namespace}")
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer: dict[str, Any] = json.loads(kube.request("POST", _REVIEW, body=body))
    except FairleadError as error:
        if error.code not in (403, 404):
            raise
        print("user:       not told by this server")
        return 0
    user = (answer.get("status") or {}).get("userInfo") or {}
    print(f"user:       {user.get('username', '')}")
    print(f"groups:     {', '.join(user.get('groups') or ())}")
    return 0
