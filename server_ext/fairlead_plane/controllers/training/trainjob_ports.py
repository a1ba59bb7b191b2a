"""The port on which the first node of a TrainJob waits for the others; its JobSet keeps it."""

from __future__ import annotations

from ...resources import Json, Transaction
from .ports import free_ports, kept_port


def find_port(transaction: Transaction, jobset: Json | None) -> int:
    """Return the port of a JobSet, or a free one for a new JobSet."""
    return kept_port(jobset) or free_ports(transaction, 1)[0]
