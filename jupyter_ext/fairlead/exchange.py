"""Notebooks as files for others, and files of others as notebooks: `fairlead export | import`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fairlead.documents import cell_numbers, dump_pipeline, read_notebook
from fairlead.environment import Pins
from fairlead.errors import SpecError
from fairlead.pipelines import NotebookError, Problem
from fairlead.pipelines.records import sentence
from fairlead.sources import notebook_parts, read_source

FORMATS = ("ir", "kfp", "kustomize", "share")
"""What a pipeline can be exported to."""


def export(
    source: Path, to: str, output: Path, *, namespace: str = "", interpreter: str = ""
) -> list[str]:
    """Write a notebook's pipeline in another form.

    Parameters
    ----------
    source : Path
        A notebook; for `ir` and `kustomize` also a pipeline of Elyra or a pipeline spec.
    to : str
        One of `FORMATS`.
    output : Path
        File to write; for `kustomize` a folder, which is made where there is none.
    namespace : str, optional
        For `kustomize`: namespace of the objects; default: `kubeflow`.
    interpreter : str, optional
        Path of the Python of the notebook's kernel, whose versions of packages are written;
        default: the one that runs this.

    Returns
    -------
    list of str
        What the reader should know, in words.

    Raises
    ------
    SpecError
        The source cannot become a pipeline, or has no equal in that form.
    """
    writers: dict[str, Callable[[], list[str]]] = {
        "ir": lambda: _export_ir(source, output, interpreter),
        "kfp": lambda: _export_kfp(source, output, interpreter),
        "kustomize": lambda: _export_kustomize(source, output, namespace, interpreter),
        "share": lambda: _export_share(source, output, interpreter),
    }
    if to not in writers:
        raise SpecError(f"There is no export to '{to}'.", hint=f"One of: {', '.join(FORMATS)}.")
    return writers[to]()


def kfp_python(
    notebook: dict[str, Any],
    path: Path,
    interpreter: str = "",
    warn: Callable[[str], None] = lambda text: None,
) -> str:
    """Return a notebook as a Python file of kfp; `path` is where it is, or would be, saved.

    `warn` is told in words what of the notebook may come out otherwise.
    """
    # Loaded here: only an export needs it.
    from fairlead.pipelines.exports.kfp_python import write_kfp_python
    from fairlead.pipelines.plan import plan_notebook

    problems: list[Problem] = []
    whole, modules = notebook_parts(notebook, path, problems.append)
    plan = plan_notebook(whole, modules)
    if plan.analysis.errors:
        raise NotebookError(plan.analysis.problems)
    for problem in problems + plan.analysis.problems:
        warn(sentence(problem))
    return write_kfp_python(
        plan,
        name=path.stem,
        modules=modules,
        versions=Pins(interpreter),
        numbers=cell_numbers(whole),
    )


def _export_ir(source: Path, output: Path, interpreter: str) -> list[str]:
    found = read_source(source, interpreter)
    output.write_text(dump_pipeline(found.spec, found.platform))
    return found.warnings


def _export_kfp(source: Path, output: Path, interpreter: str) -> list[str]:
    if source.suffix != ".ipynb":
        raise SpecError(f"{source} is not a notebook; only notebooks are exported to Python.")
    told: list[str] = []
    output.write_text(kfp_python(read_notebook(source), source, interpreter, told.append))
    return told


def _export_kustomize(source: Path, output: Path, namespace: str, interpreter: str) -> list[str]:
    from fairlead.pipelines.exports.kustomize import build_kustomize

    found = read_source(source, interpreter)
    compiled = dump_pipeline(found.spec, found.platform)
    files = build_kustomize(found.spec, found.platform, compiled, namespace=namespace)
    for name, content in files.items():
        file = output / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else dump_pipeline(content))
    return found.warnings


def _export_share(source: Path, output: Path, interpreter: str) -> list[str]:
    if source.suffix != ".ipynb":
        raise SpecError(f"{source} is not a notebook; only notebooks are shared.")
    from fairlead.sharing import export_share

    return export_share(source, output, interpreter)
