"""Values of a component: how it takes them from artifacts, gives them, and logs metrics."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from fairlead.pipelines.cells import Cell
from fairlead.pipelines.connections import Slot, StepPlan
from fairlead.pipelines.dataflow.library import RANDOM
from fairlead.pipelines.exports.kfp_names import Component
from fairlead.pipelines.exports.plain_code import (
    INDENT,
    bound_names,
    call_lines,
    indented,
    quoted,
)

Steps = Mapping[str, StepPlan]

_KEEP_RANDOM = """\
random_states = {"random": random.getstate()}
if "numpy" in sys.modules:
    random_states["numpy"] = sys.modules["numpy"].random.get_state()
"""
_TAKE_RANDOM = """\
random.setstate(random_states["random"])
if "numpy" in random_states:
    __import__("numpy").random.set_state(random_states["numpy"])
"""


def input_lines(component: Component, steps: Steps) -> list[str]:
    """Return the lines that bind what a component takes; `steps` are all, by name."""
    lines = [""] if component.inputs else []
    for source in component.planned.inputs:
        argument = component.inputs[source.key]
        names = [name for name in source.bind if name != RANDOM]
        loaded = f"load_artifact({argument})"
        plain = not _partial(steps, source.step, source.slot)
        if source.slot.names == (RANDOM,):
            lines.append(INDENT + f"random_states = {loaded}")
        elif len(source.slot.names) == 1 and plain:
            lines.append(INDENT + f"{names[0]} = {loaded}")
        elif plain and RANDOM not in source.bind:
            keys = ", ".join(f"loaded[{quoted(name)}]" for name in names)
            lines.append(INDENT + f"loaded = {loaded}")
            lines.append(INDENT + f"{', '.join(names)} = {keys}")
        else:
            lines.append(INDENT + f"loaded = {loaded}")
            if RANDOM in source.bind:
                lines.append(INDENT + f"random_states = loaded[{quoted(RANDOM)}]")
            for name in names:
                lines.append(INDENT + f"if {quoted(name)} in loaded:")
                lines.append(INDENT * 2 + f"{name} = loaded[{quoted(name)}]")
        if RANDOM in source.bind:
            lines += indented(_TAKE_RANDOM).split("\n")
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
    return [
        *call_lines(f"{INDENT}measured = {{", pairs, "}"),
        INDENT + "for metric_name, metric_value in measured.items():",
        INDENT * 2 + "if isinstance(metric_value, numbers.Real):",
        INDENT * 3 + 'artifact_paths["metrics"].log_metric(metric_name, float(metric_value))',
    ]


def output_lines(component: Component, steps: Steps) -> list[str]:
    """Return the lines that write what a component gives; `steps` are all, by name."""
    lines = [""] if component.outputs else []
    for slot in component.planned.outputs:
        path = f"artifact_paths[{quoted(component.outputs[slot.key])}]"
        names = [name for name in slot.names if name != RANDOM]
        if RANDOM in slot.names:
            lines += indented(_KEEP_RANDOM).split("\n")
        if slot.names == (RANDOM,):
            value = "random_states"
        elif _partial(steps, component.planned.step.name, slot):
            listed = ", ".join(map(quoted, names))
            lines.append(INDENT + "bound = locals()")
            lines.append(INDENT + "kept = {}")
            lines.append(INDENT + f"for kept_name in [{listed}]:")
            lines.append(INDENT * 2 + "if kept_name in bound:")
            lines.append(INDENT * 3 + "kept[kept_name] = bound[kept_name]")
            if RANDOM in slot.names:
                lines.append(INDENT + f"kept[{quoted(RANDOM)}] = random_states")
            value = "kept"
        elif len(slot.names) == 1:
            value = names[0]
        else:
            pairs = [f"{quoted(name)}: {name}" for name in names]
            if RANDOM in slot.names:
                pairs.append(f"{quoted(RANDOM)}: random_states")
            value = "{" + ", ".join(pairs) + "}"
        lines.append(INDENT + f"save_artifact({value}, {path})")
    return lines
