"""Recurring runs from the shell and from a cell, on a real plane."""

from __future__ import annotations

import re
import time

import nbformat
import pytest
from nbclient import NotebookClient

import fairlead as package
from fairlead.errors import NotFoundError
from fairlead.recurring import get_recurring_run, recurring_runs


@pytest.fixture
def notebook(tmp_path):
    """A notebook of one step that tells its parameter."""
    made = nbformat.v4.new_notebook()
    for tag, source in (("parameters", "day = 'none'"), ("step:say", "print('day', day)\nx = day")):
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}))
    nbformat.write(made, tmp_path / "daily.ipynb")
    return "daily.ipynb"


def test_a_notebook_is_scheduled_listed_paused_and_deleted(fairlead, notebook):
    made = fairlead(
        "schedule", notebook, "--cron", "0 7 * * *", "--time-zone", "Europe/Berlin",
        "--max-concurrency", "2", "--no-catchup", "-p", "day=[[ScheduledTime.2006-01-02]]",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "cron 0 0 7 * * * (Europe/Berlin)." in made.stdout
    assert len(re.findall(r"\d{4}-\d\d-\d\d 07:00:00 CES?T", made.stdout)) == 3
    short = re.search(r"\((\w{8})", made.stdout)[1]
    listed = fairlead("schedules").stdout
    assert re.search(rf"^{short}  daily +Enabled +cron .* 07:00:00 CES?T +-$", listed, re.MULTILINE)
    disabled = fairlead("schedules", "disable", "daily")
    assert disabled.stdout.startswith("Disabled daily"), disabled.stderr
    assert "Disabled" in fairlead("schedules").stdout
    assert "Next run" in fairlead("schedules", "enable", short).stdout
    refused = fairlead("schedules", "delete", short)
    assert (refused.returncode, "Their runs stay" in refused.stderr) == (2, True)
    assert fairlead("schedules", "delete", "--yes", short).returncode == 0
    assert "No recurring runs yet" in fairlead("schedules").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cron", "0 7 *"], "expected 5 to 6 fields"),
        (["--cron", "0 7 * * *", "--time-zone", "Berlin"], "there is no time zone 'Berlin'"),
        (["--every", "often"], "every: 'often' is no duration"),
        (["--every", "1h", "--max-concurrency", "11"], "must be 1 to 10, not 11"),
        (["--every", "1h", "--start", "morning"], "start_time: 'morning' is no time"),
        (["--every", "1h", "-p", "gone=1"], "The pipeline has no parameter 'gone'."),
        ([], "one of the arguments --cron --every is required"),
    ],
)
def test_what_is_no_schedule_is_refused_with_2(fairlead, notebook, arguments, words):
    refused = fairlead("schedule", notebook, *arguments)
    assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr


def test_python_makes_one_that_runs_and_tells_its_last_run(data_dir, notebook, tmp_path):
    made = package.schedule(
        tmp_path / notebook, {"day": "run [[Index]]"}, every="2s", name="often", catchup=False
    )
    try:
        assert [one.name for one in recurring_runs()] == ["often"]
        while (run := made.last_run()) is None:
            time.sleep(0.1)
        run.wait()
        assert re.fullmatch(r"often #\d+", run.name)
        assert next(iter(run.logs("say"))).startswith("day run ")
        assert get_recurring_run("often").recurring_run_id == made.recurring_run_id
        assert made.disable().enabled is False
        assert made.next_times() == []
    finally:
        made.delete()
    with pytest.raises(NotFoundError):
        get_recurring_run("often")


def test_a_cell_schedules_a_notebook(data_dir, notebook, tmp_path):
    lines = (
        "%load_ext fairlead",
        f"%fairlead schedule {tmp_path / notebook} --every 24h --name nightly",
        "%fairlead schedules",
        "%fairlead schedules delete nightly",
    )
    using = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(line) for line in lines])
    done = NotebookClient(using, kernel_name="python3", resources={}).execute()
    _, made, listed, deleted = ("".join(out.text for out in cell.outputs) for cell in done.cells)
    assert made.startswith("Scheduled nightly")
    assert re.search("nightly +Enabled +every 1 d", listed)
    assert deleted.startswith("Deleted nightly")
    assert recurring_runs() == []
