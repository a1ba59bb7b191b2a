"""The packages that a pod asks for, and what of them its Python has already."""

from __future__ import annotations

import pytest

from fairlead_plane.node.packages import missing, parse


def test_the_lines_of_an_annotation_are_sorted_by_what_they_are():
    wanted = parse(
        [" b>=1", "", "# why", "a", "--no-deps kfp==2.9.0", "--index-url https://i", "a"]
    )
    assert (wanted.whole, wanted.alone) == (("a", "b>=1"), ("kfp==2.9.0",))
    assert wanted.sources == ("--index-url https://i",)
    assert parse(wanted.lines) == wanted
    assert not parse(["", "--index-url https://i"])


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("kfp==2.17.0", False),
        ("KFP>=2", False),
        ("--no-deps kfp==2.17.0", False),
        ("kfp==2.14.3", True),
        ("--no-deps kfp==2.14.3", True),
        ("other", True),
        ("kfp[all]", True),
        ("kfp @ https://g/kfp.whl", True),
        ("pre>=2.0", False),
        ("typing_extensions>=4", False),
        ('other; python_version<"3.9"', False),
        ('other; python_version>="3.9"', True),
        ("what is this", True),
    ],
)
def test_only_what_is_not_there_needs_an_environment(line, needed):
    there = {"kfp": "2.17.0", "pre": "2.1rc1", "typing-extensions": "4.12.2"}
    assert bool(missing(parse([line]), there, "3.11.9")) is needed
