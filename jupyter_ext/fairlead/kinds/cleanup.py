"""The CronJob that cleans up runs again and again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from fairlead.names import INTERPRETER_ANNOTATION

NAME = "fairlead-prune"
_DEADLINE_S = 3600


def cleanup_cronjob(
    arguments: Sequence[str], schedule: str, *, image: str = "", interpreter: str = ""
) -> dict[str, Any]:
    """Return a `batch/v1` CronJob that runs `fairlead prune`.

    Parameters
    ----------
    arguments : sequence of str
        Of `fairlead prune`: the limits.
    schedule : str
        Five fields, as CronJobs have them.
    image : str
        An image that has Fairlead; default: that of this Python's version, which is enough where
        `interpreter` counts.
    interpreter : str
        Path of a Python with Fairlead, for a control plane that runs pods as processes of this
        machine; a cluster ignores it.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": NAME},
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": _DEADLINE_S,
                    "template": {
                        "metadata": {"annotations": {INTERPRETER_ANNOTATION: interpreter}},
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [
                                {
                                    "name": "prune",
                                    "image": image or f"python:{version}",
                                    "command": ["python", "-m", "fairlead.cli", "prune", "--yes"],
                                    "args": list(arguments),
                                }
                            ],
                        },
                    },
                }
            },
        },
    }
