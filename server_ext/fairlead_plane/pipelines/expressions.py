"""Conditions and selectors: the part of CEL that pipeline specs use, parsed once and typed.

Nothing of a value ever becomes text that is parsed, so no value can change what a condition says.
A value of the wrong type is an error in words, never `false`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.errors import SpecError

from .expression_tokens import Token, read_tokens, stands_for_value
from .expression_values import (
    FUNCTIONS,
    METHODS,
    as_boolean,
    calculate,
    compare,
    contains,
    index,
    negative,
)
from .values import shown, to_text

Json = Any
Evaluate = Callable[[Mapping[str, Json]], Json]

_DEEPEST = 50
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_INPUTS = ("parameter_values", "parameters", "artifacts")
_ROOTS_OF_CONDITIONS = frozenset({"inputs"})
_ROOTS_OF_SELECTORS = frozenset(
    {"string_value", "number_value", "bool_value", "list_value", "struct_value"}
)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, parsed."""

    text: str
    parameters: frozenset[str]
    """Input parameters that it names."""
    artifacts: frozenset[str]
    """Input artifacts that it names."""
    evaluate: Evaluate
    """Takes the values of its names; raises SpecError where a value is missing or of no use."""


def read_condition(text: str) -> Expression:
    """Parse `triggerPolicy.condition`, which sees the task's `inputs`.

    Raises
    ------
    SpecError
        It is no expression, or uses something that is not known here.
    """
    return _read(text, _ROOTS_OF_CONDITIONS)


def read_selector(text: str) -> Expression:
    """Parse `parameterExpressionSelector`, which sees the fields of one value.

    Raises
    ------
    SpecError
        It is no expression, or uses something that is not known here.
    """
    return _read(text, _ROOTS_OF_SELECTORS)


def holds(
    condition: Expression, parameters: Mapping[str, Json], artifacts: Mapping[str, Json]
) -> bool:
    """Evaluate a condition.

    Parameters
    ----------
    parameters, artifacts : mapping
        The inputs of the task; artifacts as in an ExecutorInput.

    Raises
    ------
    SpecError
        A value is missing or of a type that the condition cannot take; or it gives no boolean.
    """
    inputs = {
        "parameter_values": parameters, "parameters": parameters, "artifacts": artifacts,
    }  # fmt: skip
    try:
        return as_boolean(condition.evaluate({"inputs": inputs}))
    except SpecError as error:
        raise SpecError(f"The condition `{condition.text}` cannot be decided: {error.what}") from (
            error
        )


def select(selector: Expression, value: Json) -> Json:
    """Apply a selector to a parameter's value.

    Raises
    ------
    SpecError
        There is no such part in the value.
    """
    fields: dict[str, Json] = {"string_value": to_text(value)}
    if isinstance(value, bool):
        fields["bool_value"] = value
    elif isinstance(value, int | float):
        fields["number_value"] = value
    elif isinstance(value, list):
        fields["list_value"] = value
    elif isinstance(value, dict):
        fields["struct_value"] = value
    try:
        return selector.evaluate(fields)
    except SpecError as error:
        raise SpecError(
            f"`{selector.text}` finds nothing in {shown(value)}: {error.what}"
        ) from error


def _read(text: str, roots: frozenset[str]) -> Expression:
    try:
        return _Parser(text, roots, as_written=False).read()
    except SpecError:
        # The kfp compiler writes texts between quotes as they are. One that CEL cannot read,
        # as 'it's' or one with a line break, is what the author wrote.
        try:
            return _Parser(text, roots, as_written=True).read()
        except SpecError:
            pass
        raise


class _Parser:
    """Recursive descent after the grammar of the CEL spec."""

    def __init__(self, text: str, roots: frozenset[str], *, as_written: bool) -> None:
        self.text = text
        self.roots = roots
        self.tokens: Iterator[Token] = read_tokens(text, as_written=as_written)
        self.token = next(self.tokens)
        self.as_written = as_written
        self.depth = 0
        self.parameters: set[str] = set()
        self.artifacts: set[str] = set()

    def read(self) -> Expression:
        evaluate = self._either()
        if self.token.kind != "end":
            raise self._unexpected()
        return Expression(
            self.text, frozenset(self.parameters), frozenset(self.artifacts), evaluate
        )

    def _next(self) -> Token:
        token, self.token = self.token, next(self.tokens)
        return token

    def _accept(self, *signs: str) -> str:
        """Go past one of these signs; returns it, or an empty text when none is next."""
        if self.token.kind == "sign" and self.token.text in signs:
            return self._next().text
        return ""

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise self._unexpected(f"; `{sign}` is missing")

    def _unexpected(self, more: str = "") -> SpecError:
        found = "it ends too early" if self.token.kind == "end" else (
            f"`{self.token.text}` is not expected at character {self.token.start + 1}"
        )  # fmt: skip
        return SpecError(f"`{self.text}` cannot be read: {found}{more}")

    def _either(self) -> Evaluate:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise SpecError(f"the expression is nested more than {_DEEPEST} levels deep")
        left = self._both()
        while self._accept("||"):
            left = _either(left, self._both())
        self.depth -= 1
        return left

    def _both(self) -> Evaluate:
        left = self._relation()
        while self._accept("&&"):
            left = _both(left, self._relation())
        return left

    def _relation(self) -> Evaluate:
        left = self._sum()
        while sign := self._accept(*_COMPARISONS, "in"):
            left = _binary(contains if sign == "in" else compare, sign, left, self._sum())
        return left

    def _sum(self) -> Evaluate:
        left = self._product()
        while sign := self._accept("+", "-"):
            left = _binary(calculate, sign, left, self._product())
        return left

    def _product(self) -> Evaluate:
        left = self._unary()
        while sign := self._accept("*", "/", "%"):
            left = _binary(calculate, sign, left, self._unary())
        return left

    def _unary(self) -> Evaluate:
        signs = []
        while sign := self._accept("!", "-"):
            signs.append(sign)
        found = self._member()
        for sign in reversed(signs):
            found = _not(found) if sign == "!" else _applied(negative, found)
        return found

    def _member(self) -> Evaluate:
        path = self.token.text if self.token.kind == "name" else ""
        found = self._primary()
        while sign := self._accept(".", "["):
            if sign == "[":
                key = self.token.value if self.token.kind == "literal" else None
                found = _binary(lambda _, value, at: index(value, at), "[", found, self._either())
                self._expect("]")
                self._note(path, key)
                path = ""
                continue
            name = self._name()
            if self._accept("("):
                found = self._call(name, METHODS, [found])
                continue
            if path == "inputs" and name not in _INPUTS:
                raise SpecError(f"`inputs` has no field `{name}`; it has {', '.join(_INPUTS)}")
            path = f"{path}.{name}"
            found = _binary(lambda _, value, at: index(value, at), ".", found, _constant(name))
        return found

    def _note(self, path: str, key: Json) -> None:
        """Remember which inputs are named, so that unknown ones are refused before the start."""
        if not isinstance(key, str):
            return
        if path in ("inputs.parameter_values", "inputs.parameters"):
            self.parameters.add(key)
        elif path == "inputs.artifacts":
            self.artifacts.add(key)

    def _name(self) -> str:
        if self.token.kind != "name":
            raise self._unexpected()
        return self._next().text

    def _primary(self) -> Evaluate:
        token = self.token
        if token.kind == "literal":
            self._next()
            if self.as_written and stands_for_value(token.value):
                # An input that kfp quoted to compare it with a text.
                inner = _Parser(token.value, self.roots, as_written=False).read()
                self.parameters |= inner.parameters
                return _applied(FUNCTIONS["string"], inner.evaluate)
            return _constant(token.value)
        if self._accept("("):
            found = self._either()
            self._expect(")")
            return found
        if self._accept("["):
            return _list(self._arguments("]"))
        name = self._name()
        if self._accept("("):
            return self._call(name, FUNCTIONS, [])
        if name not in self.roots:
            raise SpecError(f"`{name}` is not known; known is {', '.join(sorted(self.roots))}")
        return _variable(name)

    def _call(
        self, name: str, functions: Mapping[str, Callable[..., Json]], first: list[Evaluate]
    ) -> Evaluate:
        function = functions.get(name)
        if function is None:
            raise SpecError(f"the function `{name}` is not known; known are {', '.join(functions)}")
        arguments = [*first, *self._arguments(")")]
        if len(arguments) != 1 + len(first):
            raise SpecError(f"`{name}` takes one argument")
        return _applied(function, *arguments)

    def _arguments(self, end: str) -> list[Evaluate]:
        found: list[Evaluate] = []
        while not self._accept(end):
            if found:
                self._expect(",")
            found.append(self._either())
        return found


def _constant(value: Json) -> Evaluate:
    return lambda names: value


def _variable(name: str) -> Evaluate:
    def evaluate(names: Mapping[str, Json]) -> Json:
        if name not in names:
            raise SpecError(f"the value has no `{name}`")
        return names[name]

    return evaluate


def _list(items: list[Evaluate]) -> Evaluate:
    return lambda names: [item(names) for item in items]


def _applied(function: Callable[..., Json], *arguments: Evaluate) -> Evaluate:
    return lambda names: function(*(argument(names) for argument in arguments))


def _binary(
    operate: Callable[[str, Json, Json], Json], sign: str, left: Evaluate, right: Evaluate
) -> Evaluate:
    return lambda names: operate(sign, left(names), right(names))


def _not(inner: Evaluate) -> Evaluate:
    return lambda names: not as_boolean(inner(names))


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda names: as_boolean(left(names)) or as_boolean(right(names))


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda names: as_boolean(left(names)) and as_boolean(right(names))
