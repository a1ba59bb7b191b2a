"""A run that shows itself in a notebook, live until it has ended."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from fairlead import client
from fairlead.errors import FairleadError
from fairlead.pipelines.client import FINAL_STATES
from fairlead.pipelines.previews import plots_of
from fairlead.widgets.static import render_html, render_svg, render_text

RUN_MIME = "application/vnd.fairlead.run+json"
"""The view of a run, drawn by the Lab extension; saved in notebooks beside the static forms."""

_BUNDLE = Path(__file__).parent / "static" / "run.js"


class RunWidget(anywidget.AnyWidget):
    """Draws one run. It holds no logic: `run` is its only way in."""

    _esm = _BUNDLE

    run = traitlets.Dict(help="The view of a run, as `pipelines.graph` makes it.").tag(sync=True)


class LiveRun(client.Run):
    """A run whose display follows it.

    In a notebook it is a widget while the run lasts. Beside it, and alone once the run has ended,
    stand forms that need no kernel: what the saved file keeps.
    """

    _told = False

    @classmethod
    def of(cls, run: client.Run) -> LiveRun:
        """Make a run show itself."""
        made = cls(run.pipelines, run.record, run.cell_numbers)
        made.warnings = run.warnings
        return made

    def view(self) -> dict[str, Any]:
        """Return the run's view, with the curves and matrices that its steps made as `plots`."""
        return {**super().view(), "plots": plots_of(self.record)}

    def tell(self) -> None:
        """Print what of its source has no effect, the first time that it is asked to."""
        if not self._told:
            for warning in self.warnings:
                print(f"Warning: {warning}")
        self._told = True

    def show(self) -> LiveRun:
        """Display it and wait for the end, updating the display; returns itself."""
        self.tell()
        shown = _Display(self)
        for _ in self.changes(notice=print):
            shown.update(self.view())
        shown.finish(self.view())
        return self

    def _ipython_display_(self) -> None:
        self.tell()
        if self.refresh().state in FINAL_STATES:
            display(_static_forms(self.view()), raw=True)
            return
        follower = LiveRun(self.pipelines, self.record, self.cell_numbers)
        shown = _Display(self)
        threading.Thread(
            target=_follow, args=(follower, shown), name="fairlead-display", daemon=True
        ).start()


class _Display:
    """One place in the notebook's output that shows a run."""

    def __init__(self, run: LiveRun) -> None:
        self._id = uuid.uuid4().hex
        view = run.view()
        self._widget = RunWidget(run=view)
        widget_view: Any = self._widget._repr_mimebundle_() or {}
        data = widget_view[0] if isinstance(widget_view, tuple) else widget_view
        display({**data, **_static_forms(view, live=True)}, raw=True, display_id=self._id)

    def update(self, view: Mapping[str, Any]) -> None:
        """Show a newer view."""
        self._widget.run = dict(view)

    def finish(self, view: dict[str, Any]) -> None:
        """Leave in the output what needs no kernel."""
        display(_static_forms(view), raw=True, display_id=self._id, update=True)
        self._widget.close()


def _follow(run: LiveRun, shown: _Display) -> None:
    try:
        for _ in run.changes():
            shown.update(run.view())
        shown.finish(run.view())
    except FairleadError as error:
        # A thread has no cell to raise into.
        print(f"The display of run {run.name} no longer follows it: {error}")


def _static_forms(view: dict[str, Any], *, live: bool = False) -> dict[str, Any]:
    forms: dict[str, Any] = {
        "text/html": render_html(view),
        "image/svg+xml": render_svg(view),
        "text/plain": render_text(view),
    }
    # While the widget is there, Lab must not prefer its own drawing of the first state.
    return forms if live else {RUN_MIME: view, **forms}


def run(
    source: client.SourcePath,
    parameters: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    experiment: str | None = None,
    context: str | None = None,
) -> LiveRun:
    """Start a run of a notebook or of a compiled pipeline; returns at once.

    See `fairlead.client.submit` for the arguments and errors. The result shows itself as a live
    DAG when it is the last value of a cell.
    """
    started = client.submit(source, parameters, name=name, experiment=experiment, context=context)
    return LiveRun.of(started)


def get_run(run_id: str, *, context: str | None = None) -> LiveRun:
    """Return a run by its id, or by the unambiguous beginning of it."""
    return LiveRun.of(client.get_run(run_id, context=context))


def runs(*, label: str = "", context: str | None = None) -> list[LiveRun]:
    """Return all runs, newest first; with `label`, `team=vision,checked`, those that have it."""
    return [LiveRun.of(found) for found in client.list_runs(label=label, context=context)]
