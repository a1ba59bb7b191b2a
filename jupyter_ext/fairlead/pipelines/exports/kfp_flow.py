"""Loops and conditions over steps in Python of kfp: what their components run, and their `with`."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence

from fairlead.pipelines.cells import Cell, CellStep
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.exports.kfp_names import TYPES, Component, fresh, name_component
from fairlead.pipelines.exports.plain_code import INDENT, edited, quoted
from fairlead.pipelines.records import Parameter
from fairlead.pipelines.split_records import Branches, Control, Loop

_COMPARED = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_PLAIN = (int, float, str)


def control_component(control: Control, taken: set[str]) -> Component:
    """Return the component that evaluates what a loop goes over, or which branch is taken."""
    planned = StepPlan(
        CellStep(control.name, control.name),
        list(control.parameters),
        list(control.definitions),
        list(control.inputs),
    )
    made = name_component(planned, taken)
    if control.key == "items":
        made.returns = "list"
        made.result = [f"return [repr(item) for item in ({control.sources[0]})]"]
        return made
    return _decides(made, control.sources)


def _decides(made: Component, tests: Sequence[str]) -> Component:
    made.returns = "int"
    for number, source in enumerate(tests):
        made.result += [f"if ({source}):", f"{INDENT}return {number}"]
    made.result.append(f"return {len(tests)}")
    return made


def loop_component(planned: StepPlan, loop: Loop, taken: set[str], words: set[str]) -> Component:
    """Return the component of one turn: its argument `item` is what the turn is for.

    Parameters
    ----------
    words
        Names that the notebook uses, none of which the argument may have.
    """
    made = name_component(planned, taken)
    made.item = fresh("item", words | {*made.inputs.values(), *made.outputs.values()})
    items = loop_items(loop)
    if loop.parameter:
        made.item_type, value = TYPES[loop.item_type], made.item
    elif items is not None and not isinstance(items[0], _Literal):
        made.item_type, value = type(items[0]).__name__, made.item
    else:
        made.item_type, value = "str", f'__import__("ast").literal_eval({made.item})'
    made.cells = []
    for cell in planned.step.cells:
        loops = [node for node in cell.tree.body if isinstance(node, ast.For)]
        code = edited(cell.code, [(loops[0].iter, f"[{value}]")]) if loops else cell.code
        made.cells.append((cell, code))
    return made


class _Literal(str):
    """The text of a value that is no parameter of kfp as it is."""

    __slots__ = ()


def loop_items(loop: Loop) -> list[int | float | str] | None:
    """Return the items that the text of a loop shows; None where they are known at a run only."""
    if loop.items is None:
        return None
    values = [ast.literal_eval(text) for text in loop.items]
    for kind in _PLAIN:
        if values and all(type(value) is kind for value in values):
            return values
    return [_Literal(text) for text in loop.items]


def loop_header(loop: Loop, items: str, item: str) -> str:
    """Return the `with` of a loop."""
    limit = f", parallelism={loop.parallelism}" if loop.parallelism else ""
    return f"{INDENT}with dsl.ParallelFor(items={items}{limit}) as {item}:"


def written_items(loop: Loop, control: str) -> str:
    """Return what a loop goes over, as the pipeline writes it; `control` is the task before it."""
    items = loop_items(loop)
    if items is not None:
        return quoted([str(one) if isinstance(one, _Literal) else one for one in items])
    return loop.parameter or f"{control}.output"


def branch_components(
    planned: StepPlan, split: Branches, taken: set[str]
) -> tuple[list[Component], list[ast.expr]]:
    """Return the components of the branches in their order, and the tests of all but the last."""
    node = next(
        part for cell in planned.step.cells for part in cell.tree.body if isinstance(part, ast.If)
    )
    bodies, tests = _chain(node)
    names = split.names if split.written or planned.outputs else split.names[:-1]
    made = []
    for number, name in enumerate(names):
        step = CellStep(
            name, planned.step.title, planned.step.cells, settings=planned.step.settings
        )
        component = name_component(
            StepPlan(
                step, planned.parameters, planned.definitions, planned.inputs, planned.outputs
            ),
            taken,
        )
        component.of = planned.step.name
        body = bodies[number] if number < len(bodies) else []
        component.cells = [(cell, _branch(cell, node, body)) for cell in planned.step.cells]
        made.append(component)
    return made, tests


def _chain(node: ast.If) -> tuple[list[list[ast.stmt]], list[ast.expr]]:
    """Return the bodies and the tests of an if, elif, else."""
    bodies, tests = [node.body], [node.test]
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        bodies.append(node.body)
        tests.append(node.test)
    if node.orelse:
        bodies.append(node.orelse)
    return bodies, tests


def _branch(cell: Cell, node: ast.If, body: list[ast.stmt]) -> str:
    if node not in cell.tree.body:
        return cell.code
    if not body:
        return edited(cell.code, [(node, "pass")])
    lines = cell.code.split("\n")[body[0].lineno - 1 : body[-1].end_lineno]
    same_line = body[0].lineno == node.lineno or any(
        isinstance(part, ast.Constant | ast.JoinedStr) and part.end_lineno != part.lineno
        for each in body
        for part in ast.walk(each)
    )
    # Texts over several lines must keep them: such a body is written anew from its tree.
    text = "\n".join(map(ast.unparse, body)) if same_line else textwrap.dedent("\n".join(lines))
    return edited(cell.code, [(node, text)])


def written_tests(tests: list[ast.expr], parameters: dict[str, Parameter]) -> list[str] | None:
    """Return conditions of kfp for tests of parameters; None where a task must evaluate them."""
    written = []
    for test in tests:
        if isinstance(test, ast.Name) and _is(test, parameters, "BOOLEAN"):
            written.append(f"{test.id} == True")
            continue
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            return None
        left, right = test.left, test.comparators[0]
        sides = [_is(left, parameters), _is(right, parameters)]
        plain = [isinstance(side, ast.Constant) for side in (left, right)]
        fits = all(a or b for a, b in zip(sides, plain, strict=True)) and any(sides)
        if not fits or not isinstance(test.ops[0], _COMPARED):
            return None
        written.append(ast.unparse(test))
    return written


def _is(node: ast.expr, parameters: dict[str, Parameter], kind: str = "") -> bool:
    found = parameters.get(node.id) if isinstance(node, ast.Name) else None
    plain = ("NUMBER_INTEGER", "NUMBER_DOUBLE", "STRING", "BOOLEAN")
    return found is not None and found.type in ((kind,) if kind else plain)


def deciding_component(
    step: str, tests: list[ast.expr], asked: Sequence[str], taken: set[str]
) -> Component:
    """Return a component that evaluates tests of parameters."""
    planned = StepPlan(CellStep(f"{step}-branch", step), list(asked))
    return _decides(name_component(planned, taken), [ast.unparse(test) for test in tests])
