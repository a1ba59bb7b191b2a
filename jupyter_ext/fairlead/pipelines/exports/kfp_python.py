"""A plan as a Python file of kfp, to go on with: a component for each step, and the pipeline."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Mapping

from fairlead.errors import SpecError
from fairlead.names import dns_label
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.exports.kfp_component import ComponentWriter
from fairlead.pipelines.exports.kfp_names import Component, name_component, type_of
from fairlead.pipelines.exports.plain_code import INDENT, call_lines, quoted
from fairlead.pipelines.imports import Imports, Versions
from fairlead.pipelines.plan import Plan
from fairlead.pipelines.step_settings import StepSettings

_NAMES = (
    "pipeline", "dsl", "compiler", "kubernetes", "Optional", "IMAGE",
    "Artifact", "Input", "Metrics", "Output",
)  # fmt: skip
_FOOT = """

if __name__ == "__main__":
    compiler.Compiler().compile(pipeline, __file__.removesuffix(".py") + ".yaml")
"""


def write_kfp_python(
    plan: Plan,
    *,
    name: str,
    modules: Mapping[str, str],
    versions: Versions,
    numbers: dict[str, int],
) -> str:
    """Write a pipeline as a Python file.

    Parameters
    ----------
    plan
        A plan without errors.
    name, modules, versions
        As `ir.build_spec` has them.
    numbers
        Position of each cell in the notebook, counted from 1, by its id.

    Returns
    -------
    str
        Python for kfp 2. Compiled, it has the tasks, order, parameters and artifacts of the spec;
        its steps keep no executed notebook.

    Raises
    ------
    SpecError
        Something has no equal in a function of kfp's; the message names cell and line.
    """
    title = plan.translation.name or name
    known = plan.parameters.parameters
    imports = Imports(plan.layout, plan.steps, modules)
    writer = ComponentWriter(plan, numbers)
    # A function of a builtin's name would take its place in all steps.
    taken = {*known, *_NAMES, *dir(builtins)}
    components: dict[str, Component] = {}
    texts = []
    for planned in plan.steps:
        step = planned.step.name
        _refuse_flow(planned)
        components[step] = name_component(planned, taken)
        settings = planned.step.settings
        packages = settings.packages
        if packages is None:
            packages = tuple(versions(imports.foreign(step)))
        texts.append(writer.write(components[step], imports.local(step), packages))
    kubernetes = any(_pod_lines("", planned.step.settings) for planned in plan.steps)
    optional = any(type_of(parameter).startswith("Optional") for parameter in known.values())
    head = [
        f'"""{_plain(title)}: a pipeline of kfp, written by Fairlead from a notebook.',
        "",
        "Each component is a step of the notebook, in the notebook's own words; values travel as",
        "pickles. Run this file to compile it.",
        '"""',
        "",
        *(["from typing import Optional", ""] if optional else []),
        "from kfp import compiler, dsl" + (", kubernetes" if kubernetes else ""),
        "from kfp.dsl import Artifact, Input, Metrics, Output",
        "",
        f'IMAGE = "python:{sys.version_info.major}.{sys.version_info.minor}"',
        "",
        "",
        "",
    ]
    body = "\n\n".join(texts)
    return "\n".join(head) + body + "\n\n" + _pipeline(plan, title, components) + _FOOT


def _plain(text: str) -> str:
    return text.replace("\\", "").replace('"', "'")


def _refuse_flow(planned: StepPlan) -> None:
    settings = planned.step.settings
    if settings.for_each or settings.condition:
        word = "forEach" if settings.for_each else "if"
        raise SpecError(
            f"Step '{planned.step.name}' has `{word}`, which is not exported to Python of kfp.",
            hint="Export the pipeline spec: `--to ir`.",
        )


def _pipeline(plan: Plan, title: str, components: dict[str, Component]) -> str:
    known = plan.parameters.parameters
    options = [f"name={quoted(dns_label(title))}"]
    if plan.translation.description:
        options.append(f"description={quoted(plan.translation.description)}")
    required = [p for p in known.values() if not p.optional]
    optional = [p for p in known.values() if p.optional]
    arguments = [f"{p.name}: {type_of(p)}" for p in required]
    arguments += [f"{p.name}: {type_of(p)} = {_default(p.default)}" for p in optional]
    lines = call_lines("@dsl.pipeline(", options, ")")
    if arguments:
        lines += ["def pipeline(", *[f"{INDENT}{a}," for a in arguments], "):"]
    else:
        lines.append("def pipeline():")
    tasks: dict[str, str] = {}
    for step in _in_order(plan):
        component = components[step]
        task = f"{component.name}_task"
        while task in known:
            task += "_"
        tasks[step] = task
        lines += _task(component, task, components, tasks)
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    return quoted(json.loads(json.dumps(value)))


def _in_order(plan: Plan) -> list[str]:
    """Return the steps so that each comes after those it waits for."""
    waiting = {planned.step.name: set(planned.depends_on) for planned in plan.steps}
    done: list[str] = []
    while waiting:
        ready = next(step for step, needs in waiting.items() if needs <= set(done))
        done.append(ready)
        del waiting[ready]
    return done


def _task(
    component: Component, task: str, components: dict[str, Component], tasks: dict[str, str]
) -> list[str]:
    planned = component.planned
    given = [
        f"{component.inputs[source.key]}={tasks[source.step]}.outputs"
        f"[{quoted(components[source.step].outputs[source.slot.key])}]"
        for source in planned.inputs
    ]
    given += [f"{name}={name}" for name in planned.parameters]
    lines = call_lines(f"{INDENT}{task} = {component.name}(", given, ")")
    sources = {source.step for source in planned.inputs}
    after = [tasks[name] for name in planned.depends_on if name not in sources]
    if after:
        lines.append(f"{INDENT}{task}.after({', '.join(after)})")
    settings = planned.step.settings
    lines += [f"{INDENT}{line}" for line in _task_lines(task, settings)]
    lines += [f"{INDENT}{line}" for line in _pod_lines(task, settings)]
    return lines


def _task_lines(task: str, settings: StepSettings) -> list[str]:
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


def _pod_lines(task: str, settings: StepSettings) -> list[str]:
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
