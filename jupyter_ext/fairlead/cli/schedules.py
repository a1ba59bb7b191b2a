"""`fairlead schedule | schedules`."""

from __future__ import annotations

import argparse
import sys

from fairlead.errors import SpecError
from fairlead.recurring import RecurringRun
from fairlead.recurring.options import act, make, tell


def schedule(given: argparse.Namespace) -> int:
    """Make a recurring run and say when it runs next."""
    made = make(given, given.source)
    for warning in made.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    print("\n".join(tell(made)))
    return 0


def schedules(given: argparse.Namespace) -> int:
    """List recurring runs, or enable, disable or delete some."""

    def confirm(found: list[RecurringRun]) -> None:
        if not given.yes:
            _confirm(found)

    for line in act(given, confirm):
        print(line)
    return 0


def _confirm(found: list[RecurringRun]) -> None:
    what = f"Recurring runs to be deleted: {', '.join(one.name for one in found)}. Their runs stay."
    if not sys.stdin.isatty():
        raise SpecError(what, hint="fairlead schedules delete --yes SCHEDULE")
    if input(f"{what} Delete? [y/N] ").strip().lower() not in ("y", "yes"):
        raise SpecError("Nothing was deleted.")
