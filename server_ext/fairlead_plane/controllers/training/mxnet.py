"""MXJob: the parameter server's root, and `MX_CONFIG` with every task."""

from __future__ import annotations

import json

from ...resources import MX_JOB, Json
from ...resources.validation_training_jobs import SHAPES, fold_type
from .contract import Addresses, Contract, Values, all_done, any_active

_TUNER_KEY = "tuner-server-key"


def _environment(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    cluster: dict[str, list[Json]] = {}
    for (each, _), address in addresses.items():
        entry = {"url": address.host, "port": address.port}
        cluster.setdefault(each.lower(), []).append(entry)
    config = {
        "cluster": cluster,
        "labels": _labels(job),
        "task": {"type": type.lower(), "index": index},
    }
    root = addresses.get(("Scheduler", 0))
    found: Values = {
        "MX_CONFIG": json.dumps(config, separators=(",", ":")),
        "DMLC_PS_ROOT_PORT": str(root.port if root else 0),
        "DMLC_PS_ROOT_URI": root.host if root else "",
        "DMLC_NUM_SERVER": str(len(cluster.get("server", ()))),
        "DMLC_NUM_WORKER": str(len(cluster.get("worker", ()))),
        "DMLC_ROLE": type.lower(),
        "DMLC_USE_KUBERNETES": "1",
    }
    if type == "Worker":
        found["DMLC_WORKER_ID"] = str(index)
    return found


def _labels(job: Json) -> dict[str, str]:
    """Return the tuner's key of each type, which the pod templates have as an annotation."""
    shape, found = SHAPES["MXJob"], {}
    for key, spec in job["spec"][shape.key].items():
        metadata = ((spec or {}).get("template") or {}).get("metadata") or {}
        found[fold_type(shape, key).lower()] = (metadata.get("annotations") or {}).get(
            _TUNER_KEY, ""
        )
    return found


MXNET = Contract(
    MX_JOB,
    port_name="mxjob-port",
    port=9091,
    restart_policy="Never",
    succeeded=all_done("Scheduler", "TunerTracker"),
    running=any_active("Scheduler", "TunerTracker"),
    environment=_environment,
    master=lambda types, type, index: type == "Server",
)
