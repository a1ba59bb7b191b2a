"""Cleaning up runs that have ended, by age, number and size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from fairlead.errors import CapabilityError, NotFoundError
from fairlead.pins import Pins, read_pins
from fairlead.pipelines.artifact_client import artifacts_of_run
from fairlead.pipelines.client import FINAL_STATES, PipelinesClient
from fairlead.pipelines.retention import Candidate, Limits, Removal, to_remove

_READERS = 6
"""Runs that are read at once."""


def plan_cleanup(
    pipelines: PipelinesClient, limits: Limits, experiment_id: str = ""
) -> list[Removal]:
    """Return the runs that are over the limits, the oldest first; deletes nothing.

    Parameters
    ----------
    experiment_id : str
        Only the runs of this experiment are looked at; empty: all.

    Raises
    ------
    CapabilityError
        A size is asked for, and this server does not tell how large artifacts are.
    """
    records = [
        one
        for one in pipelines.list()
        if not experiment_id or one.get("experiment_id") == experiment_id
    ]
    # What is kept has to be known: where that may not be read nothing is cleaned up.
    pins = read_pins(pipelines)
    if limits.size is None:
        runs = [_candidate(record, pins, {}) for record in records]
    else:
        with ThreadPoolExecutor(_READERS) as readers:
            sizes = list(readers.map(lambda record: _sizes(pipelines, record), records))
        runs = [_candidate(record, pins, held) for record, held in zip(records, sizes, strict=True)]
    return to_remove(runs, limits, datetime.now(timezone.utc))


def _candidate(record: dict[str, Any], pins: Pins, artifacts: dict[str, int]) -> Candidate:
    ended = record.get("state") in FINAL_STATES
    when = record.get("finished_at") or record.get("created_at") or ""
    return Candidate(
        run_id=str(record["run_id"]),
        name=str(record.get("display_name") or record["run_id"]),
        # Before Python 3.11, `fromisoformat` does not know the Z.
        ended=datetime.fromisoformat(when.replace("Z", "+00:00")) if ended else None,
        kept=pins.holds(str(record["run_id"])),
        artifacts=artifacts,
    )


def _sizes(pipelines: PipelinesClient, record: dict[str, Any]) -> dict[str, int]:
    try:
        whole = pipelines.get(record["run_id"])
    except NotFoundError:
        return {}  # Deleted since the list was read.
    found = {}
    for _, _, artifact in artifacts_of_run(whole):
        if artifact.get("size") is None and artifact.get("uri"):
            raise CapabilityError(
                "This server does not tell how large artifacts are.",
                hint="Clean up by age or number: --older-than 30d, --keep 100.",
            )
        found[str(artifact.get("artifact_id"))] = int(artifact.get("size") or 0)
    return found
