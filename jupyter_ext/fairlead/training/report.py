"""Metrics that training code tells, as lines of its output; and what reads them.

It is sent along with code that says `import fairlead` and runs in images without Fairlead: it
needs the standard library alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

MARK = "fairlead-report: "
_PAIR = re.compile(
    r"([A-Za-z_][\w./-]*)\s*=\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
)


def report(step: float | None = None, **metrics: float) -> None:
    """Tell metrics: `fairlead.report(step=3, loss=0.4)`.

    Parameters
    ----------
    step : float, optional
        Where in the training they hold; default: they are counted.
    """
    told = {name: float(value) for name, value in metrics.items()}
    print(MARK + json.dumps({"step": step, "metrics": told}), flush=True)


def read_metrics(lines: Iterable[str]) -> dict[str, list[tuple[float, float]]]:
    """Return name -> list of step and value, as output tells them.

    Where nothing was told by `report`, lines with `name=value` count; their number is the step.
    """
    told: dict[str, list[tuple[float, float]]] = {}
    scraped: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        _, mark, text = line.partition(MARK)
        if mark:
            try:
                found = json.loads(text)
                step, metrics = found["step"], dict(found["metrics"])
            except (ValueError, KeyError, TypeError):
                # A line that two processes wrote into one another.
                continue
            for name, value in metrics.items():
                points = told.setdefault(name, [])
                points.append((len(points) if step is None else float(step), float(value)))
            continue
        for name, number in _PAIR.findall(line):
            points = scraped.setdefault(name, [])
            points.append((len(points), float(number)))
    return told or scraped
