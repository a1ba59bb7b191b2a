"""When recurring runs are due: cron, zones, days on which clocks are set, and what was missed."""

from __future__ import annotations

import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from fairlead.crontab import parse_cron, with_seconds, with_zone
from fairlead.errors import SpecError
from fairlead.triggers import Times, Trigger, read_time, read_trigger, write_time


def local(zone, text):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def wall(zone, cron, since, count):
    """The first times after a moment, on a clock of that zone."""
    times = Times(Trigger(cron=f"CRON_TZ={zone} {cron}"), local(zone, since))
    found = itertools.islice(times.upcoming(None, 0, catchup=True), count)
    return [datetime.fromtimestamp(one, ZoneInfo(zone)).strftime("%m-%d %H:%M%z") for one in found]


@pytest.mark.parametrize(
    ("zone", "since", "cron", "found"),
    [
        (
            "Europe/Berlin", "2026-03-28T00:00:00", "0 30 2 * * *",
            ["03-28 02:30+0100", "03-29 03:00+0200", "03-30 02:30+0200"],
        ),
        (
            "America/New_York", "2026-03-07T12:00:00", "0 30 2 * * *",
            ["03-08 03:00-0400", "03-09 02:30-0400"],
        ),
        (
            "Australia/Lord_Howe", "2026-10-03T00:00:00", "0 15 2 * * *",
            ["10-03 02:15+1030", "10-04 02:30+1100", "10-05 02:15+1100"],
        ),
        (
            "America/Santiago", "2026-09-05T12:00:00", "0 0 0 * * *",
            ["09-06 01:00-0300", "09-07 00:00-0300"],
        ),
        (
            "Europe/Berlin", "2026-03-29T00:45:00", "0 */30 * * * *",
            ["03-29 01:00+0100", "03-29 01:30+0100", "03-29 03:00+0200", "03-29 03:30+0200"],
        ),
    ],
)  # fmt: skip
def test_a_time_that_a_clock_set_forward_leaves_out_comes_when_it_is_set(zone, since, cron, found):
    assert wall(zone, cron, since, len(found)) == found


@pytest.mark.parametrize(
    ("zone", "since", "cron", "found"),
    [
        (
            "Europe/Berlin", "2026-10-24T12:00:00", "0 30 2 * * *",
            ["10-25 02:30+0200", "10-26 02:30+0100"],
        ),
        (
            "America/New_York", "2026-10-31T12:00:00", "0 0,30 1 * * *",
            ["11-01 01:00-0400", "11-01 01:30-0400", "11-02 01:00-0500"],
        ),
        (
            "Australia/Lord_Howe", "2026-04-04T12:00:00", "0 45 1 * * *",
            ["04-05 01:45+1100", "04-06 01:45+1030"],
        ),
    ],
)  # fmt: skip
def test_an_hour_that_a_clock_set_back_repeats_counts_once_where_it_is_named(
    zone, since, cron, found
):
    assert wall(zone, cron, since, len(found)) == found


def test_each_hour_comes_twice_where_a_clock_is_set_back_for_one():
    assert wall("Europe/Berlin", "0 30 * * * *", "2026-10-25T01:45:00", 3) == [
        "10-25 02:30+0200", "10-25 02:30+0100", "10-25 03:30+0100",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cron", "since", "found"),
    [
        ("0 0 0 31 * *", "2026-01-31T00:00:00", ["03-31", "05-31", "07-31"]),
        ("0 0 0 29 2 *", "2026-01-01T00:00:00", ["02-29", "02-29"]),
        ("0 0 0 30 * *", "2026-01-30T00:00:00", ["03-30", "04-30"]),
        ("@monthly", "2026-12-15T00:00:00", ["01-01", "02-01"]),
        ("0 0 9 ? * MON-FRI", "2026-01-02T12:00:00", ["01-05", "01-06"]),
        ("0 0 9 1 * ", "2026-01-02T12:00:00", ["02-01", "03-01"]),
    ],
)
def test_months_have_the_days_they_have(cron, since, found):
    assert [one[:5] for one in wall("UTC", cron, since, len(found))] == found


def test_february_29_comes_every_four_years():
    times = Times(Trigger(cron="0 0 0 29 2 *"), local("UTC", "2026-01-01T00:00:00"))
    first = times.after(None)
    assert [write_time(first), write_time(times.after(first))] == [
        "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z",
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    "cron", ["0 30 2 * * *", "0 */20 * * * *", "30 15,45 1-3 * * *", "0 0 2 * * SUN"]
)
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_the_times_are_the_same_from_wherever_one_begins(zone, cron, month):
    begin = local(zone, f"2026-{month:02}-01T00:00:00")
    times = Times(Trigger(cron=f"CRON_TZ={zone} {cron}"), begin)
    found = list(itertools.islice(times.upcoming(None, 0, catchup=True), 150))
    assert found == sorted(set(found))
    for last, following in itertools.pairwise(found):
        for moment in (last, (last + following) // 2, following - 1):
            assert times.after(moment) == following, (write_time(moment), write_time(following))


def test_without_a_zone_cron_is_in_utc_and_five_fields_begin_with_the_second():
    times = Times(Trigger(cron="0 7 * * *"), local("UTC", "2026-01-01T00:00:00"))
    # Upstream's reading, in which the day of the week may be left out: each hour at minute 7.
    assert write_time(times.after(None)) == "2026-01-01T00:07:00Z"


def test_an_interval_counts_from_its_start_however_late_its_runs_begin():
    start = read_time("2026-01-01T00:00:00Z")
    times = Times(Trigger(interval_s=3600, start=start), created=start - 99)
    assert times.after(None) == start
    assert times.due(start, start + 3600, catchup=True) == start + 3600
    assert times.due(start, start + 10 * 3600 + 7, catchup=False) == start + 10 * 3600


def test_an_interval_without_start_comes_first_an_interval_after_it_was_made():
    times = Times(Trigger(interval_s=10), created=1000)
    assert list(itertools.islice(times.upcoming(None, 1000, catchup=True), 3)) == [1010, 1020, 1030]
    every = Times(Trigger(cron="@every 1m30s"), created=1000)
    assert [every.after(None), every.after(1090), every.after(1100)] == [1090, 1180, 1180]


def test_nothing_is_due_after_the_end_or_before_the_start():
    times = Times(Trigger(interval_s=10, start=1000, end=1025), created=0)
    assert list(times.upcoming(None, 0, catchup=True)) == [1000, 1010, 1020]
    assert times.due(1000, 5000, catchup=False) == 1020
    assert times.due(1020, 5000, catchup=False) is None
    cron = Times(Trigger(cron="*/10 * * * * *", start=1001, end=1025), created=0)
    assert list(cron.upcoming(None, 0, catchup=True)) == [1010, 1020]
    assert cron.due(None, 5000, catchup=False) == 1020


@pytest.mark.parametrize("cron", ["* * * * * *", "0 0 7 * * *", "0 0 0 29 2 *", "0 0 1 1 1 *"])
def test_after_a_stop_of_years_the_latest_is_found_and_all_are_made_up(cron):
    begin = read_time("2020-01-01T00:00:00Z")
    times = Times(Trigger(cron=cron), begin)
    now = read_time("2026-06-01T12:00:00Z")
    latest = times.due(begin, now, catchup=False)
    assert latest <= now < times.after(latest)
    first = times.due(begin, now, catchup=True)
    assert first == times.after(begin)


def test_the_end_of_the_calendar_is_the_end_of_all_times():
    start = read_time("9998-12-31T23:00:00Z")
    assert Times(Trigger(interval_s=1 << 39), created=0).after(1 << 39) is None
    assert Times(Trigger(cron="0 0 0 * * *", start=start), created=0).after(start + 3600) is None
    assert (
        Times(Trigger(cron="CRON_TZ=Asia/Tokyo 0 0 0 29 2 *", start=start), 0).after(None) is None
    )


def test_a_clock_set_back_makes_nothing_due_again():
    times = Times(Trigger(interval_s=60), created=0)
    for catchup in (True, False):
        assert times.due(last=600, now=300, catchup=catchup) == 660


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (None, "trigger: a cron_schedule or a periodic_schedule is required"),
        ({"cron_schedule": {"cron": "* * *"}}, "expected 5 to 6 fields, found 3: [* * *]"),
        ({"cron_schedule": {"cron": "0 61 * * * *"}}, "end of range (61) above maximum (59): 61"),
        ({"cron_schedule": {"cron": "0 0 0 30 2 *"}}, "there is no such day"),
        ({"cron_schedule": {"cron": "CRON_TZ=A/B 0 0 0 * * *"}}, "unknown time zone A/B"),
        ({"cron_schedule": {"cron": "@often"}}, "unrecognized descriptor: @often"),
        ({"cron_schedule": {"cron": "@every day"}}, "failed to parse duration"),
        ({"periodic_schedule": {"interval_second": "0"}}, "interval 0. Set at interval to least"),
        ({"periodic_schedule": {"interval_second": "often"}}, "interval often"),
        (
            {"periodic_schedule": {"interval_second": 5, "start_time": "morning"}},
            "trigger.start_time: 'morning' is no time",
        ),
        (
            {
                "cron_schedule": {
                    "cron": "* * * * * *",
                    "start_time": "2026-01-02T00:00:00Z",
                    "end_time": "2026-01-01T00:00:00Z",
                }
            },
            "trigger: end_time is before start_time",
        ),
        ({"cron_schedule": {"cron": "* * * * * *"}, "periodic_schedule": {}}, "one of"),
        (
            {"periodic_schedule": {"interval_second": 5, "start_time": "9999-06-01T00:00:00Z"}},
            "trigger.start_time: '9999-06-01T00:00:00Z' must be after 1970, before 9999",
        ),
    ],
)
def test_what_is_no_trigger_is_refused_with_its_field(trigger, words):
    with pytest.raises(SpecError) as refused:
        read_trigger(trigger)
    assert words in refused.value.what


def test_a_trigger_is_written_as_it_was_read():
    for view in (
        {"cron_schedule": {"cron": "0 0 7 * * *", "start_time": "2026-01-01T00:00:00Z"}},
        {"periodic_schedule": {"interval_second": "60", "end_time": "2026-01-01T00:00:00Z"}},
    ):
        assert read_trigger(view).view() == view
    camel = {"periodicSchedule": {"intervalSecond": 60, "startTime": "2026-01-01T00:00:00.5+01:00"}}
    assert read_trigger(camel).view() == {
        "periodic_schedule": {"interval_second": "60", "start_time": "2025-12-31T23:00:00Z"}
    }


def test_crontab_gets_a_second_and_a_zone():
    assert with_zone(with_seconds("0 7 * * *"), "Europe/Berlin") == (
        "CRON_TZ=Europe/Berlin 0 0 7 * * *"
    )
    assert with_seconds("TZ=UTC 0 7 * * *") == "TZ=UTC 0 0 7 * * *"
    assert with_seconds("@daily") == "@daily"
    assert with_seconds("1 2 3 4 5 6") == "1 2 3 4 5 6"
    assert parse_cron("5/15 * * * ?", seconds=False).fields == "0 5-59/15 * * * *"
