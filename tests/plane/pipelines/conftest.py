"""Pipelines for tests: specs built in a line, and the service with a node of the test's own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import ssl
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
import yaml

from fairlead.names import INTERPRETER_ANNOTATION
from fairlead_plane.pipelines import PipelineService
from fairlead_plane.resources import POD, Resources
from fairlead_plane.store import Store

ENDED = ("SUCCEEDED", "FAILED", "CANCELED")

ADD_ONE = """
import json, sys
message = json.loads(sys.argv[1])
value = message["inputs"]["parameterValues"]["a"] + 1
open(message["outputs"]["parameters"]["out"]["outputFile"], "w").write(str(value))
open(message["outputs"]["artifacts"]["data"]["artifacts"][0]["uri"], "w").write("x" * value)
"""


def executor(source: str = ADD_ONE, **more):
    """A container that runs Python source with the ExecutorInput as its argument."""
    return {"image": "python", "command": ["python3", "-c", source], "args": ["{{$}}"], **more}


def component(label, parameters=(), artifacts=(), out=(), made=(), dag=None):
    """A component; each list holds names, or (name, type) pairs."""
    spec = {"dag": dag} if dag else {"executorLabel": label}
    sides = {"inputDefinitions": (parameters, artifacts), "outputDefinitions": (out, made)}
    for side, (values, files) in sides.items():
        found = {}
        if values:
            found["parameters"] = {
                name: kind if isinstance(kind, dict) else {"parameterType": kind}
                for name, kind in map(_pair("NUMBER_INTEGER"), values)
            }
        if files:
            found["artifacts"] = {
                name: {"artifactType": {"schemaTitle": kind, "schemaVersion": "0.0.1"}}
                for name, kind in map(_pair("system.Dataset"), files)
            }
        if found:
            spec[side] = found
    return spec


def _pair(default):
    return lambda one: (one, default) if isinstance(one, str) else one


def task(name, component, after=(), cache=True, artifacts=(), **parameters):
    """A task; a parameter is a constant, `"<name"` a component input, `"task.output"` linked."""
    made = {
        "componentRef": {"name": component},
        "taskInfo": {"name": name},
        "cachingOptions": {"enableCache": True} if cache else {},
    }
    inputs = {}
    if parameters:
        inputs["parameters"] = {key: _source(value) for key, value in parameters.items()}
    if artifacts:
        inputs["artifacts"] = {
            key: {"taskOutputArtifact": {"producerTask": other, "outputArtifactKey": output}}
            for key, (other, output) in dict(artifacts).items()
        }
    if inputs:
        made["inputs"] = inputs
    if after:
        made["dependentTasks"] = list(after)
    return name, made


def _source(value):
    if isinstance(value, str) and value.startswith("<"):
        return {"componentInputParameter": value[1:]}
    if isinstance(value, str) and value.startswith("@"):
        producer, key = value[1:].split(".")
        return {"taskOutputParameter": {"producerTask": producer, "outputParameterKey": key}}
    return {"runtimeValue": {"constant": value}}


def pipeline(tasks, components, executors=None, inputs=None, name="pipe"):
    """A whole pipeline spec."""
    root = {"dag": {"tasks": dict(tasks)}}
    if inputs:
        root["inputDefinitions"] = {"parameters": inputs}
    return {
        "pipelineInfo": {"name": name},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": root,
        "components": components,
        "deploymentSpec": {
            "executors": {
                label: {"container": one}
                for label, one in (executors or {"add": executor()}).items()
            }
        },
    }


def chain(length, source=ADD_ONE, cache=True):
    """A chain of steps, each of which adds one to the number of the step before."""
    components = {
        "first": component("add", ["a"], [], ["out"], ["data"]),
        "next": component("add", ["a"], ["before"], ["out"], ["data"]),
    }
    tasks = [task("t0", "first", cache=cache, a="<start")]
    for number in range(1, length):
        above = f"t{number - 1}"
        tasks.append(
            task(
                f"t{number}", "next", [above], cache, {"before": (above, "data")}, a=f"@{above}.out"
            )
        )
    start = {"start": {"parameterType": "NUMBER_INTEGER", "defaultValue": 1}}
    return pipeline(tasks, components, {"add": executor(source)}, start)


@pytest.fixture(scope="session")
def ir():
    """Builders of pipeline specs."""
    return SimpleNamespace(
        executor=executor, component=component, task=task, pipeline=pipeline, chain=chain
    )


class World:
    """The pipelines service over a database, and a node that runs pods as plain processes.

    `ran` are the tasks whose process was started, in order. While `hold` is set, started pods
    stay pending. `behave` replaces the process of a task: it gets the ExecutorInput and returns
    the exit code.
    """

    def __init__(self, folder: Path, clock) -> None:
        self.folder = folder
        self.store = Store(folder / "fairlead.db")
        self.resources = Resources(self.store)
        self.service = PipelineService(
            self.resources,
            pipeline_root=folder / "artifacts",
            environment=lambda annotations: annotations.get(INTERPRETER_ANNOTATION, "one"),
            clock=clock,
        )
        self.ran: list[str] = []
        self.behave = {}
        self._processes = {}
        self._tasks: set[asyncio.Task] = set()

    async def __aenter__(self):
        await self.resources.start()
        self._spawn(self.service.run())
        self._spawn(self._node())
        return self

    async def __aexit__(self, *_):
        for work in list(self._tasks):
            work.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in self._processes.values():
            process.kill()
            await process.wait()
        self.resources.close_watches()
        self.store.close()

    async def call(self, method, path, body=None):
        """Send a request; returns the status and the JSON of the answer."""
        data = b"" if body is None else orjson.dumps(body)
        path, _, query = path.partition("?")
        messages = [{"type": "http.request", "body": data, "more_body": False}]
        status, chunks = 0, []

        async def receive():
            if not messages:
                await asyncio.Event().wait()
            return messages.pop()

        async def send(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                chunks.append(message.get("body", b""))

        path = f"/apis/v2beta1/{path}"
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "headers": [], "http_version": "1.1",
            "scheme": "http", "server": ("test", 80), "client": None, "root_path": "",
        }  # fmt: skip
        await self.service.app(scope, receive, send)
        return status, orjson.loads(b"".join(chunks))

    async def start(self, spec, **parameters):
        """Start a run; returns it."""
        body = {
            "display_name": "a run",
            "pipeline_spec": spec,
            "runtime_config": {"parameters": parameters},
        }
        status, run = await self.call("POST", "runs", body)
        assert status == 200, run
        return run

    async def get(self, run_id):
        """Return a run."""
        status, run = await self.call("GET", f"runs/{run_id}")
        assert status == 200, run
        return run

    async def until(self, run_id, condition=lambda run: run["state"] in ENDED):
        """Wait for a run to be as wanted; returns it."""
        while True:
            run = await self.get(run_id)
            if condition(run):
                return run
            await asyncio.sleep(0.01)

    async def run(self, spec, **parameters):
        """Start a run and wait for its end."""
        return await self.until((await self.start(spec, **parameters))["run_id"])

    async def set_status(self, name, **status):
        """Write the status of a pod, as a node does."""

        def change(transaction):
            pod = transaction.find(POD, name, "kubeflow")
            if pod is not None:
                pod["status"] = {**pod["status"], **status}
                transaction.update_status(pod)

        await self.resources.transaction(change)

    def _spawn(self, work):
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _node(self):
        async for event in self.resources.watch(POD):
            pod = event.object
            name = pod["metadata"]["name"]
            if event.type == "ADDED" and pod["status"]["phase"] == "Pending":
                self._spawn(self._run_pod(pod))
            elif "deletionTimestamp" in pod["metadata"] and name in self._processes:
                with contextlib.suppress(ProcessLookupError):
                    self._processes[name].terminate()

    async def _run_pod(self, pod):
        name, labels = pod["metadata"]["name"], pod["metadata"]["labels"]
        container = pod["spec"]["containers"][0]

        def bind(transaction):
            bound = transaction.get(POD, name, "kubeflow")
            bound["spec"]["nodeName"] = "test"
            transaction.update(bound)

        await self.resources.transaction(bind)
        self.ran.append(labels["fairlead.dev/task"])
        await self.set_status(name, phase="Running")
        behave = self.behave.get(labels["fairlead.dev/task"])
        if behave is not None:
            code = await behave(orjson.loads(container["args"][-1]))
        else:
            command = [*container["command"], *container["args"]]
            env = {entry["name"]: entry["value"] for entry in container.get("env", [])}
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command[1:],
                env={**os.environ, **env},
                stderr=asyncio.subprocess.DEVNULL,
            )
            self._processes[name] = process
            found = await self.resources.find(POD, name, "kubeflow")
            if found is None or "deletionTimestamp" in found["metadata"]:
                process.terminate()  # deleted before there was a process to end
            code = await process.wait()
            del self._processes[name]
        if code is None:
            return
        ended = {"exitCode": code, "reason": "Error" if code else "Completed"}
        await self.set_status(
            name,
            phase="Failed" if code else "Succeeded",
            containerStatuses=[{"name": "main", "state": {"terminated": ended}}],
        )
        pod = await self.resources.find(POD, name, "kubeflow")
        if pod and "deletionTimestamp" in pod["metadata"]:
            await self.resources.delete(POD, name, "kubeflow", grace_period_seconds=0)


class Rest:
    """KFP's REST of a plane, by plain requests."""

    def __init__(self, plane, base=""):
        found = yaml.safe_load(plane.kubeconfig.read_text())
        cluster = found["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.server = cluster["server"]
        self.token = found["users"][0]["user"]["token"]
        self.base = f"{self.server}{base}/apis/v2beta1/"
        self.context = ssl.create_default_context(cadata=authority)

    def call(self, method, path, body=None, token=None):
        request = urllib.request.Request(
            self.base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token or self.token}"},
        )
        with urllib.request.urlopen(request, context=self.context) as answer:
            return json.loads(answer.read())

    def start(self, spec, **parameters):
        body = {
            "display_name": "run",
            "pipeline_spec": spec,
            "runtime_config": {"parameters": parameters},
        }
        return self.call("POST", "runs", body)["run_id"]

    def until(
        self, run_id, condition=lambda run: run["state"] in ("SUCCEEDED", "FAILED", "CANCELED")
    ):
        while True:
            run = self.call("GET", f"runs/{run_id}")
            if condition(run):
                return run
            time.sleep(0.02)


@pytest.fixture(scope="session")
def connect():
    """Open KFP's REST of a running plane."""
    return Rest


@pytest.fixture
def play(tmp_path):
    """Run a story, a coroutine function, in a world; again in the same folder for a restart.

    With a clock, recurring runs are due by that one.
    """

    def run(story, clock=time.time):
        async def main():
            async with World(tmp_path, clock) as world:
                return await asyncio.wait_for(story(world), 60)

        return asyncio.run(main())

    return run


def states(run):
    """States of a run's tasks by name."""
    return {one["display_name"]: one["state"] for one in run["run_details"]["task_details"]}


def details(run):
    """A run's tasks by name."""
    return {one["display_name"]: one for one in run["run_details"]["task_details"]}


@pytest.fixture(scope="session")
def seen():
    """Ways to look at a run."""
    return SimpleNamespace(states=states, details=details)


@pytest.fixture(scope="session")
def kfp_inputs(shared_data):
    """Folder of the pipelines that upstream publishes for its own tests."""
    return shared_data / "conformance" / "kfp"
