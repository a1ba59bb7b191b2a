"""A run in the notebook: live as a widget, and as a picture in the saved file.

Belongs here: what is shown. What a run is and does is in `fairlead.client`.
"""

from __future__ import annotations

from fairlead.widgets.live import LiveRun, get_run, run, runs

__all__ = ["LiveRun", "get_run", "run", "runs"]
