"""Recurring runs over KFP's REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from fairlead.errors import FairleadError, SpecError
from fairlead.kube.proxy import Service

Json = dict[str, Any]

_API = "apis/v2beta1/recurringruns"
_PAGE = 200


class RecurringRunsClient:
    """Client of the recurring runs of one context.

    Parameters
    ----------
    service : Service
        The pipelines service.
    scope : callable
        What a list asks for beside its own: the namespace, where the server has users.
    """

    def __init__(
        self, service: Service, scope: Callable[[], Mapping[str, str]] = lambda: {}
    ) -> None:
        self._service = service
        self._scope = scope

    def create(self, request: Mapping[str, Any]) -> Json:
        """Make one; `request` as of `pipelines.recurring.recurring_request`.

        Raises
        ------
        SpecError
            The server refuses it.
        """
        try:
            made: Json = self._service.request("POST", _API, body={**request, **self._scope()})
        except SpecError as error:
            cron = ((request.get("trigger") or {}).get("cron_schedule") or {}).get("cron", "")
            if "TZ=" in cron and "Schedule cron" in error.what:
                error.hint = (
                    "This server takes no time zone with a schedule: its own zone counts, which "
                    "is mostly UTC. Leave the time zone out, and give the times as they are there."
                )
            raise
        return made

    def get(self, recurring_run_id: str) -> Json:
        """Return one; raises `NotFoundError` where there is none."""
        found: Json = self._service.request("GET", self._place(recurring_run_id))
        return found

    def page(self, query: Mapping[str, str]) -> Json:
        """Return one page: `{recurringRuns, total_size, next_page_token}`.

        Parameters
        ----------
        query : mapping
            `page_size`, `page_token`, `sort_by`, `filter` and `experiment_id`, as REST takes them.
        """
        asked = dict(query) if query.get("experiment_id") else {**self._scope(), **query}
        found: Json = self._service.request("GET", _API, query=asked) or {}
        return found

    def list(self) -> list[Json]:
        """Return all of them, newest first."""
        found: list[Json] = []
        query = {"page_size": str(_PAGE), "sort_by": "created_at desc"}
        while True:
            page = self.page(query)
            found += page.get("recurringRuns") or []
            if not page.get("next_page_token"):
                return found
            query["page_token"] = page["next_page_token"]

    def enable(self, recurring_run_id: str, *, enabled: bool = True) -> None:
        """Let one start runs, or no longer; runs that go on are left alone."""
        verb = "enable" if enabled else "disable"
        self._service.request("POST", f"{self._place(recurring_run_id)}:{verb}")

    def delete(self, recurring_run_id: str) -> None:
        """Delete one; its runs stay."""
        self._service.request("DELETE", self._place(recurring_run_id))

    def last_run(self, recurring_run_id: str) -> Json | None:
        """Return the run that one started last; None before the first, or where it cannot be told.

        Notes
        -----
        An old server does not filter runs by what started them.
        """
        predicate = (
            '{"predicates": [{"operation": "EQUALS", "key": "recurring_run_id", '
            f'"string_value": "{recurring_run_id}"}}]}}'
        )
        query = {"page_size": "1", "sort_by": "created_at desc", "filter": predicate}
        try:
            page = self._service.request(
                "GET", "apis/v2beta1/runs", query={**self._scope(), **query}
            )
        except FairleadError as error:
            if error.code not in (400, 501):
                raise
            return None
        runs = (page or {}).get("runs") or []
        return runs[0] if runs else None

    def _place(self, recurring_run_id: str) -> str:
        return f"{_API}/{quote(recurring_run_id, safe='')}"
