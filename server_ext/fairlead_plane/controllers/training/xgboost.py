"""XGBoostJob, for XGBoost and LightGBM: rank 0 starts the tracker at the master's address."""

from __future__ import annotations

from ...resources import XGBOOST_JOB, Json
from .contract import Addresses, Contract, Values, all_done, any_active, loopback


def _environment(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    master = addresses["Master", 0]
    found: Values = {
        "PYTHONUNBUFFERED": "1",
        "MASTER_PORT": str(master.port),
        "MASTER_ADDR": master.host,
        "WORLD_SIZE": str(len(addresses)),
        "RANK": str(_rank(type, index, addresses)),
    }
    workers = [number for each, number in addresses if each == "Worker"]
    if workers:
        # One port for all workers is what the contract says: so each has an address of its own.
        found["WORKER_PORT"] = str(addresses["Worker", 0].port)
        found["WORKER_ADDRS"] = ",".join(map(loopback, workers))
    return found


def _extra(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    """Return the names that the trainer's `xgboost` runtime gives."""
    master = addresses["Master", 0]
    return {
        "DMLC_TRACKER_URI": master.host,
        "DMLC_TRACKER_PORT": str(master.port),
        "DMLC_TASK_ID": str(_rank(type, index, addresses)),
        "DMLC_NUM_WORKER": str(len(addresses)),
    }


def _rank(type: str, index: int, addresses: Addresses) -> int:
    masters = sum(each == "Master" for each, _ in addresses)
    return index if type == "Master" else masters + index


XGBOOST = Contract(
    XGBOOST_JOB,
    port_name="xgboostjob-port",
    port=9999,
    restart_policy="Never",
    succeeded=all_done("Master"),
    running=any_active("Master"),
    environment=_environment,
    extra=_extra,
)
