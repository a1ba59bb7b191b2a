"""Which runs are cleaned up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from fairlead.errors import SpecError
from fairlead.pipelines.retention import Candidate, Limits, read_age, to_remove

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def ended(name, days, kept=False, **artifacts):
    return Candidate(name, name, NOW - days * DAY, kept, artifacts)


def removed(among, **limits):
    return [(one.run.name, one.reason) for one in to_remove(among, Limits(**limits), NOW)]


def test_old_runs_go_oldest_first():
    runs = [ended("new", 1), ended("old", 40), ended("older", 50)]
    assert removed(runs, age=30 * DAY) == [("older", "age"), ("old", "age")]


def test_the_newest_of_those_that_ended_stay():
    runs = [Candidate("going", "going", None), ended("a", 1), ended("b", 2), ended("c", 3)]
    assert removed(runs, runs=2) == [("c", "number")]
    assert removed(runs, runs=0) == [("c", "number"), ("b", "number"), ("a", "number")]


def test_what_is_kept_is_neither_removed_nor_counted():
    runs = [ended("pinned", 90, kept=True), ended("a", 1), ended("b", 2)]
    assert removed(runs, age=30 * DAY, runs=2) == []
    assert removed([ended("large", 9, kept=True, x=100), ended("a", 1, y=1)], size=50) == [
        ("a", "size")
    ]


def test_the_oldest_go_until_the_rest_is_small_enough():
    runs = [ended("a", 1, x=60), ended("b", 2, y=30), ended("c", 3, z=30), ended("d", 4)]
    assert removed(runs, size=120) == []
    assert removed(runs, size=100) == [("c", "size")]
    assert removed(runs, size=10) == [("c", "size"), ("b", "size"), ("a", "size")]


def test_what_runs_share_is_free_only_when_the_last_of_them_goes():
    runs = [ended("a", 1, shared=50), ended("b", 2, shared=50, own=10), ended("c", 3, other=5)]
    assert removed(runs, size=60) == [("c", "size")]
    assert removed(runs, size=50) == [("c", "size"), ("b", "size")]


def test_limits_add_up():
    runs = [ended("a", 1, x=10), ended("b", 2, y=10), ended("c", 3, z=10), ended("d", 99, w=10)]
    assert removed(runs, age=30 * DAY, runs=2, size=10) == [
        ("d", "age"),
        ("c", "number"),
        ("b", "size"),
    ]


@pytest.mark.parametrize(
    ("text", "age"),
    [("30d", 30 * DAY), ("12h", DAY / 2), ("2w1d", 15 * DAY), ("90m", timedelta(minutes=90))],
)
def test_ages_are_read(text, age):
    assert read_age(text) == age


@pytest.mark.parametrize("text", ["", "30", "d", "1d 2h", "-1d", "1.5d", "1h1d"])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(SpecError, match="no age"):
        read_age(text)
