"""When a recurring run is due: the trigger of KFP's REST, and its times.

The control plane goes by it, and whoever shows the next times before there is a schedule at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from fairlead.crontab import Cron, parse_cron
from fairlead.errors import SpecError

CONCURRENCY = (1, 10)
"""Fewest and most runs of one schedule that may be there at one time; as upstream."""

_BAD_CRON = "Schedule cron is not a supported format(https://godoc.org/github.com/robfig/cron)."
_FIRST_WINDOW_S = 60
_DAY_S = 24 * 3600
_FURTHEST = 253_370_764_800
"""The year 9999: Python's calendar ends with it."""
_LARGEST_INTERVAL_S = 1 << 40
_TO_SECONDS = "start and end are times as 2026-01-31T07:00:00Z"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts the runs of a schedule; either a cron expression or an interval.

    Attributes
    ----------
    cron : str
        With seconds, as KFP reads it; empty for an interval.
    interval_s : int
        Whole seconds; 0 for a cron expression.
    start, end : int or None
        Seconds since 1970. Nothing is due before the start or after the end. An interval counts
        from its start, and is due then for the first time.
    """

    cron: str = ""
    interval_s: int = 0
    start: int | None = None
    end: int | None = None

    def view(self) -> dict[str, Any]:
        """Return it in the shape of upstream's `recurring_run.proto`."""
        times = {
            name: write_time(moment)
            for name, moment in (("start_time", self.start), ("end_time", self.end))
            if moment is not None
        }
        if self.cron:
            return {"cron_schedule": {**times, "cron": self.cron}}
        # A 64 bit number is a text in protobuf's JSON.
        return {"periodic_schedule": {**times, "interval_second": str(self.interval_s)}}


def read_trigger(value: Any) -> Trigger:
    """Read a trigger as KFP's REST has it.

    Raises
    ------
    SpecError
        It cannot be run by; names the field.
    """
    if not isinstance(value, Mapping) or not value:
        raise SpecError("trigger: a cron_schedule or a periodic_schedule is required")
    cron = _part(value, "cron_schedule", "cronSchedule")
    periodic = _part(value, "periodic_schedule", "periodicSchedule")
    if (cron is None) == (periodic is None):
        raise SpecError("trigger: one of cron_schedule and periodic_schedule is required")
    given = periodic if cron is None else cron
    assert given is not None
    start = _read_time(given, "start_time", "startTime")
    end = _read_time(given, "end_time", "endTime")
    if start is not None and end is not None and end < start:
        raise SpecError("trigger: end_time is before start_time")
    if cron is None:
        return Trigger(interval_s=_interval(given), start=start, end=end)
    text = str(cron.get("cron") or "")
    found = Trigger(cron=text, start=start, end=end)
    try:
        parse_cron(text, seconds=True)
    except ValueError as error:
        raise SpecError(f"{_BAD_CRON} Error: {error}") from error
    if Times(found, created=start or 0).after(None) is None and end is None:
        raise SpecError(f"{_BAD_CRON} Error: there is no such day: {text}")
    return found


def _part(value: Mapping[str, Any], *names: str) -> Mapping[str, Any] | None:
    for name in names:
        if value.get(name) is not None:
            found = value[name]
            if not isinstance(found, Mapping):
                raise SpecError(f"trigger.{names[0]} must be an object")
            return found
    return None


def _interval(given: Mapping[str, Any]) -> int:
    found = given.get("interval_second", given.get("intervalSecond", 0))
    try:
        interval = int(found)
    except (TypeError, ValueError):
        interval = 0
    if not 1 <= interval < _LARGEST_INTERVAL_S:
        raise SpecError(
            f"Found invalid period schedule interval {found}. Set at interval to least 1 second."
        )
    return interval


def _read_time(given: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        text = given.get(name)
        if text:
            try:
                found = read_time(str(text))
            except ValueError as error:
                what = f"trigger.{names[0]}: {text!r} is no time; {_TO_SECONDS}"
                raise SpecError(what) from error
            if not 0 <= found < _FURTHEST:
                raise SpecError(f"trigger.{names[0]}: {text!r} must be after 1970, before 9999")
            return found
    return None


def read_time(text: str) -> int:
    """Return the seconds since 1970 of an RFC 3339 time, cut; ValueError where it is none."""
    # Before Python 3.11 neither Z nor any number of digits of a fraction is known.
    whole, _, rest = text.strip().replace("z", "Z").partition(".")
    zone = rest.lstrip("0123456789")
    found = datetime.fromisoformat((whole + zone).replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return int(found.timestamp() // 1)


def write_time(moment: float) -> str:
    """Return a time as `2026-01-31T12:00:00Z`."""
    found = datetime.fromtimestamp(moment, timezone.utc)
    return f"{found.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


class Times:
    """The times of a trigger, in whole seconds since 1970.

    Parameters
    ----------
    trigger : Trigger
        Checked.
    created : int
        When the schedule was made: without a start its times come after that.

    Notes
    -----
    A cron expression without a time zone is in UTC, as KFP's controller has it. On the day when a
    clock is set, an hour that is named comes once: at the moment when the clock was set forward,
    where it left that time out, and not again, where it was set back. Hours that are not named,
    as by `*`, come as they pass: none of those left out, and twice those that come twice.
    """

    def __init__(self, trigger: Trigger, created: int) -> None:
        self.trigger = trigger
        self._cron: Cron | None = None
        start = trigger.start
        self._base = created if start is None else start
        self._step = trigger.interval_s
        self._with_base = bool(trigger.interval_s) and start is not None
        if trigger.cron:
            found = parse_cron(trigger.cron, seconds=True)
            self._zone = ZoneInfo(found.zone or "UTC")
            self._step = found.every_s
            if not found.every_s:
                self._cron = found

    def after(self, moment: int | None) -> int | None:
        """Return the first time after a moment; None: of all times. None where there is no more."""
        if self._cron is None:
            found = self._step_after(moment)
        else:
            since = self._base if moment is None else max(moment, self._base)
            match = self._match_after(self._cron, since)
            if match is None:
                return None
            found = match
        end = self.trigger.end
        return None if found > (_FURTHEST if end is None else end) else found

    def due(self, last: int | None, now: int, *, catchup: bool) -> int | None:
        """Return the time to start a run for next; it may be due already.

        Parameters
        ----------
        last : int or None
            The time that a run was started for last.
        catchup : bool
            Of the times that have passed since, the first; else the latest.
        """
        found = self.after(last)
        if catchup or found is None or found > now:
            return found
        return self._latest(found, now)

    def upcoming(self, last: int | None, now: int, *, catchup: bool) -> Iterator[int]:
        """Yield the times to come: what is due already first, where it is made up for."""
        found = self.due(last, now, catchup=catchup)
        while found is not None:
            yield found
            found = self.after(found)

    def _step_after(self, moment: int | None) -> int:
        first = self._base if self._with_base else self._base + self._step
        if moment is None or moment < first:
            return first
        return first + ((moment - first) // self._step + 1) * self._step

    def _latest(self, known: int, now: int) -> int:
        """Return the latest time that is not after now; `known` is one that is not."""
        if self._cron is None:
            latest = known + (now - known) // self._step * self._step
            end = self.trigger.end
            return (
                latest
                if end is None
                else min(latest, known + (end - known) // self._step * self._step)
            )
        window = _FIRST_WINDOW_S
        while True:
            # Looking back further and further: a year of seconds is never walked through.
            since = max(known, now - window)
            found, latest = self.after(since), known
            while found is not None and found <= now:
                latest, found = found, self.after(found)
            if latest > known or since == known:
                return latest
            window *= 4

    def _match_after(self, cron: Cron, since: int) -> int | None:
        offset = self._offset(since)
        wall = since + offset
        while True:
            match = _next_wall(cron, wall)
            if match is None:
                return None
            found = match - offset
            change = self._change(since, found)
            if change is None:
                again = datetime.fromtimestamp(found, self._zone).fold
                if not (again and cron.fixed_hours):
                    return found
                since, wall = found, match
                continue
            # Until then nothing matches; from then on the clock shows another time.
            before, offset = offset, self._offset(change)
            if cron.fixed_hours and match < change + offset:
                return change
            shown = max(before, offset) if cron.fixed_hours else offset
            since, wall = change, change + shown - 1

    def _offset(self, moment: int) -> int:
        offset = datetime.fromtimestamp(moment, self._zone).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())

    def _change(self, since: int, until: int) -> int | None:
        """Return the first moment after one, and not after another, at which the clock is set."""
        offset = self._offset(since)
        low = since
        while low < until:
            high = min(low + _DAY_S, until)
            if self._offset(high) != offset:
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
                return high
            low = high
        return None


def _next_wall(cron: Cron, wall: int) -> int | None:
    """Return the next match after a time, both as seconds of a clock that is never set."""
    from croniter import croniter  # loaded by the first schedule

    begin = datetime.fromtimestamp(wall, timezone.utc).replace(tzinfo=None)
    try:
        found = croniter(cron.fields, begin, second_at_beginning=True).get_next(datetime)
    except (ValueError, OverflowError):  # no such day, or none before the calendar ends
        return None
    return int(found.replace(tzinfo=timezone.utc).timestamp())
