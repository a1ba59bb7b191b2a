"""Schedules of CronJobs: whether one can be read, in the words of the API server."""

from __future__ import annotations

from collections.abc import Iterator

from fairlead.crontab import parse_cron

from .causes import wrong
from .errors import Cause


def check_schedule(path: str, schedule: str) -> Iterator[Cause]:
    """Yield what is wrong with the schedule of a CronJob."""
    try:
        parse_cron(schedule, seconds=False)
    except ValueError as error:
        yield wrong(path, schedule, str(error))
