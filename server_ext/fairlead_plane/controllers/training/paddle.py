"""PaddleJob: the master at which `paddle.distributed.launch` agrees on ranks."""

from __future__ import annotations

from ...resources import PADDLE_JOB, Json
from .contract import Addresses, Contract, Values, all_done, any_active

_POD_IP = "POD_IP_DUMMY"


def _environment(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    servers = any(each == "Master" for each, _ in addresses)
    first = ("Master" if servers else "Worker", 0)
    master = addresses[first]
    found: Values = {
        "PYTHONUNBUFFERED": "1",
        "PADDLE_JOB_ID": job["metadata"]["name"],
        "PADDLE_NNODES": str(len(addresses)),
    }
    if (type, index) == first:
        found[_POD_IP] = {"fieldRef": {"fieldPath": "status.podIP"}}
        found["PADDLE_MASTER"] = f"$({_POD_IP}):{master.port}"
    else:
        found["PADDLE_MASTER"] = str(master)
    if servers:
        found["PADDLE_SERVER_NUM" if type == "Master" else "PADDLE_TRAINER_NUM"] = "1"
    return found


PADDLE = Contract(
    PADDLE_JOB,
    port_name="master",
    port=36543,
    restart_policy="OnFailure",
    succeeded=all_done("Master"),
    running=any_active("Master"),
    environment=_environment,
)
