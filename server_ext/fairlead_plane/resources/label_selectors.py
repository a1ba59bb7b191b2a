"""Label selectors: `x=1, y in (a, b), !z, n>2`.

Notes
-----
Grammar and words: k8s.io/apimachinery, `pkg/labels/selector.go`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .errors import bad_request
from .validation_metadata import check_labels

Test = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_SYMBOLS = frozenset("=!(),<>") | {"==", "!="}
_OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt")


class _ParseError(ValueError):
    """A selector cannot be read."""


def parse_labels(selector: str) -> list[Test]:
    """Return one test of an object's labels per requirement; all must hold.

    Raises
    ------
    ApiError
        400 in the words of the API server.
    """
    if not selector.strip():
        return []
    try:
        return _Parser(selector).parse()
    except _ParseError as error:
        raise bad_request(str(error)) from error


class _Parser:
    def __init__(self, selector: str) -> None:
        self._tokens = [found[1] for found in _TOKEN.finditer(selector)]
        self._position = 0

    def parse(self) -> list[Test]:
        tests: list[Test] = []
        while (token := self._ahead()) != "":
            if token in _SYMBOLS and token != "!":
                raise _ParseError(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                tests.append(self._requirement())
            except _ParseError as error:
                raise _ParseError(f"unable to parse requirement: {error}") from error
            token = self._next()
            if token == "":
                break
            if token != ",":
                raise _ParseError(f"found '{token}', expected: ',' or 'end of string'")
            token = self._ahead()
            if token == "" or (token in _SYMBOLS and token != "!"):
                raise _ParseError(f"found '{token}', expected: identifier after ','")
        return tests

    def _ahead(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._ahead()
        self._position += 1
        return token

    def _identifier(self) -> str:
        token = self._next()
        if token == "" or token in _SYMBOLS:
            raise _ParseError(f"found '{token}', expected: identifier")
        return token

    def _requirement(self) -> Test:
        negated = self._ahead() == "!"
        if negated:
            self._next()
        key = self._identifier()
        for cause in check_labels("key", {key: ""}):
            raise _ParseError(f"key: {cause.message}")
        if negated or self._ahead() in ("", ","):
            return lambda labels: (key in labels) is not negated
        operator = self._next()
        if operator in ("in", "notin"):
            values = self._values()
            if operator == "in":
                return lambda labels: key in labels and labels[key] in values
            return lambda labels: labels.get(key) not in values
        if operator in ("=", "==", "!="):
            value = self._value(key)
            if operator == "!=":
                return lambda labels: labels.get(key) != value
            return lambda labels: labels.get(key) == value
        if operator in ("<", ">"):
            return self._number_test(key, operator)
        raise _ParseError(f"found '{operator}', expected: {', '.join(_OPERATORS)}")

    def _number_test(self, key: str, operator: str) -> Test:
        text = self._value(key)
        if not re.fullmatch(r"[+-]?\d+", text):
            raise _ParseError(
                f"values[0][{key}]: Invalid value: \"{text}\": for 'Gt', 'Lt' operators, "
                "the value must be an integer"
            )
        bound = int(text)

        def test(labels: Mapping[str, str]) -> bool:
            value = labels.get(key, "")
            if not re.fullmatch(r"[+-]?\d+", value):
                return False
            return int(value) > bound if operator == ">" else int(value) < bound

        return test

    def _value(self, key: str) -> str:
        value = "" if self._ahead() in ("", ",") else self._identifier()
        _check_value(key, value)
        return value

    def _values(self) -> frozenset[str]:
        token = self._next()
        if token != "(":
            raise _ParseError(f"found '{token}' expected: '('")
        values: list[str] = []
        token = self._ahead()
        if token != ")" and token != "," and (token == "" or token in _SYMBOLS):
            raise _ParseError(f"found '{token}', expected: ',', ')' or identifier")
        expects_value = True
        while (token := self._next()) != ")":
            if token == ",":
                if expects_value:
                    values.append("")
                expects_value = True
            elif token == "" or token in _SYMBOLS or not expects_value:
                raise _ParseError(f"found '{token}', expected: ',' or ')'")
            else:
                values.append(token)
                expects_value = False
        if expects_value and values:
            values.append("")
        if not values:
            raise _ParseError("for 'in', 'notin' operators, values set can't be empty")
        for value in values:
            _check_value("", value)
        return frozenset(values)


def _check_value(key: str, value: str) -> None:
    for cause in check_labels("", {"x": value}):
        raise _ParseError(f"values[0][{key}]: {cause.message}")
