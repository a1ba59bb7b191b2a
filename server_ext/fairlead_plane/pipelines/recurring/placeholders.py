"""Placeholders in the parameters of a recurring run, as upstream replaces them.

Source: `backend/src/common/util/parameter_formatter.go` of kubeflow/pipelines. A time has a form of
its own after a dot, written as Go writes it (`[[ScheduledTime.2006-01-02]]`), or by strftime
(`{{$.scheduledTime.strftime('%Y')}}`). All times are in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

Json = Any

_PLACEHOLDER = re.compile(r"\[\[(.*?)\]\]|\{\{\$\.(.*?)\}\}")
_STRFTIME = re.compile(r"(scheduledTime|currentTime)\.strftime\('(.*)'\)")
_DEFAULT = "20060102150405"
# Go names a form by how it would write Mon Jan 2 15:04:05 2006; longer names first.
_GO: dict[str, str] = {
    "January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "MST": "UTC", "2006": "%Y",
    "Z07:00": "Z", "Z0700": "Z", "-07:00": "+00:00", "-0700": "+0000", "-07": "+00",
    "002": "%j", "01": "%m", "02": "%d", "03": "%I", "04": "%M", "05": "%S", "06": "%y",
    "15": "%H", "PM": "%p",
}  # fmt: skip
_GO_FORMS = re.compile("|".join([*map(re.escape, _GO), "pm", "_2", r"\.0+", "[1-5]"]))


@dataclass(frozen=True, slots=True)
class Occasion:
    """One run of a schedule, as placeholders tell of it."""

    run_id: str
    scheduled: int
    """Seconds since 1970: when it was due."""
    now: int
    """Seconds since 1970: when it is started."""
    index: int
    """Counts the runs of the schedule, from 1."""

    def fill(self, value: Json) -> Json:
        """Return a value with the placeholders in its texts replaced; an unknown one stays."""
        if isinstance(value, str):
            return _PLACEHOLDER.sub(self._text, value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, Mapping):
            return {name: self.fill(item) for name, item in value.items()}
        return value

    def _text(self, found: re.Match[str]) -> str:
        inner, templated = found[1], found[2]
        if templated is not None:
            parts = _STRFTIME.fullmatch(templated)
            if parts is None:
                return found[0]
            moment = self.scheduled if parts[1] == "scheduledTime" else self.now
            return _utc(moment).strftime(parts[2].replace("%s", str(moment)))
        if inner == "RunUUID":
            return self.run_id
        if inner == "Index":
            return str(self.index)
        name, _, form = inner.partition(".")
        if name == "ScheduledTime":
            return _go(self.scheduled, form or _DEFAULT)
        if name == "CurrentTime":
            return _go(self.now, form or _DEFAULT)
        return found[0]


def _utc(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, timezone.utc)


def _go(moment: int, form: str) -> str:
    """Write a time as Go's `Time.Format` does."""
    time = _utc(moment)
    short = {
        "1": time.month, "2": time.day, "_2": f"{time.day:2}", "3": time.hour % 12 or 12,
        "4": time.minute, "5": time.second, "pm": time.strftime("%p").lower(),
    }  # fmt: skip

    def write(found: re.Match[str]) -> str:
        text = found[0]
        if text.startswith("."):
            return text  # a fraction, of a time in whole seconds
        return time.strftime(_GO[text]) if text in _GO else str(short[text])

    return _GO_FORMS.sub(write, form)
