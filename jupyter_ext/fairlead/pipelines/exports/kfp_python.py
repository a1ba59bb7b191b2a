"""A plan as a Python file of kfp, to go on with: a component for each step, and the pipeline."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Mapping

from fairlead.names import dns_label
from fairlead.pipelines.exports.kfp_component import ComponentWriter
from fairlead.pipelines.exports.kfp_names import type_of
from fairlead.pipelines.exports.kfp_tasks import Flow, Tasks, pod_lines, read_flow
from fairlead.pipelines.exports.plain_code import INDENT, call_lines, quoted, used_names
from fairlead.pipelines.imports import Imports, Versions
from fairlead.pipelines.plan import Plan
from fairlead.pipelines.split_records import Loop

_NAMES = (
    "pipeline", "dsl", "compiler", "kubernetes", "List", "Optional", "IMAGE",
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
    words = set().union(*[used_names(cell.code) for cell in plan.layout.cells])
    flows: dict[str, Flow] = {}
    texts = []
    for planned in plan.steps:
        step = planned.step.name
        flows[step] = read_flow(planned, plan.splits.get(step), known, taken, words)
        packages = planned.step.settings.packages
        if packages is None:
            packages = tuple(versions(imports.foreign(step)))
        for component in flows[step].components:
            texts.append(writer.write(component, imports.local(step), packages))
    kubernetes = bool(plan.translation.claims) or any(
        pod_lines("", planned.step.settings) for planned in plan.steps
    )
    typed = []
    if any(isinstance(split, Loop) for split in plan.splits.values()):
        typed.append("List")
    if any(type_of(parameter).startswith("Optional") for parameter in known.values()):
        typed.append("Optional")
    head = [
        f'"""{_plain(title)}: a pipeline of kfp, written by Fairlead from a notebook.',
        "",
        "Each component is a step of the notebook, in the notebook's own words; values travel as",
        "pickles. Run this file to compile it.",
        '"""',
        "",
        *([f"from typing import {', '.join(typed)}", ""] if typed else []),
        "from kfp import compiler, dsl" + (", kubernetes" if kubernetes else ""),
        "from kfp.dsl import Artifact, Input, Metrics, Output",
        "",
        f'IMAGE = "python:{sys.version_info.major}.{sys.version_info.minor}"',
        "",
        "",
        "",
    ]
    body = "\n\n".join(texts)
    return "\n".join(head) + body + "\n\n" + _pipeline(plan, title, flows) + _FOOT


def _plain(text: str) -> str:
    return text.replace("\\", "").replace('"', "'")


def _pipeline(plan: Plan, title: str, flows: dict[str, Flow]) -> str:
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
    tasks = Tasks(flows, set(known), plan.translation.claims)
    lines += tasks.claims.first_lines()
    for step in _in_order(plan):
        lines += tasks.lines(step)
    lines += tasks.last_lines
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
