"""Recurring runs of a server that is not ours: what it is asked, and what it refuses."""

from __future__ import annotations

import pytest

from fairlead.errors import SpecError
from fairlead.pipelines.recurring import Timing, describe, recurring_request, upcoming
from fairlead.pipelines.recurring_client import RecurringRunsClient
from fairlead.triggers import read_time, read_trigger


class Upstream:
    """Answers as KFP 2.17 does, whose cron takes no time zone."""

    def __init__(self):
        self.asked = []

    def request(self, method, path, *, query=None, body=None):
        self.asked.append((method, path, query, body))
        if path.endswith("/runs"):
            error = SpecError("Invalid input error: no such field: recurring_run_id")
            error.code = 400
            raise error
        cron = ((body or {}).get("trigger") or {}).get("cron_schedule", {}).get("cron", "")
        if "TZ=" in cron:
            raise SpecError(
                "Schedule cron is not a supported format. Error: Expected 5 to 6 fields"
            )
        return {"recurring_run_id": "r1"}


def request(**timing):
    return recurring_request("often", {"pipeline_spec": {}}, {}, Timing(**timing))


def test_a_time_zone_that_a_server_does_not_take_is_explained():
    client = RecurringRunsClient(Upstream())
    with pytest.raises(SpecError) as refused:
        client.create(request(cron="0 7 * * *", time_zone="Europe/Berlin"))
    assert "takes no time zone" in refused.value.hint
    assert client.create(request(cron="0 7 * * *"))["recurring_run_id"] == "r1"


def test_a_server_with_users_is_asked_for_a_namespace():
    upstream = Upstream()
    client = RecurringRunsClient(upstream, lambda: {"namespace": "team"})
    client.create(request(every="1h"))
    client.page({"page_size": "5"})
    client.page({"experiment_id": "e1"})
    assert upstream.asked[0][3]["namespace"] == "team"
    assert upstream.asked[1][2] == {"namespace": "team", "page_size": "5"}
    assert upstream.asked[2][2] == {"experiment_id": "e1"}


def test_a_server_that_cannot_tell_whose_a_run_is_knows_no_last_run():
    assert RecurringRunsClient(Upstream()).last_run("r1") is None


def test_the_request_is_upstreams_message():
    made = recurring_request(
        "often",
        {"pipeline_version_reference": {"pipeline_id": "p"}},
        {"a": 1},
        Timing(every="90m", start="2026-01-01T08:00", time_zone="Asia/Tokyo", catchup=False),
        enabled=False,
        experiment_id="e1",
        pipeline_root="s3://bucket",
    )
    assert made == {
        "display_name": "often",
        "trigger": {
            "periodic_schedule": {
                "interval_second": "5400", "start_time": "2025-12-31T23:00:00Z",
            }
        },
        "max_concurrency": "1",
        "no_catchup": True,
        "mode": "DISABLE",
        "runtime_config": {"parameters": {"a": 1}, "pipeline_root": "s3://bucket"},
        "experiment_id": "e1",
        "pipeline_version_reference": {"pipeline_id": "p"},
    }  # fmt: skip
    trigger = read_trigger(made["trigger"])
    assert describe(trigger) == "every 90 min"


def test_the_times_to_come_are_told_of_any_servers_record():
    record = {
        "created_at": "2026-01-01T00:00:00Z",
        "status": "ENABLED",
        "trigger": {"cron_schedule": {"cron": "0 0 7 * * *", "end_time": "2026-01-04T00:00:00Z"}},
    }
    now = read_time("2026-01-02T12:00:00Z")
    assert upcoming(record, now, 5) == [read_time("2026-01-03T07:00:00Z")]
    assert upcoming({**record, "status": "DISABLED"}, now, 5) == []
