"""The tasks of a pipeline function of kfp: what they take, what they wait for, how they run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fairlead.errors import SpecError
from fairlead.pipelines.claims import Claim
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.exports.kfp_claims import Claims
from fairlead.pipelines.exports.kfp_flow import (
    branch_components,
    control_component,
    deciding_component,
    loop_component,
    loop_header,
    written_items,
    written_tests,
)
from fairlead.pipelines.exports.kfp_names import Component, fresh, name_component
from fairlead.pipelines.exports.plain_code import INDENT, call_lines, quoted
from fairlead.pipelines.records import Parameter
from fairlead.pipelines.slots import Source
from fairlead.pipelines.split_records import Loop, Split
from fairlead.pipelines.step_settings import StepSettings


@dataclass
class Flow:
    """The components of a step.

    Parameters
    ----------
    parts
        One, or one for each branch of a condition.
    control
        What evaluates what a loop goes over or which branch is taken, where a task has to.
    loop
        For a step whose turns are tasks.
    tests
        Conditions of all branches but the last, where kfp can ask them.
    """

    planned: StepPlan
    parts: list[Component]
    control: Component | None = None
    loop: Loop | None = None
    tests: list[str] = field(default_factory=list)

    @property
    def components(self) -> list[Component]:
        """All of them, in the order in which they are written."""
        return [*([self.control] if self.control else []), *self.parts]

    @property
    def asked(self) -> int:
        """How many branches have a test; one more is what holds otherwise."""
        if self.tests or self.control is None:
            return len(self.tests)
        return len(self.control.result) // 2  # two lines for each test, and one for the rest

    @property
    def split(self) -> bool:
        """Whether its turns or branches are tasks."""
        return self.loop is not None or len(self.parts) > 1 or self.control is not None


def read_flow(
    planned: StepPlan,
    split: Split | None,
    known: dict[str, Parameter],
    taken: set[str],
    words: set[str],
) -> Flow:
    """Choose the components of a step; their names are added to `taken`.

    Parameters
    ----------
    known
        The pipeline's parameters.
    words
        Names that the notebook uses.
    """
    if split is None:
        return Flow(planned, [name_component(planned, taken)])
    control = control_component(split.control, taken) if split.control else None
    if isinstance(split, Loop):
        return Flow(planned, [loop_component(planned, split, taken, words)], control, split)
    parts, tests = branch_components(planned, split, taken)
    if control is not None:
        return Flow(planned, parts, control)
    written = written_tests(tests, known)
    if written is None:
        step = planned.step.name
        return Flow(planned, parts, deciding_component(step, tests, split.asked, taken))
    return Flow(planned, parts, tests=written)


class Tasks:
    """Writes the tasks, each after those that it takes values from.

    Parameters
    ----------
    names
        Names that the function has already: its parameters.
    claims
        That the run makes.
    """

    def __init__(
        self, flows: dict[str, Flow], names: set[str], claims: Iterable[Claim] = ()
    ) -> None:
        self._flows = flows
        self._names = names
        self._tasks: dict[str, list[str]] = {}
        self.claims = Claims(claims, lambda name: self._name(name, ""))

    @property
    def last_lines(self) -> list[str]:
        """The lines after those of all steps."""
        return self.claims.last_lines(task for tasks in self._tasks.values() for task in tasks)

    def lines(self, step: str) -> list[str]:
        """Return the lines of a step."""
        flow = self._flows[step]
        lines: list[str] = []
        control = ""
        if flow.control is not None:
            control = self._name(flow.control.name)
            lines += self._call(flow.control, control, INDENT)
        if flow.loop is not None:
            part = flow.parts[0]
            task, item = self._name(part.name), self._name(f"{part.name}_item", "")
            lines.append(loop_header(flow.loop, written_items(flow.loop, control), item))
            lines += self._whole(part, task, INDENT * 2, f"{part.item}={item}")
            self._tasks[step] = [task]
        elif flow.split or flow.tests:
            tests = flow.tests or [
                f"{control}.output == {number}" for number in range(len(flow.parts))
            ]
            self._tasks[step] = []
            for number, part in enumerate(flow.parts):
                word = "If" if number == 0 else "Elif"
                asked = number < flow.asked
                header = f"dsl.{word}({tests[number]})" if asked else "dsl.Else()"
                lines.append(f"{INDENT}with {header}:")
                self._tasks[step].append(self._name(part.name))
                lines += self._whole(part, self._tasks[step][-1], INDENT * 2)
        else:
            self._tasks[step] = [self._name(flow.parts[0].name)]
            lines += self._whole(flow.parts[0], self._tasks[step][0], INDENT)
        return lines

    def _name(self, name: str, end: str = "_task") -> str:
        made = fresh(name + end, self._names)
        self._names.add(made)
        return made

    def _output(self, source: Source) -> str:
        """Return the expression of an output that a component takes."""
        flow, key = self._flows[source.step], source.slot.key
        found = [
            f"{task}.outputs[{quoted(part.outputs[key])}]"
            for task, part in zip(self._tasks[source.step], flow.parts, strict=True)
        ]
        if flow.loop is not None:
            return f"dsl.Collected({found[0]})"
        return found[0] if len(found) == 1 else f"dsl.OneOf({', '.join(found)})"

    def _call(self, component: Component, task: str, indent: str, item: str = "") -> list[str]:
        planned = component.planned
        given = [
            f"{component.inputs[source.key]}={self._output(source)}" for source in planned.inputs
        ]
        given += [item] if item else []
        given += [f"{name}={name}" for name in planned.parameters]
        return call_lines(f"{indent}{task} = {component.name}(", given, ")")

    def _whole(self, component: Component, task: str, indent: str, item: str = "") -> list[str]:
        """Return the call of a step's component, what it waits for, and its settings."""
        planned = component.planned
        lines = self._call(component, task, indent, item)
        sources = {source.step for source in planned.inputs}
        after = self.claims.awaited()
        for name in self._flows[component.step].planned.depends_on:
            if name in sources:
                continue
            if self._flows[name].split or self._flows[name].tests:
                raise SpecError(
                    f"Step '{component.step}' waits for '{name}', whose turns or branches are "
                    "tasks, and takes nothing from it; kfp has no such order.",
                    hint="Take a value from it, or export the pipeline spec: `--to ir`.",
                )
            after += self._tasks[name]
        if after:
            lines.append(f"{indent}{task}.after({', '.join(after)})")
        settings = planned.step.settings
        lines += [f"{indent}{line}" for line in task_lines(task, settings)]
        pod = pod_lines(task, settings) + self.claims.mount_lines(task, settings)
        return lines + [f"{indent}{line}" for line in pod]


def task_lines(task: str, settings: StepSettings) -> list[str]:
    """Return what a task is told of its settings."""
    lines = []
    for name, amount in settings.resources.items():
        if name in ("cpu", "memory"):
            lines.append(
                f"{task}.set_{name}_request({quoted(amount)}).set_{name}_limit({quoted(amount)})"
            )
        else:
            kind = f"set_accelerator_type({quoted(name)})"
            lines.append(f"{task}.{kind}.set_accelerator_limit({quoted(amount)})")
    if not settings.cache:
        lines.append(f"{task}.set_caching_options(False)")
    if settings.retries is not None:
        policy = settings.retries
        lines.append(
            f"{task}.set_retry({policy.max_retry_count}, "
            f"backoff_duration={quoted(f'{policy.backoff_s:g}s')}, "
            f"backoff_factor={policy.backoff_factor!r}, "
            f"backoff_max_duration={quoted(f'{policy.backoff_max_s:g}s')})"
        )
    for name, value in settings.env.items():
        lines.append(f"{task}.set_env_variable({quoted(name)}, {quoted(value)})")
    return lines


def pod_lines(task: str, settings: StepSettings) -> list[str]:
    """Return what the package kfp-kubernetes says of a task."""
    lines = []
    if settings.timeout_s:
        lines.append(f"kubernetes.set_timeout({task}, {settings.timeout_s})")
    for word, kind, references in (
        ("secret", "secret", settings.secrets),
        ("config_map", "config_map", settings.config_maps),
    ):
        for one in references:
            if one.env:
                pairs = {key: variable for variable, key in one.env.items()}
                lines.append(
                    f"kubernetes.use_{word}_as_env({task}, {quoted(one.name)}, "
                    f"{kind}_key_to_env={quoted(pairs)})"
                )
            if one.path:
                where = f"{quoted(one.name)}, {quoted(one.path)}"
                lines.append(f"kubernetes.use_{word}_as_volume({task}, {where})")
    for path, claim in settings.volumes.items():
        lines.append(f"kubernetes.mount_pvc({task}, {quoted(claim)}, {quoted(path)})")
    for side in ("label", "annotation"):
        for key, value in getattr(settings, f"{side}s").items():
            lines.append(f"kubernetes.add_pod_{side}({task}, {quoted(key)}, {quoted(value)})")
    return lines
