import pytest

from fairlead.errors import SpecError
from fairlead.pipelines.bindings import bind_parameters

SPEC = {
    "root": {
        "inputDefinitions": {
            "parameters": {
                "epochs": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3},
                "rate": {"parameterType": "NUMBER_DOUBLE"},
                "shuffle": {"parameterType": "BOOLEAN"},
                "title": {"parameterType": "STRING"},
                "layers": {"parameterType": "LIST"},
                "options": {"parameterType": "STRUCT"},
            }
        }
    }
}


def test_text_from_the_command_line_is_read_by_the_declared_type():
    given = {
        "epochs": "-5",
        "rate": "1e-3",
        "shuffle": "True",
        "title": "5",
        "layers": "[1, 2]",
        "options": '{"a": null}',
    }
    assert bind_parameters(SPEC, given) == {
        "epochs": -5,
        "rate": 0.001,
        "shuffle": True,
        "title": "5",
        "layers": [1, 2],
        "options": {"a": None},
    }


def test_values_of_the_right_type_pass_unchanged():
    assert bind_parameters(SPEC, {"rate": 2, "epochs": 4.0}) == {"rate": 2, "epochs": 4}


def test_an_unknown_parameter_is_refused_with_the_known_ones():
    with pytest.raises(SpecError, match="no parameter 'epoch'") as caught:
        bind_parameters(SPEC, {"epoch": 1})
    assert caught.value.hint == "It has: epochs, layers, options, rate, shuffle, title."


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", "many"), ("epochs", True), ("epochs", 1.5), ("shuffle", 1), ("layers", "{}")],
)
def test_a_value_of_another_type_is_refused_by_name(name, value):
    with pytest.raises(SpecError, match=f"Parameter '{name}' must be a"):
        bind_parameters(SPEC, {name: value})
