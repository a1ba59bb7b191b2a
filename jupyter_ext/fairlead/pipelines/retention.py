"""Which runs are cleaned up, by age, number and size. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fairlead.errors import SpecError

_AGE = re.compile(
    r"(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?"
)


@dataclass(frozen=True)
class Limits:
    """What is kept.

    Attributes
    ----------
    age : timedelta, optional
        Runs that ended longer ago go.
    runs : int, optional
        The newest so many of those that have ended stay.
    size : int, optional
        Bytes that all artifacts together may have; the oldest runs go until they have.
    """

    age: timedelta | None = None
    runs: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A run.

    Attributes
    ----------
    ended : datetime, optional
        When it ended; `None` for one that goes on: it is never cleaned up.
    kept : bool
        Pinned, a baseline, or in use by something else: neither cleaned up nor counted.
    artifacts : dict
        Bytes of what its tasks made or took from the cache, by artifact id.
    """

    run_id: str
    name: str
    ended: datetime | None
    kept: bool = False
    artifacts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Removal:
    """A run that goes, and the limit for which it does."""

    run: Candidate
    reason: str


def read_age(text: str) -> timedelta:
    """Read an age: `30d`, `12h`, `1w2d`, `90m`; raises `SpecError` for another form."""
    found = _AGE.fullmatch(text.strip())
    parts = (
        {name: int(value) for name, value in found.groupdict().items() if value} if found else {}
    )
    if not parts:
        raise SpecError(f"'{text}' is no age.", hint="For example 30d, 12h, 2w or 1d12h.")
    return timedelta(**parts)


def to_remove(runs: Iterable[Candidate], limits: Limits, now: datetime) -> list[Removal]:
    """Return the runs that go, the oldest first.

    An artifact that a run shares with one that stays, by the cache, frees nothing.
    """
    every = list(runs)
    free = sorted(
        (run for run in every if run.ended is not None and not run.kept), key=_when, reverse=True
    )
    removed: dict[str, Removal] = {}

    def remove(run: Candidate, reason: str) -> None:
        removed.setdefault(run.run_id, Removal(run, reason))

    for place, run in enumerate(free):
        if limits.age is not None and now - _when(run) > limits.age:
            remove(run, "age")
        elif limits.runs is not None and place >= limits.runs:
            remove(run, "number")
    if limits.size is not None:
        _remove_for_size(every, free, limits.size, removed)
    return sorted(removed.values(), key=lambda removal: _when(removal.run))


def _remove_for_size(
    every: Sequence[Candidate],
    free: Sequence[Candidate],
    most: int,
    removed: dict[str, Removal],
) -> None:
    left = [run for run in every if run.run_id not in removed]
    users = Counter(artifact for run in left for artifact in run.artifacts)
    sizes = {artifact: size for run in left for artifact, size in run.artifacts.items()}
    total = sum(sizes.values())
    for run in reversed(free):
        if total <= most:
            return
        if run.run_id in removed:
            continue
        freed = [artifact for artifact in run.artifacts if users[artifact] == 1]
        users.subtract(run.artifacts.keys())
        if run.artifacts:
            total -= sum(sizes[artifact] for artifact in freed)
            removed[run.run_id] = Removal(run, "size")


def _when(run: Candidate) -> datetime:
    assert run.ended is not None
    return run.ended
