"""The global random generators: their state goes on from step to step once they are seeded."""

from __future__ import annotations

import importlib
import sys
import typing

Json = typing.Dict[str, typing.Any]  # noqa: UP006
RANDOM = "(random)"


def random_state() -> Json:
    """Return the states of the global random generators that this process has loaded."""
    import random

    state: Json = {"random": random.getstate()}
    if "numpy" in sys.modules:
        state["numpy"] = sys.modules["numpy"].random.get_state()
    if "torch" in sys.modules:
        state["torch"] = sys.modules["torch"].get_rng_state().numpy()
    return state


def restore_random(state: Json) -> None:
    """Go on with the global random generators where another step left them."""
    import random

    random.setstate(state["random"])
    if "numpy" in state:
        import numpy

        numpy.random.set_state(state["numpy"])
    if "torch" in state:
        torch = importlib.import_module("torch")
        torch.set_rng_state(torch.from_numpy(state["torch"]))
