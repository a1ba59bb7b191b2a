"""Metrics of a run, and runs beside each other, as notebooks show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fairlead.errors import SpecError
from fairlead.pipelines.comparison import comparison_view
from fairlead.pipelines.forms import cell_text, table_html
from fairlead.pipelines.plots import VEGA_LITE_MIME, bars_spec

Json = dict[str, Any]


class Metrics(dict[str, float]):
    """Metrics by name; a dict that shows itself as a table."""

    def _repr_html_(self) -> str:
        return table_html(["metric", "value"], sorted(self.items()))


class Comparable(Protocol):
    """What is asked of a run."""

    @property
    def record(self) -> Mapping[str, Any]:
        """The run as KFP's REST gives it."""


class Comparison:
    """Runs beside each other: their metrics, and the parameters in which they differ.

    Shows itself in a notebook as a table; as `plot` with a bar for each run, as `plots` with their
    ROC curves and confusion matrices, as `sources` with what differs in the code of their steps.

    Attributes
    ----------
    view : dict
        All of it as plain JSON; see `pipelines.comparison`.
    """

    def __init__(self, runs: Sequence[Comparable]) -> None:
        self.view = comparison_view([run.record for run in runs])

    @property
    def columns(self) -> list[str]:
        """Names of the columns of `rows`."""
        return ["run", "state", *(row["name"] for row in self._rows_shown)]

    @property
    def rows(self) -> list[list[Any]]:
        """One row for each run; `None` where it has no such parameter or metric."""
        return [
            [run["label"], run["state"], *(row["values"][place] for row in self._rows_shown)]
            for place, run in enumerate(self.view["runs"])
        ]

    @property
    def _rows_shown(self) -> list[Json]:
        differing = [row for row in self.view["parameters"] if row["differs"]]
        return [*differing, *self.view["metrics"]]

    @property
    def plot(self) -> Plot:
        """The metrics as bars, each on its own scale."""
        values = [
            {"run": run["label"], "metric": row["name"], "value": row["values"][place]}
            for place, run in enumerate(self.view["runs"])
            for row in self.view["metrics"]
            if row["values"][place] is not None
        ]
        text = "\n".join(
            f"{one['metric']}  {one['run']}  {cell_text(one['value'])}" for one in values
        )
        return Plot(bars_spec(values), text)

    @property
    def plots(self) -> dict[str, Plot]:
        """ROC curves of all runs over each other, and confusion matrices, by `task.artifact`."""
        return {
            f"{one['task']}.{one['artifact']}, {one['title']}": Plot(one["spec"], one["title"])
            for one in self.view["plots"]
        }

    @property
    def sources(self) -> Sources:
        """What differs in the code of the steps, from the first run."""
        diffs = {
            (row["step"], run["label"]): diff
            for row in self.view["sources"]
            for run, diff in zip(self.view["runs"], row["diffs"], strict=True)
            if diff
        }
        return Sources(diffs)

    def __repr__(self) -> str:
        lines = [self.columns, *([cell_text(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        return table_html(self.columns, self.rows)


class Plot:
    """A picture in Vega-Lite."""

    def __init__(self, spec: Json, text: str) -> None:
        self.spec = spec
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, **_: Any) -> Json:
        return {VEGA_LITE_MIME: self.spec, "text/plain": self._text}


class Sources(dict[tuple[str, str], str]):
    """Unified diffs by step and run, of those that differ from the first run."""

    def __repr__(self) -> str:
        return "\n\n".join(self.values()) or "The code of the steps is the same."

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # IPython would show a dict's items.
        printer.text("..." if cycle else repr(self))


def compare(*runs: Comparable) -> Comparison:
    """Put runs beside each other; what differs is said from the first one.

    Raises
    ------
    SpecError
        No run is given.
    """
    if not runs:
        raise SpecError("There is nothing to compare.", hint="fairlead.compare(run, other)")
    return Comparison(runs)
