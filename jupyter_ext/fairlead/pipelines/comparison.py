"""The metrics of runs, and of several runs beside each other, as notebooks show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fairlead.errors import SpecError
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
    def name(self) -> str:
        """Display name."""

    @property
    def run_id(self) -> str:
        """Identifier."""

    @property
    def state(self) -> str:
        """State in KFP's words."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Metrics by name."""

    def view(self) -> Json:
        """Return the run's view, with its parameters."""


class Comparison:
    """Runs beside each other: their metrics, and the parameters in which they differ.

    Shows itself in a notebook as a table, and as `plot` with a bar for each run.
    """

    def __init__(self, runs: Sequence[Comparable]) -> None:
        self._runs = [(_label(run, runs), run.state, run.metrics) for run in runs]
        given = [run.view()["parameters"] for run in runs]
        self._parameters = [
            (name, [one.get(name) for one in given])
            for name in _names(given)
            if any(one.get(name) != given[0].get(name) for one in given)
        ]

    @property
    def columns(self) -> list[str]:
        """Names of the columns of `rows`."""
        parameters = [name for name, _ in self._parameters]
        return ["run", "state", *parameters, *_names([metrics for *_, metrics in self._runs])]

    @property
    def rows(self) -> list[list[Any]]:
        """One row for each run; `None` where it has no such parameter or metric."""
        names = _names([metrics for *_, metrics in self._runs])
        return [
            [
                label,
                state,
                *(values[place] for _, values in self._parameters),
                *(metrics.get(name) for name in names),
            ]
            for place, (label, state, metrics) in enumerate(self._runs)
        ]

    @property
    def plot(self) -> Plot:
        """The metrics as bars, each on its own scale."""
        return Plot(
            [
                {"run": label, "metric": name, "value": value}
                for label, _, metrics in self._runs
                for name, value in metrics.items()
            ]
        )

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
    """Metrics of several runs as bars."""

    def __init__(self, values: list[Json]) -> None:
        self._values = values

    def __repr__(self) -> str:
        return "\n".join(
            f"{one['metric']}  {one['run']}  {cell_text(one['value'])}" for one in self._values
        )

    def _repr_mimebundle_(self, **_: Any) -> Json:
        return {VEGA_LITE_MIME: bars_spec(self._values), "text/plain": repr(self)}


def compare(*runs: Comparable) -> Comparison:
    """Put runs beside each other.

    Raises
    ------
    SpecError
        No run is given.
    """
    if not runs:
        raise SpecError("There is nothing to compare.", hint="fairlead.compare(run, other)")
    return Comparison(runs)


def _names(several: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return all names, in the order in which they first come."""
    return list(dict.fromkeys(name for one in several for name in one))


def _label(run: Comparable, runs: Sequence[Comparable]) -> str:
    """Name of a run; of one that shares it, with the beginning of its id."""
    shared = sum(other.name == run.name for other in runs) > 1
    return f"{run.name} {run.run_id[:8]}" if shared else run.name
