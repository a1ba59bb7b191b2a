"""A notebook as a pipeline: cells -> steps -> data flow -> KFP v2 pipeline spec.

What belongs here: pure functions from a notebook's JSON to plans and specs, the program that runs
a step (`runner`), and the KFP client (`client`). What does not: files, processes, Jupyter, and any
knowledge of where a pipeline runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.pipelines.records import Analysis, NotebookError, Parameter, Problem, Step

__all__ = [
    "Analysis",
    "NotebookError",
    "Parameter",
    "Problem",
    "Step",
    "analyse",
    "check_pipeline",
    "compile_notebook",
]


def analyse(notebook: dict[str, Any]) -> Analysis:
    """Find the steps, parameters and problems of a notebook (nbformat 4 JSON).

    Never raises for what a user wrote: it is among the problems.
    """
    from fairlead.pipelines.plan import plan_notebook

    return plan_notebook(notebook).analysis


def compile_notebook(
    notebook: dict[str, Any], *, name: str, modules: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Turn a notebook into a KFP v2 PipelineSpec.

    Parameters
    ----------
    notebook
        nbformat 4 JSON.
    name
        Name of the pipeline; it is made a DNS label.
    modules
        `{relative path: source}` of the .py files beside the notebook that it may import.

    Returns
    -------
    dict
        Plain JSON; the same notebook always gives the same.

    Raises
    ------
    NotebookError
        The notebook cannot become a pipeline; it carries every problem.
    """
    from fairlead.pipelines.ir import build_spec
    from fairlead.pipelines.plan import plan_notebook

    plan = plan_notebook(notebook, modules or {})
    if plan.analysis.errors:
        raise NotebookError(plan.analysis.problems)
    return build_spec(plan, name=name, modules=modules or {})


def check_pipeline(spec: dict[str, Any]) -> None:
    """Check a PipelineSpec: its form, references, required inputs and cycles.

    Raises
    ------
    SpecError
        It is not valid; the message names the field or task.
    """
    from fairlead.pipelines.check import check_spec

    check_spec(spec)
