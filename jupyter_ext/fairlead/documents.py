"""What a run is made of: notebooks of any version, pipelines as YAML, and what is sent of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fairlead.errors import SpecError
from fairlead.names import INTERPRETER_ANNOTATION, WORKING_DIR_ANNOTATION
from fairlead.pipelines import Problem, check_pipeline
from fairlead.yaml_text import dump_yaml


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook file of any version as version 4; each cell has an id.

    A cell without one, as before version 4.5, gets one from its content, so that it keeps it
    when other cells come and go.

    Raises
    ------
    SpecError
        It is not there, or not a notebook.
    """
    try:
        notebook: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SpecError(f"There is no notebook {path}.") from error
    except (ValueError, OSError) as error:
        raise SpecError(f"{path} is not a notebook: {error}") from error
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise SpecError(f"{path} is not a notebook: it has no `nbformat`.")
    if notebook["nbformat"] != 4:
        notebook = _upgrade(notebook, path)
    complete_notebook(notebook, path)
    checked: dict[str, Any] = notebook
    return checked


def complete_notebook(notebook: dict[str, Any], path: Path) -> None:
    """Check the cells of a notebook of version 4, and give an id to those without one."""
    _check_cells(notebook, path)
    _add_cell_ids(notebook)


def cell_numbers(notebook: Mapping[str, Any]) -> dict[str, int]:
    """Return the position of each cell, counted from 1, by its id."""
    return {cell["id"]: number for number, cell in enumerate(notebook["cells"], 1) if "id" in cell}


def read_pipeline(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a compiled pipeline: its spec and its platform spec, the latter empty if there is none.

    Raises
    ------
    SpecError
        It is not there, or not a pipeline spec.
    """
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = list(yaml.load_all(path.read_text(), Loader=loader))
    except FileNotFoundError as error:
        raise SpecError(f"There is no file {path}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is not valid YAML: {error}") from error
    if not documents or not isinstance(documents[0], dict) or "root" not in documents[0]:
        raise SpecError(
            f"{path} is not a pipeline spec.",
            hint="Give a notebook (.ipynb), or a pipeline compiled for KFP v2 (.yaml).",
        )
    check_pipeline(documents[0])
    return documents[0], documents[1] if len(documents) > 1 else {}


def run_document(
    spec: dict[str, Any], platform: dict[str, Any] | None, interpreter: str, working_dir: Path
) -> dict[str, Any]:
    """Return the `pipeline_spec` of a request, which says where its steps run on this machine.

    Parameters
    ----------
    interpreter : str
        Path of the Python that runs the steps; a cluster uses the steps' images.
    working_dir : Path
        Where the steps start.
    """
    annotations = {INTERPRETER_ANNOTATION: interpreter, WORKING_DIR_ANNOTATION: str(working_dir)}
    return {
        "pipeline_spec": spec,
        "platform_spec": _annotate(spec, platform or {}, annotations),
    }


def read_elyra_pipeline(path: Path) -> tuple[dict[str, Any], dict[str, Any], list[Problem]]:
    """Read a `.pipeline` file of Elyra and the files beside it that its nodes run and need.

    Returns
    -------
    tuple
        Pipeline spec, platform spec (empty if there is none), and warnings: what has no effect.

    Raises
    ------
    SpecError
        It is not there, or cannot run; the message names the node.
    """
    from fairlead.pipelines.elyra import ElyraNode, read_elyra
    from fairlead.pipelines.elyra_ir import build_elyra_spec

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SpecError(f"There is no file {path}.") from error
    except ValueError as error:
        raise SpecError(f"{path} is not valid JSON: {error}") from error
    folder = path.absolute().parent

    def files_of(node: ElyraNode) -> dict[str, bytes]:
        return _files_of_node(folder, node.name, node.file, node.dependencies, node.recursive)

    pipeline = read_elyra(document, path.stem)
    spec, platform = build_elyra_spec(pipeline, files_of, lambda name: read_notebook(folder / name))
    return spec, platform, pipeline.problems


def _files_of_node(
    folder: Path, node: str, name: str, patterns: list[str], recursive: bool
) -> dict[str, bytes]:
    """Read a node's file and what it depends on, by path relative to the file's folder."""
    file = folder / name
    if not file.is_file():
        raise SpecError(
            f"Node '{node}' runs {name}, and there is no such file beside the pipeline."
        )
    found = {file.name: file.read_bytes()}
    for pattern in patterns:
        if ".." in Path(pattern).parts or Path(pattern).is_absolute():
            raise SpecError(
                f"Node '{node}' depends on {pattern}, which is outside of the folder of {name}.",
                hint="Move it beside the file, or below.",
            )
        several = any(sign in pattern for sign in "*?[")
        deep = recursive and several and "/" not in pattern
        listed = sorted(file.parent.glob(f"**/{pattern}" if deep else pattern))
        inner = "**/*" if recursive else "*"
        whole = [each for one in listed if one.is_dir() for each in sorted(one.glob(inner))]
        kept = [
            one
            for one in [*listed, *whole]
            if one.is_file()
            and not any(part.startswith(".") for part in one.relative_to(file.parent).parts[:-1])
        ]
        if not kept:
            raise SpecError(f"Node '{node}' depends on {pattern}, and there is no such file.")
        found.update((one.relative_to(file.parent).as_posix(), one.read_bytes()) for one in kept)
    return found


def _upgrade(notebook: dict[str, Any], path: Path) -> dict[str, Any]:
    """Turn a notebook of another major version into version 4."""
    # nbformat takes a second to import (it brings every checker of jsonschema): only when needed.
    import nbformat

    try:
        upgraded = nbformat.convert(nbformat.from_dict(notebook), 4)
    except (nbformat.ValidationError, ValueError, KeyError, AttributeError) as error:
        raise SpecError(f"{path} is a notebook of an unknown version: {error}") from error
    plain: dict[str, Any] = json.loads(json.dumps(upgraded))
    return plain


def _check_cells(notebook: dict[str, Any], path: Path) -> None:
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise SpecError(f"{path} is not a notebook: it has no `cells`.")
    for number, cell in enumerate(cells, 1):
        source = cell.get("source") if isinstance(cell, dict) else None
        if isinstance(source, list):
            cell["source"] = source = "".join(map(str, source))
        if not isinstance(source, str) or "cell_type" not in cell:
            raise SpecError(f"{path} is not a notebook: cell {number} has no type or no source.")
        cell.setdefault("metadata", {})


def _add_cell_ids(notebook: dict[str, Any]) -> None:
    seen: dict[str, int] = {}
    for cell in notebook["cells"]:
        if "id" not in cell:
            digest = hashlib.sha256(cell["source"].encode()).hexdigest()[:12]
            seen[digest] = seen.get(digest, 0) + 1
            cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def dump_pipeline(spec: Mapping[str, Any], platform: Mapping[str, Any] | None = None) -> str:
    """Write a pipeline spec as YAML, with the platform spec, if any, as a second document."""
    return dump_yaml([spec, platform] if platform else [spec])


def _annotate(
    spec: dict[str, Any], platform: dict[str, Any], annotations: dict[str, str]
) -> dict[str, Any]:
    """Add pod annotations for every executor, below those that the platform spec has itself."""
    result: dict[str, Any] = json.loads(json.dumps(platform))
    executors = (
        result.setdefault("platforms", {})
        .setdefault("kubernetes", {})
        .setdefault("deploymentSpec", {})
        .setdefault("executors", {})
    )
    for label in spec.get("deploymentSpec", {}).get("executors", {}):
        metadata = executors.setdefault(label, {}).setdefault("podMetadata", {})
        metadata["annotations"] = {**annotations, **metadata.get("annotations", {})}
    return result
