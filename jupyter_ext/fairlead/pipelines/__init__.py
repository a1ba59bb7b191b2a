"""A notebook as a pipeline: cells -> steps -> data flow -> KFP v2 pipeline spec.

What belongs here: pure functions from a notebook's JSON to plans and specs, the program that runs
a step (`runner`), and the KFP client (`client`). What does not: files, processes, Jupyter, and any
knowledge of where a pipeline runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fairlead.pipelines.records import Analysis, NotebookError, Parameter, Problem, Step

if TYPE_CHECKING:
    from fairlead.pipelines.imports import Versions

__all__ = [
    "Analysis",
    "NotebookError",
    "Parameter",
    "Problem",
    "Step",
    "analyse",
    "check_pipeline",
    "compile_component",
    "compile_documents",
    "compile_notebook",
]


def analyse(notebook: dict[str, Any]) -> Analysis:
    """Find the steps, parameters and problems of a notebook (nbformat 4 JSON).

    Never raises for what a user wrote: it is among the problems.
    """
    from fairlead.pipelines.plan import plan_notebook

    return plan_notebook(notebook).analysis


def compile_documents(
    notebook: dict[str, Any],
    *,
    name: str,
    modules: Mapping[str, str] | None = None,
    versions: Versions | None = None,
    warn: Callable[[Problem], None] = lambda problem: None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn a notebook into a KFP v2 pipeline: its PipelineSpec and its PlatformSpec.

    Parameters
    ----------
    notebook
        nbformat 4 JSON.
    name
        Name of the pipeline; it is made a DNS label.
    modules
        `{relative path: source}` of the .py files beside the notebook that it may import.
    versions
        Asked for the requirements that have some modules, where a step names no packages of its
        own; `fairlead.environment.Pins` is one. Without it such a step asks for none.
    warn
        Told each warning, in the order of the notebook.

    Returns
    -------
    tuple
        Plain JSON; the same notebook and versions always give the same. The PlatformSpec is empty
        where no step has a setting that concerns its pod.

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
    plan.translation.check_whole()
    for problem in plan.layout.problems:
        warn(problem)
    return build_spec(
        plan, name=name, modules=modules or {}, versions=versions or (lambda names: [])
    )


def compile_component(
    notebook: dict[str, Any],
    component: str,
    *,
    modules: Iterable[str] = (),
    versions: Versions | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn a cell tagged `component` into a component that other pipelines load.

    Parameters
    ----------
    component
        Its name, or that of its function.
    modules
        Paths of the .py files beside the notebook, which a component does not carry.
    versions
        As `compile_documents` has it.

    Raises
    ------
    NotebookError
        The notebook has an error; it carries every problem.
    NotFoundError
        There is no component of that name.
    SpecError
        It imports one of the modules.
    """
    from fairlead.pipelines.component_spec import build_component, choose_component
    from fairlead.pipelines.plan import plan_notebook

    plan = plan_notebook(notebook, modules)
    if plan.analysis.errors:
        raise NotebookError(plan.analysis.problems)
    plan.translation.check_whole()
    chosen = choose_component(plan.components, component)
    return build_component(chosen, modules, versions or (lambda names: []))


def compile_notebook(
    notebook: dict[str, Any], *, name: str, modules: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the PipelineSpec alone of `compile_documents`: what looks at it, but runs nothing."""
    return compile_documents(notebook, name=name, modules=modules)[0]


def check_pipeline(spec: dict[str, Any]) -> None:
    """Check a PipelineSpec: its form, references, required inputs and cycles.

    Raises
    ------
    SpecError
        It is not valid; the message names the field or task.
    """
    from fairlead.pipelines.check import check_spec

    check_spec(spec)
