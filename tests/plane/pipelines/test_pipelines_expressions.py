"""Conditions and selectors: typed, and never at the mercy of a value's text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import SpecError
from fairlead_plane.pipelines.expressions import holds, read_condition, read_selector, select

X = "inputs.parameter_values['pipelinechannel--x']"


def decide(text, artifacts=None, **parameters):
    values = {f"pipelinechannel--{name}": value for name, value in parameters.items()}
    return holds(read_condition(text), values, artifacts or {})


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        (f"{X} == 'heads'", "heads", True),
        (f"{X} == 'heads'", "tails", False),
        (f"!({X} == 'heads')", "tails", True),
        (f"!({X} == 'heads') && {X} == 'tails'", "tails", True),
        (f"!({X} == 'heads') && !({X} == 'tails')", "tails", False),
        (f"int({X}) > 5", 6.0, True),
        (f"int({X}) <= 5", 6, False),
        (f"{X} == 1.5", 1.5, True),
        (f"double(int({X})) > 5.5", 6, True),
        (f"int({X}) == -3", -3, True),
        (f"{X} < 1e-3", 0.0001, True),
        (f"{X} == true", True, True),
        (f"{X} == false", True, False),
        (f"{X} != ''", "", False),
        (f"{X} == 'a' || {X} == 'b'", "b", True),
        (f"{X} in ['a', 'b']", "b", True),
        (f"({X} + 1) * 2 == 7 % 4 + 3", 2, True),
        (f"size({X}) == 3", [1, 2, 3], True),
        (f"parseJson({X})['a'][1] == 2", '{"a": [1, 2]}', True),
        (f"{X}.startsWith('he')", "heads", True),
        (f'{X} == "say \\"hi\\"\\n\\u00e9\\x41"', 'say "hi"\né' + "A", True),
        (f"{X} == null", None, True),
    ],
)
def test_conditions_are_decided_by_typed_values(text, value, expected):
    assert decide(text, x=value) is expected


# How the kfp compiler writes a text that it compares with: between quotes and not escaped.
@pytest.mark.parametrize(
    "literal",
    ["it's", "'", "''", "a 'b' c", "two\nlines", "{{$}} {x}", "C:\\data", 'say "hi"',
     "x') && (y", "é ✓", "' ", "a && b", "a' && b"],
)  # fmt: skip
def test_a_text_that_kfp_writes_unescaped_is_compared_as_its_author_wrote_it(literal):
    assert decide(f"{X} == '{literal}'", x=literal) is True
    assert decide(f"{X} == '{literal}'", x=f"{literal}.") is False
    assert decide(f"!({X} == '{literal}')", x=literal) is False
    both = f"!({X} == '{literal}') && {X} == 'it's'"
    assert decide(both, x="it's") is (literal != "it's")


def test_an_input_that_kfp_quotes_to_compare_it_with_a_text_is_compared_as_text():
    assert decide(f"'{X}' == 'true'", x=True) is True
    assert decide(f"'int({X})' == '5'", x=5) is True
    assert decide(f"'{X}' == '5'", x=6) is False


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_value_changes_what_a_condition_says(value, other):
    y = X.replace("--x", "--y")
    assert decide(f"{X} == {y}", x=value, y=other) is (value == other)
    assert decide(f"{X} == 'heads'", x=value) is (value == "heads")


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        (f"{X} == 'a'", 5, 'a number (5) cannot be compared with a text ("a") by =='),
        (f"{X} > 5", "6", 'a text ("6") cannot be compared with a number (5) by >'),
        (f"int({X}) > 5", "six", '"six" is no integer'),
        (f"int({X}) > 5", True, "int takes a number or a text, not a boolean (true)"),
        (X, "yes", '"yes" is a text, not true or false'),
        (f"{X} && true", 1, "1 is a number, not true or false"),
        (f"{X} < [1]", [0], "a list ([0]) cannot be compared with a list ([1]) by <"),
        (f"{X}['a'] == 1", {"b": 1}, "there is no value 'a'"),
        (f"{X} / 0 == 1", 1, "1 / 0 has no value"),
    ],
)
def test_a_value_of_another_type_is_an_error_in_words(text, value, reason):
    with pytest.raises(SpecError) as caught:
        decide(text, x=value)
    assert caught.value.what == f"The condition `{text}` cannot be decided: {reason}"


def test_a_missing_value_is_an_error_and_not_false():
    with pytest.raises(SpecError, match="there is no value 'pipelinechannel--x'"):
        decide(f"{X} == 'a'")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it ends too early"),
        (f"{X} ==", "it ends too early"),
        (f"{X} = 'a'", "nothing begins with `=`"),
        (f"({X} == 'a'", "`)` is missing"),
        (f"{X} == heads", "`heads` is not known"),
        ("__import__('os') == 1", "the function `__import__` is not known"),
        ("inputs.secrets['a'] == 1", "`inputs` has no field `secrets`"),
        (f"int({X}, 2) == 1", "`int` takes one argument"),
        ("(" * 99 + "true" + ")" * 99, "nested more than 50 levels"),
        ("1 == 1 2", "`2` is not expected at character 8"),
        (f"{X} == 'a\\q' +", "there is no escape `\\q`"),
    ],
)
def test_what_is_no_condition_is_refused_when_it_is_read(text, reason):
    with pytest.raises(SpecError) as caught:
        read_condition(text)
    assert reason in caught.value.what


def test_the_inputs_that_a_condition_names_are_known_when_it_is_read():
    condition = read_condition(
        f"int({X}) > 1 && inputs.parameters['y'] == inputs.artifacts['m'].artifacts[0].uri"
    )
    assert condition.parameters == {"pipelinechannel--x", "y"}
    assert condition.artifacts == {"m"}
    model = {"m": {"artifacts": [{"uri": "s3://a", "metadata": {"score": 0.5}}]}}
    text = "inputs.artifacts['m'].artifacts[0].metadata['score'] * 100 > 40"
    assert decide(text, model) is True


def test_a_selector_takes_a_part_of_a_value():
    assert select(read_selector('parseJson(string_value)["a"]'), {"a": [1, "it's"]}) == [1, "it's"]
    assert select(read_selector("parseJson(string_value)[1]"), ["x", "y"]) == "y"
    assert select(read_selector("struct_value['a']"), {"a": None}) is None
    assert select(read_selector("string_value"), 2.0) == "2"
    with pytest.raises(SpecError) as caught:
        select(read_selector('parseJson(string_value)["b"]'), {"a": 1})
    assert caught.value.what == (
        '`parseJson(string_value)["b"]` finds nothing in {"a":1}: there is no value \'b\''
    )
