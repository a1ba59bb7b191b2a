"""Checking how tasks hang together: references, types, required inputs, cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from fairlead.errors import SpecError

from .iterate import is_item
from .model import (
    ArtifactDefinition,
    Component,
    Dag,
    ParameterDefinition,
    Selectors,
    Source,
    TaskSpec,
)
from .problems import Reader

T = TypeVar("T")

_ANY_ARTIFACT = "system.Artifact"
_STATUS = "TASK_FINAL_STATUS"
_SETTINGS = frozenset(
    (
        "cpu_request", "cpu_limit", "memory_request", "memory_limit", "accelerator_type",
        "accelerator_count", "base_image",
    )
)  # fmt: skip


def check_links(component: Component, reader: Reader) -> None:
    """Check the DAG of a component and all DAGs inside it; problems go to `reader`."""
    _Links(reader).scope(component)


class _Links:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.seen: set[str] = set()
        self.loops: set[str] = set()
        """Paths of components that a loop is over."""

    def scope(self, scope: Component) -> None:
        """Check one component's DAG, once."""
        if scope.dag is None or scope.path in self.seen:
            return
        self.seen.add(scope.path)
        self.loops |= {
            task.component.path for task in scope.dag.tasks.values() if task.iterator is not None
        }
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
        item = task.iterator.item if task.iterator is not None else None
        for name, definition in component.parameters.items():
            if (
                name not in task.parameters
                and name != item
                and not definition.has_default
                and not definition.optional
            ):
                self.reader.problem(f"{path}.inputs.parameters.{name}", "required input is missing")
        for name, artifact in component.artifacts.items():
            if name not in task.artifacts and name != item and not artifact.optional:
                self.reader.problem(f"{path}.inputs.artifacts.{name}", "required input is missing")
        for name, source in task.parameters.items():
            self._parameter(name, source, task, scope, f"{path}.inputs.parameters.{name}")
        for name, source in task.artifacts.items():
            self._artifact(name, source, task, scope, f"{path}.inputs.artifacts.{name}")
        self._condition(task, f"{path}.triggerPolicy.condition")
        self._iterator(task, path)

    def _condition(self, task: TaskSpec, path: str) -> None:
        if task.condition is None:
            return
        if task.component.importer is not None:
            self.reader.problem(path, "an importer takes no condition")
        known = (*task.component.parameters, *task.parameters)
        for name in sorted(task.condition.parameters.difference(known)):
            self.reader.problem(path, f"the task has no input parameter '{name}'")
        for name in sorted(task.condition.artifacts.difference(task.component.artifacts)):
            self.reader.problem(path, f"the task has no input artifact '{name}'")

    def _iterator(self, task: TaskSpec, path: str) -> None:
        iterator = task.iterator
        if iterator is None:
            return
        path += f".{iterator.kind}Iterator"
        component = task.component
        if component.dag is None:
            self.reader.problem(path, "a loop must be over a DAG")
        parameters = iterator.kind == "parameter"
        inputs: Iterable[str] = component.parameters if parameters else component.artifacts
        if iterator.item not in inputs:
            self.reader.problem(
                f"{path}.itemInput",
                f"component '{component.name}' has no input {iterator.kind} '{iterator.item}'",
            )
        given: Iterable[str] = task.parameters if parameters else task.artifacts
        if iterator.source and iterator.source not in (*given, *inputs):
            self.reader.problem(
                f"{path}.items", f"the task has no input {iterator.kind} '{iterator.source}'"
            )
        definition = component.parameters.get(iterator.source)
        if (
            parameters
            and definition is not None
            and definition.type not in ("LIST", "STRING")
            and not is_item(iterator.source)
        ):
            self.reader.problem(
                f"{path}.items.inputParameter",
                f"a loop is over a LIST, and '{iterator.source}' is a {definition.type}",
            )
        artifact = component.artifacts.get(iterator.source)
        if not parameters and artifact is not None and not artifact.is_list:
            self.reader.problem(
                f"{path}.items.inputArtifact",
                f"a loop is over a list of artifacts, and '{iterator.source}' is one",
            )

    def _parameter(
        self, name: str, source: Source, task: TaskSpec, scope: Component, path: str
    ) -> None:
        wanted = task.component.parameters.get(name)
        if wanted is None:
            # The kfp compiler adds upstream values of f-strings under names that are not declared.
            # So it does with settings of the container that depend on one.
            if not name.startswith("pipelinechannel--") and name not in _SETTINGS:
                self.reader.problem(
                    path, f"component '{task.component.name}' has no such parameter"
                )
                return
        if source.kind == "status" and (wanted is None or wanted.type != _STATUS):
            self.reader.problem(path, "only a TASK_FINAL_STATUS takes a `taskFinalStatus`")
        if source.kind == "status":
            return
        if source.kind != "component" and wanted is not None and wanted.type == _STATUS:
            self.reader.problem(path, "only a `taskFinalStatus` gives a TASK_FINAL_STATUS")
            return
        if source.kind == "constant":
            if wanted is not None and source.value is not None and not source.template:
                try:
                    wanted.taken(source.value, name)
                except SpecError as error:
                    self.reader.problem(f"{path}.runtimeValue.constant", error.what)
            return
        found = self._found(
            source, scope, path, "parameter",
            lambda one: one.parameters, lambda one: one.output_parameters,
        )  # fmt: skip
        if (
            isinstance(found, ParameterDefinition)
            and wanted is not None
            and source.selector is None
            and not (source.kind == "component" and is_item(source.key))
            and not _fits(found.type, wanted.type)
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
        for name, selectors in dag.parameters.items():
            at = f"{path}.parameters.{name}"
            declared = scope.output_parameters.get(name)
            if declared is None:
                self.reader.problem(at, f"component '{scope.name}' declares no such output")
            elif scope.path in self.loops and declared.type != "LIST":
                self.reader.problem(
                    at, f"what a loop leaves is a LIST, but it is declared as {declared.type}"
                )
            for made in self._selected(at, selectors, dag, lambda one: one.output_parameters):
                # kfp declares as LIST what goes to a loop's end, on its whole way through scopes.
                if declared is None or made is None or declared.type == "LIST":
                    continue
                if not _fits(made.type, declared.type):
                    self.reader.problem(at, f"is {declared.type}, but gets {made.type}")
        for name, selectors in dag.artifacts.items():
            at = f"{path}.artifacts.{name}"
            if name not in scope.output_artifacts:
                self.reader.problem(at, f"component '{scope.name}' declares no such output")
            for _ in self._selected(at, selectors, dag, lambda one: one.output_artifacts):
                pass

    def _selected(
        self,
        path: str,
        selectors: Selectors,
        dag: Dag,
        outputs: Callable[[Component], Mapping[str, T]],
    ) -> Iterator[T | None]:
        """Yield the definitions of the outputs that selectors name, and note those that miss."""
        for task, key in selectors:
            producer = dag.tasks.get(task)
            made = outputs(producer.component).get(key) if producer is not None else None
            if made is None:
                self.reader.problem(path, f"there is no output '{key}' of task '{task}'")
            yield made


def _fits(found: str, wanted: str) -> bool:
    """Say whether a parameter takes values of another type; a text takes all, as JSON."""
    return (
        found == wanted
        or (found, wanted) == ("NUMBER_INTEGER", "NUMBER_DOUBLE")
        # So an exit handler that is a pipeline hands the status on to its steps.
        or (found, wanted) == (_STATUS, "STRUCT")
        or (wanted == "STRING" and found != _STATUS)
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
