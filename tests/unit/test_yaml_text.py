"""YAML is written as PyYAML writes it, without references."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fairlead.yaml_text import dump_yaml

WORDS = (
    "|true|no|null|~|1|1.0|0x1f|1e5|2026-01-01|- x|a: b|#c| lead|tail |tab\t|é ü|{{$}}|on|=|<<|%|@"
)
SHARED = {"a": [1]}


class Whole(yaml.CSafeDumper):
    """PyYAML's own, without references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@pytest.mark.parametrize(
    "documents",
    [
        [{"words": WORDS.split("|"), "keys": dict.fromkeys(WORDS.split("|"), "x")}],
        [{"long": "x" * 200 + " " + "y" * 100, "lines": "one\n  two\n\nthree\n", "nul": "\0"}],
        [{"numbers": [0, -1, 1.5, 1e20, float("inf"), True, None], "empty": [{}, []]}],
        [{"first": SHARED, "second": SHARED}, {"second document": 1}],
        [{}],
        ["text"],
    ],
)
def test_values_of_every_kind_are_written_as_pyyaml_does(documents: list[Any]) -> None:
    text = dump_yaml(documents)
    assert text == yaml.dump_all(documents, Dumper=Whole, sort_keys=False, allow_unicode=True)
    assert list(yaml.safe_load_all(text)) == documents
