"""Rows of runs: what a request or a schedule asks for, checked, and made a run of."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fairlead.names import dns_label

from ...artifacts.access import ROOT_KEY
from ...artifacts.places import remote
from ...resources import Transaction
from ..clock import now
from ..controller import Controller
from ..launching import new_suffix
from ..model import ROOT, Pipeline
from ..problems import PipelineSpecError
from ..records import PENDING, Run, Task, Values
from ..remote import finder, settings
from ..spec import load_pipeline, read_arguments
from .answers import invalid, invalid_spec, take
from .experiments import default_experiment, touch_experiment
from .pipeline_rows import spec_of_version

Json = Any

_RUNTIME_CONFIG = {"parameters", "pipeline_root", "pipelineRoot"}


class Identity(NamedTuple):
    """What makes a run this one, chosen before the transaction that makes it, which may repeat."""

    run_id: str
    suffix: str
    created_at: str

    @classmethod
    def new(cls) -> Identity:
        """Return one that no other run has."""
        return cls(str(uuid.uuid4()), new_suffix(), now())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is made of."""

    name: str
    spec: Json
    """As posted: a pipeline spec, or `{pipeline_spec, platform_spec}`."""
    config: Mapping[str, Json]
    """`runtime_config`."""
    description: str = ""
    experiment_id: str = ""
    """Empty: the default one."""
    service_account: str = ""
    pipeline_id: str = ""
    pipeline_version_id: str = ""
    recurring_run_id: str = ""
    """Of the schedule that starts it."""
    scheduled_at: str = ""
    """The time that it was due at; empty: when it is made."""
    labels: dict[str, str] = field(default_factory=dict)
    """Of its Workflow."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A pipeline that can run, and where its artifacts go."""

    pipeline: Pipeline
    root: str
    owns_root: bool
    """The folder is the plane's own."""
    remote_root: str

    def arguments(self, config: Mapping[str, Json]) -> dict[str, Json]:
        """Return the values of the pipeline's parameters; RestError for what it does not take."""
        try:
            return read_arguments(self.pipeline, take(dict(config), "parameters", None))
        except PipelineSpecError as error:
            raise invalid_spec(error) from error


class RunMaker:
    """Makes runs of what was asked for.

    Parameters
    ----------
    controller : Controller
        Moves the runs.
    pipeline_root : Path
        Where artifacts go when a run does not say.
    """

    def __init__(self, controller: Controller, pipeline_root: Path) -> None:
        self._controller = controller
        self._resources = controller.resources
        self._root = pipeline_root

    async def check(self, posted: Json, config: Json) -> Checked:
        """Read a pipeline spec and the root of its artifacts.

        Raises
        ------
        RestError
            400: it cannot run here; names every field and task that is wrong.
        """
        if not isinstance(config, Mapping):
            raise invalid("runtime_config must be an object")
        for name in config.keys() - _RUNTIME_CONFIG:
            raise invalid(f"runtime_config.{name} is no field of KFP's RuntimeConfig")
        try:
            # Parsing a spec of 1,000 tasks takes tens of milliseconds: not in the event loop.
            pipeline = await asyncio.to_thread(load_pipeline, posted)
        except PipelineSpecError as error:
            raise invalid_spec(error) from error
        return Checked(
            pipeline, *self._pipeline_root(take(dict(config), "pipeline_root"), pipeline)
        )

    def make(
        self,
        transaction: Transaction,
        identity: Identity,
        asked: Asked,
        checked: Checked,
        arguments: dict[str, Json],
    ) -> None:
        """Record a run and start it; for use inside a transaction, which may be done again."""
        db = transaction.db
        run = _new_run(identity, asked, checked, arguments, self._controller.namespace)
        experiment = asked.experiment_id or default_experiment(db)
        touch_experiment(db, experiment, run.created_at)
        _insert(db, run, asked, checked.owns_root, experiment, arguments)
        self._controller.begin(transaction, run)

    def _pipeline_root(self, asked: Json, pipeline: Pipeline) -> tuple[str, bool, str]:
        """Return the folder for files, whether it is the plane's own, and the store's URI."""
        find = finder(self._resources, self._controller.namespace)
        root = str(asked or pipeline.pipeline_root or settings(find, ROOT_KEY))
        said = "pipeline_root" if asked or not pipeline.pipeline_root else "defaultPipelineRoot"
        if not root:
            return str(self._root), True, ""
        if remote(root):
            if find_spec("obstore") is None:
                raise invalid(
                    f"{said} '{root}' needs a package that is not installed where this "
                    'control plane runs: pip install "fairlead[remote]"'
                )
            return str(self._root), True, root
        path = root.removeprefix("file://")
        if not Path(path).is_absolute():
            raise invalid(
                f"{said} '{root}': this control plane takes a folder of this machine, "
                "as /path or file:///path, and s3://bucket/prefix, gs:// and minio://"
            )
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise invalid(f"{said} '{root}' cannot be used: {error}") from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise invalid(f"{said} '{root}' cannot be written to")
        return path, False, ""


def read_source(db: sqlite3.Connection, body: dict[str, Json]) -> tuple[Json, dict[str, str]]:
    """Return the pipeline spec that a request gives or refers to, and a whole reference.

    The reference is empty where the request brings the spec itself.
    """
    reference = take(body, "pipeline_version_reference", {})
    if not isinstance(reference, dict):
        raise invalid("pipeline_version_reference must be an object")
    posted = take(body, "pipeline_spec", None)
    if posted is not None:
        return posted, {
            name: str(take(reference, name)) for name in ("pipeline_id", "pipeline_version_id")
        }
    return spec_of_version(
        db,
        take(reference, "pipeline_id"),
        take(reference, "pipeline_version_id") or take(body, "pipeline_version_id"),
    )


def _new_run(
    identity: Identity,
    asked: Asked,
    checked: Checked,
    arguments: dict[str, Json],
    namespace: str,
) -> Run:
    pipeline, created = checked.pipeline, identity.created_at
    return Run(
        run_id=identity.run_id,
        name=asked.name,
        workflow=f"{dns_label(pipeline.name, max_length=40)}-{identity.suffix}",
        workflow_uid="",
        namespace=namespace,
        pipeline=pipeline,
        pipeline_root=checked.root,
        # A change may be done again, with the same run: its inputs may hold its names.
        root=Task("", ROOT, "", pipeline.root, None, None, inputs=Values(dict(arguments))),
        created_at=created,
        scheduled_at=asked.scheduled_at or created,
        history=[{"update_time": created, "state": PENDING}],
        remote_root=checked.remote_root,
        labels=asked.labels,
    )


def _insert(
    db: sqlite3.Connection,
    run: Run,
    asked: Asked,
    owns_root: bool,
    experiment_id: str,
    arguments: dict[str, Json],
) -> None:
    row = {
        "run_id": run.run_id,
        "workflow": run.workflow,
        "workflow_uid": "",
        "display_name": run.name,
        "description": asked.description,
        "experiment_id": experiment_id,
        "service_account": asked.service_account,
        "pipeline_id": asked.pipeline_id,
        "pipeline_version_id": asked.pipeline_version_id,
        "storage_state": "AVAILABLE",
        "state": run.state,
        "created_at": run.created_at,
        "scheduled_at": run.scheduled_at,
        "finished_at": "",
        "pipeline_root": run.pipeline_root,
        "owns_root": int(owns_root),
        "remote_root": run.remote_root,
        "changes": 0,
        "spec": orjson.dumps(asked.spec),
        "runtime_config": orjson.dumps(dict(asked.config)),
        "arguments": orjson.dumps(arguments),
        "error": None,
        "history": orjson.dumps(run.history),
        "recurring_run_id": asked.recurring_run_id,
        "workflow_labels": orjson.dumps(run.labels).decode(),
    }
    names = ", ".join(row)
    db.execute(
        f"INSERT INTO runs ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )
