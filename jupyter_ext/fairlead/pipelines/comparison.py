"""Runs beside each other: what differs in their parameters, metrics, plots, artifacts and code.

Pure. The comparison is plain JSON, the same for the panel and for Python:

    {runs: [{id, name, label, state, created_at, finished_at}],
     parameters: [{name, values, differs}], metrics: [{name, values, differs}],
     plots: [{task, artifact, title, spec}],
     artifacts: [{task, name, type, values: [{id, uri, size} | null]}],
     sources: [{step, changes: ["same" | "changed" | "added" | "removed" | "absent"], diffs}]}

`values`, `changes` and `diffs` have one entry for each run; what a run has not is null. The first
run is the baseline: changes are from it. Diffs are unified ones, empty where nothing differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import Any

from fairlead.pipelines.artifact_client import artifacts_of_run
from fairlead.pipelines.artifacts import task_names
from fairlead.pipelines.graph import metrics_of, parameters_of, pipeline_spec_of
from fairlead.pipelines.plots import (
    artifact_type,
    confusion_spec,
    roc_spec,
    side_by_side,
    slices_of,
)
from fairlead.pipelines.step_sources import step_sources

Json = dict[str, Any]
Record = Mapping[str, Any]


def comparison_view(records: Sequence[Record]) -> Json:
    """Return the comparison of runs.

    Parameters
    ----------
    records : sequence of mapping
        The runs as KFP's REST gives them, each whole; the first is the baseline.
    """
    labels = run_labels(records)
    made = [_artifacts(record) for record in records]
    return {
        "runs": [_head(record, label) for record, label in zip(records, labels, strict=True)],
        "parameters": _rows([parameters_of(record) for record in records]),
        "metrics": _rows([metrics_of(record) for record in records]),
        "plots": _plots(made, labels),
        "artifacts": _artifact_rows(made),
        "sources": _sources([step_sources(pipeline_spec_of(record)) for record in records], labels),
    }


def run_labels(records: Sequence[Record]) -> list[str]:
    """Return what tells the runs apart: their names, with the beginning of the id where shared."""
    names = [str(record.get("display_name") or record["run_id"]) for record in records]
    return [
        f"{name} {str(record['run_id'])[:8]}" if names.count(name) > 1 else name
        for name, record in zip(names, records, strict=True)
    ]


def _head(record: Record, label: str) -> Json:
    return {
        "id": record["run_id"],
        "name": record.get("display_name") or record["run_id"],
        "label": label,
        "state": record.get("state") or "PENDING",
        "created_at": record.get("created_at"),
        "finished_at": record.get("finished_at"),
    }


def _rows(several: Sequence[Mapping[str, Any]]) -> list[Json]:
    rows = []
    for name in _names(several):
        values = [one.get(name) for one in several]
        # A truth value is not the number that equals it.
        differs = any(value != values[0] or type(value) is not type(values[0]) for value in values)
        rows.append({"name": name, "values": values, "differs": differs})
    return rows


def _names(several: Sequence[Mapping[Any, Any]]) -> list[Any]:
    """Return all names, in the order in which they first come."""
    return list(dict.fromkeys(name for one in several for name in one))


def _artifacts(record: Record) -> dict[tuple[str, str], Json]:
    """Return the artifacts of a run by task and name; of a list of artifacts the first."""
    names = task_names(record)
    found: dict[tuple[str, str], Json] = {}
    for task, key, made in artifacts_of_run(record):
        found.setdefault((names[task["task_id"]], key), made)
    return found


def _artifact_rows(made: Sequence[Mapping[tuple[str, str], Json]]) -> list[Json]:
    rows = []
    for place in _names(made):
        known = [one.get(place) for one in made]
        rows.append(
            {
                "task": place[0],
                "name": place[1],
                "type": next(artifact_type(one) for one in known if one),
                "values": [
                    one
                    and {
                        "id": one.get("artifact_id") or "",
                        "uri": one.get("uri") or "",
                        "size": one.get("size"),
                    }
                    for one in known
                ],
            }
        )
    return rows


def _plots(made: Sequence[Mapping[tuple[str, str], Json]], labels: Sequence[str]) -> list[Json]:
    """Draw the ROC curves of all runs over each other, and their confusion matrices in a row."""
    plots = []
    for task, name in _names(made):
        slices = [
            {**one, "name": " ".join(filter(None, (label, one["name"])))}
            for artifacts, label in zip(made, labels, strict=True)
            for one in slices_of(artifacts.get((task, name)) or {})
        ]
        matrices = [spec for one in slices if (spec := confusion_spec(one)) is not None]
        for title, spec in (
            ("ROC curves", roc_spec(slices)),
            ("Confusion matrices", side_by_side(matrices)),
        ):
            if spec is not None:
                plots.append({"task": task, "artifact": name, "title": title, "spec": spec})
    return plots


def _sources(several: Sequence[Mapping[str, str]], labels: Sequence[str]) -> list[Json]:
    rows = []
    for step in _names(several):
        before = several[0].get(step)
        changes, diffs = [], []
        for texts, label in zip(several, labels, strict=True):
            after = texts.get(step)
            changes.append(_change(before, after))
            diffs.append(
                _diff(before or "", after or "", f"{labels[0]}: {step}", f"{label}: {step}")
            )
        rows.append({"step": step, "changes": changes, "diffs": diffs})
    return rows


def _change(before: str | None, after: str | None) -> str:
    if before is None:
        return "absent" if after is None else "added"
    if after is None:
        return "removed"
    return "same" if before == after else "changed"


def _diff(before: str, after: str, old: str, new: str) -> str:
    lines = before.splitlines(), after.splitlines()
    return "\n".join(unified_diff(*lines, old, new, lineterm=""))
