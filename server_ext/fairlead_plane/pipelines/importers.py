"""Importers: what exists already becomes the output of a task; nothing runs, nothing is copied."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from fairlead.errors import SpecError

from ..artifacts.places import remote
from . import files
from .clock import now
from .model import Component, Importer
from .placeholders import Context, Template, local_path
from .problems import Reader
from .records import Artifact, Task
from .tables import artifact_of

Json = Any

_FIELDS = ("artifactUri", "typeSchema", "metadata", "reimport", "downloadToWorkspace")


def read_importer(value: Json, path: str, component: Component, reader: Reader) -> Importer | None:
    """Read an importer of `deploymentSpec`, which a component runs as its executor.

    Notes
    -----
    `downloadToWorkspace` asks for nothing here: what is on this machine can be read where it is.
    """
    spec = reader.mapping(value, path)
    reader.fields(spec, path, _FIELDS, ("properties", "customProperties"))
    source = reader.mapping(spec.get("artifactUri"), f"{path}.artifactUri")
    reader.fields(source, f"{path}.artifactUri", ("constant", "runtimeParameter"))
    parameter = reader.string(
        source.get("runtimeParameter"), f"{path}.artifactUri.runtimeParameter"
    )
    uri = reader.string(source.get("constant"), f"{path}.artifactUri.constant")
    if parameter and parameter not in component.parameters:
        reader.problem(
            f"{path}.artifactUri.runtimeParameter",
            f"component '{component.name}' has no input parameter '{parameter}'",
        )
    elif not parameter and not uri:
        reader.problem(f"{path}.artifactUri", "must have a `constant` or a `runtimeParameter`")
    download = bool(spec.get("downloadToWorkspace"))
    if problem := _unreachable(uri, download=download):
        reader.problem(f"{path}.artifactUri.constant", problem)
    if len(component.output_artifacts) != 1:
        reader.problem(
            component.path, "a component that imports must have one output artifact, and no other"
        )
        return None
    (definition,) = component.output_artifacts.values()
    schema = reader.mapping(spec.get("typeSchema"), f"{path}.typeSchema")
    metadata = reader.mapping(spec.get("metadata"), f"{path}.metadata")
    return Importer(
        Template.parse(uri), parameter, schema or definition.schema, metadata,
        bool(spec.get("reimport")), download,
    )  # fmt: skip


def import_artifact(task: Task, names: Mapping[str, str]) -> Artifact:
    """Make the artifact of an importer task, whose inputs are known; looks at no file.

    Raises
    ------
    SpecError
        The uri is empty.
    """
    importer = task.component.importer
    assert importer is not None
    message = {"inputs": {"parameterValues": task.inputs.parameters}, "outputs": {}}
    context = Context(message, orjson.dumps(message).decode(), names, task.component.declared)
    if importer.parameter:
        uri = str(task.inputs.parameters.get(importer.parameter) or "")
    else:
        uri = importer.uri.resolve(context)
    if not uri:
        raise SpecError("The uri of the artifact to import is empty.")
    if problem := _unreachable(uri, download=importer.download):
        raise SpecError(problem)
    (name,) = task.component.output_artifacts
    return Artifact(
        artifact_id=str(uuid.uuid4()),
        name=name,
        schema=importer.schema,
        uri=uri,
        metadata=_filled(importer.metadata, context, task),
        created_at=now(),
    )


def settle(
    db: sqlite3.Connection,
    artifact: Artifact,
    stamp: Callable[..., list[str]],
    *,
    reimport: bool,
) -> Artifact:
    """Add what the file system, or the object store, says of an imported artifact.

    Parameters
    ----------
    stamp : callable
        Returns the stamps of objects of a store, see `Looks.stamp`.

    Returns
    -------
    Artifact
        Without `reimport`, the one that was made of the same thing before, if there is one.
    """
    path = local_path(artifact.uri)
    if remote(artifact.uri):
        (artifact.stamp,) = stamp(artifact.uri)
    elif os.path.isabs(path):
        try:
            artifact.stamp, artifact.size = files.shallow_stamp(path)
        except OSError:
            # Not to be read: as if nothing were there. The step that reads it says why.
            artifact.stamp = ""
    content = [artifact.uri, artifact.stamp, artifact.metadata, artifact.schema]
    artifact.sha256 = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    if reimport:
        return artifact
    rows = db.execute(
        "SELECT record FROM artifacts WHERE uri = ? ORDER BY created_at", (artifact.uri,)
    )
    for (record,) in rows:
        before = artifact_of(orjson.loads(record))
        if before.sha256 == artifact.sha256 and before.schema == artifact.schema:
            return before
    return artifact


def _unreachable(uri: str, *, download: bool) -> str:
    """Say why nobody here could read what is at a uri; empty when somebody could."""
    why = ""
    if uri.startswith("oci://"):
        why = "is an image, and no image is pulled on this machine"
    elif download and uri.startswith("huggingface://"):
        why = "is at Hugging Face, and nothing is downloaded from there"
    instead = "import the files from a path, or from s3://, gs:// or minio://."
    return f"'{uri}' {why}: {instead}" if why else ""


def _filled(value: Json, context: Context, task: Task) -> Json:
    """Put the values of the task's inputs into metadata, at any depth.

    A text that is one placeholder and nothing else becomes the value itself, with its type.
    """
    if isinstance(value, str):
        for name, given in task.inputs.parameters.items():
            if value == f"{{{{$.inputs.parameters['{name}']}}}}":
                return given
        return Template.parse(value).resolve(context)
    if isinstance(value, list):
        return [_filled(item, context, task) for item in value]
    if isinstance(value, dict):
        return {
            Template.parse(key).resolve(context): _filled(item, context, task)
            for key, item in value.items()
        }
    if isinstance(value, float) and value.is_integer():
        # The kfp compiler writes all numbers as floats.
        return int(value)
    return value
