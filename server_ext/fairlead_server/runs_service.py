"""What the handlers ask: the runs of one context. Blocking; handlers call it in threads."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fairlead.client import Run, submit_spec
from fairlead.documents import dump_pipeline
from fairlead.errors import SpecError
from fairlead.kube import KubeClient
from fairlead.labels import change_labels, read_changes
from fairlead.pipelines import analyse
from fairlead.pipelines.client import PipelinesClient
from fairlead.pipelines.comparison import comparison_view
from fairlead.pipelines.graph import pipeline_spec_of, run_summary
from fairlead.sources import compile_document, read_source
from fairlead_server.forms import clone_python, parameters_of, request_yaml
from fairlead_server.run_table import RunTable, experiment_view

Json = dict[str, Any]

_READERS = 6
"""Runs that are read at once."""


class RunsService:
    """Runs as the panels see them.

    Parameters
    ----------
    kube : KubeClient
        Client of the context in which they run.
    """

    def __init__(self, kube: KubeClient) -> None:
        self.pipelines = PipelinesClient(kube)
        self.table = RunTable(self.pipelines)
        self._cell_numbers: dict[str, dict[str, int]] = {}

    def list(self) -> list[Json]:
        """Return the summaries of all runs, newest first."""
        return self.table.rows(self.pipelines.list())

    def view(self, run_id: str) -> Json:
        """Return one run with its graph."""
        return self._run(run_id).view()

    def manifest(self, run_id: str) -> str:
        """Return a run's pipeline spec as YAML."""
        return dump_pipeline(pipeline_spec_of(self.pipelines.get(run_id)))

    def submit(
        self, path: Path, notebook: Json | None, parameters: Json, interpreter: str = ""
    ) -> Json:
        """Start a run of a notebook, the given content, or else of what the file is.

        Returned is its summary, and as `problems` what of it has no effect or may come out
        otherwise.
        """
        if notebook:
            found = compile_document(notebook, path, interpreter)
        else:
            found = read_source(path, interpreter)
        run = submit_spec(
            self.pipelines,
            found.spec,
            found.platform,
            name=path.stem,
            parameters=parameters,
            interpreter=interpreter or sys.executable,
            working_dir=path.parent,
            experiment=found.experiment,
        )
        self._cell_numbers[run.run_id] = found.numbers
        return {**run_summary(run.record), "problems": [asdict(one) for one in found.problems]}

    def stop(self, run_id: str) -> Json:
        """Stop a run."""
        run = self._run(run_id)
        run.stop()
        return run_summary(run.refresh().record)

    def retry(self, run_id: str) -> Json:
        """Run again what failed in a run."""
        self.table.forget(run_id)
        return run_summary(self._run(run_id).retry().record)

    def compare(self, run_ids: Sequence[str]) -> Json:
        """Return runs beside each other; see `fairlead.pipelines.comparison`."""
        with ThreadPoolExecutor(_READERS) as readers:
            return comparison_view(list(readers.map(self.pipelines.get, run_ids)))

    def pin(self, run_id: str, *, baseline: bool) -> None:
        """Keep a run."""
        self._run(run_id).pin(baseline=baseline)

    def unpin(self, run_id: str) -> None:
        """Keep a run no longer."""
        self._run(run_id).unpin()

    def label(self, run_id: str, changes: Sequence[str]) -> dict[str, str]:
        """Change labels of a run, `team=vision` and `team-`; returns what it has then."""
        return change_labels(self.pipelines, run_id, read_changes(changes))

    def delete(self, run_id: str) -> None:
        """Delete a run and its history."""
        self._run(run_id).delete()
        self.table.forget(run_id)

    def draft(self, run_id: str) -> Json:
        """Return what a form needs to clone a run."""
        record = self.pipelines.get(run_id)
        spec = pipeline_spec_of(record)
        given = (record.get("runtime_config") or {}).get("parameters") or {}
        return {
            "name": record.get("display_name") or "",
            "experiment_id": record.get("experiment_id") or "",
            "pipeline": spec.get("pipelineInfo", {}).get("name") or "",
            "parameters": parameters_of(spec, given),
            "warnings": [],
        }

    def clone(self, run_id: str, **given: Any) -> Json:
        """Start a run of the same pipeline; see `fairlead.client.Run.clone`."""
        run = self._run(run_id)
        made = run.clone(**given)
        self._cell_numbers[made.run_id] = run.cell_numbers
        return run_summary(made.record)

    def preview_clone(self, run_id: str, **given: Any) -> Json:
        """Return the request of a clone as YAML, the Python that sends it, and what runs again.

        `runs_again` are the steps before the one to begin at that run too: caching is off there.
        """
        run = self._run(run_id)
        request = run.clone_request(**given)
        return {
            "yaml": request_yaml(request),
            "python": clone_python(run_id, given),
            "runs_again": run.runs_again(given.get("rerun_from", "")),
        }

    def create_experiment(self, name: str, description: str) -> Json:
        """Make an experiment."""
        return experiment_view(self.pipelines.create_experiment(name, description))

    def logs(self, run_id: str, step: str, follow: bool) -> Iterable[str]:
        """Return the log lines of a step."""
        return self._run(run_id).logs(step, follow=follow)

    def analysis(self, notebook: Any) -> Json:
        """Return the steps, parameters and problems of a notebook that is being edited."""
        if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
            raise SpecError("`notebook` must be a notebook of version 4.")
        found: Json = analyse(notebook).as_dict()
        return found

    def _run(self, run_id: str) -> Run:
        record = self.pipelines.get(run_id)
        return Run(self.pipelines, record, self._cell_numbers.get(run_id))
