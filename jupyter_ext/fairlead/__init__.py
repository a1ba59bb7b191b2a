"""Kubeflow inside JupyterLab: notebooks become pipelines, here or on a cluster.

    import fairlead
    run = fairlead.run("train.ipynb", {"epochs": 5})   # a live DAG in a notebook
    run.wait()
    run.metrics
    run.artifacts["train"]["model"].load()

Nothing heavy is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fairlead._version import __version__

if TYPE_CHECKING:
    from fairlead.client import compile_notebook, get_artifact, submit
    from fairlead.errors import FairleadError
    from fairlead.experiment import experiments, get_experiment
    from fairlead.pipelines.compare import compare
    from fairlead.recurring import get_recurring_run, recurring_runs, schedule
    from fairlead.training.report import report
    from fairlead.training.train import train
    from fairlead.widgets import get_run, run, runs

__all__ = [
    "FairleadError",
    "__version__",
    "compare",
    "compile_notebook",
    "experiments",
    "get_artifact",
    "get_experiment",
    "get_recurring_run",
    "get_run",
    "recurring_runs",
    "report",
    "run",
    "runs",
    "schedule",
    "submit",
    "train",
]

_HOMES = {
    "FairleadError": "fairlead.errors",
    "compare": "fairlead.pipelines.compare",
    "compile_notebook": "fairlead.client",
    "experiments": "fairlead.experiment",
    "get_artifact": "fairlead.client",
    "get_experiment": "fairlead.experiment",
    "get_recurring_run": "fairlead.recurring",
    "get_run": "fairlead.widgets",
    "recurring_runs": "fairlead.recurring",
    "report": "fairlead.training.report",
    "run": "fairlead.widgets",
    "runs": "fairlead.widgets",
    "schedule": "fairlead.recurring",
    "submit": "fairlead.client",
    "train": "fairlead.training.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fairlead' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def load_ipython_extension(shell: Any) -> None:
    """Register `%fairlead` (`%load_ext fairlead`)."""
    from fairlead.magics import register

    register(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@fairlead/lab"}]
