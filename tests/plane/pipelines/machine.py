"""A run without anything around it, for tests of the state machine alone."""

from __future__ import annotations

import sqlite3
import uuid

import orjson

from fairlead_plane.pipelines import tables
from fairlead_plane.pipelines.clock import later
from fairlead_plane.pipelines.engine import advance
from fairlead_plane.pipelines.events import Cache, Due, Ended, Resume
from fairlead_plane.pipelines.model import ROOT
from fairlead_plane.pipelines.records import Run, Task, Values, failure
from fairlead_plane.pipelines.restore import load_run
from fairlead_plane.pipelines.spec import load_pipeline, read_arguments

NO_CACHE = Cache(key=lambda task, executor: task.path, find=lambda key: "nothing")
NOW = "2026-01-01T00:00:00.000000Z"


class Machine:
    """A run of which every pass is written to tables; its pods get names, and no process.

    `kill` forgets what is in memory and reads the run back, as after a kill of the plane.
    """

    def __init__(self, spec, cache=NO_CACHE, **arguments):
        pipeline = load_pipeline(spec)
        values = Values(read_arguments(pipeline, arguments))
        root = Task("", ROOT, "", pipeline.root, None, None, inputs=values)
        self.now = NOW
        self.run = Run(
            str(uuid.uuid4()), "run", "run-1", "", "kubeflow", pipeline, "/root", root, NOW
        )
        self.db = sqlite3.connect(":memory:")
        for statement in tables.STATEMENTS:
            self.db.execute(statement)
        blank = dict.fromkeys(
            row[1] for row in self.db.execute("PRAGMA table_info(runs)") if row[1] != "error"
        )
        row = {
            **dict.fromkeys(blank, ""), "run_id": self.run.run_id, "display_name": "run",
            "workflow": "run-1", "pipeline_root": "/root", "created_at": NOW, "owns_root": 0,
            "changes": 0, "state": "PENDING", "spec": orjson.dumps(spec), "history": b"[]",
            "arguments": orjson.dumps(values.parameters),
        }  # fmt: skip
        self.db.execute(
            f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )
        self.cache = cache
        self.launched = []
        self.send()

    def send(self, *events):
        changes = advance(self.run, events, self.cache, lambda: self.now)
        for task in changes.launches:
            task.pod = f"{task.path}-{task.attempt}"
            self.run.pods[task.pod] = task
            self.launched.append(task.pod)
        tables.save_changes(self.db, self.run, changes)
        tables.save_run(self.db, self.run)
        return changes

    def kill(self):
        """Forget the run and read it back."""
        self.run = load_run(self.db, self.run.run_id, "kubeflow")
        return self.send(Resume())

    def wait(self, seconds):
        """Let time pass; what waited until now goes on."""
        self.now = later(self.now, seconds)
        return self.send(Due(self.now))

    def task(self, path):
        return next(task for task in self.run.tasks.values() if task.path == path)

    def end(self, path, ok=True, out=None, artifacts=None, **more):
        """End the pod of a task; its output parameters are 1, or those of `out`."""
        task = self.task(path)
        assert task.pod, path
        error = None if ok else failure(2, "broken")
        values = dict.fromkeys(task.component.output_parameters, 1) if out is None else out
        outputs = Values(values, artifacts or {})
        return self.send(Ended(task.task_id, task.pod, self.now, ok, outputs, error, **more))

    def end_all(self, ok=True):
        """End the pods that are waited for, and those that follow, until none is left."""
        while running := [one.path for one in self.run.tasks.values() if one.pod and not one.ended]:
            for path in running:
                self.end(path, ok)

    @property
    def states(self):
        return {task.path: task.state for task in self.run.tasks.values()}

    @property
    def running(self):
        """Paths of the tasks whose pods are waited for."""
        return [task.path for task in self.run.tasks.values() if task.pod and not task.ended]
