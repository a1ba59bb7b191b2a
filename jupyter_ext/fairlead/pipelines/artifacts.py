"""Artifacts of runs in Python: `run.artifacts["train"]["model"]`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from fairlead.errors import CapabilityError, ConflictError, NotFoundError, SpecError
from fairlead.pipelines.artifact_client import artifacts_of_run
from fairlead.pipelines.forms import artifact_bundle, table_html
from fairlead.pipelines.lineage import MADE
from fairlead.pipelines.plots import artifact_type
from fairlead.pipelines.previews import (
    WHOLE_BYTES,
    nothing,
    preview_of,
    preview_of_metadata,
)

if TYPE_CHECKING:
    from fairlead.pipelines.client import PipelinesClient

Json = dict[str, Any]

_IN_MEMORY = 1 << 20
"""Bytes of an artifact that `open` keeps in memory; a larger one goes through a file."""


class Artifact:
    """What a task of a run wrote. Shows itself in a notebook: numbers, curves, tables, pictures.

    Parameters
    ----------
    pipelines : PipelinesClient
        Where it can be read.
    record : dict
        The artifact as KFP's REST gives it.
    run_id, task_id, key : str
        Who made it, and as which of its outputs.
    task : str
        Name of the task.
    """

    def __init__(
        self,
        pipelines: PipelinesClient,
        record: Json,
        *,
        run_id: str,
        task_id: str,
        task: str,
        key: str,
    ) -> None:
        self.record = record
        self.run_id = run_id
        self.task = task
        self.key = key
        self._pipelines = pipelines
        self._task_id = task_id

    @property
    def id(self) -> str:
        """Identifier; empty on servers that tell none."""
        return str(self.record.get("artifact_id") or "")

    @property
    def name(self) -> str:
        """Name: the key of the output, unless the task chose another."""
        return str(self.record.get("name") or self.key)

    @property
    def type(self) -> str:
        """Its class in `kfp.dsl`: `Dataset`, `Model`, `Metrics` or another."""
        return artifact_type(self.record)

    @property
    def uri(self) -> str:
        """Where it is stored."""
        return str(self.record.get("uri") or "")

    @property
    def metadata(self) -> Json:
        """What the task noted of it."""
        return dict(self.record.get("metadata") or {})

    @property
    def path(self) -> Path:
        """Its file or folder, where that is on this machine.

        Raises
        ------
        CapabilityError
            It is elsewhere: `download` brings it here.
        """
        path = Path(self.uri.removeprefix("file://"))
        if not path.is_absolute() or not path.exists():
            raise CapabilityError(
                f"The artifact {self.name} of task {self.task} is at {self.uri or 'no place'}, "
                "and not a file of this machine.",
                hint="artifact.download(TARGET)",
            )
        return path

    def read(self) -> bytes:
        """Return its bytes."""
        return b"".join(self._pieces())

    def open(self) -> IO[bytes]:
        """Open it for reading, as bytes; a copy, wherever it is stored."""
        file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)
        for piece in self._pieces():
            file.write(piece)
        file.seek(0)
        return file

    def download(self, target: str | Path = ".") -> Path:
        """Write it to a file; returns its path.

        Parameters
        ----------
        target : path
            The file, or an existing folder, in which it gets its own name.

        Raises
        ------
        ConflictError
            The file is there already.
        """
        path = Path(target)
        if path.is_dir():
            path = path / (Path(self.uri).name or self.name)
        if path.exists():
            raise ConflictError(
                f"{path} is there already.", hint="Name another file, or delete it."
            )
        if self._is_folder():
            shutil.copytree(self.path, path)
            return path
        with path.open("xb") as file:
            for piece in self._pieces():
                file.write(piece)
        return path

    def load(self) -> Any:
        """Return the value that a step of a notebook left in it.

        A pickle runs what is in it: load only what your own steps wrote.

        Raises
        ------
        SpecError
            It was not written by a step of a notebook.
        """
        from fairlead.pipelines.runner.artifacts import decode

        names = self.metadata.get("names")
        if not isinstance(names, list) or not names:
            raise SpecError(
                f"The artifact {self.name} of task {self.task} holds no value of a notebook.",
                hint="artifact.open() reads its bytes.",
            )
        values = decode(self.read(), names)
        return values if len(names) > 1 else values[names[0]]

    def preview(self) -> Json:
        """Return what can be shown of it; see `pipelines.previews`."""
        known = preview_of_metadata(self.record)
        if known is not None:
            return known
        held = bytearray()
        try:
            for piece in self._pieces():
                held += piece
                if len(held) > WHOLE_BYTES:
                    break
        except (NotFoundError, SpecError) as error:
            return nothing(error.what)
        return preview_of(self.record, bytes(held), whole=len(held) <= WHOLE_BYTES)

    def _is_folder(self) -> bool:
        path = Path(self.uri.removeprefix("file://"))
        return path.is_absolute() and path.is_dir()

    def _pieces(self) -> Iterator[bytes]:
        return self._pipelines.artifacts.read(self.run_id, self._task_id, self.key, self.id)

    def __repr__(self) -> str:
        return f"<{self.type} {self.name} of {self.task}: {self.uri}>"

    def _repr_mimebundle_(self, **_: Any) -> Json:
        head = f"{self.name} ({self.type}), made by {self.task}"
        return artifact_bundle(self.record, self.preview(), head)


def find_artifact(pipelines: PipelinesClient, artifact_id: str) -> Artifact:
    """Return an artifact by its id.

    Raises
    ------
    NotFoundError
        There is none, or no run is left that made it.
    CapabilityError
        This server has no artifact service.
    """
    record = pipelines.artifacts.get(artifact_id)
    for link in pipelines.artifacts.links_of_artifacts([artifact_id]):
        if link["type"] == MADE:
            return Artifact(
                pipelines,
                record,
                run_id=link["run_id"],
                task_id=link["task_id"],
                task=(link.get("producer") or {}).get("task_name") or "",
                key=link["key"],
            )
    raise NotFoundError(
        f"No run is left that made the artifact {record.get('name')} ({artifact_id}).",
        hint=f"It was at {record.get('uri') or 'no place of its own'}.",
    )


class TaskArtifacts(Mapping[str, Artifact]):
    """The artifacts of one task, by the key of the output; of a list of artifacts the first."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._made: dict[str, list[Artifact]] = {}

    def add(self, artifact: Artifact) -> None:
        """Add what the task made."""
        self._made.setdefault(artifact.key, []).append(artifact)

    def all(self, key: str) -> list[Artifact]:
        """Return all artifacts of an output, for an output that is a list."""
        return list(self._made[key])

    def __getitem__(self, key: str) -> Artifact:
        if key not in self._made:
            raise KeyError(f"{key}; task {self._task} made: {', '.join(self._made) or 'nothing'}")
        return self._made[key][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{key!r}: {self[key]!r}' for key in self)}}}"


class RunArtifacts(Mapping[str, TaskArtifacts]):
    """What the tasks of a run made: task -> name -> artifact. Shows itself as a table.

    A task of a loop is found by its name with the iteration: `train[0]`.
    """

    def __init__(self, pipelines: PipelinesClient, record: Mapping[str, Any]) -> None:
        self._tasks: dict[str, TaskArtifacts] = {}
        names = task_names(record)
        for task, key, made in artifacts_of_run(record):
            name = names[task["task_id"]]
            artifact = Artifact(
                pipelines,
                made,
                run_id=str(record["run_id"]),
                task_id=str(task["task_id"]),
                task=name,
                key=key,
            )
            self._tasks.setdefault(name, TaskArtifacts(name)).add(artifact)

    def __getitem__(self, task: str) -> TaskArtifacts:
        if task not in self._tasks:
            raise KeyError(f"{task}; artifacts were made by: {', '.join(self._tasks) or 'nobody'}")
        return self._tasks[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def _rows(self) -> list[list[Any]]:
        return [
            [task, key, one.type, one.record.get("size"), one.uri]
            for task, made in self._tasks.items()
            for key, one in made.items()
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{task}.{key}  {kind}  {uri}" for task, key, kind, _, uri in self._rows())

    def _repr_html_(self) -> str:
        return table_html(["task", "artifact", "type", "bytes", "uri"], self._rows())


def task_names(record: Mapping[str, Any]) -> dict[str, str]:
    """Return names that tell the tasks of a run apart, by task id.

    A task's own name where no other has it; in loops with the iterations: `train[0]`.
    """
    tasks = {
        task["task_id"]: task
        for task in (record.get("run_details") or {}).get("task_details") or []
    }
    names: dict[str, str] = {}
    taken: set[str] = set()
    for identity, task in tasks.items():
        own = str(task.get("display_name") or task.get("name") or identity)
        iterations = "".join(f"[{number}]" for number in _iterations(task, tasks))
        name = own + iterations
        parent = tasks.get(task.get("parent_task_id") or "")
        if name in taken and parent is not None:
            name = f"{names.get(parent['task_id'], '')}.{name}"
        names[identity] = name if name not in taken else f"{name} ({identity[:8]})"
        taken.add(names[identity])
    return names


def _iterations(task: Json, tasks: Mapping[str, Json]) -> list[int]:
    found: list[int] = []
    at: Json | None = task
    while at is not None:
        number = (at.get("type_attributes") or {}).get("iteration_index")
        if number is not None:
            found.insert(0, int(number))
        at = tasks.get(at.get("parent_task_id") or "")
    return found
