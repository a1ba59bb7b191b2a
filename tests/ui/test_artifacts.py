"""Artifacts in the browser: the list, the page of each, and what a page of a task cannot do."""

from __future__ import annotations

import json

import nbformat
import pytest
from pictures import picture
from reports import run_reports

from fairlead.client import Run, connect
from fairlead.widgets.live import LiveRun, _static_forms

WAIT_MS = 60_000


@pytest.fixture(scope="module")
def run(data_dir):
    """A run that made one artifact of every kind."""
    return run_reports(connect())


@pytest.fixture
def lab(shared_lab):
    """One Lab for all tests of this file."""
    return shared_lab


@pytest.fixture
def page(run, lab, browser):
    opened = lab.page(browser)
    yield opened
    opened.context.close()


def execute(page, command, **args):
    page.wait_for_function(
        "id => window.jupyterapp?.commands.hasCommand(id)", arg=f"fairlead:{command}"
    )
    page.evaluate(
        "([id, args]) => window.jupyterapp.commands.execute(id, args)",
        [f"fairlead:{command}", args],
    )


def open_artifact(page, name):
    execute(page, "open-artifacts")
    page.locator(f"tr[data-fl-name='{name}'] [data-fl-action='open-artifact']").first.click()
    view = page.locator(".fl-ArtifactView:visible")
    view.locator(".fl-RunHeader-name", has_text=name).wait_for()
    view.locator("[data-fl-loaded='true']").wait_for()
    return view


def test_artifacts_are_listed_and_chosen_by_type_name_and_run(page, run):
    execute(page, "open-artifacts")
    rows = page.locator("tr[data-fl-artifact]")
    rows.nth(8).wait_for()
    picture(page, "artifacts-light")
    page.locator("[data-fl-filter='type']").select_option("Metrics")
    page.wait_for_function("document.querySelectorAll('tr[data-fl-artifact]').length === 1")
    page.locator("[data-fl-filter='type']").select_option("")
    page.locator("[data-fl-filter='name']").fill("row")
    page.wait_for_function("document.querySelectorAll('tr[data-fl-artifact]').length === 1")
    page.locator("[data-fl-filter='name']").fill("")
    page.locator("[data-fl-filter='run']").select_option(run["run_id"])
    rows.nth(8).wait_for()
    first = page.locator("tr[data-fl-artifact] [data-fl-action='open-artifact']").first
    first.focus()
    page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.closest('tr').dataset.flName")
    page.keyboard.press("Enter")
    view = page.locator(".fl-ArtifactView:visible")
    view.locator(".fl-RunHeader-name", has_text=second).wait_for()


def test_a_page_of_a_task_reaches_neither_lab_nor_the_server(page):
    view = open_artifact(page, "page")
    said = view.frame_locator("iframe").locator("#said")
    said.get_by_text("fetch refused").wait_for()
    assert said.inner_text() == (
        "parent refused, cookies refused, storage refused, top refused, window: none, fetch refused"
    )
    assert "/lab" in page.url
    picture(page, "artifact-html-light")


def test_a_page_that_moves_itself_is_closed(page):
    view = open_artifact(page, "page")
    frame = view.frame_locator("iframe").locator("#said")
    frame.wait_for()
    frame.evaluate("() => { location.href = 'about:blank#elsewhere'; location.reload(); }")
    view.locator("[data-fl-frame-closed]").wait_for()


def test_metrics_curves_and_matrices_are_drawn(page):
    view = open_artifact(page, "curves")
    view.locator("[data-fl-plot='roc'] .vega-embed").wait_for(timeout=WAIT_MS)
    assert view.locator("table.fl-Matrix td").all_inner_texts() == ["8", "2", "1", "9"]
    assert "area 0.800" in view.locator("[data-fl-plot='roc']").get_attribute("aria-label")
    picture(page, "artifact-curves-light")
    view = open_artifact(page, "slices")
    view.locator("[data-fl-plot='roc'] .vega-embed").wait_for(timeout=WAIT_MS)
    view = open_artifact(page, "scores")
    assert "90.0 %" in view.locator("[data-fl-preview='metrics']").inner_text()


def test_markdown_is_cleaned_and_drawn_by_lab(page):
    view = open_artifact(page, "notes")
    view.locator("[data-fl-preview='markdown'] h1", has_text="Notes").wait_for()
    view.locator("[data-fl-preview='markdown'] table td", has_text="1").wait_for()
    assert page.evaluate("window.touched") is None
    view = open_artifact(page, "picture")
    assert view.locator("img.fl-Preview-image").evaluate("image => image.naturalWidth") == 1


def test_lineage_leads_both_ways_by_mouse_and_keyboard(page):
    view = open_artifact(page, "rows")
    view.locator("[data-fl-preview='table'] th", has_text="a").wait_for()
    view.locator("[data-fl-lineage] [data-fl-node]").nth(3).wait_for()
    assert view.locator("[data-fl-lineage] [data-fl-node]").count() == 4
    picture(page, "artifact-lineage-light")
    view.locator("[data-fl-lineage] [data-fl-node][tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    model = page.locator(".fl-ArtifactView:visible")
    model.locator(".fl-RunHeader-name", has_text="model").wait_for()
    model.locator("[data-fl-uses='sources'] button", has_text="rows").click()
    page.locator(".fl-ArtifactView:visible .fl-RunHeader-name", has_text="rows").wait_for()
    page.locator(".fl-ArtifactView:visible [data-fl-uses='made-by'] button").first.click()
    page.locator(".fl-RunView:visible [data-fl-node='write'][aria-pressed='true']").wait_for()


def test_a_download_is_the_artifact(page):
    view = open_artifact(page, "rows")
    with page.expect_download() as started:
        view.locator("[data-fl-action='download']").click()
    assert started.value.path().read_text().startswith("a,b\n1,2\n")


def test_dark_and_narrow_are_drawn_too(run, lab, browser):
    page = lab.page(browser, width=1000, height=800, dark=True)
    view = open_artifact(page, "curves")
    view.locator("[data-fl-plot='roc'] .vega-embed").wait_for(timeout=WAIT_MS)
    picture(page, "artifact-curves-dark")
    page.set_viewport_size({"width": 640, "height": 800})
    picture(page, "artifact-curves-dark-narrow")
    execute(page, "open-artifacts")
    picture(page, "artifacts-dark-narrow")
    page.context.close()


def open_notebook(lab, browser):
    """Open the example, and wait until all its cells are there."""
    page = lab.page(browser, "digits.ipynb")
    count = len(json.loads((lab.folder / "digits.ipynb").read_text())["cells"])
    page.wait_for_function(
        "count => window.jupyterapp.shell.currentWidget?.content.widgets?.length === count",
        arg=count,
    )
    return page


def sources(page):
    return page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets"
        ".map(cell => cell.model.sharedModel.getSource())"
    )


def values_of(source):
    """Run the code that a row became, as the notebook's kernel would."""
    values = {}
    exec(source, values)
    return values


def test_a_row_is_dragged_into_a_notebook_as_code_that_works(run, lab, browser):
    page = open_notebook(lab, browser)
    before = sources(page)
    page.get_by_role("tab", name="Fairlead").first.click()
    page.locator("[data-fl-section='artifacts'] .fl-Section-button").click()
    page.locator(".fl-ArtifactRows [data-fl-name='model']").wait_for()
    # Going there waits until the row has come to rest: rows above it may still come.
    held = page.locator(f"li[data-fl-run='{run['run_id']}']")
    held.hover(position={"x": 40, "y": 8})
    page.mouse.down()
    row = held.bounding_box()
    cell = page.locator(".jp-Notebook .jp-Cell").nth(1).bounding_box()
    page.mouse.move(row["x"] + 80, row["y"] + 20, steps=4)
    page.mouse.move(cell["x"] + 200, cell["y"] + 12, steps=8)
    picture(page, "drag-light")
    page.mouse.up()
    page.wait_for_function(
        "count => window.jupyterapp.shell.currentWidget.content.widgets.length > count",
        arg=len(before),
    )
    (made,) = [source for source in sources(page) if source not in before]
    assert values_of(made)["run"].run_id == run["run_id"]
    page.context.close()


def test_a_row_becomes_code_by_its_context_menu(run, lab, browser):
    page = open_notebook(lab, browser)
    before = sources(page)
    execute(page, "open-artifacts")
    row = page.locator("tr[data-fl-name='rows']")
    row.locator("[data-fl-action='open-artifact']").focus()
    row.click(button="right")
    page.locator(".lm-Menu-item", has_text="Insert as Code").click()
    page.wait_for_selector(".jp-Notebook:visible")
    page.wait_for_function(
        "count => window.jupyterapp.shell.currentWidget.content.widgets?.length > count",
        arg=len(before),
    )
    (made,) = [source for source in sources(page) if source not in before]
    assert values_of(made)["rows"].read().startswith(b"a,b\n")
    page.context.close()


def test_the_runs_page_shows_what_a_step_made_and_leads_to_it(run, page):
    execute(page, "open-run", run=run["run_id"])
    page.locator("[data-fl-node='write']").first.click()
    page.locator("[data-fl-tab='io']").click()
    ports = page.locator("[data-fl-ports='outputs']")
    ports.locator("[data-fl-port-preview='curves'] .fl-Matrix").wait_for(timeout=WAIT_MS)
    ports.locator("[data-fl-port='rows'] [data-fl-action='show-artifact']").click()
    ports.locator("[data-fl-port-preview='rows'] table.fl-DataTable").wait_for()
    picture(page, "run-outputs-light")
    ports.locator("[data-fl-port='rows'] [data-fl-action='open-artifact']").click()
    page.locator(".fl-ArtifactView:visible .fl-RunHeader-name", has_text="rows").wait_for()


def test_saved_notebooks_show_runs_and_artifacts_without_a_kernel(run, lab, browser):
    shown = Run(connect(), run)
    live = LiveRun.of(shown)
    outputs = [
        _static_forms(live.view()),
        shown.artifacts["write"]["slices"]._repr_mimebundle_(),
        {"text/html": shown.metrics._repr_html_(), "text/plain": ""},
        shown.artifacts["write"]["page"]._repr_mimebundle_(),
    ]
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("run", outputs=[nbformat.v4.new_output("display_data", data)])
        for data in outputs
    ]
    nbformat.write(notebook, lab.folder / "saved.ipynb")
    page = lab.page(browser, "saved.ipynb")
    card = page.locator("[data-fl-card]")
    card.locator("polyline").first.wait_for(timeout=WAIT_MS)
    assert card.locator("polyline").count() == 3
    assert card.locator("table.fl-Matrix").count() == 1
    page.locator(".jp-OutputArea .vega-embed").wait_for(timeout=WAIT_MS)
    picture(page, "saved-light")
    # The notebook was written elsewhere and is not trusted: its frames are not drawn.
    assert page.locator(".jp-OutputArea iframe").count() == 0
    page.context.close()
