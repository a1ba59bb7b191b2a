"""ROC curves and confusion matrices as standalone SVG, for saved notebooks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from fairlead.pipelines.plots import slice_label, thinned

Json = dict[str, Any]

_SIDE = 220
_LEFT, _TOP, _BOTTOM = 52, 34, 44
_CELL = 44
_LINE = 16
_GAP = 24
_COLOURS = ("#1976d2", "#c2571a", "#2e7d32", "#8e24aa", "#ad1457", "#00838f")
_INK, _QUIET = "#3c4043", "#80868b"
_LONGEST_LABEL = 14


def draw_classification(slices: Sequence[Json]) -> str:
    """Draw all curves of classification metrics in one picture, and each slice's matrix beside."""
    parts = [_roc(slices)] if any(one["points"] for one in slices) else []
    parts += [_confusion(one) for one in slices if one["matrix"]]
    across = 0.0
    drawn = []
    for body, width, _ in parts:
        drawn.append(f'<g transform="translate({across:.0f} 0)">{body}</g>')
        across += width + _GAP
    height = max((height for _, _, height in parts), default=0)
    words = "; ".join(slice_label(one) for one in slices)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {across:.0f} {height:.0f}" font-family="sans-serif" font-size="11">'
        f"<title>{escape(f'Classification metrics: {words}')}</title>"
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(drawn)}</svg>'
    )


def _roc(slices: Sequence[Json]) -> tuple[str, float, float]:
    curves = [one for one in slices if one["points"]]
    parts = [
        _text("ROC curve", _LEFT, 18, size=13),
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" '
        f'stroke="{_QUIET}"/>',
        f'<path d="M{_LEFT} {_TOP + _SIDE}L{_LEFT + _SIDE} {_TOP}" stroke="{_QUIET}" '
        'stroke-dasharray="4 4"/>',
    ]
    for share in (0, 0.5, 1):
        x, y = _place(share, share)
        parts.append(_text(f"{share:g}", x, _TOP + _SIDE + 14, anchor="middle"))
        parts.append(_text(f"{share:g}", _LEFT - 6, y + 4, anchor="end"))
    middle = _TOP + _SIDE / 2
    parts.append(
        _text("false positive rate", _LEFT + _SIDE / 2, _TOP + _SIDE + 30, anchor="middle")
    )
    parts.append(
        f'<g transform="rotate(-90 14 {middle:.0f})">'
        + _text("true positive rate", 14, middle + 4, anchor="middle")
        + "</g>"
    )
    for number, one in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        places = (_place(point["fpr"], point["tpr"]) for point in thinned(one["points"]))
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        below = _TOP + _SIDE + _BOTTOM + _LINE * number
        parts += [
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<path d="M{_LEFT} {below - 4}h18" stroke="{colour}" stroke-width="2"/>',
            _text(slice_label(one), _LEFT + 24, below),
        ]
    return "".join(parts), _LEFT + _SIDE + 12, _TOP + _SIDE + _BOTTOM + _LINE * len(curves)


def _place(fpr: float, tpr: float) -> tuple[float, float]:
    return _LEFT + fpr * _SIDE, _TOP + (1 - tpr) * _SIDE


def _confusion(found: Json) -> tuple[str, float, float]:
    labels, matrix = found["labels"], found["matrix"]
    short = [
        label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
        for label in labels
    ]
    left = 30 + 6.2 * max(map(len, short), default=0)
    largest = max((count for row in matrix for count in row), default=0) or 1
    title = "Confusion matrix" + (f", {found['name']}" if found["name"] else "")
    parts = [_text(title, left, 18, size=13)]
    for y, (label, row) in enumerate(zip(short, matrix, strict=True)):
        top = _TOP + y * _CELL
        parts.append(_text(label, left - 6, top + _CELL / 2 + 4, anchor="end"))
        for x, count in enumerate(row):
            share = max(count, 0) / largest
            ink = "#ffffff" if share > 0.5 else _INK
            parts.append(
                f'<rect x="{left + x * _CELL:.0f}" y="{top}" width="{_CELL}" height="{_CELL}" '
                f'fill="#1976d2" fill-opacity="{0.06 + 0.94 * share:.2f}" stroke="#ffffff"/>'
            )
            middle = left + (x + 0.5) * _CELL
            parts.append(
                _text(f"{count:g}", middle, top + _CELL / 2 + 4, anchor="middle", fill=ink)
            )
    below = _TOP + len(labels) * _CELL
    for x, label in enumerate(short):
        middle = left + (x + 0.5) * _CELL
        parts.append(
            f'<g transform="rotate(-35 {middle:.0f} {below + 14})">'
            + _text(label, middle, below + 14, anchor="end")
            + "</g>"
        )
    bottom = below + 24 + 4.2 * max(map(len, short), default=0)
    parts.append(_text("rows: true, columns: predicted", left, bottom + 10, fill=_QUIET))
    width = left + max(len(labels) * _CELL, 170)
    return "".join(parts), width, bottom + 18


def _text(
    words: str, x: float, y: float, *, anchor: str = "start", fill: str = _INK, size: int = 11
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" '
        f'font-size="{size}">{escape(words)}</text>'
    )
