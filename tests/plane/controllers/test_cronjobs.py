"""CronJobs: their times without waiting for one, and one that is due."""

from __future__ import annotations

import json
import time

import pytest
from kubernetes.client import ApiException

from fairlead_plane.controllers.cronjobs import _times
from fairlead_plane.resources import parse_timestamp, timestamp

from .conftest import template


def cron_job(schedule="* * * * *", **spec):
    pod = template("print('tick')", restartPolicy="Never")
    return {
        "metadata": {"name": "tick"},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": pod}}, **spec},
    }


def at(now, last, schedule="0 * * * *", **spec):
    obj = {
        "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"schedule": schedule, "timeZone": "Etc/UTC", **spec},
        "status": {"lastScheduleTime": last} if last else {},
    }
    due, following = _times(obj, parse_timestamp(now))
    return due and timestamp(due), timestamp(following)


def test_the_time_that_has_passed_and_the_next_are_found() -> None:
    assert at("2026-01-01T00:30:00Z", None) == (None, "2026-01-01T01:00:00Z")
    assert at("2026-01-01T01:00:01Z", None) == ("2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z")
    assert at("2026-01-01T01:00:01Z", "2026-01-01T01:00:00Z") == (None, "2026-01-01T02:00:00Z")


def test_of_many_missed_times_the_last_counts() -> None:
    long_asleep = at("2026-03-01T00:30:00Z", "2026-01-01T01:00:00Z")
    assert long_asleep == ("2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z")


def test_a_schedule_is_read_in_its_own_time_zone() -> None:
    found = at("2026-07-01T05:30:00Z", "2026-07-01T00:00:00Z", "0 7 * * *", timeZone="Europe/Rome")
    assert found == ("2026-07-01T05:00:00Z", "2026-07-02T05:00:00Z")


@pytest.mark.parametrize("schedule", ["nonsense", "* * * * * *", "99 * * * *"])
def test_what_is_no_schedule_is_told(schedule) -> None:
    with pytest.raises(ValueError, match=r"."):
        at("2026-01-01T00:30:00Z", None, schedule)


def test_a_job_that_is_due_is_started_once(workloads) -> None:
    workloads.batch.create_namespaced_cron_job(workloads.namespace, cron_job(suspend=True))
    # As if the last time had been two minutes ago.
    last = {"status": {"lastScheduleTime": timestamp(time.time() - 120)}}
    workloads.batch.patch_namespaced_cron_job_status("tick", workloads.namespace, last)
    workloads.batch.patch_namespaced_cron_job(
        "tick", workloads.namespace, {"spec": {"suspend": False}}
    )

    def succeeded():
        found = workloads.batch.read_namespaced_cron_job("tick", workloads.namespace)
        return found.status.last_successful_time and not found.status.active

    workloads.wait_for(succeeded)
    jobs = workloads.batch.list_namespaced_job(workloads.namespace).items
    assert jobs[0].metadata.owner_references[0].kind == "CronJob"
    assert "SuccessfulCreate" in workloads.reasons("tick")
    names = [job.metadata.name for job in jobs]
    assert names == sorted(set(names))


def test_a_schedule_that_is_none_is_refused(workloads) -> None:
    with pytest.raises(ApiException) as refused:
        workloads.batch.create_namespaced_cron_job(workloads.namespace, cron_job("nonsense"))
    assert json.loads(refused.value.body)["message"] == (
        'CronJob.batch "tick" is invalid: spec.schedule: Invalid value: "nonsense": expected '
        "exactly 5 fields, found 1: [nonsense]"
    )
