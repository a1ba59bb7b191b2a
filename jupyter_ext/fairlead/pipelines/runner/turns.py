"""Loops and conditions over steps: one turn, one branch, and what decides on them."""

from __future__ import annotations

import ast
import itertools
import typing

from fairlead.pipelines.runner.artifacts import load

_TURN = "_fairlead_turn"


def cut(
    tree: typing.Any,
    cell: dict[str, typing.Any],
    spec: dict[str, typing.Any],
    parameters: dict[str, typing.Any],
    space: dict[str, typing.Any],
) -> None:
    """Leave one turn of a loop, or one branch of a condition, whose turns are tasks.

    Parameters
    ----------
    tree, cell
        Of any cell that is run; that of the step is changed.
    spec
        The `step` parameter of the task.
    space
        The namespace of the cell.
    """
    if cell not in spec["cells"]:
        return
    if "loop" in spec:
        loop = next(node for node in tree.body if isinstance(node, ast.For))
        space[_TURN] = [_item(spec["loop"], parameters)]
        # It is looked up once; the name is gone before the notebook's own code runs.
        taken = ast.parse(f"globals().pop({_TURN!r})", mode="eval").body
        loop.iter = _placed(taken, loop.iter)
    if "branch" in spec:
        node = next(node for node in tree.body if isinstance(node, ast.If))
        for number in itertools.count():
            node.test = _placed(ast.Constant(number == int(spec["branch"])), node.test)
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            node = node.orelse[0]


def _item(loop: dict[str, typing.Any], parameters: dict[str, typing.Any]) -> typing.Any:
    """Return what this turn of the loop is for."""
    value: typing.Any = parameters.get(loop["key"])
    if "type" not in loop:
        return ast.literal_eval(value)
    whole = loop["type"] == "NUMBER_INTEGER" and isinstance(value, float)
    return int(value) if whole else value


def decide(
    control: dict[str, typing.Any], evaluate: typing.Callable[..., typing.Any]
) -> dict[str, typing.Any]:
    """Return the output parameter of a control task.

    Parameters
    ----------
    control
        `key` is `branch`: the number of the first of its `sources` that holds, or how many there
        are; or `items`: those of its only source, as literals. `cell` and `line` say where.
    evaluate
        Takes a tree, the name of its file and a mode.
    """
    name = f"Cell [{control['cell']}]"

    def ask(source: str) -> typing.Any:
        text = "\n" * (int(control["line"]) - 1) + f"({source})"
        return evaluate(ast.parse(text, name, "eval"), name, "eval")

    if control["key"] == "branch":
        held = (number for number, source in enumerate(control["sources"]) if ask(source))
        return {"branch": next(held, len(control["sources"]))}
    items = enumerate(ask(control["sources"][0]))
    return {"items": [as_literal(item, at, int(control["line"])) for at, item in items]}


def gather(paths: list[str], names: list[str], kinds: dict[str, str]) -> dict[str, typing.Any]:
    """Put together what the turns of a loop collected, in their order."""
    found: dict[str, typing.Any] = {
        name: [] if kind == "list" else {} for name, kind in kinds.items()
    }
    for path in paths:
        for name, part in load(path, names).items():
            (found[name].extend if kinds[name] == "list" else found[name].update)(part)
    return found


def as_literal(item: typing.Any, position: int, line: int) -> str:
    """Return an item of a loop as a Python literal, which a task can have as a parameter."""
    text = repr(item)
    try:
        same = _alike(ast.literal_eval(text), item)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        same = False
    if not same:
        error = TypeError(
            "a loop over steps goes over plain values (numbers, texts, lists, tuples, dicts), and "
            f"item {position} is a {type(item).__name__}: loop over positions or names instead, as "
            "in range(len(...)); of an array, over its .tolist()"
        )
        vars(error)["lineno"] = line  # no frame of the notebook is to blame
        raise error
    return text


def _alike(one: typing.Any, other: typing.Any) -> bool:
    """Tell whether two values are equal and of the same types all through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(_alike, one.values(), other.values()))
    return bool(one == other)


def _placed(node: typing.Any, where: typing.Any) -> typing.Any:
    return ast.fix_missing_locations(ast.copy_location(node, where))
