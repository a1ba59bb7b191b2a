"""What `import fairlead` offers: start a run, find runs, look into one."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fairlead.documents import run_document
from fairlead.errors import ConflictError, FairleadError, SpecError
from fairlead.kube import KubeClient
from fairlead.labels import change_labels, forget_labels, read_labels, read_selector, suits
from fairlead.pins import check_not_kept, make_baseline, pin, read_pins, unpin
from fairlead.pipelines.artifacts import Artifact, RunArtifacts, find_artifact
from fairlead.pipelines.bindings import bind_parameters
from fairlead.pipelines.client import FINAL_STATES, PipelinesClient
from fairlead.pipelines.compare import Metrics
from fairlead.pipelines.graph import metrics_of, pipeline_spec_of, run_view
from fairlead.pipelines.rerun import clone_request, runs_again
from fairlead.sources import read_source

SourcePath = str | os.PathLike[str]


class RunFailedError(FairleadError):
    """A run ended in another state than `SUCCEEDED`."""


class Run:
    """A handle on one run. It holds no state of the run but the record it last read.

    Parameters
    ----------
    pipelines : PipelinesClient
        Where the run lives.
    record : dict
        The run as KFP's REST gives it.
    cell_numbers : mapping, optional
        Position of each cell in the notebook that it was made from, by cell id, counted from 1.
        A run knows its cells by id alone: errors name the number where it is known.

    Attributes
    ----------
    warnings : list of str
        What of its source has no effect; of a run that was not started here nothing is known.
    """

    def __init__(
        self,
        pipelines: PipelinesClient,
        record: dict[str, Any],
        cell_numbers: Mapping[str, int] | None = None,
    ) -> None:
        self.pipelines = pipelines
        self.record = record
        self.cell_numbers = dict(cell_numbers or {})
        self.warnings: list[str] = []

    @property
    def run_id(self) -> str:
        """Identifier, a UUID."""
        return str(self.record["run_id"])

    @property
    def name(self) -> str:
        """Display name."""
        return str(self.record.get("display_name") or self.run_id)

    @property
    def state(self) -> str:
        """State when last read, in KFP's words; `refresh` reads it anew."""
        return str(self.record.get("state") or "PENDING")

    def refresh(self) -> Run:
        """Read the run again; returns itself."""
        self.record = self.pipelines.get(self.run_id)
        return self

    def changes(self, *, notice: Callable[[str], None] = lambda _: None) -> Iterator[Run]:
        """Yield itself now and after each change, until the run has ended."""
        for record in self.pipelines.changes(self.run_id, notice=notice):
            self.record = record
            yield self

    def wait(self) -> Run:
        """Wait for the end; returns itself.

        Raises
        ------
        RunFailedError
            It ended in another state than `SUCCEEDED`; the message is the failed step's.
        """
        for record in self.pipelines.changes(self.run_id, only_end=True):
            self.record = record
        self.raise_for_state()
        return self

    def raise_for_state(self) -> None:
        """Raise `RunFailedError` where the run has ended, but not in `SUCCEEDED`."""
        if self.state in FINAL_STATES and self.state != "SUCCEEDED":
            failed = [node for node in self.view()["graph"]["nodes"] if node["error"]]
            text = "; ".join(f"{node['name']}: {node['error']['message']}" for node in failed)
            raise RunFailedError(
                f"Run {self.name} ended {self.state}" + (f". {text}" if text else "."),
                hint=f"fairlead logs {self.run_id}",
            )

    def stop(self) -> None:
        """Stop the run; what has succeeded is kept."""
        self.pipelines.terminate(self.run_id)

    def retry(self) -> Run:
        """Run again what failed or did not run; returns itself."""
        self.pipelines.retry(self.run_id)
        return self.refresh()

    def clone(
        self,
        parameters: Mapping[str, Any] | None = None,
        *,
        name: str = "",
        experiment_id: str = "",
        rerun_from: str = "",
    ) -> Run:
        """Start a run of the same pipeline; returns at once.

        Parameters
        ----------
        parameters : mapping, optional
            Values of the pipeline's parameters; default: those of this run.
        name, experiment_id : str, optional
            Default: those of this run.
        rerun_from : str, optional
            Id of a step's node, as in `view`: it, and all that comes after it, takes nothing from
            the cache. What comes before is taken from there where it can be; a warning names the
            steps that run again because their caching is off.

        Raises
        ------
        SpecError
            A parameter or the step is refused; nothing has been started.
        """
        request = self.clone_request(
            parameters, name=name, experiment_id=experiment_id, rerun_from=rerun_from
        )
        if again := self.runs_again(rerun_from):
            steps = ", ".join(again)
            warnings.warn(f"Caching is off, so these steps run again, too: {steps}", stacklevel=2)
        return type(self)(self.pipelines, self.pipelines.create(request), self.cell_numbers)

    def runs_again(self, rerun_from: str) -> list[str]:
        """Return the other steps that run when it is run anew from a step: caching is off there."""
        return runs_again(pipeline_spec_of(self.record), rerun_from) if rerun_from else []

    def clone_request(
        self,
        parameters: Mapping[str, Any] | None = None,
        *,
        name: str = "",
        experiment_id: str = "",
        rerun_from: str = "",
    ) -> dict[str, Any]:
        """Return the request that `clone` sends, the body of KFP's `POST runs`."""
        spec = pipeline_spec_of(self.record)
        return clone_request(
            self.record,
            name=name,
            experiment_id=experiment_id,
            parameters=None if parameters is None else bind_parameters(spec, parameters),
            rerun_from=rerun_from,
        )

    def delete(self) -> None:
        """Delete the run, its pods and its history; raises `ConflictError` for a pinned one."""
        check_not_kept(self.pipelines, self.run_id, self.name)
        self.pipelines.delete(self.run_id)
        forget_labels(self.pipelines, self.run_id)

    @property
    def labels(self) -> dict[str, str]:
        """Its labels; asked for each time."""
        return read_labels(self.pipelines).get(self.run_id, {})

    def label(self, **labels: str | None) -> None:
        """Set labels, `run.label(team="vision")`, and take away those that are `None`."""
        change_labels(self.pipelines, self.run_id, labels)

    @property
    def pinned(self) -> bool:
        """Whether it is pinned, or the baseline of its experiment; asked for each time."""
        return read_pins(self.pipelines).holds(self.run_id)

    def pin(self, *, baseline: bool = False) -> None:
        """Keep the run: it is not deleted, nor cleaned up.

        Parameters
        ----------
        baseline : bool
            It is also what the others of its experiment are compared with, in the place of the
            one that was.
        """
        if baseline:
            experiment_id = str(self.record.get("experiment_id") or "")
            make_baseline(self.pipelines, self.run_id, experiment_id)
        else:
            pin(self.pipelines, self.run_id)

    def unpin(self) -> None:
        """Keep the run no longer."""
        unpin(self.pipelines, self.run_id)

    def view(self) -> dict[str, Any]:
        """Return the run as the run view and the widget show it; see `pipelines.graph`."""
        return run_view(self.record, self.cell_numbers)

    @property
    def metrics(self) -> Metrics:
        """Metrics that the run's steps had logged when it was last read, by name."""
        return Metrics(metrics_of(self.record))

    @property
    def artifacts(self) -> RunArtifacts:
        """What the run's tasks had made when it was last read: task -> name -> artifact."""
        return RunArtifacts(self.pipelines, self.record)

    def artifact(self, step: str, name: str) -> bytes:
        """Return the bytes of an artifact that a step made."""
        return self.pipelines.artifact(self.run_id, step, name)

    def notebook(self, step: str) -> dict[str, Any]:
        """Return a step's executed notebook, with its outputs."""
        found: dict[str, Any] = json.loads(self.artifact(step, "notebook"))
        return found

    def pod_of(self, step: str) -> str | None:
        """Name of the pod that runs or ran a step; `None` for a cached or waiting one.

        Parameters
        ----------
        step : str
            Id of its node as in `view`: its name, in a scope after the scope's id and a dot
            (`for-loop-1.0.train`); or its name alone where only one has it.
        """
        nodes = self.view()["graph"]["nodes"]
        found = [node for node in nodes if node["id"] == step] or [
            node for node in nodes if node["name"] == step
        ]
        if len(found) == 1:
            pod: str | None = found[0]["pod"]
            return pod
        if found:
            raise SpecError(
                f"Run {self.name} has {len(found)} steps '{step}'.",
                hint=f"Name one of: {', '.join(node['id'] for node in found)}.",
            )
        raise SpecError(
            f"Run {self.name} has no step '{step}'.", hint="`fairlead runs` lists runs."
        )

    def logs(self, step: str, *, follow: bool = False) -> Iterable[str]:
        """Return the log lines of a step; with `follow`, until it has ended."""
        pod = self.pod_of(step)
        if pod is None:
            return ()
        return self.pipelines.logs(self.run_id, pod, follow=follow)


def connect(context: str | None = None) -> PipelinesClient:
    """Return the pipelines client of a context, by default the one in use."""
    return PipelinesClient(KubeClient(context))


def compile_notebook(source: SourcePath) -> tuple[dict[str, Any], dict[str, Any]]:
    """Compile a notebook, or a pipeline of Elyra, into a KFP v2 pipeline.

    Returns
    -------
    tuple
        Its PipelineSpec and its PlatformSpec; the latter is empty where no step has a setting that
        concerns its pod (a secret, a volume, a timeout, a label).

    Raises
    ------
    SpecError
        It cannot become a pipeline; the message names cell, line and name, or the node.
    """
    found = read_source(Path(source))
    return found.spec, found.platform


def submit(
    source: SourcePath,
    parameters: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    experiment: str | None = None,
    pipeline_root: str | None = None,
    context: str | None = None,
) -> Run:
    """Start a run of a notebook or of a pipeline; returns at once.

    Parameters
    ----------
    source : path
        A notebook (`.ipynb`), a pipeline spec (`.yaml`) or a pipeline of Elyra (`.pipeline`).
    parameters : mapping, optional
        Values of the pipeline's parameters; those left out keep their defaults.
    name : str, optional
        Display name of the run; default: the name of the file.
    experiment : str, optional
        Name of the experiment that it belongs to; made where there is none.
    pipeline_root : str, optional
        Where its artifacts go: a folder, or `s3://bucket/prefix`, `gs://` or `minio://`; default:
        as the pipeline says, else as the server is set.
    context : str, optional
        A context, as `fairlead contexts` lists them; default: the one in use.

    Raises
    ------
    SpecError
        The source or a parameter is refused; nothing has been started.
    """
    path = Path(source)
    found = read_source(path)
    pipelines = connect(context)
    run = submit_spec(
        pipelines,
        found.spec,
        found.platform,
        name=name or path.stem,
        parameters=parameters or {},
        interpreter=sys.executable,
        working_dir=path.absolute().parent,
        experiment=experiment or found.experiment,
        pipeline_root=pipeline_root or "",
    )
    run.cell_numbers, run.warnings = found.numbers, found.warnings
    return run


def submit_spec(
    pipelines: PipelinesClient,
    spec: dict[str, Any],
    platform: dict[str, Any] | None = None,
    *,
    name: str,
    parameters: Mapping[str, Any],
    interpreter: str,
    working_dir: Path,
    experiment: str = "",
    pipeline_root: str = "",
) -> Run:
    """Start a run of a pipeline spec.

    Parameters
    ----------
    interpreter : str
        Path of the Python that runs the steps on this machine; a cluster uses the steps' images.
    working_dir : Path
        Where the steps start on this machine: beside the notebook, as its kernel does.
    experiment : str
        Name of the experiment that it belongs to, made where there is none; empty: the default one.
    pipeline_root : str
        Where its artifacts go; empty: as the pipeline or the server says.
    """
    values = bind_parameters(spec, parameters)
    document = run_document(spec, platform, interpreter, working_dir)
    experiment_id = pipelines.experiment_id(experiment) if experiment else ""
    return Run(pipelines, pipelines.submit(name, document, values, experiment_id, pipeline_root))


def get_run(run_id: str, *, context: str | None = None) -> Run:
    """Return a run by its id, or by the unambiguous beginning of it.

    Raises
    ------
    NotFoundError
        No run begins so.
    ConflictError
        Several do.
    """
    pipelines = connect(context)
    if len(run_id) < 36:
        found = [record for record in pipelines.list() if record["run_id"].startswith(run_id)]
        if len(found) > 1:
            raise ConflictError(
                f"{len(found)} runs begin with '{run_id}'.", hint="Give more of it."
            )
        if found:
            run_id = found[0]["run_id"]
    return Run(pipelines, pipelines.get(run_id))


def get_artifact(artifact_id: str, *, context: str | None = None) -> Artifact:
    """Return an artifact by its id; raises `NotFoundError` where there is none."""
    return find_artifact(connect(context), artifact_id)


def list_runs(*, label: str = "", context: str | None = None) -> list[Run]:
    """Return all runs, newest first; with `label`, `team=vision,checked`, those that have it."""
    pipelines = connect(context)
    records = pipelines.list()
    if label:
        wanted, labels = read_selector(label), read_labels(pipelines)
        records = [one for one in records if suits(labels.get(one["run_id"], {}), wanted)]
    return [Run(pipelines, record) for record in records]
