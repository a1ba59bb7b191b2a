"""Conditions over parameters, from Python to the language of KFP's `triggerPolicy`."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from fairlead.pipelines.records import Parameter

_OPERATORS: dict[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_NUMBERS = ("NUMBER_INTEGER", "NUMBER_DOUBLE")
CHANNEL = "pipelinechannel--"
"""How kfp's compiler begins the names of the inputs that conditions and loops ask."""


def condition_text(node: ast.expr, parameters: Mapping[str, Parameter]) -> str | None:
    """Write a test of an `if` statement as KFP does.

    Parameters
    ----------
    parameters
        The pipeline's parameters, which the test may ask.

    Returns
    -------
    str or None
        None where the test asks anything else, or where the two languages might not agree: then
        Python decides, in a task of its own.
    """
    if isinstance(node, ast.BoolOp):
        parts = [condition_text(value, parameters) for value in node.values]
        if any(part is None for part in parts):
            return None
        word = " && " if isinstance(node.op, ast.And) else " || "
        return word.join(f"({part})" for part in parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = condition_text(node.operand, parameters)
        return None if inner is None else f"!({inner})"
    if isinstance(node, ast.Name):
        known = parameters.get(node.id)
        if known is None or known.type != "BOOLEAN" or known.default is None:
            return None
        return f"{channel(node.id)} == true"
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        word = _OPERATORS.get(type(node.ops[0]), "")
        left, right = (_side(part, parameters) for part in (node.left, node.comparators[0]))
        if not word or left is None or right is None:
            return None
        kinds = {left[1], right[1]}
        if len(kinds) == 2:
            if not kinds <= set(_NUMBERS):
                return None
            return f"{_as_double(left)} {word} {_as_double(right)}"
        if kinds == {"BOOLEAN"} and word not in ("==", "!="):
            return None
        return f"{left[0]} {word} {right[0]}"
    return None


def channel(name: str) -> str:
    """Return how a condition names an input."""
    return f"inputs.parameter_values['{CHANNEL}{name}']"


def _as_double(side: tuple[str, str]) -> str:
    text, kind = side
    return text if kind == "NUMBER_DOUBLE" else f"double({text})"


def _side(node: ast.expr, parameters: Mapping[str, Parameter]) -> tuple[str, str] | None:
    """Return one side of a comparison and its type."""
    if isinstance(node, ast.Name):
        known = parameters.get(node.id)
        # Without a default, or with None, its type is a guess.
        if known is None or known.default is None:
            return None
        if known.type == "NUMBER_INTEGER":
            return f"int({channel(node.id)})", known.type
        if known.type == "NUMBER_DOUBLE":
            return f"double({channel(node.id)})", known.type
        return (channel(node.id), known.type) if known.type in ("STRING", "BOOLEAN") else None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    if isinstance(value, bool):
        return str(value).lower(), "BOOLEAN"
    if isinstance(value, int) and abs(value) < 2**53:
        return str(value), "NUMBER_INTEGER"
    if isinstance(value, float) and abs(value) < 1e15:
        text = f"{value:f}" if "e" in repr(value) else repr(value)
        return (text, "NUMBER_DOUBLE") if float(text) == value else None
    if isinstance(value, str) and value.isprintable() and not set(value) & set("'\\"):
        return f"'{value}'", "STRING"
    return None
