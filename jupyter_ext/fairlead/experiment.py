"""Experiments: runs that belong together, beside each other."""

from __future__ import annotations

from typing import Any

from fairlead.client import Run, connect
from fairlead.errors import NotFoundError
from fairlead.pipelines.client import PipelinesClient
from fairlead.pipelines.compare import Comparison, compare
from fairlead.pipelines.forms import table_html

_PAGE = 200


class Experiment:
    """A handle on one experiment. Shows its runs with their metrics in a notebook.

    Parameters
    ----------
    pipelines : PipelinesClient
        Where it lives.
    record : dict
        The experiment as KFP's REST gives it.
    """

    def __init__(self, pipelines: PipelinesClient, record: dict[str, Any]) -> None:
        self.pipelines = pipelines
        self.record = record

    @property
    def experiment_id(self) -> str:
        """Identifier, a UUID."""
        return str(self.record["experiment_id"])

    @property
    def name(self) -> str:
        """Display name."""
        return str(self.record.get("display_name") or self.experiment_id)

    @property
    def description(self) -> str:
        """What it is about."""
        return str(self.record.get("description") or "")

    def runs(self) -> list[Run]:
        """Return its runs, newest first."""
        query = {
            "experiment_id": self.experiment_id,
            "page_size": str(_PAGE),
            "sort_by": "created_at desc",
        }
        found: list[Run] = []
        while True:
            page = self.pipelines.page(query)
            # Lists leave out what tasks made, and with it the metrics.
            found += [Run(self.pipelines, one).refresh() for one in page.get("runs") or []]
            if not page.get("next_page_token"):
                return found
            query["page_token"] = page["next_page_token"]

    def compare(self) -> Comparison:
        """Put its runs beside each other; raises `SpecError` where it has none."""
        return compare(*self.runs())

    def __repr__(self) -> str:
        return f"<Experiment {self.name} ({self.experiment_id})>"

    def _repr_html_(self) -> str:
        runs = self.runs()
        if runs:
            return str(compare(*runs)._repr_html_())
        return table_html(["run", "state"], [])


def experiments(*, context: str | None = None) -> list[Experiment]:
    """Return the experiments that were not put away, newest first."""
    pipelines = connect(context)
    query = {"page_size": str(_PAGE), "sort_by": "created_at desc"}
    found: list[Experiment] = []
    while True:
        page = pipelines.experiments(query)
        found += [
            Experiment(pipelines, one)
            for one in page.get("experiments") or []
            if one.get("storage_state") != "ARCHIVED"
        ]
        if not page.get("next_page_token"):
            return found
        query["page_token"] = page["next_page_token"]


def get_experiment(name: str, *, context: str | None = None) -> Experiment:
    """Return an experiment by its name.

    Raises
    ------
    NotFoundError
        There is none of that name; `fairlead.run(..., experiment=NAME)` makes it.
    """
    known = experiments(context=context)
    for one in known:
        if one.name == name:
            return one
    raise NotFoundError(
        f"There is no experiment '{name}'.",
        hint="There are: " + (", ".join(sorted(one.name for one in known)) or "none"),
    )
