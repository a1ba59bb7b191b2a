"""The values that a call passes on."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from fairlead.pipelines.dataflow import iteration
from fairlead.pipelines.dataflow.heap import NOTHING, Value
from fairlead.pipelines.dataflow.machine import Machine


@dataclass
class Arguments:
    """The values that a call passes on.

    Parameters
    ----------
    listed : list of Value
        Positional ones, in order.
    spread : Value
        Elements of `*` arguments.
    named : dict
        Keyword ones.
    rest : Value
        Elements of `**` arguments.
    texts : list of str
        Constant texts among the positional ones, in order.
    flags : set of str
        Keywords that are given as anything but False, None or 0.
    """

    listed: list[Value] = field(default_factory=list)
    spread: Value = NOTHING
    named: dict[str, Value] = field(default_factory=dict)
    rest: Value = NOTHING
    texts: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)

    def key(self) -> tuple[object, ...]:
        """Return what tells these arguments from others."""
        return (*self.listed, self.spread, tuple(self.named.items()), self.rest)

    @property
    def all(self) -> Value:
        """Everything that is passed."""
        return NOTHING.union(*self.listed, self.spread, *self.named.values(), self.rest)


def read_arguments(m: Machine, node: ast.Call) -> Arguments:
    """Evaluate the arguments of a call."""
    found = Arguments()
    for part in node.args:
        if isinstance(part, ast.Starred):
            found.spread |= iteration.iterate(m, m.evaluate(m, part.value), part)
            continue
        found.listed.append(m.evaluate(m, part))
        found.texts.extend(constant_texts(part))
    for keyword in node.keywords:
        value = m.evaluate(m, keyword.value)
        if keyword.arg is None:
            found.rest |= iteration.elements(m, value, keyword.value)
            continue
        found.named[keyword.arg] = value
        if not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
            found.flags.add(keyword.arg)
    return found


def constant_texts(node: ast.expr) -> list[str]:
    """Return the constant text in an expression: a literal, or the fixed parts of an f-string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
    return []
