"""TFJob: `TF_CONFIG`, where every task listens on a port of its own."""

from __future__ import annotations

import json

from ...resources import TF_JOB, Json
from .contract import Addresses, Contract, Progress, Values, all_done, any_active

_CHIEFS = ("Chief", "Master")
_DONE = all_done(*_CHIEFS)


def _environment(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    if len(addresses) == 1:
        return {}
    task = {"type": type.lower(), "index": index}
    if job["spec"].get("enableDynamicWorker"):
        return {"TF_CONFIG": _text({"cluster": _sparse(type, index, addresses), "task": task})}
    cluster: dict[str, list[str]] = {}
    for (each, _), address in addresses.items():
        cluster.setdefault(each.lower(), []).append(str(address))
    return {"TF_CONFIG": _text({"cluster": cluster, "task": task, "environment": "cloud"})}


def _sparse(type: str, index: int, addresses: Addresses) -> Json:
    """Return the cluster of a job whose workers come and go: each knows itself and the servers."""
    servers = [str(address) for (each, _), address in addresses.items() if each == "PS"]
    if type == "PS":
        return {"worker": {}, "ps": [str(addresses[type, index])]}
    workers = {str(index): str(addresses[type, index])} if type == "Worker" else {}
    return {"worker": workers, "ps": servers}


def _text(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def _succeeded(job: Json, progress: Progress) -> bool:
    if any(type in progress.counts for type in _CHIEFS):
        return _DONE(job, progress)
    if job["spec"].get("successPolicy") == "AllWorkers":
        return _DONE(job, progress)
    return progress.first_worker_done or _DONE(job, progress)


def _master(types: set[str], type: str, index: int) -> bool:
    if types & set(_CHIEFS):
        return type in _CHIEFS
    return type == "Worker" and index == 0


TENSORFLOW = Contract(
    TF_JOB,
    port_name="tfjob-port",
    port=2222,
    restart_policy="Never",
    succeeded=_succeeded,
    running=any_active(*_CHIEFS),
    environment=_environment,
    master=_master,
    qualified=True,
    main_only=True,
)
