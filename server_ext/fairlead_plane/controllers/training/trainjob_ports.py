"""The port on which the first node of a TrainJob waits for the others.

On a cluster it is 29500 for every job, since each has addresses of its own. Here all jobs share
loopback, so each gets a port that nobody else has; its JobSet keeps it.
"""

from __future__ import annotations

import random
import socket

from ...resources import JOB_SET, Json, Transaction

HOST = "127.0.0.1"
PORT_ANNOTATION = "fairlead.dev/port"

# Below the range from which Linux takes ports for connections.
_FIRST, _LAST = 20000, 29999


def find_port(transaction: Transaction, jobset: Json | None) -> int:
    """Return the port of a JobSet, or a free one for a new JobSet."""
    known = kept_port(jobset)
    if known:
        return known
    taken = {kept_port(each) for each in transaction.list(JOB_SET)}
    for port in random.sample(range(_FIRST, _LAST + 1), 200):
        if port not in taken and _is_free(port):
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST} on {HOST}")


def kept_port(jobset: Json | None) -> int:
    """Return the port that a JobSet keeps; 0 for none."""
    annotations = ((jobset or {}).get("metadata") or {}).get("annotations") or {}
    return int(annotations.get(PORT_ANNOTATION, 0))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
