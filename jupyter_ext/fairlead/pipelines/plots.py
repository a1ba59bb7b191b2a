"""What KFP's metrics artifacts hold, as numbers, curves and matrices, and as Vega-Lite. Pure.

Source of the shapes: `kfp.dsl` (`Metrics`, `ClassificationMetrics`, `SlicedClassificationMetrics`),
which keep all they log in the artifact's metadata.

A slice is plain JSON: `{name, auc, points: [{fpr, tpr, threshold}], labels, matrix}`. Without a
curve `points` is empty and `auc` null; without a confusion matrix `labels` and `matrix` are empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

VEGA_LITE_MIME = "application/vnd.vegalite.v5+json"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_SIDE_PX = 220
_CELL_PX = 44
_MOST_POINTS = 200
"""Of a drawn curve: more are not seen, and each is kept in the notebook."""
_TYPES = {
    "Metric": "Metrics",
    "ClassificationMetric": "ClassificationMetrics",
    "SlicedClassificationMetric": "SlicedClassificationMetrics",
}
"""Words of upstream's `Artifact.ArtifactType` that differ from those of its schemas."""


def artifact_type(artifact: Mapping[str, Any]) -> str:
    """Return an artifact's type as `kfp.dsl` names its class: `Model`, `ClassificationMetrics`."""
    title = str(artifact.get("schema_title") or "").removeprefix("system.")
    named = str(artifact.get("type") or "")
    return title or _TYPES.get(named, named) or "Artifact"


def metric_values(artifact: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a metrics artifact holds: numbers, words and truth values by name."""
    found = {
        name: value
        for name, value in (artifact.get("metadata") or {}).items()
        if isinstance(value, (int, float, str))
    }
    if not found and artifact.get("number_value") is not None:
        found = {str(artifact.get("name") or "value"): artifact["number_value"]}
    return found


def slices_of(artifact: Mapping[str, Any]) -> list[Json]:
    """Return the slices of classification metrics; of those without slices one, without a name."""
    metadata = artifact.get("metadata") or {}
    sliced = metadata.get("evaluationSlices")
    if not isinstance(sliced, list):
        found = [_slice("", metadata)]
    else:
        found = [
            _slice(str(one.get("slice") or ""), one.get("sliceClassificationMetrics") or {})
            for one in sliced
            if isinstance(one, dict)
        ]
    return [one for one in found if one["points"] or one["matrix"]]


def _slice(name: str, metadata: Any) -> Json:
    held = metadata if isinstance(metadata, dict) else {}
    points = _points(held.get("confidenceMetrics"))
    labels, matrix = _matrix(held.get("confusionMatrix"))
    return {
        "name": name,
        "auc": _area(points) if len(points) > 1 else None,
        "points": points,
        "labels": labels,
        "matrix": matrix,
    }


def _points(readings: Any) -> list[Json]:
    points = [
        {
            "fpr": float(one["falsePositiveRate"]),
            "tpr": float(one["recall"]),
            "threshold": _number(one.get("confidenceThreshold")),
        }
        for one in _objects(readings)
        if _number(one.get("falsePositiveRate")) is not None
        and _number(one.get("recall")) is not None
    ]
    return sorted(points, key=lambda point: (point["fpr"], point["tpr"]))


def _matrix(held: Any) -> tuple[list[str], list[list[float]]]:
    if not isinstance(held, dict):
        return [], []
    labels = [str(one.get("displayName", "")) for one in _objects(held.get("annotationSpecs"))]
    rows = [one.get("row") for one in _objects(held.get("rows"))]
    square = len(rows) == len(labels) and all(
        isinstance(row, list) and len(row) == len(labels) for row in rows
    )
    if not square:
        return [], []
    return labels, [[_number(value) or 0 for value in row] for row in rows if row is not None]


def _objects(values: Any) -> list[Json]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _number(value: Any) -> float | int | None:
    """Return a finite number as it is; JSON has no other."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if number and math.isfinite(value) else None


def _area(points: Sequence[Json]) -> float:
    """Area under a curve, by trapezoids."""
    trapezoids = (
        (after["fpr"] - before["fpr"]) * (after["tpr"] + before["tpr"]) / 2
        for before, after in pairwise(points)
    )
    return float(sum(trapezoids))


def thinned(points: Sequence[Json], most: int = _MOST_POINTS) -> list[Json]:
    """Return at most so many points of a curve, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(place * step)] for place in range(most)]


def roc_spec(slices: Iterable[Json]) -> Json | None:
    """Return the ROC curves as Vega-Lite, `None` where there is no curve."""
    drawn = [one for one in slices if one["points"]]
    if not drawn:
        return None
    values = [
        {"slice": slice_label(one), **point} for one in drawn for point in thinned(one["points"])
    ]
    share = {"type": "quantitative", "scale": {"domain": [0, 1]}}
    colour = {
        "field": "slice",
        "type": "nominal",
        "title": None,
        "legend": {"orient": "bottom", "columns": 2} if len(drawn) > 1 else None,
    }
    return {
        "$schema": _SCHEMA,
        "title": "ROC curve" if len(drawn) > 1 else f"ROC curve, {slice_label(drawn[0])}",
        "width": _SIDE_PX,
        "height": _SIDE_PX,
        "layer": [
            {
                "data": {"values": [{"fpr": 0, "tpr": 0}, {"fpr": 1, "tpr": 1}]},
                "mark": {"type": "line", "strokeDash": [4, 4], "color": "#888", "strokeWidth": 1},
                "encoding": {"x": {"field": "fpr", **share}, "y": {"field": "tpr", **share}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "line", "point": {"size": 12}, "interpolate": "linear"},
                "encoding": {
                    "x": {"field": "fpr", "title": "false positive rate", **share},
                    "y": {"field": "tpr", "title": "true positive rate", **share},
                    "order": {"field": "fpr", "type": "quantitative"},
                    "color": colour,
                    "tooltip": [
                        {"field": "threshold", "type": "quantitative", "format": ".4g"},
                        {"field": "fpr", "type": "quantitative", "format": ".4f"},
                        {"field": "tpr", "type": "quantitative", "format": ".4f"},
                    ],
                },
            },
        ],
    }


def slice_label(found: Json) -> str:
    """Return a slice's name and the area under its curve."""
    area = "" if found["auc"] is None else f"AUC {found['auc']:.3f}"
    return ", ".join(filter(None, (found["name"], area))) or "all"


def confusion_spec(found: Json) -> Json | None:
    """Return a slice's confusion matrix as Vega-Lite, `None` where there is none."""
    labels, matrix = found["labels"], found["matrix"]
    if not matrix:
        return None
    values = [
        {"true": row, "predicted": column, "count": count}
        for row, counts in zip(labels, matrix, strict=True)
        for column, count in zip(labels, counts, strict=True)
    ]
    middle = max((one["count"] for one in values), default=0) / 2
    axes = {
        "x": {"field": "predicted", "type": "ordinal", "sort": None, "axis": {"labelAngle": -45}},
        "y": {"field": "true", "type": "ordinal", "sort": None},
    }
    dark = {"test": f"datum.count > {middle!r}", "value": "white"}
    return {
        "$schema": _SCHEMA,
        "title": "Confusion matrix" + (f", {found['name']}" if found["name"] else ""),
        "width": {"step": _CELL_PX},
        "height": {"step": _CELL_PX},
        "data": {"values": values},
        "encoding": axes,
        "layer": [
            {
                "mark": "rect",
                "encoding": {
                    "color": {
                        "field": "count",
                        "type": "quantitative",
                        "legend": None,
                        "scale": {"range": ["#e3eefa", "#0b559f"]},
                    }
                },
            },
            {
                "mark": "text",
                "encoding": {
                    "text": {"field": "count", "type": "quantitative"},
                    "color": {"condition": dark, "value": "black"},
                },
            },
        ],
    }


def artifact_spec(artifact: Mapping[str, Any]) -> Json | None:
    """Return all that can be plotted of an artifact in one Vega-Lite picture, or `None`."""
    slices = slices_of(artifact)
    parts = [roc_spec(slices), *(confusion_spec(one) for one in slices)]
    return side_by_side([part for part in parts if part])


def side_by_side(parts: Sequence[Json]) -> Json | None:
    """Return pictures as one, two in a row; `None` where there is none."""
    if len(parts) < 2:
        return parts[0] if parts else None
    inner = [{key: value for key, value in part.items() if key != "$schema"} for part in parts]
    return {
        "$schema": _SCHEMA,
        "concat": inner,
        "columns": 2,
        "resolve": {"scale": {"color": "independent"}},
    }


def bars_spec(values: list[Json]) -> Json:
    """Return metrics of several runs as Vega-Lite: a row of bars for each metric.

    Parameters
    ----------
    values : list of dict
        `{run, metric, value}`.
    """
    return {
        "$schema": _SCHEMA,
        "data": {"values": values},
        "facet": {"row": {"field": "metric", "title": None, "sort": None}},
        "resolve": {"scale": {"x": "independent"}},
        "spec": {
            "width": 2 * _SIDE_PX,
            "mark": "bar",
            "encoding": {
                "x": {"field": "value", "type": "quantitative", "title": None},
                "y": {"field": "run", "type": "nominal", "title": None, "sort": None},
                "color": {"field": "run", "type": "nominal", "legend": None},
                "tooltip": [{"field": "run"}, {"field": "value", "format": ".4g"}],
            },
        },
    }
