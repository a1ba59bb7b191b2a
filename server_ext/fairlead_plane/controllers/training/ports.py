"""Ports of this machine through which the replicas of a job meet.

On a cluster the port is the same for every job, since each replica has an address of its own. Here
all share loopback, so a replica gets a port that nobody else has. It is chosen once: a JobSet keeps
it as an annotation, and a job of the training operator in the Services of its replicas, as their
`targetPort`.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

from ...resources import JOB_SET, SERVICE, Json, Transaction

HOST = "127.0.0.1"
PORT_ANNOTATION = "fairlead.dev/port"
OPERATOR_LABEL = "training.kubeflow.org/operator-name"

# Below the range from which Linux takes ports for connections.
_FIRST, _LAST = 20000, 29999


def free_ports(transaction: Transaction, count: int) -> list[int]:
    """Return ports that no training job has, and on which nobody listens.

    Raises
    ------
    OSError
        There are not enough.
    """
    taken = {kept_port(each) for each in transaction.list(JOB_SET)}
    for service in transaction.list(SERVICE, label_selector=OPERATOR_LABEL):
        taken.update(_targets(service))
    found: list[int] = []
    for port in random.sample(range(_FIRST, _LAST + 1), _LAST + 1 - _FIRST):
        if len(found) == count:
            break
        if port not in taken and _is_free(port):
            found.append(port)
    if len(found) < count:
        raise OSError(f"no {count} free ports between {_FIRST} and {_LAST} on {HOST}")
    return found


def kept_port(jobset: Json | None) -> int:
    """Return the port that a JobSet keeps; 0 for none."""
    annotations = ((jobset or {}).get("metadata") or {}).get("annotations") or {}
    return int(annotations.get(PORT_ANNOTATION, 0))


def _targets(service: Json) -> Iterator[int]:
    for each in service["spec"].get("ports") or ():
        if isinstance(each.get("targetPort"), int):
            yield each["targetPort"]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
