"""Recurring runs: the request that makes one, and when its runs are due. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fairlead.crontab import read_duration, with_seconds, with_zone, zone_of
from fairlead.errors import SpecError
from fairlead.triggers import CONCURRENCY, Times, Trigger, read_time, read_trigger, write_time

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """When runs are started, as a person says it.

    Attributes
    ----------
    cron : str
        With five fields as crontab has it, or six, of which the first is the second.
    every : str
        A number of seconds, or a duration as `1h30m`, instead of `cron`.
    time_zone : str
        Of `cron`; empty: that of the server, which is UTC on this machine and mostly elsewhere.
    start, end : str
        RFC 3339, or a time without a zone, which is one of `time_zone`; empty: none.
    max_concurrency : int
        How many runs may be there at one time, 1 to 10.
    catchup : bool
        What was missed is made up for, one after the other; else only the latest.
    """

    cron: str = ""
    every: str = ""
    time_zone: str = ""
    start: str = ""
    end: str = ""
    max_concurrency: int = 1
    catchup: bool = True

    def trigger(self) -> Trigger:
        """Return it as KFP has it; raises `SpecError`, which names what is wrong."""
        if bool(self.cron) == bool(self.every):
            raise SpecError(
                "A schedule needs either a cron expression or an interval.",
                hint='--cron "0 7 * * *" or --every 1h',
            )
        if not CONCURRENCY[0] <= self.max_concurrency <= CONCURRENCY[1]:
            raise SpecError(f"max_concurrency: must be 1 to 10, not {self.max_concurrency}.")
        zone = _zone(self.time_zone)
        times = {
            name: _moment(name, text, zone)
            for name, text in (("start_time", self.start), ("end_time", self.end))
            if text
        }
        if self.cron:
            cron = with_zone(with_seconds(self.cron), self.time_zone)
            return read_trigger({"cron_schedule": {"cron": cron, **times}})
        try:
            seconds = read_duration(self.every)
        except ValueError as error:
            raise SpecError(f"every: {error}.", hint="1h30m, or a number of seconds") from error
        return read_trigger({"periodic_schedule": {"interval_second": seconds, **times}})


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, OSError, KeyError) as error:
        raise SpecError(f"time_zone: there is no time zone '{name}'.") from error


def _moment(name: str, text: str, zone: ZoneInfo) -> str:
    try:
        return write_time(read_time(text))
    except ValueError:
        pass
    try:
        return write_time(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())
    except ValueError as error:
        raise SpecError(f"{name}: {text!r} is no time.", hint="2026-01-31T07:00:00Z") from error


def recurring_request(
    name: str,
    source: Mapping[str, Any],
    parameters: Mapping[str, Any],
    timing: Timing,
    *,
    enabled: bool = True,
    experiment_id: str = "",
    pipeline_root: str = "",
) -> Json:
    """Return the request that makes a recurring run, the body of KFP's `POST recurringruns`.

    Parameters
    ----------
    source : mapping
        `pipeline_spec` or `pipeline_version_reference`, as a run has it.
    parameters : mapping
        Values of the pipeline's parameters, already of their types.

    Raises
    ------
    SpecError
        The timing is none.
    """
    config: Json = {"parameters": dict(parameters)}
    if pipeline_root:
        config["pipeline_root"] = pipeline_root
    request: Json = {
        "display_name": name,
        "trigger": timing.trigger().view(),
        # A 64 bit number is a text in protobuf's JSON.
        "max_concurrency": str(timing.max_concurrency),
        "no_catchup": not timing.catchup,
        "mode": "ENABLE" if enabled else "DISABLE",
        "runtime_config": config,
    }
    if experiment_id:
        request["experiment_id"] = experiment_id
    return {**request, **source}


def upcoming(record: Mapping[str, Any], now: float, count: int) -> list[int]:
    """Return when the next runs of a recurring run are due, in seconds since 1970.

    Parameters
    ----------
    record : mapping
        As KFP's REST gives it. A disabled one starts nothing.
    """
    if record.get("status") == "DISABLED":
        return []
    trigger = read_trigger(record.get("trigger"))
    created = read_time(str(record.get("created_at") or write_time(now)))
    return upcoming_of(trigger, created, now, count)


def upcoming_of(trigger: Trigger, created: int, now: float, count: int) -> list[int]:
    """Return the next times of a trigger after now."""
    times = Times(trigger, created)

    def each() -> Iterator[int]:
        found = times.after(int(now))
        while found is not None:
            yield found
            found = times.after(found)

    return list(itertools.islice(each(), count))


def zone_name(trigger: Trigger) -> str:
    """Return the time zone that a trigger is read in."""
    return zone_of(trigger.cron) or "UTC"


def local_time(moment: int, zone: str) -> str:
    """Write a time on a clock of a time zone: `2026-01-31 07:00:00 CET`."""
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def describe(trigger: Trigger) -> str:
    """Say in words when runs are started."""
    if trigger.cron:
        zone = zone_of(trigger.cron)
        fields = trigger.cron.partition(" ")[2] if zone else trigger.cron
        return f"cron {fields} ({zone or 'UTC'})"
    seconds = trigger.interval_s
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"every {seconds // size} {unit}"
    return f"every {seconds} s"


def missed(record: Mapping[str, Any]) -> str:
    """Say in words what becomes of times that were missed."""
    return "only the latest" if record.get("no_catchup") else "made up for"
