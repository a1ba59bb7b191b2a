"""Checking how tasks hang together: references, types, required inputs, cycles."""

from __future__ import annotations

from collections.abc import Callable

from fairlead.errors import SpecError

from .model import ArtifactDefinition, Component, Dag, ParameterDefinition, Source, TaskSpec
from .problems import Reader
from .values import convert

_ANY_ARTIFACT = "system.Artifact"


def check_links(component: Component, reader: Reader) -> None:
    """Check the DAG of a component and all DAGs inside it; problems go to `reader`."""
    _Links(reader).scope(component)


class _Links:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.seen: set[str] = set()

    def scope(self, scope: Component) -> None:
        """Check one component's DAG, once."""
        if scope.dag is None or scope.path in self.seen:
            return
        self.seen.add(scope.path)
        for task in scope.dag.tasks.values():
            self.reader.task = task.name
            self._task(task, scope, scope.dag)
            self.reader.task = ""
            self.scope(task.component)
        self._outputs(scope, scope.dag)
        for name in _cycle(scope.dag):
            self.reader.task = name
            self.reader.problem(
                f"{scope.path}.dag.tasks.{name}",
                f"depends on itself: {' <- '.join(_cycle(scope.dag))}",
            )
            self.reader.task = ""
            break

    def _task(self, task: TaskSpec, scope: Component, dag: Dag) -> None:
        path = f"{scope.path}.dag.tasks.{task.name}"
        for name in task.upstream:
            if name not in dag.tasks:
                self.reader.problem(
                    f"{path}.dependentTasks", f"there is no task '{name}' beside it"
                )
        component = task.component
        for name, definition in component.parameters.items():
            if (
                name not in task.parameters
                and not definition.has_default
                and not definition.optional
            ):
                self.reader.problem(f"{path}.inputs.parameters.{name}", "required input is missing")
        for name, artifact in component.artifacts.items():
            if name not in task.artifacts and not artifact.optional:
                self.reader.problem(f"{path}.inputs.artifacts.{name}", "required input is missing")
        for name, source in task.parameters.items():
            self._parameter(name, source, task, scope, f"{path}.inputs.parameters.{name}")
        for name, source in task.artifacts.items():
            self._artifact(name, source, task, scope, f"{path}.inputs.artifacts.{name}")

    def _parameter(
        self, name: str, source: Source, task: TaskSpec, scope: Component, path: str
    ) -> None:
        wanted = task.component.parameters.get(name)
        if wanted is None:
            # The kfp compiler adds upstream values of f-strings under names that are not declared.
            if not name.startswith("pipelinechannel--"):
                self.reader.problem(
                    path, f"component '{task.component.name}' has no such parameter"
                )
                return
        if source.kind == "constant":
            if wanted is not None and source.value is not None and not source.template:
                try:
                    convert(source.value, wanted.type, name)
                except SpecError as error:
                    self.reader.problem(f"{path}.runtimeValue.constant", error.what)
            return
        found = self._found(
            source, scope, path, "parameter",
            lambda one: one.parameters, lambda one: one.output_parameters,
        )  # fmt: skip
        if isinstance(found, ParameterDefinition) and wanted is not None:
            if found.type != wanted.type and (found.type, wanted.type) != (
                "NUMBER_INTEGER",
                "NUMBER_DOUBLE",
            ):
                self.reader.problem(path, f"takes {wanted.type}, but gets {found.type}")

    def _artifact(
        self, name: str, source: Source, task: TaskSpec, scope: Component, path: str
    ) -> None:
        wanted = task.component.artifacts.get(name)
        if wanted is None:
            self.reader.problem(path, f"component '{task.component.name}' has no such artifact")
            return
        found = self._found(
            source, scope, path, "artifact",
            lambda one: one.artifacts, lambda one: one.output_artifacts,
        )  # fmt: skip
        if not isinstance(found, ArtifactDefinition):
            return
        if _ANY_ARTIFACT not in (found.title, wanted.title) and found.title != wanted.title:
            self.reader.problem(path, f"takes {wanted.title}, but gets {found.title}")
        if found.is_list != wanted.is_list:
            words = {True: "a list of artifacts", False: "one artifact"}
            self.reader.problem(
                path, f"takes {words[wanted.is_list]}, but gets {words[found.is_list]}"
            )

    def _found(
        self,
        source: Source,
        scope: Component,
        path: str,
        what: str,
        inputs: Callable[
            [Component], dict[str, ParameterDefinition] | dict[str, ArtifactDefinition]
        ],
        outputs: Callable[
            [Component], dict[str, ParameterDefinition] | dict[str, ArtifactDefinition]
        ],
    ) -> ParameterDefinition | ArtifactDefinition | None:
        """Return the definition that a source points at; `None` with a problem where none is."""
        if source.kind == "component":
            found = inputs(scope).get(source.key)
            if found is None:
                self.reader.problem(path, f"'{scope.name}' has no input {what} '{source.key}'")
            return found
        producer = scope.dag.tasks.get(source.producer) if scope.dag else None
        if producer is None:
            return None  # said at dependentTasks
        made = outputs(producer.component).get(source.key)
        if made is None:
            self.reader.problem(path, f"task '{producer.name}' has no output {what} '{source.key}'")
        return made

    def _outputs(self, scope: Component, dag: Dag) -> None:
        path = f"{scope.path}.dag.outputs"
        for name, (task, key) in dag.parameters.items():
            producer = dag.tasks.get(task)
            if producer is None or key not in producer.component.output_parameters:
                self.reader.problem(
                    f"{path}.parameters.{name}", f"there is no output '{key}' of task '{task}'"
                )
        for name, selectors in dag.artifacts.items():
            for task, key in selectors:
                producer = dag.tasks.get(task)
                if producer is None or key not in producer.component.output_artifacts:
                    self.reader.problem(
                        f"{path}.artifacts.{name}", f"there is no output '{key}' of task '{task}'"
                    )


def _cycle(dag: Dag) -> list[str]:
    """Return the names along one cycle; empty when there is none."""
    waiting = {
        name: sum(upstream in dag.tasks for upstream in task.upstream)
        for name, task in dag.tasks.items()
    }
    ready = [name for name, count in waiting.items() if count == 0]
    while ready:
        name = ready.pop()
        del waiting[name]
        for below in dag.downstream[name]:
            waiting[below] -= 1
            if waiting[below] == 0:
                ready.append(below)
    if not waiting:
        return []
    # Every task left waits for another one left: walking upstream must come round.
    trail: list[str] = []
    name = next(iter(waiting))
    while name not in trail:
        trail.append(name)
        name = next(upstream for upstream in dag.tasks[name].upstream if upstream in waiting)
    return [*trail[trail.index(name) :], name]
