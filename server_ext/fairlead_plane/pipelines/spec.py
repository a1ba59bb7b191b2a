"""From a pipeline spec as posted to a `Pipeline` that can run; everything wrong is said at once.

Source of the format: `api/v2alpha1/pipeline_spec.proto` of kubeflow/pipelines, schema 2.1.0.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import orjson

from fairlead.errors import SpecError

from .executors import Executors
from .importers import read_importer
from .links import check_links
from .model import (
    ArtifactDefinition,
    Component,
    Dag,
    ParameterDefinition,
    Pipeline,
    Selectors,
    TaskSpec,
)
from .problems import PipelineSpecError, Problem, Reader
from .task_config import read_passthroughs
from .task_specs import read_task
from .values import PARAMETER_TYPES

Json = Any

_WORKSPACE = b"{{$.workspace_path}}"
SCHEMA_VERSION = "2.1.0"
MAX_DEPTH = 60
"""So many scopes may be in one another."""
MAX_STEPS = 100_000
"""So many steps may a spec stand for, with components used again and again."""
_SPEC_FIELDS = (
    "pipelineInfo", "schemaVersion", "sdkVersion", "components", "deploymentSpec", "root",
    "defaultPipelineRoot",
)  # fmt: skip
_COMPONENT_FIELDS = (
    "inputDefinitions",
    "outputDefinitions",
    "executorLabel",
    "dag",
    "taskConfigPassthroughs",
)


def unwrap(posted: Json) -> tuple[Json, Json]:
    """Split what was posted into pipeline spec and platform spec.

    Either is the pipeline spec itself, or `{pipeline_spec, platform_spec}`.
    """
    if isinstance(posted, dict) and "pipeline_spec" in posted:
        return posted["pipeline_spec"], posted.get("platform_spec")
    return posted, None


def load_pipeline(posted: Json) -> Pipeline:
    """Check and parse a pipeline spec.

    Raises
    ------
    PipelineSpecError
        It cannot run here; names every field and task that is wrong.
    """
    spec, platform = unwrap(posted)
    if not isinstance(spec, dict) or "root" not in spec:
        raise PipelineSpecError(
            [Problem("pipeline_spec", "a pipeline spec with a `root` is required")]
        )
    reader = Reader()
    reader.fields(spec, "pipeline_spec", _SPEC_FIELDS)
    version = spec.get("schemaVersion")
    if version != SCHEMA_VERSION:
        reader.problem("schemaVersion", f"must be {SCHEMA_VERSION} (kfp 2), not {version!r}")
    info = reader.mapping(spec.get("pipelineInfo"), "pipelineInfo")
    name = reader.string(info.get("name"), "pipelineInfo.name")
    if not name:
        reader.problem("pipelineInfo.name", "a pipeline needs a name")
    loader = _Loader(spec, platform, reader)
    root = loader.component("root", spec["root"], "root")
    if root.dag is None:
        reader.problem("root.dag", "the root must be a DAG")
    reader.finish()
    check_links(root, reader)
    if loader.executors.workspace is None and _WORKSPACE in orjson.dumps(spec):
        reader.problem(
            "platformSpec.platforms.kubernetes.pipelineConfig.workspace",
            "a task asks for the path of the run's workspace, and there is none: "
            "give the pipeline `pipeline_config=PipelineConfig(workspace=WorkspaceConfig(...))`",
        )
    reader.finish()
    default_root = reader.string(spec.get("defaultPipelineRoot"), "defaultPipelineRoot")
    executors = loader.executors
    return Pipeline(name, root, default_root, executors.workspace, executors.config)


def read_arguments(pipeline: Pipeline, given: Json) -> dict[str, Json]:
    """Check the values given for a pipeline's parameters; defaults are added.

    Raises
    ------
    PipelineSpecError
        An unknown name, a value of another type, or a required one that is missing.
    """
    reader = Reader()
    given = reader.mapping(given, "runtime_config.parameters")
    known = pipeline.root.parameters
    values = {}
    takes = ", ".join(sorted(known)) or "none"
    for name in given:
        if name in known:
            continue
        reader.problem(
            f"runtime_config.parameters.{name}",
            f"the pipeline has no parameter of that name; it takes: {takes}",
        )
    for name, definition in known.items():
        path = f"runtime_config.parameters.{name}"
        value = given.get(name)
        if value is not None:
            try:
                values[name] = definition.taken(value, name)
            except SpecError as error:
                reader.problem(path, error.what)
        elif definition.has_default:
            values[name] = definition.default
        elif not definition.optional:
            reader.problem(path, f"parameter '{name}' is required and has no default")
    for name, artifact in pipeline.root.artifacts.items():
        if not artifact.optional:
            reader.problem(
                f"root.inputDefinitions.artifacts.{name}", "artifacts cannot be given to a run"
            )
    reader.finish()
    return values


def _upstream_first(tasks: dict[str, TaskSpec], downstream: dict[str, list[str]]) -> list[str]:
    """Order names so that a task comes after those it waits for: JSON maps come in any order.

    What is on a cycle comes last, and is refused later.
    """
    waiting = {name: sum(one in tasks for one in task.upstream) for name, task in tasks.items()}
    order = [name for name, count in waiting.items() if not count]
    for name in order:  # grows while it is walked
        for below in downstream[name]:
            waiting[below] -= 1
            if not waiting[below]:
                order.append(below)
    return [*order, *(name for name, count in waiting.items() if count)]


class _Loader:
    """Reads components, each once, and follows their references."""

    def __init__(self, spec: Json, platform: Json, reader: Reader) -> None:
        self.reader = reader
        self.executors = Executors(spec.get("deploymentSpec"), platform, reader)
        self.specs = reader.mapping(spec.get("components"), "components")
        self.loaded: dict[str, Component] = {}
        self.open: list[str] = []

    def reference(self, name: str, path: str) -> Component | None:
        """Return the component a task names; a problem is noted when there is none."""
        if name not in self.specs:
            self.reader.problem(path, f"there is no component '{name}'")
            return None
        if name in self.open:
            self.reader.problem(path, f"component '{name}' contains itself")
            return None
        if len(self.open) >= MAX_DEPTH:
            self.reader.problem(path, f"scopes are more than {MAX_DEPTH} levels deep here")
            return None
        if name not in self.loaded:
            task, self.reader.task = self.reader.task, ""
            self.open.append(name)
            self.loaded[name] = self.component(name, self.specs[name], f"components.{name}")
            self.open.pop()
            self.reader.task = task
        return self.loaded[name]

    def component(self, name: str, value: Json, path: str) -> Component:
        reader = self.reader
        spec = reader.mapping(value, path)
        reader.fields(
            spec,
            path,
            _COMPONENT_FIELDS,
            ("platformSpecs", "singlePlatformSpecs"),
        )
        component = Component(name, path)
        component.passthroughs = read_passthroughs(
            spec.get("taskConfigPassthroughs"), f"{path}.taskConfigPassthroughs", reader
        )
        self._definitions(
            spec.get("inputDefinitions"), f"{path}.inputDefinitions",
            component.parameters, component.artifacts,
        )  # fmt: skip
        self._definitions(
            spec.get("outputDefinitions"), f"{path}.outputDefinitions",
            component.output_parameters, component.output_artifacts,
        )  # fmt: skip
        component.declared = frozenset((*component.parameters, *component.artifacts))
        outputs = spec.get("outputDefinitions") or {}
        component.outputs_digest = hashlib.sha256(
            orjson.dumps(outputs, option=orjson.OPT_SORT_KEYS)
        ).digest()
        label = spec.get("executorLabel")
        if label is not None:
            importer = self.executors.importer(str(label))
            if importer is None:
                component.executor = self.executors.get(str(label), f"{path}.executorLabel")
            else:
                at = f"deploymentSpec.executors.{label}.importer"
                component.importer = read_importer(importer, at, component, reader)
        elif "dag" in spec:
            component.dag = self._dag(spec["dag"], f"{path}.dag")
            component.size = sum(task.component.size for task in component.dag.tasks.values())
            if component.size > MAX_STEPS:
                reader.problem(f"{path}.dag", f"stands for more than {MAX_STEPS} steps")
                component.size = 0  # Said once is enough.
        else:
            reader.problem(path, "must have an `executorLabel` or a `dag`")
        return component

    def _definitions(
        self,
        value: Json,
        path: str,
        parameters: dict[str, ParameterDefinition],
        artifacts: dict[str, ArtifactDefinition],
    ) -> None:
        reader = self.reader
        spec = reader.mapping(value, path)
        reader.fields(spec, path, ("parameters", "artifacts"))
        for name, item in reader.mapping(spec.get("parameters"), f"{path}.parameters").items():
            parameters[name] = self._parameter(name, item, f"{path}.parameters.{name}")
        for name, item in reader.mapping(spec.get("artifacts"), f"{path}.artifacts").items():
            at = f"{path}.artifacts.{name}"
            one = reader.mapping(item, at)
            schema = reader.mapping(one.get("artifactType"), f"{at}.artifactType")
            artifacts[name] = ArtifactDefinition(
                schema, bool(one.get("isArtifactList")), bool(one.get("isOptional"))
            )

    def _parameter(self, name: str, value: Json, path: str) -> ParameterDefinition:
        reader = self.reader
        spec = reader.mapping(value, path)
        type_ = spec.get("parameterType")
        if type_ not in PARAMETER_TYPES:
            reader.problem(
                f"{path}.parameterType", f"`{type_}` is not supported by this control plane"
            )
            return ParameterDefinition("STRING")
        literals = spec.get("literals") or []
        if not isinstance(literals, list):
            reader.problem(f"{path}.literals", "must be a list")
            literals = []
        default = spec.get("defaultValue")
        definition = ParameterDefinition(
            type_, bool(spec.get("isOptional")), default is not None, default, tuple(literals)
        )
        if default is None:
            return definition
        try:
            return replace(definition, default=definition.taken(default, name))
        except SpecError as error:
            reader.problem(f"{path}.defaultValue", error.what)
        return definition

    def _dag(self, value: Json, path: str) -> Dag:
        reader = self.reader
        spec = reader.mapping(value, path)
        reader.fields(spec, path, ("tasks", "outputs"))
        tasks: dict[str, TaskSpec] = {}
        for name, item in reader.mapping(spec.get("tasks"), f"{path}.tasks").items():
            reader.task = name
            task = self._task(name, item, f"{path}.tasks.{name}")
            if task is not None:
                tasks[name] = task
            reader.task = ""
        if not tasks and not reader.problems:
            reader.problem(f"{path}.tasks", "a DAG needs at least one task")
        downstream: dict[str, list[str]] = {name: [] for name in tasks}
        for task in tasks.values():
            for upstream in task.upstream:
                downstream.get(upstream, []).append(task.name)
        outputs = reader.mapping(spec.get("outputs"), f"{path}.outputs")
        order = _upstream_first(tasks, downstream)
        return Dag(
            {name: tasks[name] for name in order},
            {name: tuple(downstream[name]) for name in order},
            self._dag_parameters(outputs.get("parameters"), f"{path}.outputs.parameters"),
            self._dag_artifacts(outputs.get("artifacts"), f"{path}.outputs.artifacts"),
        )

    def _dag_parameters(self, value: Json, path: str) -> dict[str, Selectors]:
        reader = self.reader
        found = {}
        for name, item in reader.mapping(value, path).items():
            at = f"{path}.{name}"
            spec = reader.mapping(item, at)
            reader.fields(spec, at, ("valueFromParameter", "valueFromOneof"))
            if "valueFromOneof" in spec:
                at += ".valueFromOneof"
                several = reader.mapping(spec["valueFromOneof"], at).get("parameterSelectors")
            else:
                several = [spec.get("valueFromParameter")]
            found[name] = self._selectors(several, at, "outputParameterKey")
        return found

    def _dag_artifacts(self, value: Json, path: str) -> dict[str, Selectors]:
        reader = self.reader
        found = {}
        for name, item in reader.mapping(value, path).items():
            at = f"{path}.{name}.artifactSelectors"
            selectors = reader.mapping(item, f"{path}.{name}").get("artifactSelectors")
            found[name] = self._selectors(selectors, at, "outputArtifactKey")
        return found

    def _selectors(self, value: Json, path: str, key: str) -> Selectors:
        if not isinstance(value, list) or not value:
            self.reader.problem(path, "must name a task and its output")
            return ()
        specs = [self.reader.mapping(one, path) for one in value]
        return tuple((str(one.get("producerSubtask", "")), str(one.get(key, ""))) for one in specs)

    def _task(self, name: str, value: Json, path: str) -> TaskSpec | None:
        spec = self.reader.mapping(value, path)
        reference = self.reader.mapping(spec.get("componentRef"), f"{path}.componentRef")
        component = self.reference(str(reference.get("name", "")), f"{path}.componentRef.name")
        return read_task(name, value, path, component, self.reader)
