"""The first difference between two ways of a notebook."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fairlead.agreement.differences import Difference, differing_output, differing_value
from fairlead.pipelines.runner import describing_source

SPACE: dict[str, Any] = {}
exec(describing_source(), SPACE)


class Box:
    """A value of a notebook's own class."""

    def __init__(self, inside: object) -> None:
        self.inside = inside


def described(value: object) -> Any:
    """Describe a value as another process would read it."""
    packed = SPACE["ask"](["x"], {"x": value})
    return json.loads(zlib.decompress(base64.b64decode(packed)))["x"]


def looped() -> list[Any]:
    """Return a list that holds itself."""
    found: list[Any] = [1]
    found.append(found)
    return found


@pytest.mark.parametrize(
    "value",
    [
        None,
        float("nan"),
        {"a": [1, (2.5, "x")], 3: {"b", "a"}},
        np.arange(5000),
        np.array([{"a": 1}, None], dtype=object),
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        Box([Box(1), object()]),
        looped(),
        len,
        "x" * 10_000,
    ],
)
def test_equal_values_have_no_difference(value: object) -> None:
    assert differing_value("x", described(value), described(value)) is None


@pytest.mark.parametrize(
    ("plain", "pipeline", "expected"),
    [
        (1, 2, ("x", "1", "2")),
        (1, 1.0, ("x", "1", "1.0")),
        ({"a": [1, 2]}, {"a": [1, 3]}, ("x['a'][1]", "2", "3")),
        ([1], [1, 2], ("x[1]", "(not there)", "2")),
        ({"a": 1}, {"b": 1}, ("x['a']", "1", "(not there)")),
        (Box([1]), Box([True]), ("x.inside[0]", "1", "True")),
        (np.array([1, 2]), np.array([1, 3]), ("x[1]", "2", "3")),
        (np.zeros(2), np.zeros(3), ("x[2]", "(not there)", "0.0")),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]}), ("x['a'][0]", "1", "2")),
        (len, max, ("x", "builtin_function_or_method len", "builtin_function_or_method max")),
    ],
)
def test_the_first_part_that_differs_is_named(
    plain: object, pipeline: object, expected: tuple[str, str, str]
) -> None:
    assert differing_value("x", described(plain), described(pipeline)) == expected


def test_a_value_that_one_way_lacks_is_a_difference() -> None:
    assert differing_value("x", described(1), None) == ("x", "1", "(not there)")
    assert differing_value("x", None, None) is None


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    """Return an output that prints."""
    return {"output_type": "stream", "name": name, "text": text}


def test_outputs_are_the_same_whatever_their_pieces_colours_and_addresses_are() -> None:
    plain = [stream("a <X at 0x7f00aa>\n"), stream("b\n"), stream("w", "stderr")]
    pipeline = [stream("w", "stderr"), stream("a <X at 0x7f11bb>\n\x1b[31mb\x1b[0m\n")]
    assert differing_output(plain, pipeline) is None
    shown = {"output_type": "execute_result", "execution_count": 3, "data": {"text/plain": "1"}}
    assert differing_output([shown], [{**shown, "execution_count": 1}]) is None


def test_what_differs_in_outputs_is_shown_from_its_line_on() -> None:
    assert differing_output([stream("a\nb 1\nc")], [stream("a\nb 2\nc")]) == (
        "the text it prints",
        "...'b 1'...",
        "...'b 2'...",
    )
    picture = {"output_type": "display_data", "data": {"image/png": "abc"}}
    assert differing_output([picture], []) == ("output 1 (image/png)", "'abc'", "(nothing)")
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}
    assert differing_output([error], [{**error, "ename": "ValueError"}]) == (
        "the error it raises",
        "\"KeyError: 'x'\"",
        "\"ValueError: 'x'\"",
    )


def test_a_difference_reads_as_cell_what_and_both() -> None:
    found = Difference(3, "c2", "the text it prints", "'1'", "'2'")
    assert str(found) == ("Cell 3 (c2): the text it prints\n  notebook: '1'\n  pipeline: '2'")
