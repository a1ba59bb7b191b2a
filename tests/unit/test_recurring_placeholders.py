"""Placeholders in the parameters of recurring runs."""

from __future__ import annotations

import pytest

from fairlead.triggers import read_time
from fairlead_plane.pipelines.recurring.placeholders import Occasion

OCCASION = Occasion(
    "9d7c", read_time("2026-03-05T07:08:09Z"), read_time("2026-03-05T17:30:00Z"), 12
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[[ScheduledTime]]", "20260305070809"),
        ("[[CurrentTime]]", "20260305173000"),
        ("run [[Index]] of [[RunUUID]]", "run 12 of 9d7c"),
        ("[[ScheduledTime.2006-01-02]]", "2026-03-05"),
        ("[[ScheduledTime.2006-01-02T15:04:05Z07:00]]", "2026-03-05T07:08:09Z"),
        ("[[CurrentTime.Monday, 2 Jan 06 03:04PM]]", "Thursday, 5 Mar 26 05:30PM"),
        ("[[CurrentTime.3:4:5pm _2 January 002 MST]]", "5:30:0pm  5 March 064 UTC"),
        ("{{$.scheduledTime.strftime('%Y/%m/%d')}}", "2026/03/05"),
        ("{{$.currentTime.strftime('%s')}}", "1772731800"),
        ("[[Unknown]] [[IndexOf]] {{$.inputs.parameters['a']}}", None),
        ("no placeholder [Index]", None),
    ],
)
def test_a_placeholder_is_replaced_as_upstream_does(text, found):
    assert OCCASION.fill(text) == (text if found is None else found)


def test_texts_in_lists_and_objects_are_filled_and_other_values_stay():
    given = {"a": ["[[Index]]", 1, True, None], "b": {"c": "[[ScheduledTime.2006]]"}, "d": 0.5}
    assert OCCASION.fill(given) == {"a": ["12", 1, True, None], "b": {"c": "2026"}, "d": 0.5}
