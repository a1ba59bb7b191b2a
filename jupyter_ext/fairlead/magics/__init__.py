"""`%fairlead` and `%%train`: the command line of a notebook.

Belongs here: the line's arguments and what the cell shows.
"""

from __future__ import annotations

from typing import Any

from fairlead.magics.fairlead_magic import FairleadMagics
from fairlead.magics.train_magic import TrainMagics


def register(shell: Any) -> None:
    """Register `%fairlead` and `%%train` with an IPython shell."""
    shell.register_magics(FairleadMagics, TrainMagics)
