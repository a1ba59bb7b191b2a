"""Where Fairlead keeps its data on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

DATA_DIR_VARIABLE = "FAIRLEAD_DATA_DIR"


def data_dir() -> Path:
    """Return the data directory of the embedded control plane.

    Returns
    -------
    Path
        Absolute. The value of `FAIRLEAD_DATA_DIR`, else the user data directory of this
        system (`~/.local/share/fairlead` on Linux). It may not exist yet.
    """
    chosen = os.environ.get(DATA_DIR_VARIABLE)
    return (
        Path(chosen).expanduser().absolute() if chosen else platformdirs.user_data_path("fairlead")
    )
