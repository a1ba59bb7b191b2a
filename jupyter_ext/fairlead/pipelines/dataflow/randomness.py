"""The global random generators, once a notebook has seeded them: their state travels."""

from __future__ import annotations

from fairlead.pipelines.dataflow import tables
from fairlead.pipelines.dataflow.arguments import Arguments
from fairlead.pipelines.dataflow.heap import NOTHING
from fairlead.pipelines.dataflow.machine import Machine

RANDOM = "(random)"
"""Stands among the names for the state of the global random generators."""


def use_random(m: Machine, path: str, name: str, args: Arguments) -> None:
    """Keep account of the global random generators, once a notebook has seeded them."""
    if name in tables.DRAWING_FUNCTIONS and not args.flags & tables.SEEDS:
        draw(m)
    if name in tables.SEEDING:
        m.seeded.add(path.split(".", 1)[0])
        whole = m.module.names.get(RANDOM)
        state = m.heap.at(("random", m.segment), "opaque", m.segment, path=RANDOM)
        m.store(RANDOM, frozenset({state.id}) | (whole.value if whole else NOTHING), frame=m.module)
        if whole is not None:
            m.load_global(RANDOM, soft=True)
    elif "torch" in m.seeded and path.startswith("torch"):
        draw(m)  # weights, masks and the order of data come from there
    elif path.startswith(("random.", "numpy.random.")) and not name[:1].isupper():
        if name not in ("default_rng", "getstate", "get_state"):
            draw(m)


def draw_from(m: Machine, args: Arguments) -> None:
    """Take numbers from a generator that a call is given, such as `random_state=rng`."""
    for flag in tables.SEEDS & args.flags:
        m.mutate(args.named[flag])


def draw(m: Machine) -> None:
    """Take numbers from the global random generators: their state goes on from there."""
    if RANDOM in m.module.names:
        m.mutate(m.load_global(RANDOM, soft=True))
        m.account.writes.add(RANDOM)
