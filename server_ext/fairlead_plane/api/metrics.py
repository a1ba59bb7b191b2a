"""`/metrics`: what the API server has done, in the words of the real one, for Prometheus."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..resources import Resources
from .http import Scope, read_flag, read_query
from .paths import Target
from .pod_actions import ACTIONS
from .streams import STREAMS

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

# Seconds, as the real server's histogram of request durations, thinned out.
_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0)
_SUBRESOURCES = frozenset(
    {"status", "scale", "finalize", "log", "proxy", "token", *ACTIONS, *STREAMS}
)
_VERBS = {"HEAD": "GET", "WEBSOCKET": "CONNECT"}


class _Labels(NamedTuple):
    verb: str
    group: str
    version: str
    resource: str
    subresource: str


class Metrics:
    """Counts requests; the rest is looked up when somebody asks.

    Parameters
    ----------
    resources : Resources
        For the numbers of objects and watches.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._requests: Counter[tuple[_Labels, int]] = Counter()
        self._seconds: defaultdict[_Labels, float] = defaultdict(float)
        self._buckets: Counter[tuple[_Labels, float]] = Counter()
        self._active: Counter[_Labels] = Counter()

    def begin(self, scope: Scope, target: Target | None) -> _Labels:
        """Count a request that begins; what comes back is for `end`."""
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"].upper()
        verb = _VERBS.get(method, method)
        if target is None:
            labels = _Labels(verb, "", "", "", "")
        else:
            if verb == "GET" and _watches(scope):
                verb = "WATCH"
            elif verb == "GET" and target.name is None:
                verb = "LIST"
            elif verb == "DELETE" and target.name is None:
                verb = "DELETECOLLECTION"
            kind, name = target.kind, target.subresource
            # A made-up subresource must not be kept for ever: anyone can make up another.
            subresource = name if name in _SUBRESOURCES else ""
            labels = _Labels(verb, kind.group, kind.version, kind.plural, subresource)
        self._active[labels] += 1
        return labels

    def end(self, labels: _Labels, code: int, seconds: float) -> None:
        """Count a request that has been answered."""
        self._active[labels] -= 1
        if (labels, code) not in self._requests:
            self._drop_gone()
        self._requests[labels, code] += 1
        if labels.verb not in ("WATCH", "CONNECT"):
            self._seconds[labels] += seconds
            bucket = next((each for each in _BUCKETS if seconds <= each), float("inf"))
            self._buckets[labels, bucket] += 1

    def _drop_gone(self) -> None:
        """Drop what was counted of kinds that are served no more: there may be ever new ones."""
        kinds = self._resources.registry.kinds()
        served = {(kind.group, kind.version, kind.plural) for kind in kinds}

        def gone(labels: _Labels) -> bool:
            if not labels.resource or self._active[labels]:
                return False
            return (labels.group, labels.version, labels.resource) not in served

        for table in (self._requests, self._buckets):
            for key in [key for key in table if gone(key[0])]:
                del table[key]
        for counts in (self._seconds, self._active):
            for labels in [labels for labels in counts if gone(labels)]:
                del counts[labels]

    def render(self) -> tuple[bytes, str]:
        """Return all metrics as text, and its media type."""
        # Loaded here: only a scraper needs it.
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; called by `prometheus_client`."""
        from prometheus_client.metrics_core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        names = list(_Labels._fields)
        total = CounterMetricFamily(
            "apiserver_request",
            "Requests by verb, resource and HTTP status.",
            labels=[*names, "code"],
        )
        for (labels, code), count in self._requests.items():
            total.add_metric([*labels, str(code)], count)
        yield total
        durations = HistogramMetricFamily(
            "apiserver_request_duration_seconds",
            "Durations of requests, but watches and connections.",
            labels=names,
        )
        for labels, seconds in self._seconds.items():
            count, buckets = 0, []
            for bound in (*_BUCKETS, float("inf")):
                count += self._buckets[labels, bound]
                buckets.append(("+Inf" if bound == float("inf") else str(bound), count))
            durations.add_metric(list(labels), buckets, seconds)
        yield durations
        running = GaugeMetricFamily(
            "apiserver_longrunning_requests", "Watches and connections now.", labels=names
        )
        current = GaugeMetricFamily(
            "apiserver_current_inflight_requests", "Other requests now.", labels=["request_kind"]
        )
        inflight: Counter[str] = Counter(mutating=0, readOnly=0)
        for labels, count in self._active.items():
            if labels.verb in ("WATCH", "CONNECT"):
                running.add_metric(list(labels), count)
            else:
                inflight["readOnly" if labels.verb in ("GET", "LIST") else "mutating"] += count
        for name, count in inflight.items():
            current.add_metric([name], count)
        yield running
        yield current
        objects = GaugeMetricFamily(
            "apiserver_storage_objects", "Objects in the store.", labels=["resource"]
        )
        for resource, count in self._resources.count_objects().items():
            objects.add_metric([resource], count)
        yield objects
        yield from _process()


def _watches(scope: Scope) -> bool:
    return b"watch" in scope["query_string"] and read_flag(read_query(scope), "watch")


def _process() -> Iterator[Metric]:
    import psutil
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    process = psutil.Process(os.getpid())
    times = process.cpu_times()
    yield CounterMetricFamily(
        "process_cpu_seconds", "CPU time of the control plane.", times.user + times.system
    )
    yield GaugeMetricFamily(
        "process_resident_memory_bytes",
        "Resident memory of the control plane.",
        process.memory_info().rss,
    )
    yield GaugeMetricFamily(
        "process_start_time_seconds", "Start of the control plane.", process.create_time()
    )
