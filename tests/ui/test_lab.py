"""The whole way in the browser: open the example, run it, watch it, look into it, reload."""

from __future__ import annotations

import nbformat
import pytest
from pictures import picture

STEPS = ["load", "split", "train-logistic", "train-forest", "evaluate", "choose"]
RUN_MS = 180_000


def press_run(page):
    page.get_by_role("button", name="Run as pipeline").first.click()
    page.wait_for_selector("[data-fl-dag]")


def comes_to_rest(page):
    """Wait until the page, which reads what the last events told of, asks the server no more."""
    asked = []
    page.on("request", lambda request: "fairlead/api" in request.url and asked.append(request.url))
    for _ in range(20):
        asked.clear()
        page.wait_for_timeout(3000)
        if not asked:
            return
    raise AssertionError(f"it asks and asks: {asked}")


def node(step, state=None):
    wanted = f"[data-fl-state='{state}']" if state else ""
    return f"[data-fl-dag] [data-fl-node='{step}']{wanted}"


@pytest.fixture
def page(lab, browser):
    opened = lab.page(browser, "digits.ipynb")
    opened.wait_for_selector(".jp-Notebook .jp-Cell")
    return opened


@pytest.fixture
def gate(lab):
    """A file that the first step of the example waits for, so that what runs can be seen."""
    gate = lab.folder / "gate"
    notebook = nbformat.read(lab.folder / "digits.ipynb", 4)
    first = next(one for one in notebook.cells if "step:load" in one.metadata.get("tags", ()))
    wait = f"while not Path({str(gate)!r}).exists():\n    time.sleep(0.1)\n"
    first.source = f"import time\nfrom pathlib import Path\n\n{wait}{first.source}"
    nbformat.write(notebook, lab.folder / "digits.ipynb")
    return gate


def test_a_notebook_is_run_watched_looked_into_and_still_there_after_a_reload(gate, page):
    page.wait_for_selector("[data-fl-chip='train_logistic'], [data-fl-chip='train-logistic']")
    press_run(page)
    page.wait_for_selector("[data-fl-dag] [data-fl-node][data-fl-state='RUNNING']")
    gate.touch()
    for step in STEPS:
        page.wait_for_selector(node(step, "SUCCEEDED"), timeout=RUN_MS)
    picture(page, "run-light")
    page.locator("[data-fl-fact='run-state']", has_text="Succeeded").wait_for()

    page.locator(node("evaluate")).click()
    page.locator("[data-fl-tab='logs']").click()
    page.locator("[data-fl-log]", has_text="random forest").wait_for()
    picture(page, "logs-light")
    page.locator("[data-fl-tab='notebook']").click()
    plot = page.locator("[data-fl-tabpanel='notebook'] img").first
    plot.wait_for()
    assert plot.evaluate("image => image.naturalWidth") > 300
    picture(page, "notebook-light")

    page.reload()
    page.wait_for_selector(node("choose", "SUCCEEDED"))
    page.wait_for_selector("[data-fl-run][data-fl-state='SUCCEEDED']", state="attached")


def test_a_second_run_is_cached_and_the_sidebar_lists_both_without_polling(page):
    press_run(page)
    page.wait_for_selector(node("choose", "SUCCEEDED"), timeout=RUN_MS)
    comes_to_rest(page)
    page.get_by_role("tab", name="digits.ipynb").click()
    page.get_by_role("button", name="Run as pipeline").first.click()
    page.wait_for_selector(node("choose", "CACHED"), timeout=RUN_MS)
    page.get_by_role("tab", name="Fairlead").first.click()
    rows = page.locator("[data-fl-run][data-fl-name='digits']")
    rows.nth(1).wait_for()
    picture(page, "sidebar-light")


def test_a_failing_step_leads_to_its_cell_and_line(lab, browser):
    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["step:first"]}),
        nbformat.v4.new_code_cell("\ny = x / 0", metadata={"tags": ["step:second"]}),
        nbformat.v4.new_code_cell("print(y)", metadata={"tags": ["step:third"]}),
    ]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, lab.folder / "fails.ipynb")
    page = lab.page(browser, "fails.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    press_run(page)
    page.wait_for_selector(node("second", "FAILED"), timeout=RUN_MS)
    page.locator(node("second")).click()
    error = page.locator("[data-fl-error]").last
    error.wait_for()
    assert "ZeroDivisionError" in error.inner_text()
    picture(page, "failed-light")
    page.locator("[data-fl-action='reveal-cell']").click()
    page.wait_for_selector(".jp-Notebook .jp-Cell.jp-mod-active >> text=y = x / 0")


def test_what_cannot_travel_is_told_at_its_cell_and_nothing_starts(lab, browser):
    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell("f = open('a.txt', 'w')", metadata={"tags": ["step:first"]}),
        nbformat.v4.new_code_cell("f.write('x')", metadata={"tags": ["step:second"]}),
    ]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, lab.folder / "refused.ipynb")
    page = lab.page(browser, "refused.ipynb")
    page.wait_for_selector("[data-fl-problem='f']")
    page.get_by_role("button", name="Run as pipeline").first.click()
    dialog = page.locator(".jp-Dialog")
    dialog.wait_for()
    assert "f" in dialog.inner_text()
    picture(page, "refused-light")
    assert not (lab.folder / "a.txt").exists()


def test_dark_and_narrow_are_drawn_too(lab, browser):
    page = lab.page(browser, "digits.ipynb", width=1000, height=800, dark=True)
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    press_run(page)
    page.wait_for_selector(node("choose", "SUCCEEDED"), timeout=RUN_MS)
    page.locator(node("train-forest")).click()
    picture(page, "run-dark-narrow")
    assert page.evaluate("document.body.dataset.jpThemeLight") == "false"
