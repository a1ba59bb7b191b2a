"""Recurring runs: schedules, each a row and a ScheduledWorkflow object, and the loop over them.

Here: what is kept of a schedule (`rows`), its object (`objects`), the loop that starts runs
(`keeper`), and what is put into their parameters (`placeholders`). Not here: when one is due
(`fairlead.triggers`), REST (`rest.recurring`), and making a run (`rest.run_rows`).
"""

from .keeper import Schedules

__all__ = ["Schedules"]
