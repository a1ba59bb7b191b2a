"""Cron expressions as Kubernetes and KFP read them, in the words of `robfig/cron`."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS = "sun mon tue wed thu fri sat".split()
# Lowest and highest value of each field, and the names of values.
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_DESCRIPTORS = {
    "@annually": "0 0 0 1 1 *",
    "@yearly": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_ZONES = ("CRON_TZ=", "TZ=")
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression that can be read.

    Attributes
    ----------
    fields : str
        Second, minute, hour, day of month, month, day of week; empty for `@every`.
    zone : str
        Name of the time zone that it says itself; empty where it says none.
    every_s : int
        Whole seconds of `@every`, 1 or more; else 0.
    """

    fields: str
    zone: str = ""
    every_s: int = 0

    @property
    def fixed_hours(self) -> bool:
        """Whether it names its hours one by one: then an hour that comes twice counts once."""
        hours = self.fields.split()[2] if self.fields else ""
        return bool(re.fullmatch(r"[\d,]+", hours))


def parse_cron(text: str, *, seconds: bool) -> Cron:
    """Read a cron expression.

    Parameters
    ----------
    text : str
        Fields or a descriptor, after `CRON_TZ=ZONE` or `TZ=ZONE` where it has a time zone.
    seconds : bool
        As KFP: six fields of which the first is the second, the last one may be left out. Else as
        a CronJob: the five of crontab.

    Raises
    ------
    ValueError
        It is none; says why.
    """
    zone, rest = _split_zone(text)
    if rest.startswith("@every "):
        return Cron("", zone, _every_s(rest))
    if rest.startswith("@"):
        if rest not in _DESCRIPTORS:
            raise ValueError(f"unrecognized descriptor: {rest}")
        return Cron(_DESCRIPTORS[rest], zone)
    fields = rest.split()
    if seconds:
        if len(fields) not in (5, 6):
            raise ValueError(f"expected 5 to 6 fields, found {len(fields)}: [{' '.join(fields)}]")
        fields = [*fields, "*"][:6]
    else:
        if len(fields) != 5:
            raise ValueError(
                f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
            )
        fields = ["0", *fields]
    for field, (low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            problem = _part_problem(part, low, high, names)
            if problem:
                raise ValueError(problem)
    return Cron(" ".join(map(_plain, fields, _FIELDS)), zone)


def with_seconds(text: str) -> str:
    """Return a cron expression as KFP reads it: the five fields of crontab get a second, 0."""
    head, space, rest = text.strip().partition(" ")
    if head.startswith(_ZONES):
        return f"{head} {with_seconds(rest)}"
    return f"0 {text.strip()}" if space and len(text.split()) == 5 else text.strip()


def with_zone(text: str, zone: str) -> str:
    """Return a cron expression that says its time zone; one that says it already is kept."""
    return text if not zone or text.startswith(_ZONES) else f"CRON_TZ={zone} {text}"


def zone_of(text: str) -> str:
    """Return the time zone that a cron expression says; empty where it says none."""
    return text.partition(" ")[0].partition("=")[2] if text.startswith(_ZONES) else ""


def read_duration(text: str) -> int:
    """Return the whole seconds of a number of seconds, or of a duration as `1h30m`; 1 or more.

    Raises
    ------
    ValueError
        It is none.
    """
    text = text.strip()
    if text.isdecimal() and int(text) > 0:
        return int(text)
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        raise ValueError(f"{text!r} is no duration")
    return max(1, int(sum(float(number) * _UNITS[unit] for number, unit in parts)))


def _split_zone(text: str) -> tuple[str, str]:
    text = text.strip()
    if not text.startswith(_ZONES):
        return "", text
    head, _, rest = text.partition(" ")
    name = head.partition("=")[2]
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValueError(f"provided bad location {name}: unknown time zone {name}") from None
    return name, rest.strip()


def _every_s(text: str) -> int:
    try:
        return read_duration(text.removeprefix("@every "))
    except ValueError:
        raise ValueError(f"failed to parse duration {text}") from None


def _plain(field: str, bounds: tuple[int, int, dict[str, int]]) -> str:
    """Write a field without what only robfig/cron knows: `?`, and `N/step` from N to the end."""
    parts = []
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and "-" not in span and span not in ("*", "?"):
            span = f"{span}-{bounds[1]}"
        parts.append(f"{'*' if span == '?' else span}{slash}{step}")
    return ",".join(parts)


def _part_problem(part: str, low: int, high: int, names: dict[str, int]) -> str:
    """Say what is wrong with one range of a field; empty for nothing."""
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    if span in ("*", "?"):
        start, end = low, high
    else:
        bounds = []
        for text in (first, last) if dash else (first,):
            found = names.get(text.lower())
            if found is None and not text.isdecimal():
                return (
                    f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid '
                    "syntax"
                )
            bounds.append(int(text) if found is None else found)
        start, end = bounds[0], bounds[-1]
        if slash and not dash:
            end = high
    if slash and not step.isdecimal():
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    if start < low:
        return f"beginning of range ({start}) below minimum ({low}): {part}"
    if end > high:
        return f"end of range ({end}) above maximum ({high}): {part}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {part}"
    if slash and int(step) == 0:
        return f"step of range should be a positive number: {part}"
    return ""
