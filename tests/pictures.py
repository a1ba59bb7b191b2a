"""Pictures of a page to look at, where a folder for them is named."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = os.environ.get("FAIRLEAD_TEST_PICTURES")
_SETTLED_MS = 400


def picture(page, name):
    """Keep a picture of what a test sees now."""
    if FOLDER:
        # Bars and dialogs move into their places.
        page.wait_for_timeout(_SETTLED_MS)
        page.screenshot(path=str(Path(FOLDER) / f"{name}.png"))
