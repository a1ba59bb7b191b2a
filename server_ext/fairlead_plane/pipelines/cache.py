"""The cache: outputs of earlier tasks by the content that made them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from fairlead.names import WORKING_DIR_ANNOTATION

from . import files
from .claims import CLAIM_IMAGES
from .events import CacheHit
from .model import Executor
from .placeholders import local_path
from .pods import make_target
from .records import SUCCEEDED, Run, Task, Values
from .remote import objects_among
from .tables import artifact_of, record_of
from .workspace import uses_workspace

Json = Any

_SORTED = orjson.OPT_SORT_KEYS
_NEW = "No earlier task had the same code, inputs and environment."


def cache_key(
    task: Task, executor: Executor, environment: Callable[[Mapping[str, str]], str]
) -> str:
    """Hash everything that decides the outputs of a task.

    Parameters
    ----------
    environment : callable
        Fingerprint of the Python environment that a pod with these annotations runs in.

    Notes
    -----
    Image, command, args and env as templates; the values of the input parameters; content and
    metadata of the input artifacts; what is to be written; the environment; the folder that the
    step starts in, since relative paths lead from there. Resources and names do not count. With
    a key given by the user (`cachingOptions.cacheKey`) that one and the outputs alone count, as
    in KFP.
    """
    assert task.spec is not None
    digest = hashlib.sha256(task.component.outputs_digest)
    if task.spec.cache_key:
        digest.update(b"key\0" + task.spec.cache_key.encode())
        return digest.hexdigest()
    annotations = executor.pod_annotations
    digest.update(executor.digest)
    if passed := task.component.passthroughs:
        # What the step is told is an input of it, its resources too.
        digest.update(repr((passed, executor.resources)).encode())
    if executor.changes:
        # The names of what it mounts and reads its variables from, which parameters may give.
        pod: Json = {"spec": {"containers": [{}]}}
        target = make_target(pod, task)
        for change in executor.changes:
            change(target)
        digest.update(orjson.dumps(pod, option=_SORTED))
    digest.update(environment(annotations).encode())
    digest.update(
        orjson.dumps(
            [
                annotations.get(WORKING_DIR_ANNOTATION, ""),
                task.inputs.parameters,
                {
                    name: [[one.sha256, one.name, one.metadata] for one in artifacts]
                    for name, artifacts in task.inputs.artifacts.items()
                },
            ],
            option=_SORTED,
        )
    )
    return digest.hexdigest()


def never_cached(run: Run, task: Task) -> str:
    """Return why a task is never taken from the cache; empty when it may be."""
    executor = task.component.executor
    assert executor is not None
    if executor.image in CLAIM_IMAGES:
        return "Never cached: it changes volumes."
    if uses_workspace(run, task):
        return "Never cached: it uses the workspace, which is new for each run."
    return ""


def find(db: sqlite3.Connection, key: str, stamp: Callable[..., list[str]]) -> CacheHit | str:
    """Return outputs whose content is still as it was, or in words why there are none.

    Parameters
    ----------
    stamp : callable
        Returns the stamps of objects of a store, see `Looks.stamp`.
    """
    row = db.execute("SELECT origin, outputs FROM cache WHERE key = ?", (key,)).fetchone()
    if row is None:
        return _NEW
    origin, body = row
    parameters, stored = orjson.loads(body)
    artifacts = {
        name: [artifact_of(record) for record in records] for name, records in stored.items()
    }
    objects = objects_among(artifacts)
    for one, now in zip(objects, stamp(*(one.uri for one in objects)), strict=True):
        if now != one.stamp:
            return f"The cached artifact '{one.name}' ({one.uri}) is gone or was changed."
    for made in artifacts.values():
        for one in made:
            if one in objects:
                continue
            if one.stamp and not files.is_unchanged(local_path(one.uri), one.stamp):
                return f"The cached artifact '{one.name}' ({one.uri}) is gone or was changed."
    return CacheHit(Values(parameters, artifacts), origin)


def fill(db: sqlite3.Connection, run: Run, tasks: list[Task]) -> None:
    """Remember the outputs of tasks that have just succeeded."""
    for task in tasks:
        if task.state != SUCCEEDED or not task.cache_key:
            continue
        outputs = task.outputs
        stored = {
            name: [record_of(one) for one in made] for name, made in outputs.artifacts.items()
        }
        origin = f"task '{task.path}' of run '{run.name}' ({run.run_id})"
        db.execute(
            "INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?)",
            (task.cache_key, task.task_id, origin, orjson.dumps([outputs.parameters, stored])),
        )
        db.execute("DELETE FROM cache_artifacts WHERE key = ?", (task.cache_key,))
        db.executemany(
            "INSERT INTO cache_artifacts VALUES (?, ?)",
            [
                (one.artifact_id, task.cache_key)
                for made in outputs.artifacts.values()
                for one in made
            ],
        )


def forget(db: sqlite3.Connection, artifact_ids: list[str]) -> None:
    """Drop all entries that hold one of these artifacts."""
    for artifact_id in artifact_ids:
        db.execute(
            """DELETE FROM cache WHERE key IN
               (SELECT key FROM cache_artifacts WHERE artifact_id = ?)""",
            (artifact_id,),
        )
        db.execute("DELETE FROM cache_artifacts WHERE artifact_id = ?", (artifact_id,))
