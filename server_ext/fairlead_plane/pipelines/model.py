"""A pipeline spec as the engine sees it: checked, linked and parsed; nothing here changes later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .placeholders import Argument, Template

Json = Any

ROOT = "root"


@dataclass(frozen=True, slots=True)
class ParameterDefinition:
    """An input or output parameter of a component."""

    type: str
    """A key of `values.PARAMETER_TYPES`."""
    optional: bool = False
    has_default: bool = False
    default: Json = None


@dataclass(frozen=True, slots=True)
class ArtifactDefinition:
    """An input or output artifact of a component."""

    schema: Json
    """`artifactType` as in the IR: `{schemaTitle, schemaVersion}` or `{instanceSchema}`."""
    is_list: bool = False
    optional: bool = False

    @property
    def title(self) -> str:
        """Schema title, as `system.Model`."""
        return str(self.schema.get("schemaTitle", "system.Artifact"))


@dataclass(frozen=True, slots=True)
class Executor:
    """What a container task runs; shared by the components that name it."""

    label: str
    image: str
    command: tuple[Argument, ...]
    args: tuple[Argument, ...]
    env: tuple[tuple[str, Template], ...]
    resources: tuple[tuple[str, str, Template], ...]
    """(`requests` or `limits`, resource name, quantity)."""
    pod_labels: Json
    pod_annotations: Json
    digest: bytes
    """Hash of all that decides what the step computes: image, command, args, env."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input of a task comes from.

    `constant`: `value`. `component`: input `key` of the enclosing component. `output`: output
    `key` of task `producer` beside it.
    """

    kind: Literal["constant", "component", "output"]
    key: str = ""
    producer: str = ""
    value: Json = None
    template: bool = False
    """The constant holds placeholders."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One node of a DAG."""

    name: str
    component: Component
    parameters: dict[str, Source]
    artifacts: dict[str, Source]
    upstream: tuple[str, ...]
    """Tasks that must have ended before: `dependentTasks` and the producers of its inputs."""
    use_cache: bool
    cache_key: str
    """Key given by the user; empty: the content decides."""
    always: bool
    """Runs once its upstream tasks have ended, however they ended."""
    max_retries: int
    display_name: str = ""
    """`taskInfo.name`: what the author calls it."""
    type: str = "RUNTIME"
    """Word of upstream's `PipelineTaskDetail.TaskType`, see `task_type`."""


@dataclass(frozen=True, slots=True)
class Dag:
    """A scope of tasks."""

    tasks: dict[str, TaskSpec]
    downstream: dict[str, tuple[str, ...]]
    parameters: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Output parameters: name -> (task, its output)."""
    artifacts: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Output artifacts: name -> (task, its output), several where one of them will exist."""


@dataclass(slots=True)
class Component:
    """A component: its interface, and either an executor or a DAG."""

    name: str
    path: str
    """Where it stands in the spec."""
    parameters: dict[str, ParameterDefinition] = field(default_factory=dict)
    artifacts: dict[str, ArtifactDefinition] = field(default_factory=dict)
    output_parameters: dict[str, ParameterDefinition] = field(default_factory=dict)
    output_artifacts: dict[str, ArtifactDefinition] = field(default_factory=dict)
    executor: Executor | None = None
    dag: Dag | None = None
    declared: frozenset[str] = frozenset()
    """Names of all inputs."""
    outputs_digest: bytes = b""


def task_type(name: str, component: Component, *, loop: bool, condition: bool) -> str:
    """Return the type of a task in upstream's words.

    The spec does not say it, so upstream's backend takes it from the shape of a task and from
    the names that the kfp compiler gives to groups of tasks.
    """
    if loop:
        return "LOOP"
    if component.dag is None:
        return "RUNTIME"
    if condition:
        return "CONDITION"
    if name.startswith("condition-branches-"):
        return "CONDITION_BRANCH"
    if name.startswith("exit-handler-"):
        return "EXIT_HANDLER"
    return "DAG"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline, ready to run."""

    name: str
    root: Component
    pipeline_root: str
    """`defaultPipelineRoot` of the spec; empty: the plane's own."""
    task_count: int
    """Container tasks in all scopes."""
