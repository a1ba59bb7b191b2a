"""JAXJob: the coordinator, and which process this is."""

from __future__ import annotations

from ...resources import JAX_JOB, Json
from .contract import Addresses, Contract, Values, all_done, any_active


def _environment(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    first = addresses["Worker", 0]
    return {
        "PYTHONUNBUFFERED": "1",
        "COORDINATOR_PORT": str(first.port),
        "COORDINATOR_ADDRESS": first.host,
        "NUM_PROCESSES": str(len(addresses)),
        "PROCESS_ID": str(index),
    }


def _extra(job: Json, type: str, index: int, addresses: Addresses) -> Values:
    """Return the names that the trainer's `jax` runtime gives, which JAX itself reads."""
    return {
        "JAX_COORDINATOR_ADDRESS": str(addresses["Worker", 0]),
        "JAX_NUM_PROCESSES": str(len(addresses)),
        "JAX_PROCESS_ID": str(index),
    }


JAX = Contract(
    JAX_JOB,
    port_name="jaxjob-port",
    port=6666,
    restart_policy="Never",
    succeeded=all_done(),
    running=any_active(),
    environment=_environment,
    extra=_extra,
    master=lambda types, type, index: index == 0,
    qualified=True,
)
