"""Runs that are kept: pinned ones, and the baseline of each experiment.

They stand in the ConfigMap `fairlead-pins` of the namespace of the runs, here as on a cluster: KFP
has no place for them. A run that is pinned or a baseline is not deleted, nor cleaned up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fairlead.errors import ConflictError, FairleadError, NotFoundError
from fairlead.kube.types import CONFIG_MAPS
from fairlead.pipelines.client import PipelinesClient

CONFIG_MAP = "fairlead-pins"
_PINNED = "pinned."
_BASELINE = "baseline."


@dataclass(frozen=True)
class Pins:
    """What is kept.

    Attributes
    ----------
    pinned : frozenset of str
        Ids of runs.
    baselines : dict
        Id of the run that others of its experiment are compared with, by experiment id.
    """

    pinned: frozenset[str] = frozenset()
    baselines: dict[str, str] = field(default_factory=dict)

    def holds(self, run_id: str) -> bool:
        """Whether a run is kept."""
        return run_id in self.pinned or run_id in self.baselines.values()


def read_pins(pipelines: PipelinesClient) -> Pins:
    """Read what is kept in the context in use."""
    try:
        found = pipelines.kube.get(CONFIG_MAPS, CONFIG_MAP, pipelines.namespace)
    except NotFoundError:
        return Pins()
    data: dict[str, str] = found.get("data") or {}
    return Pins(
        frozenset(key[len(_PINNED) :] for key in data if key.startswith(_PINNED)),
        {key[len(_BASELINE) :]: run for key, run in data.items() if key.startswith(_BASELINE)},
    )


def pin(pipelines: PipelinesClient, run_id: str) -> None:
    """Keep a run."""
    _write(pipelines, {_PINNED + run_id: ""})


def make_baseline(pipelines: PipelinesClient, run_id: str, experiment_id: str) -> None:
    """Let a run be what others of its experiment are compared with; it is kept."""
    _write(pipelines, {_BASELINE + experiment_id: run_id})


def unpin(pipelines: PipelinesClient, run_id: str) -> None:
    """Keep a run no longer; it is no baseline any more either."""
    pins = read_pins(pipelines)
    gone = [_BASELINE + one for one, run in pins.baselines.items() if run == run_id]
    if run_id in pins.pinned:
        gone.append(_PINNED + run_id)
    if gone:
        _write(pipelines, dict.fromkeys(gone))


def known_pins(pipelines: PipelinesClient) -> Pins:
    """Read what is kept; nothing, where that may not be read."""
    try:
        return read_pins(pipelines)
    except FairleadError as error:
        if error.code != 403:
            raise
        return Pins()


def check_not_kept(pipelines: PipelinesClient, run_id: str, name: str) -> None:
    """Raise `ConflictError` for a run that is kept."""
    if known_pins(pipelines).holds(run_id):
        raise ConflictError(
            f"Run {name} is pinned, and stays.", hint=f"fairlead unpin {run_id[:8]}"
        )


def pins_manifest(data: dict[str, Any]) -> dict[str, Any]:
    """Return the ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG_MAP},
        "data": {key: value for key, value in data.items() if value is not None},
    }


def _write(pipelines: PipelinesClient, data: dict[str, str | None]) -> None:
    """Change entries, each on its own: who changes others at the same time loses nothing."""
    kube, namespace = pipelines.kube, pipelines.namespace
    try:
        kube.patch(CONFIG_MAPS, CONFIG_MAP, {"data": data}, namespace)
    except NotFoundError:
        try:
            kube.create(pins_manifest(data), namespace)
        except ConflictError:  # Made meanwhile by somebody else.
            kube.patch(CONFIG_MAPS, CONFIG_MAP, {"data": data}, namespace)
