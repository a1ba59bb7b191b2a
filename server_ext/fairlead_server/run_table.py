"""Runs page by page, and their experiments. Blocking; handlers call it in threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fairlead.errors import FairleadError, NotFoundError, SpecError
from fairlead.labels import known_labels, read_labels, read_selector, suits
from fairlead.pins import Pins, known_pins
from fairlead.pipelines.client import FINAL_STATES, PipelinesClient
from fairlead.pipelines.graph import metrics_of, pipeline_spec_of, run_summary

Json = dict[str, Any]

_SORTS = frozenset({"name", "state", "created_at", "finished_at"})
_LARGEST_PAGE = 200
_READERS = 6
"""Runs that are read at once for what a list leaves out."""


@dataclass(frozen=True)
class Wish:
    """What a list shows, as the query of a URL says it.

    Attributes
    ----------
    sort_by : str
        A field, then `asc` or `desc`; its fields are those that every KFP server can sort by.
    name : str
        Part of the name.
    states : tuple
        States, of which a run has one; empty: any.
    storage_state : str
        `AVAILABLE` or `ARCHIVED`.
    experiment_id : str
        Empty: any.
    label : str
        Labels that a run has, `team=vision,checked`; empty: any.
    """

    page_size: int = 50
    page_token: str = ""
    sort_by: str = "created_at desc"
    name: str = ""
    states: tuple[str, ...] = ()
    storage_state: str = "AVAILABLE"
    experiment_id: str = ""
    label: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Wish:
        """Read a query; raises `SpecError` for what is not known."""
        unknown = set(query) - {"state", *cls.__dataclass_fields__} | {"states"} & set(query)
        if unknown:
            raise SpecError(f"The query has no '{min(unknown)}'.")
        given: Json = {name: value for name, value in query.items() if value and name != "state"}
        try:
            size = int(given.pop("page_size", cls.page_size))
        except ValueError as error:
            raise SpecError("page_size: must be a number.") from error
        if not 0 < size <= _LARGEST_PAGE:
            raise SpecError(f"page_size: must be from 1 to {_LARGEST_PAGE}.")
        states = tuple(filter(None, query.get("state", "").split(",")))
        wish = cls(page_size=size, states=states, **given)
        field, _, direction = wish.sort_by.partition(" ")
        if field not in _SORTS or direction not in ("", "asc", "desc"):
            raise SpecError(
                f"sort_by: cannot sort by '{wish.sort_by}'.",
                hint=f"Known are {', '.join(sorted(_SORTS))}, then asc or desc.",
            )
        if wish.label:
            read_selector(wish.label)
        if wish.storage_state not in ("AVAILABLE", "ARCHIVED"):
            raise SpecError("storage_state: must be AVAILABLE or ARCHIVED.")
        return wish

    def query(self, among: Sequence[str] | None = None) -> dict[str, str]:
        """Return the query of KFP's REST; with `among`, of runs of these ids alone."""
        predicates = self._predicates()
        if among is not None:
            values = {"values": list(among)}
            predicates.append({"key": "run_id", "operation": "IN", "string_values": values})
        found = {"page_size": str(self.page_size), "sort_by": self.sort_by}
        found["filter"] = json.dumps({"predicates": predicates})
        if self.page_token:
            found["page_token"] = self.page_token
        if self.experiment_id:
            found["experiment_id"] = self.experiment_id
        return found

    def _predicates(self) -> list[Json]:
        # Servers of different age write the state of what is not put away differently.
        operation = "EQUALS" if self.storage_state == "ARCHIVED" else "NOT_EQUALS"
        found: list[Json] = [
            {"key": "storage_state", "operation": operation, "string_value": "ARCHIVED"}
        ]
        if self.name:
            found.append({"key": "name", "operation": "IS_SUBSTRING", "string_value": self.name})
        if self.states:
            values = {"values": list(self.states)}
            found.append({"key": "state", "operation": "IN", "string_values": values})
        return found


class RunTable:
    """Lists of runs and experiments of one context.

    Parameters
    ----------
    pipelines : PipelinesClient
        Where they are.
    """

    def __init__(self, pipelines: PipelinesClient) -> None:
        self.pipelines = pipelines
        self._pipeline_names: dict[str, str] = {}
        self._metrics: dict[str, dict[str, float]] = {}
        self._experiment_names: dict[str, str] = {}
        self._lock = threading.Lock()

    def page(self, wish: Wish) -> Json:
        """Return `{runs, total_size, next_page_token}`; each run with its experiment."""
        among = None
        if wish.label:
            wanted, labels = read_selector(wish.label), read_labels(self.pipelines)
            among = [run_id for run_id, its in labels.items() if suits(its, wanted)]
        found = {} if among == [] else self.pipelines.page(wish.query(among))
        records = found.get("runs") or []
        return {
            "runs": self.rows(records),
            "total_size": found.get("total_size") or len(records),
            "next_page_token": found.get("next_page_token") or "",
        }

    def rows(self, records: Sequence[Json]) -> list[Json]:
        """Summarise runs of a list."""
        with ThreadPoolExecutor(_READERS) as readers:
            known = list(readers.map(self._facts, records))
        names = self._names_of({record.get("experiment_id") or "" for record in records})
        pins = known_pins(self.pipelines) if records else Pins()
        labels = known_labels(self.pipelines) if records else {}
        baselines = set(pins.baselines.values())
        return [
            {
                **run_summary(record, metrics),
                "pipeline": pipeline,
                "experiment_id": record.get("experiment_id") or "",
                "experiment": names.get(record.get("experiment_id") or "", ""),
                "archived": record.get("storage_state") == "ARCHIVED",
                "pinned": pins.holds(record["run_id"]),
                "baseline": record["run_id"] in baselines,
                "labels": labels.get(record["run_id"], {}),
            }
            for record, (pipeline, metrics) in zip(records, known, strict=True)
        ]

    def forget(self, run_id: str) -> None:
        """Read a run again, which goes on or is no more."""
        with self._lock:
            self._metrics.pop(run_id, None)
            self._pipeline_names.pop(run_id, None)

    def experiments(self, storage_state: str) -> list[Json]:
        """Return all experiments, the newest first."""
        operation = "EQUALS" if storage_state == "ARCHIVED" else "NOT_EQUALS"
        predicate = {"key": "storage_state", "operation": operation, "string_value": "ARCHIVED"}
        query = {
            "page_size": str(_LARGEST_PAGE),
            "sort_by": "created_at desc",
            "filter": json.dumps({"predicates": [predicate]}),
        }
        found: list[Json] = []
        while True:
            page = self.pipelines.experiments(query)
            found += page.get("experiments") or []
            token = page.get("next_page_token")
            if not token:
                break
            query["page_token"] = token
        with self._lock:
            self._experiment_names.update(
                {one["experiment_id"]: one.get("display_name") or "" for one in found}
            )
        return [experiment_view(one) for one in found]

    def _facts(self, record: Json) -> tuple[str, dict[str, float]]:
        """Return a run's pipeline and metrics, which lists leave out; read once where it ended."""
        run_id = record["run_id"]
        ended = record.get("state") in FINAL_STATES
        with self._lock:
            pipeline = self._pipeline_names.get(run_id)
            metrics = self._metrics.get(run_id) if ended else {}
        if pipeline is None or metrics is None:
            try:
                whole = self.pipelines.get(run_id)
            except NotFoundError:
                return "", {}  # Deleted since the list was read.
            pipeline = str(pipeline_spec_of(whole).get("pipelineInfo", {}).get("name") or "")
            metrics = metrics_of(whole) if ended else {}
            with self._lock:
                self._pipeline_names[run_id] = pipeline
                if ended:
                    self._metrics[run_id] = metrics
        return pipeline, metrics

    def _names_of(self, experiments: set[str]) -> dict[str, str]:
        with self._lock:
            missing = experiments - {""} - set(self._experiment_names)
        if missing:
            try:
                self.experiments("AVAILABLE")
                self.experiments("ARCHIVED")
            except FairleadError as error:
                # Runs may be seen where experiments may not: their ids stand for them.
                if error.code not in (401, 403, 404):
                    raise
            with self._lock:
                for one in missing:
                    # An experiment that was deleted has no name; it is not asked for again.
                    self._experiment_names.setdefault(one, one)
        with self._lock:
            return dict(self._experiment_names)


def experiment_view(record: Mapping[str, Any]) -> Json:
    """Return an experiment as the panels show it."""
    return {
        "id": record["experiment_id"],
        "name": record.get("display_name") or record["experiment_id"],
        "description": record.get("description") or "",
        "created_at": record.get("created_at"),
        "last_run_created_at": record.get("last_run_created_at"),
        "archived": record.get("storage_state") == "ARCHIVED",
    }
