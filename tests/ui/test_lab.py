"""The whole way in the browser: open the example, run it, watch it, look into it, reload."""

from __future__ import annotations

import pytest
from pictures import picture

STEPS = ["load", "split", "train-logistic", "train-forest", "evaluate", "choose"]
RUN_MS = 180_000


def press_run(page):
    page.get_by_role("button", name="Run as pipeline").first.click()
    page.wait_for_selector("[data-fl-dag]")


def node(step, state=None):
    wanted = f"[data-fl-state='{state}']" if state else ""
    return f"[data-fl-dag] [data-fl-node='{step}']{wanted}"


@pytest.fixture
def page(lab, browser):
    opened = lab.page(browser, "digits.ipynb")
    opened.wait_for_selector(".jp-Notebook .jp-Cell")
    yield opened
    opened.context.close()


def test_a_notebook_is_run_watched_looked_into_and_still_there_after_a_reload(page):
    page.wait_for_selector("[data-fl-chip='train_logistic'], [data-fl-chip='train-logistic']")
    press_run(page)
    page.wait_for_selector("[data-fl-dag] [data-fl-node][data-fl-state='RUNNING']")
    for step in STEPS:
        page.wait_for_selector(node(step, "SUCCEEDED"), timeout=RUN_MS)
    picture(page, "run-light")
    assert page.locator("[data-fl-fact='run-state']").inner_text().strip().startswith("Succeeded")

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
    page.wait_for_selector(node("choose", "SUCCEEDED"), timeout=90_000)
    page.wait_for_selector("[data-fl-run][data-fl-state='SUCCEEDED']", state="attached")


def test_a_second_run_is_cached_and_the_sidebar_lists_both_without_polling(page):
    press_run(page)
    page.wait_for_selector(node("choose", "SUCCEEDED"), timeout=RUN_MS)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert [url for url in asked if "fairlead/api" in url] == []
    page.get_by_role("tab", name="digits.ipynb").click()
    page.get_by_role("button", name="Run as pipeline").first.click()
    page.wait_for_selector(node("choose", "CACHED"), timeout=RUN_MS)
    page.get_by_role("tab", name="Fairlead").first.click()
    rows = page.locator("[data-fl-run][data-fl-name='digits']")
    rows.nth(1).wait_for()
    picture(page, "sidebar-light")


def test_a_failing_step_leads_to_its_cell_and_line(lab, browser):
    import nbformat

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
    page.context.close()


def test_what_cannot_travel_is_told_at_its_cell_and_nothing_starts(lab, browser):
    import nbformat

    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell("f = open('a.txt', 'w')", metadata={"tags": ["step:first"]}),
        nbformat.v4.new_code_cell("f.write('x')", metadata={"tags": ["step:second"]}),
    ]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, lab.folder / "refused.ipynb")
    page = lab.page(browser, "refused.ipynb")
    page.wait_for_selector("[data-fl-problem='f']", timeout=60_000)
    page.get_by_role("button", name="Run as pipeline").first.click()
    dialog = page.locator(".jp-Dialog")
    dialog.wait_for()
    assert "f" in dialog.inner_text()
    picture(page, "refused-light")
    assert not (lab.folder / "a.txt").exists()
    page.context.close()


def test_dark_and_narrow_are_drawn_too(lab, browser):
    page = lab.page(browser, "digits.ipynb", width=1000, height=800, dark=True)
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    press_run(page)
    page.wait_for_selector(node("choose", "SUCCEEDED"), timeout=RUN_MS)
    page.locator(node("train-forest")).click()
    picture(page, "run-dark-narrow")
    assert page.evaluate("document.body.dataset.jpThemeLight") == "false"
    page.context.close()
