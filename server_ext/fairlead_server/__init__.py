"""The Jupyter Server extension: what the panels ask, and what is pushed to them.

Belongs here: HTTP handlers, one file per noun, and the watches behind the panels. What a run is and
how one is started is in `fairlead.client`.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from fairlead_server.extension import FairleadExtension

    return [{"module": "fairlead_server", "app": FairleadExtension}]
