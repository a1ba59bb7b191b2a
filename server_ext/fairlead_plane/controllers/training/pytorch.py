"""PyTorchJob: ranks and the address of rank 0, for plain scripts and for torchrun."""

from __future__ import annotations

from ...resources import PYTORCH_JOB, Json
from .contract import Addresses, Contract, Progress, Values, all_done, any_active

_DONE = all_done("Master")


def _environment(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    spec = job["spec"]
    elastic, count = spec.get("elasticPolicy"), len(addresses)
    found: Values = {"PYTHONUNBUFFERED": "1"}
    per_node = spec.get("nprocPerNode")
    if elastic and elastic.get("nProcPerNode") is not None:
        per_node = str(elastic["nProcPerNode"])
    per_node = per_node or "auto"
    master = addresses.get(("Master", 0))
    if master is not None:
        # A rank of nodes, whatever runs on each: as the operator has it.
        rank = 0 if type == "Master" else index + 1
        processes = int(per_node) if per_node.isdigit() else 1
        found |= {
            "PET_MASTER_PORT": str(master.port),
            "PET_MASTER_ADDR": master.host,
            "MASTER_PORT": str(master.port),
            "MASTER_ADDR": master.host,
            "WORLD_SIZE": str(count * processes),
            "RANK": str(rank),
            "PET_NODE_RANK": str(rank),
        }
    found |= {"PET_NPROC_PER_NODE": per_node, "PET_NNODES": str(count)}
    return found | _elastic(spec, elastic, addresses) if elastic else found


def _elastic(spec: Json, elastic: Json, addresses: Addresses) -> Values:
    workers = sum(type == "Worker" for type, _ in addresses)
    first = addresses.get(("Worker", 0))
    host = elastic.get("rdzvHost") or (first.host if first else "")
    port = elastic.get("rdzvPort") or (first.port if first else "")
    found = {
        "PET_RDZV_ENDPOINT": f"{host}:{port}",
        "PET_RDZV_BACKEND": elastic.get("rdzvBackend") or "c10d",
        "PET_NNODES": f"{elastic.get('minReplicas') or workers}:"
        f"{elastic.get('maxReplicas') or workers}",
    }
    if elastic.get("maxRestarts") is not None:
        found["PET_MAX_RESTARTS"] = str(elastic["maxRestarts"])
    if elastic.get("rdzvId"):
        found["PET_RDZV_ID"] = elastic["rdzvId"]
    if elastic.get("rdzvConf"):
        pairs = (f"{each.get('key', '')}={each.get('value', '')}" for each in elastic["rdzvConf"])
        found["PET_RDZV_CONF"] = ",".join(pairs)
    if elastic.get("standalone"):
        found["PET_STANDALONE"] = ""
    return found


def _succeeded(job: Json, progress: Progress) -> bool:
    if job["spec"].get("elasticPolicy") and "Master" not in progress.counts:
        return progress.counts["Worker"].succeeded > 0
    return _DONE(job, progress)


PYTORCH = Contract(
    PYTORCH_JOB,
    port_name="pytorchjob-port",
    port=23456,
    restart_policy="OnFailure",
    succeeded=_succeeded,
    running=any_active("Master"),
    environment=_environment,
)
