"""Artifacts that a client makes known: of a run and its task, beside what the task itself wrote.

They are in the lists of artifacts and of their tasks. A task's own view shows what the step made.
Source: `backend/api/v2beta1/artifact.proto` of kubeflow/pipelines.
"""

from __future__ import annotations

import sqlite3
import uuid
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...resources import Resources, Transaction
from ..clock import now
from ..records import ARTIFACT_TYPES, Artifact
from ..tables import record_of
from .answers import invalid, not_found, read_body, reply, take, text_field
from .artifacts import link_view

Json = Any

_TITLES = {word: title for title, word in ARTIFACT_TYPES.items()} | {"Artifact": "system.Artifact"}
_LINK_TYPES = (
    "UNSPECIFIED", "COMPONENT_DEFAULT_INPUT", "TASK_OUTPUT_INPUT", "COMPONENT_INPUT",
    "RUNTIME_VALUE_INPUT", "COLLECTED_INPUTS", "ITERATOR_INPUT", "ITERATOR_INPUT_RAW",
    "ITERATOR_OUTPUT", "OUTPUT", "ONE_OF_OUTPUT", "TASK_FINAL_STATUS_OUTPUT",
)  # fmt: skip
"""`IOType`, by its numbers."""


class ArtifactWrites:
    """Handlers of POST at `/apis/v2beta1/artifacts` and `/artifact_tasks`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def routes(self) -> list[Route]:
        """Return the routes."""
        base = "/apis/v2beta1/"
        return [
            Route(base + "artifacts:batchCreate", self.create_all, methods=["POST"]),
            Route(base + "artifacts", self.create, methods=["POST"]),
            Route(base + "artifact_tasks:batchCreate", self.link_all, methods=["POST"]),
            Route(base + "artifact_tasks", self.link, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Make one artifact known; returns it."""
        [made] = await self._create([await read_body(request)])
        return reply(made)

    async def create_all(self, request: Request) -> Response:
        """Make several known, or none."""
        asked = _listed(await read_body(request), "artifacts")
        return reply({"artifacts": await self._create(asked)})

    async def link(self, request: Request) -> Response:
        """Say that a task wrote or read an artifact; returns the link."""
        body = await read_body(request)
        [made] = await self._link([_object(take(body, "artifact_task", None), "artifact_task")])
        return reply(made)

    async def link_all(self, request: Request) -> Response:
        """Say it of several, or of none."""
        asked = _listed(await read_body(request), "artifact_tasks")
        return reply({"artifact_tasks": await self._link(asked)})

    async def _create(self, asked: list[dict[str, Json]]) -> list[Json]:
        def change(transaction: Transaction) -> list[Json]:
            db, made = transaction.db, []
            for body in asked:
                artifact = _artifact(_object(take(body, "artifact", None), "artifact"))
                key = text_field(body, "producer_key") or artifact.name
                task = _task(db, body)
                view = orjson.dumps(artifact.view())
                db.execute(
                    "INSERT INTO artifacts VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        artifact.artifact_id, artifact.created_at, artifact.name, artifact.type,
                        artifact.uri, orjson.dumps(record_of(artifact)), view,
                    ),
                )  # fmt: skip
                link = artifact.artifact_id, *task[:2], _link_type(body), task[2], key
                db.execute(_INSERT_LINK, link)
                made.append(orjson.Fragment(view))
            return made

        return await self._resources.transaction(change)

    async def _link(self, asked: list[dict[str, Json]]) -> list[Json]:
        def change(transaction: Transaction) -> list[Json]:
            db, made = transaction.db, []
            for body in asked:
                artifact_id = text_field(body, "artifact_id")
                found = db.execute(
                    "SELECT name FROM artifacts WHERE artifact_id = ?", (artifact_id,)
                ).fetchone()
                if found is None:
                    raise not_found("Artifact", artifact_id)
                run_id, task_id, name = _task(db, body)
                producer = take(body, "producer", {})
                named = _object(producer, "producer") if producer else {"task_name": name}
                link = (
                    artifact_id, run_id, task_id, _link_type(body), text_field(named, "task_name"),
                    text_field(body, "key") or found[0],
                )  # fmt: skip
                number = db.execute(_INSERT_LINK, link).lastrowid
                cursor = db.execute("SELECT * FROM artifact_tasks WHERE id = ?", (number,))
                cursor.row_factory = sqlite3.Row
                made.append(link_view(cursor.fetchone()))
            return made

        return await self._resources.transaction(change)


_INSERT_LINK = """INSERT INTO artifact_tasks (artifact_id, run_id, task_id, type, producer, key)
                  VALUES (?, ?, ?, ?, ?, ?)"""


def _artifact(body: dict[str, Json]) -> Artifact:
    name, kind = text_field(body, "name"), take(body, "type")
    if not name:
        raise invalid("artifact.name is required")
    if isinstance(kind, int) and 0 < kind <= len(_TITLES):
        kind = ("Artifact", "Model", "Dataset", "HTML", "Markdown", "Metric",
                "ClassificationMetric", "SlicedClassificationMetric")[kind - 1]  # fmt: skip
    if kind not in _TITLES:
        raise invalid(f"artifact.type must be one of {', '.join(_TITLES)}")
    metadata = _object(take(body, "metadata", {}), "artifact.metadata")
    number = take(body, "number_value", None)
    if number is not None:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise invalid("artifact.number_value must be a number")
        metadata = metadata or {name: number}
    return Artifact(
        artifact_id=str(uuid.uuid4()),
        name=name,
        schema={"schemaTitle": _TITLES[kind], "schemaVersion": "0.0.1"},
        uri=text_field(body, "uri"),
        metadata=metadata,
        created_at=now(),
    )


def _task(db: sqlite3.Connection, body: dict[str, Json]) -> tuple[str, str, str]:
    """Return run, id and name of the task that a request names."""
    run_id, task_id = text_field(body, "run_id"), text_field(body, "task_id")
    if db.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone() is None:
        raise not_found("Run", run_id)
    found = db.execute(
        "SELECT name FROM tasks WHERE run_id = ? AND task_id = ?", (run_id, task_id)
    ).fetchone()
    if found is None:
        raise not_found("Task", f"{task_id} of run {run_id}")
    return run_id, task_id, found[0]


def _link_type(body: dict[str, Json]) -> str:
    kind = take(body, "type", "OUTPUT")
    if isinstance(kind, int) and 0 <= kind < len(_LINK_TYPES):
        kind = _LINK_TYPES[kind]
    if kind not in _LINK_TYPES[1:]:
        raise invalid(f"type must be one of {', '.join(_LINK_TYPES[1:])}")
    return str(kind)


def _object(value: Json, name: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object")
    return value


def _listed(body: dict[str, Json], name: str) -> list[dict[str, Json]]:
    values = take(body, name, None)
    if not isinstance(values, list):
        raise invalid(f"{name} must be a list")
    return [_object(one, f"{name}[{number}]") for number, one in enumerate(values)]
