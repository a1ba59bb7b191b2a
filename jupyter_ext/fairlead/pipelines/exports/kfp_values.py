"""Values of a component: how it takes them from artifacts, gives them, and logs metrics."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from fairlead.pipelines.cells import Cell
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.dataflow.randomness import RANDOM
from fairlead.pipelines.exports.kfp_names import Component
from fairlead.pipelines.exports.plain_code import (
    INDENT,
    bound_names,
    call_lines,
    quoted,
)
from fairlead.pipelines.slots import Slot, Source
from fairlead.pipelines.split_records import Loop, Split

Steps = Mapping[str, StepPlan]

# Each helper imports what it needs itself, so that no name of the notebook is taken.
LOAD = """\
def load_artifact(artifact):
    import pickle

    with open(artifact.path, "rb") as file:
        return pickle.load(file)
"""
SAVE = """\
def save_artifact(value, path):
    import pickle

    with open(path, "wb") as file:
        pickle.dump(value, file)
"""
LOG = """\
def log_metrics(values):
    import numbers

    for name, value in values.items():
        if isinstance(value, numbers.Real):
            artifact_paths["metrics"].log_metric(name, float(value))
"""
GET_RANDOM = """\
def get_random_states():
    import random
    import sys

    states = {"random": random.getstate()}
    if "numpy" in sys.modules:
        states["numpy"] = sys.modules["numpy"].random.get_state()
    return states
"""
SET_RANDOM = """\
def set_random_states(states):
    import random

    random.setstate(states["random"])
    if "numpy" in states:
        import numpy

        numpy.random.set_state(states["numpy"])
"""
REFUSE_VIEWS = """\
def refuse_views(values):
    import sys

    arrays, waiting, seen = [], [values], set()
    while waiting and "numpy" in sys.modules:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, sys.modules["numpy"].ndarray):
            for other in arrays:
                if sys.modules["numpy"].may_share_memory(value, other):
                    raise ValueError("two arrays share memory, which pickles cannot keep")
            arrays.append(value)
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, (list, tuple, set)):
            waiting += value
    return values
"""
OWN_NAMES = (
    "load_artifact", "save_artifact", "log_metrics", "get_random_states", "set_random_states",
    "refuse_views", "artifact_paths", "artifact_values", "artifact_name", "artifact_names",
)  # fmt: skip
"""Names that the written code uses itself."""


def helpers(component: Component) -> list[str]:
    """Return the helpers that a component needs, not indented."""
    planned = component.planned
    taken = {name for source in planned.inputs for name in source.bind}
    given = {name for slot in planned.outputs for name in slot.names}
    parts = [
        (LOAD, bool(planned.inputs)),
        (SAVE, bool(planned.outputs)),
        (LOG, component.metrics),
        (SET_RANDOM, RANDOM in taken),
        (GET_RANDOM, RANDOM in given),
        (REFUSE_VIEWS, any(len(slot.names) > 1 for slot in planned.outputs)),
    ]
    return [text for text, needed in parts if needed]


def input_lines(component: Component, steps: Steps, splits: Mapping[str, Split]) -> list[str]:
    """Return the lines that bind what a component takes; `steps` and `splits` are by name."""
    lines = [""] if component.inputs else []
    for source in component.planned.inputs:
        argument = component.inputs[source.key]
        names = [name for name in source.bind if name != RANDOM]
        loaded = f"load_artifact({argument})"
        split = splits.get(source.step)
        if isinstance(split, Loop):
            lines += _gathered(argument, source, split, steps)
            continue
        plain = not _partial(steps, source.step, source.slot)
        if source.slot.names == (RANDOM,):
            lines.append(INDENT + f"set_random_states({loaded})")
        elif len(source.slot.names) == 1 and plain:
            lines.append(INDENT + f"{names[0]} = {loaded}")
        elif plain and RANDOM not in source.bind:
            keys = ", ".join(f"artifact_values[{quoted(name)}]" for name in names)
            lines.append(INDENT + f"artifact_values = {loaded}")
            lines.append(INDENT + f"{', '.join(names)} = {keys}")
        else:
            lines.append(INDENT + f"artifact_values = {loaded}")
            if RANDOM in source.bind:
                lines.append(INDENT + f"set_random_states(artifact_values[{quoted(RANDOM)}])")
            if argument in names:
                lines.append(INDENT + f"del {argument}")
            for name in names:
                lines.append(INDENT + f"if {quoted(name)} in artifact_values:")
                lines.append(INDENT * 2 + f"{name} = artifact_values[{quoted(name)}]")
    return lines


def _gathered(argument: str, source: Source, loop: Loop, steps: Steps) -> list[str]:
    """Return the lines that put together what the turns of a loop collected, in their order."""
    several = len(source.slot.names) > 1 or _partial(steps, source.step, source.slot)
    parts = f"[load_artifact(part) for part in {argument}]"
    lines = [INDENT + f"artifact_values = {parts}"] if several else []
    for name in source.bind:
        part = f"part[{quoted(name)}]" if several else "load_artifact(part)"
        among = "artifact_values" if several else argument
        if loop.collects[name] == "list":
            value = f"[one for part in {among} for one in {part}]"
        else:
            value = f"{{key: one for part in {among} for key, one in {part}.items()}}"
        lines.append(INDENT + f"{name} = {value}")
    return lines


def _partial(steps: Steps, step: str, slot: Slot) -> bool:
    """Tell whether a step may leave a name of a slot unbound."""
    sure: set[str] = {RANDOM}
    planned = steps[step]
    for source in planned.inputs:
        sure.update(source.bind if not _partial(steps, source.step, source.slot) else ())
    for cell in planned.step.cells:
        for node in cell.tree.body:
            if isinstance(
                node,
                ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Import | ast.ImportFrom
                | ast.FunctionDef | ast.ClassDef | ast.With | ast.Expr,
            ):  # fmt: skip
                sure.update(bound_names(ast.unparse(node)))
    sure.update(planned.parameters)
    return not set(slot.names) <= sure


def metric_lines(cell: Cell) -> list[str]:
    """Return the lines that log the numbers of a cell as metrics."""
    names = cell.metrics or list(
        dict.fromkeys(
            node.id
            for node in ast.walk(cell.tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
    )
    own = bound_names(cell.code) if not cell.metrics else set(names)
    pairs = [f"{quoted(name)}: {name}" for name in names if name in own]
    if not pairs:
        return []
    return call_lines(f"{INDENT}log_metrics({{", pairs, "})")


def output_lines(component: Component, steps: Steps) -> list[str]:
    """Return the lines that write what a component gives; `steps` are all, by name."""
    lines = [""] if component.outputs else []
    for slot in component.planned.outputs:
        path = f"artifact_paths[{quoted(component.outputs[slot.key])}]"
        names = [name for name in slot.names if name != RANDOM]
        if slot.names == (RANDOM,):
            value = "get_random_states()"
        elif _partial(steps, component.step, slot):
            listed = ", ".join(map(quoted, names))
            lines.append(INDENT + "artifact_names = locals()")
            lines.append(INDENT + "artifact_values = {}")
            lines.append(INDENT + f"for artifact_name in [{listed}]:")
            lines.append(INDENT * 2 + "if artifact_name in artifact_names:")
            lines.append(
                INDENT * 3 + "artifact_values[artifact_name] = artifact_names[artifact_name]"
            )
            if RANDOM in slot.names:
                lines.append(INDENT + f"artifact_values[{quoted(RANDOM)}] = get_random_states()")
            value = "artifact_values"
        elif len(slot.names) == 1:
            value = names[0]
        else:
            pairs = [f"{quoted(name)}: {name}" for name in names]
            if RANDOM in slot.names:
                pairs.append(f"{quoted(RANDOM)}: get_random_states()")
            value = "{" + ", ".join(pairs) + "}"
        if len(slot.names) > 1:
            value = f"refuse_views({value})"
        lines.append(INDENT + f"save_artifact({value}, {path})")
    return lines
