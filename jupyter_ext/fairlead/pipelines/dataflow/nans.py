"""The number nan: it equals nothing, and is found in a container as the very object only."""

from __future__ import annotations

from fairlead.pipelines.dataflow.heap import Value
from fairlead.pipelines.dataflow.machine import SETUP, Machine
from fairlead.pipelines.dataflow.objects import CONTAINERS

NANS = frozenset({"numpy.nan", "math.nan", "float.nan"})


def remark_nan(m: Machine, what: str) -> None:
    """Warn where it matters which object a nan is."""
    m.remark(
        "warning",
        "nan",
        f"{what}: one that comes from another step is a copy, and never is.",
        "Ask `pandas.isna(x)`, or `x != x`.",
    )


def look_up(m: Machine, owner: Value, key: Value) -> None:
    """Warn where a nan is looked for in a container that has travelled: it goes by identity."""
    things = m.heap.reach(key)
    if any(m.heap[t].path in NANS for t in things) and any(
        m.heap[t].kind in CONTAINERS and SETUP < m.heap[t].segment != m.segment for t in owner
    ):
        remark_nan(m, "This looks for the very object `nan` in a list, tuple, set or dict")
