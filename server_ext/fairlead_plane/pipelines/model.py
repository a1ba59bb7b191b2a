"""A pipeline spec as the engine sees it: checked, linked and parsed; nothing here changes later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from fairlead.errors import SpecError

from .expressions import Expression
from .placeholders import Argument, Template
from .values import convert, shown

Json = Any

ROOT = "root"

WORKSPACE_PATH = "/kfp-workspace"
"""Where the workspace of a run is mounted; kfp's SDK knows this path too."""


@dataclass(frozen=True, slots=True)
class ParameterDefinition:
    """An input or output parameter of a component."""

    type: str
    """A key of `values.PARAMETER_TYPES`."""
    optional: bool = False
    has_default: bool = False
    default: Json = None
    literals: tuple[Json, ...] = ()
    """The only values that it takes; empty: all of its type."""

    def taken(self, value: Json, name: str) -> Json:
        """Return a value as the one that this parameter takes.

        Raises
        ------
        SpecError
            It is of another type, or none of the literals.
        """
        found = convert(value, self.type, name)
        if self.literals and found not in self.literals:
            listed = ", ".join(shown(one) for one in self.literals)
            raise SpecError(f"Parameter '{name}' takes one of {listed}, not {shown(value)}.")
        return found


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


PodChange = Callable[[Any], None]
"""Changes a `platform_target.Target`."""


@dataclass(frozen=True, slots=True)
class Executor:
    """What a container task runs; shared by the components that name it."""

    label: str
    image: str
    command: tuple[Argument, ...]
    args: tuple[Argument, ...]
    source: str
    """Python source that the command's executor is to load; empty for any other command."""
    env: tuple[tuple[str, Template], ...]
    resources: tuple[tuple[str, str, Template], ...]
    """(`requests` or `limits`, resource name, quantity)."""
    pod_labels: Json
    pod_annotations: Json
    changes: tuple[PodChange, ...]
    """What the platform spec makes of the pod."""
    digest: bytes
    """Hash of all that decides what the step computes: image, command, args, env, and what the
    platform spec adds to its pod but labels and annotations."""


@dataclass(frozen=True, slots=True)
class Importer:
    """An artifact that exists, to be known as the output of a task."""

    uri: Template
    parameter: str
    """Input parameter that holds the uri instead; empty: `uri`."""
    schema: Json
    metadata: Json
    """Its texts, and the keys of its objects, may hold placeholders."""
    reimport: bool
    """Makes a new artifact each time, also of what was imported before."""
    download: bool
    """`downloadToWorkspace`."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input of a task comes from.

    `constant`: `value`. `component`: input `key` of the enclosing component. `output`: output
    `key` of task `producer` beside it. `status`: how that task ended.
    """

    kind: Literal["constant", "component", "output", "status"]
    key: str = ""
    producer: str = ""
    value: Json = None
    template: bool = False
    """The constant holds placeholders."""
    selector: Expression | None = None
    """Takes a part of the value."""


@dataclass(frozen=True, slots=True)
class Iterator:
    """What a loop goes over."""

    kind: Literal["parameter", "artifact"]
    item: str
    """Input of the component that gets one item in each iteration."""
    source: str = ""
    """Input of the task that holds the items; empty: `items`."""
    items: tuple[Json, ...] = ()
    limit: int = 0
    """So many iterations run at the same time; 0: all."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a failed task is tried again."""

    count: int = 0
    """Attempts after the first."""
    wait_s: float = 0
    factor: float = 2
    """Each wait is so many times as long as the one before."""
    window_s: float = 3600
    """Nothing is tried again later than that after the first attempt began."""


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
    retry: RetryPolicy
    display_name: str
    """`taskInfo.name`: what the author calls it."""
    condition: Expression | None
    """It is skipped when this does not hold."""
    iterator: Iterator | None
    """It is a loop over its component's DAG."""

    @property
    def type(self) -> str:
        """Word of upstream's `PipelineTaskDetail.TaskType`.

        The spec does not say it, so upstream's backend takes it from the shape of a task and
        from the names that the kfp compiler gives to groups of tasks.
        """
        if self.iterator is not None:
            return "LOOP"
        if self.component.importer is not None:
            return "IMPORTER"
        if self.component.dag is None:
            return "RUNTIME"
        if self.condition is not None:
            return "CONDITION"
        if self.name.startswith("condition-branches-"):
            return "CONDITION_BRANCH"
        if self.name.startswith("exit-handler-"):
            return "EXIT_HANDLER"
        return "DAG"


Selectors = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dag:
    """A scope of tasks."""

    tasks: dict[str, TaskSpec]
    downstream: dict[str, tuple[str, ...]]
    parameters: dict[str, Selectors] = field(default_factory=dict)
    """Output parameters: name -> (task, its output), several where one of them will exist."""
    artifacts: dict[str, Selectors] = field(default_factory=dict)
    """Likewise output artifacts."""


@dataclass(frozen=True, slots=True)
class Passthrough:
    """A kind of settings of its pod that a component is told of."""

    field: str
    apply_to_task: bool
    """Whether its own pod has them too."""


@dataclass(slots=True)
class Component:
    """A component: its interface, and an executor, an importer or a DAG."""

    name: str
    path: str
    """Where it stands in the spec."""
    parameters: dict[str, ParameterDefinition] = field(default_factory=dict)
    artifacts: dict[str, ArtifactDefinition] = field(default_factory=dict)
    output_parameters: dict[str, ParameterDefinition] = field(default_factory=dict)
    output_artifacts: dict[str, ArtifactDefinition] = field(default_factory=dict)
    executor: Executor | None = None
    importer: Importer | None = None
    dag: Dag | None = None
    declared: frozenset[str] = frozenset()
    """Names of all inputs."""
    passthroughs: tuple[Passthrough, ...] = ()
    outputs_digest: bytes = b""
    size: int = 1
    """Container tasks in all its scopes; a loop counts as one iteration."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A volume that all tasks of a run may share."""

    size: str
    access_modes: tuple[str, ...]
    storage_class: str | None


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What `pipelineConfig` says of a run as a whole; 0, empty and `None` say nothing."""

    deadline_s: int = 0
    """So long may it be active before it is stopped, and has failed."""
    ttl_success_s: int | None = None
    ttl_failure_s: int | None = None
    """So long after its end its objects stay: its Workflow, pods and workspace."""
    semaphore: str = ""
    """Key of the ConfigMap that says how many runs with this key may be active at once."""
    mutex: str = ""
    """Of the runs with this name one is active at a time."""
    version_limit: int = 0
    """So many runs of its pipeline version may be active at once."""

    @property
    def locks(self) -> bool:
        """Whether it may have to wait for other runs."""
        return bool(self.semaphore or self.mutex or self.version_limit)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline, ready to run."""

    name: str
    root: Component
    pipeline_root: str
    """`defaultPipelineRoot` of the spec; empty: the plane's own."""
    workspace: Workspace | None = None
    config: RunConfig = RunConfig()

    @property
    def task_count(self) -> int:
        """Container tasks in all scopes; a loop counts as one iteration."""
        return self.root.size
