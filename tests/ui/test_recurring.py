"""Recurring runs in the browser: scheduled from a notebook or a run, listed, switched, deleted."""

from __future__ import annotations

import re

import nbformat
import pytest
from pictures import picture

from fairlead.client import connect
from fairlead.recurring import recurring_runs, schedule

RUN_MS = 180_000
TABLE = "[data-fl-runtable]"


def command(page, name, /, **arguments):
    page.wait_for_function("() => window.jupyterapp?.commands !== undefined")
    page.evaluate(
        "([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments]
    )


def notebook(folder, name="small.ipynb"):
    """A notebook of one step that takes a text."""
    made = nbformat.v4.new_notebook()
    for tag, source in (("parameters", "day = 'none'"), ("step:say", "print('day', day)\nx = day")):
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}))
    made.metadata["kernelspec"] = {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    nbformat.write(made, folder / name)
    return name


@pytest.fixture
def page(lab, browser):
    notebook(lab.folder)
    opened = lab.page(browser)
    yield opened
    opened.context.close()


def test_a_notebook_is_scheduled_from_the_form_and_runs(page):
    command(page, "docmanager:open", path="small.ipynb")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    page.locator(".jp-NotebookPanel .jp-Cell .jp-InputPrompt").first.click(button="right")
    page.locator(".lm-Menu-item[data-command='fairlead:schedule']").click()
    form = page.locator("[data-fl-schedule='small.ipynb']")
    form.locator("[data-fl-upcoming='5']").wait_for()
    zone = form.locator("[data-fl-input='time_zone']")
    zone.fill("Europe/Berlin")
    form.locator("[data-fl-request='yaml']", has_text="CRON_TZ=Europe/Berlin 0 0 7").wait_for()
    times = form.locator("[data-fl-upcoming] time").all_inner_texts()
    assert all(re.search(r"07:00.*(GMT\+[12]|CES?T)", one) for one in times), times
    picture(page, "schedule-light")
    # What is wrong is said where the times were, and cannot be sent.
    form.locator("[data-fl-input='cron']").fill("0 7 *")
    form.locator("[data-fl-error='schedule']", has_text="expected 5 to 6 fields").wait_for()
    assert form.locator("[data-fl-action='make']").is_disabled()
    picture(page, "schedule-wrong-light")
    form.locator("[data-fl-input='preset']").select_option("0 7 * * 1-5")
    form.locator("[data-fl-request='yaml']", has_text="0 7 * * 1-5").wait_for()

    form.locator("[data-fl-input='kind']").select_option("every")
    form.locator("[data-fl-input='count']").fill("3")
    form.locator("[data-fl-input='unit']").select_option("s")
    form.locator("[data-fl-input='catchup']").uncheck()
    form.locator("[data-fl-field='day'] input").fill("number [[Index]]")
    form.locator("[data-fl-input='name']").fill("every few seconds")
    form.locator("[data-fl-tab='python']").click()
    form.locator("[data-fl-request='python']", has_text="every='3s'").wait_for()
    form.locator("[data-fl-action='make']").click()

    row = page.locator(f"{TABLE} [data-fl-recurring='every few seconds']")
    # Its runs come by themselves.
    row.locator("[data-fl-action='open-last']").wait_for(timeout=RUN_MS)
    picture(page, "recurring-light")
    row.locator("[data-fl-action='toggle']").click()
    page.locator(f"{TABLE} [data-fl-recurring][data-fl-enabled='false']").wait_for()
    # Now that none follows, the last one is seen to end, however slow this machine is.
    row.locator("[data-fl-state='SUCCEEDED']").wait_for(timeout=RUN_MS)
    assert [one.enabled for one in recurring_runs()] == [False]
    row.locator("[data-fl-action='open-last']").click()
    shown = page.locator("[data-fl-runview]:visible")
    shown.locator("[data-fl-parameter='day']", has_text="number").wait_for()

    # A run leads to the form as well, with its own values.
    shown.locator("[data-fl-action='schedule']").click()
    again = page.locator("[data-fl-schedule]:visible")
    again.locator("[data-fl-upcoming='5']").wait_for()
    assert again.locator("[data-fl-field='day'] input").input_value().startswith("number ")
    again.locator("[data-fl-tab='python']").click()
    again.locator("[data-fl-request='python']", has_text="fairlead.get_run").wait_for()
    size = page.viewport_size
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": 400, "height": 900})
    picture(page, "schedule-light-320")
    command(page, "fairlead:open-runs", page="recurring")
    row.wait_for()
    picture(page, "recurring-light-320")
    page.set_viewport_size(size)

    row.locator("[data-fl-action='delete']").click()
    page.locator(".jp-Dialog .jp-mod-warn").click()
    page.locator(f"{TABLE} [data-fl-message='empty']").wait_for()
    assert recurring_runs() == []


def test_form_and_list_are_drawn_dark_and_narrow(lab, browser):
    path = lab.folder / notebook(lab.folder)
    kept = [
        schedule(path, cron="0 7 * * 1-5", time_zone="America/New_York", name="each morning"),
        schedule(path, every="12h", name="twice a day with a long name", catchup=False),
        schedule(path, cron="30 2 1 * *", name="off", enabled=False),
    ]
    page = lab.page(browser, width=1400, height=900, dark=True)
    command(page, "fairlead:open-runs", page="recurring")
    page.locator(f"{TABLE} [data-fl-recurring='off'][data-fl-enabled='false']").wait_for()
    picture(page, "recurring-dark")
    command(page, "fairlead:schedule", path="small.ipynb")
    form = page.locator("[data-fl-schedule='small.ipynb']")
    form.locator("[data-fl-upcoming='5']").wait_for()
    form.locator("[data-fl-request='yaml']", has_text="cron_schedule").wait_for()
    picture(page, "schedule-dark")
    # The main area as narrow as a sidebar may be.
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": 400, "height": 900})
    picture(page, "schedule-dark-320")
    assert form.evaluate("form => form.scrollWidth <= form.clientWidth")
    command(page, "fairlead:open-runs", page="recurring")
    rows = page.locator(f"{TABLE} [data-fl-recurring]")
    rows.first.wait_for()
    picture(page, "recurring-dark-320")
    panel = page.locator(f"{TABLE} [data-fl-tabpanel='recurring']")
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    # The keyboard is enough.
    toggle = page.locator("[data-fl-recurring='off'] [data-fl-action='toggle']")
    toggle.focus()
    page.keyboard.press("Space")
    page.locator("[data-fl-recurring='off'][data-fl-enabled='true']").wait_for()
    for one in kept:
        one.delete()
    assert connect().recurring.list() == []
    page.context.close()
