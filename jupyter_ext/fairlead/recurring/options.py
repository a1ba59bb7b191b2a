"""`fairlead schedule` and `fairlead schedules`, in the shell and in a cell."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from fairlead.pipelines.bindings import read_assignments
from fairlead.recurring.runs import (
    RecurringRun,
    get_recurring_run,
    recurring_runs,
    schedule,
)

_VERBS = {
    "enable": "let recurring runs start runs",
    "disable": "let them start no more runs",
    "delete": "delete them; their runs stay",
}


def add_schedule_options(parser: argparse.ArgumentParser) -> None:
    """Add what `schedule` takes beside the notebook."""
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument(
        "--cron",
        default="",
        metavar="EXPRESSION",
        help='when, as crontab has it: "0 7 * * *"; with six fields the first is the second',
    )
    when.add_argument(
        "--every", default="", metavar="DURATION", help="an interval instead: 10m, 1h30m, seconds"
    )
    parser.add_argument(
        "--time-zone", default="", metavar="ZONE", help="of --cron, as Europe/Berlin (default: UTC)"
    )
    parser.add_argument("--start", default="", metavar="TIME", help="not before: 2026-01-31T07:00Z")
    parser.add_argument("--end", default="", metavar="TIME", help="not after")
    parser.add_argument(
        "--max-concurrency",
        type=int,
        default=1,
        metavar="N",
        help="so many of its runs may be there at one time, 1 to 10 (default: 1)",
    )
    parser.add_argument(
        "--no-catchup",
        action="store_true",
        help="of the times that were missed only the latest is made up for, not all",
    )
    parser.add_argument("--disabled", action="store_true", help="make it, but let it start nothing")
    parser.add_argument("--name", help="display name (default: the file's name)")
    parser.add_argument("--experiment", metavar="NAME", help="experiment that its runs belong to")
    parser.add_argument("--pipeline-root", metavar="URI", help="where its artifacts go")
    parser.add_argument(
        "-p",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a parameter; [[ScheduledTime]], [[Index]] and others are replaced in it",
    )


def add_schedules_options(parser: argparse.ArgumentParser) -> None:
    """Add what `schedules` takes: nothing, or a verb and what it is for."""
    parser.set_defaults(verb=None)
    verbs = parser.add_subparsers(metavar="VERB", parser_class=type(parser))
    for verb, help_ in _VERBS.items():
        one = verbs.add_parser(verb, help=help_)
        one.set_defaults(verb=verb)
        one.add_argument(
            "recurring_runs",
            nargs="+",
            metavar="SCHEDULE",
            help="name, id, or the beginning of it",
        )
        if verb == "delete":
            one.add_argument("-y", "--yes", action="store_true", help="do not ask")
        one.add_argument("--context", default=argparse.SUPPRESS, metavar="CONTEXT", help="where")


def make(given: argparse.Namespace, source: Path) -> RecurringRun:
    """Make a recurring run of what was given."""
    return schedule(
        source,
        read_assignments(given.parameters),
        cron=given.cron,
        every=given.every,
        time_zone=given.time_zone,
        start=given.start,
        end=given.end,
        max_concurrency=given.max_concurrency,
        catchup=not given.no_catchup,
        enabled=not given.disabled,
        name=given.name,
        experiment=given.experiment,
        pipeline_root=given.pipeline_root,
        context=given.context,
    )


def tell(made: RecurringRun) -> Iterator[str]:
    """Yield the lines that say what was made, with its next times."""
    yield f"Scheduled {made.name} ({made.recurring_run_id}): {made.when}."
    following = made.next_times()
    if not made.enabled:
        yield f"It is disabled: fairlead schedules enable {made.recurring_run_id[:8]}"
    elif not following:
        yield "It has no time to come."
    for number, moment in enumerate(following):
        yield f"{'Next runs' if number == 0 else '':<9}  {moment}"


def act(given: argparse.Namespace, confirm: Callable[[list[RecurringRun]], None]) -> Iterator[str]:
    """List recurring runs, or do what was said to some; yield the lines that tell it.

    Parameters
    ----------
    confirm : callable
        Asks before some are deleted; raises where they shall not be.
    """
    if given.verb is None:
        yield from _table(recurring_runs(context=given.context))
        return
    found = [get_recurring_run(one, context=given.context) for one in given.recurring_runs]
    if given.verb == "delete":
        confirm(found)
    for one in found:
        if given.verb == "delete":
            one.delete()
            yield f"Deleted {one.name} ({one.recurring_run_id}). Its runs stay."
        elif given.verb == "enable":
            one.enable()
            following = one.next_times(1)
            more = f" Next run {following[0]}." if following else " It has no time to come."
            yield f"Enabled {one.name} ({one.recurring_run_id}).{more}"
        else:
            one.disable()
            yield f"Disabled {one.name} ({one.recurring_run_id})."


def _table(found: list[RecurringRun]) -> Iterator[str]:
    if not found:
        yield 'No recurring runs yet. Make one: fairlead schedule NOTEBOOK --cron "0 7 * * *"'
        return
    rows = [("SCHEDULE", "NAME", "STATE", "WHEN", "NEXT", "LAST RUN")]
    for one in found:
        following = one.next_times(1)
        state = "Error" if one.problem else "Enabled" if one.enabled else "Disabled"
        last = one.last_run()
        rows.append(
            (
                one.recurring_run_id[:8],
                one.name,
                state,
                one.when,
                following[0] if following else "-",
                "-" if last is None else f"{last.state.capitalize()} ({last.run_id[:8]})",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(f"{cell:<{width}}" for cell, width in cells).rstrip()
    for one in found:
        if one.problem:
            yield f"{one.recurring_run_id[:8]}: {one.problem}"
