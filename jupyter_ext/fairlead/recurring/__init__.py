"""Recurring runs for a notebook and for a command line.

Here: the handle on one (`runs`), and the options of a command with what it prints (`options`),
which the shell and a cell have in common. Not here: the request (`pipelines.recurring`).
"""

from fairlead.recurring.runs import RecurringRun, get_recurring_run, recurring_runs, schedule

__all__ = ["RecurringRun", "get_recurring_run", "recurring_runs", "schedule"]
