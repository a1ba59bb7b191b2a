"""Steps edited in the notebook: in their chips, in the property inspector, and seen in the spec."""

from __future__ import annotations

import nbformat
import pytest
from pictures import picture

from fairlead.pipelines import compile_notebook


@pytest.fixture
def lab(shared_lab):
    """One Lab for all tests of this file."""
    return shared_lab


@pytest.fixture
def notebook(lab):
    """A notebook of three steps by tags."""
    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell("rows = list(range(10))", metadata={"tags": ["step:load"]}),
        nbformat.v4.new_code_cell("total = sum(rows)", metadata={"tags": ["step:add_up"]}),
        nbformat.v4.new_code_cell("mean = total / len(rows)"),
        nbformat.v4.new_code_cell(
            "print(mean)", metadata={"tags": ["step:report", "after:add_up"]}
        ),
    ]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path = lab.folder / "steps.ipynb"
    nbformat.write(made, path)
    return path


@pytest.fixture
def page(lab, browser, notebook):
    opened = lab.page(browser, "steps.ipynb")
    opened.wait_for_selector("[data-fl-chip='add-up'] .fl-Chip-face")
    return opened


def chip(page, step):
    return page.locator(f"[data-fl-chip='{step}'] .fl-Chip-face")


def field(page, name):
    return page.locator(f"[data-fl-chip-editor] [data-fl-field='{name}'] input")


def saved(page, notebook):
    page.evaluate("window.jupyterapp.shell.currentWidget.context.save().then(() => null)")
    return nbformat.read(notebook, 4)


def tags(notebook):
    return [cell.metadata.get("tags", []) for cell in notebook.cells]


def test_what_is_edited_in_a_chip_stands_in_the_spec(page, notebook):
    chip(page, "add-up").click()
    page.locator("[data-fl-chip-editor] [data-fl-field='name'] input:focus").wait_for()
    page.keyboard.type("total")
    page.keyboard.press("Tab")
    page.locator("[data-fl-chip-editor] [data-fl-field='after'] input:focus").wait_for()
    field(page, "cpu").fill("2")
    picture(page, "chip-editor-light")
    field(page, "memory").fill("512Mi")
    page.keyboard.press("Enter")
    page.locator("[data-fl-chip='total'] .fl-Chip-face:focus", has_text="memory 512Mi").wait_for()
    picture(page, "chip-edited-light")

    found = saved(page, notebook)
    assert tags(found) == [["step:load"], ["step:total"], [], ["step:report", "after:total"]]
    spec = compile_notebook(found, name="steps")
    assert spec["root"]["dag"]["tasks"]["report"]["dependentTasks"] == ["total"]
    label = spec["components"]["comp-total"]["executorLabel"]
    resources = spec["deploymentSpec"]["executors"][label]["container"]["resources"]
    assert (resources["resourceCpuLimit"], resources["resourceMemoryLimit"]) == ("2", "512Mi")

    # Undone as any change of the notebook is: Z in command mode.
    page.locator(".jp-Notebook .jp-Cell.jp-mod-active .jp-InputPrompt").click()
    for _ in range(3):
        page.keyboard.press("z")
    chip(page, "add-up").wait_for()
    assert saved(page, notebook).cells[1].metadata == {"tags": ["step:add_up"]}
    assert tags(saved(page, notebook))[3] == ["step:report", "after:add_up"]


def setting(page, name):
    return page.locator(f"[data-fl-setting='{name}'] > :is(input, textarea)")


def opened(page, group):
    """Unfold a group of settings."""
    page.locator(f"[data-fl-group='{group}'] > summary").click()


def test_all_settings_of_the_active_cells_step_are_edited_in_the_property_inspector(page, notebook):
    chip(page, "add-up").press("F2")
    page.locator("[data-fl-action='step-settings']").click()
    page.locator("[data-fl-step-settings='add-up']").wait_for()
    page.locator(".jp-Notebook .jp-Cell", has_text="mean = total").click()
    page.locator("[data-fl-step-settings='add-up']").wait_for()
    opened(page, "running")
    setting(page, "timeout").fill("30m")
    setting(page, "retries_maxRetryCount").fill("2")
    opened(page, "environment")
    setting(page, "env").fill("MODE=fast\nEMPTY=")
    setting(page, "packages").fill("pandas==2.2.1")
    page.locator("[data-fl-setting='secrets'] [data-fl-action='add']").click()
    setting(page, "secrets_0_secret").fill("token")
    setting(page, "secrets_0_path").fill("/mnt/token")
    setting(page, "resources").fill("cpu=many")
    setting(page, "timeout").click()
    alert = page.locator("[data-fl-setting='resources'] [role='alert']")
    alert.filter(has_text="many").wait_for()
    picture(page, "inspector-light")
    setting(page, "resources").fill("cpu=2")
    setting(page, "timeout").click()
    alert.wait_for(state="detached")

    found = saved(page, notebook)
    assert found.cells[1].metadata == {
        "tags": ["step:add_up"],
        "fairlead": {
            "timeout": "30m",
            "retries": 2,
            "env": {"MODE": "fast", "EMPTY": ""},
            "packages": ["pandas==2.2.1"],
            "secrets": [{"secret": "token", "path": "/mnt/token"}],
            "resources": {"cpu": "2"},
        },
    }
    page.locator("[data-fl-chip='report'] .fl-Chip-face").click()
    page.locator("[data-fl-step-settings='report']").wait_for()
    page.wait_for_function(
        "document.querySelector(`[data-fl-setting='after'] textarea`).value === 'add_up'"
    )


def test_the_graph_of_the_notebook_follows_what_is_typed_and_leads_to_its_cells(page):
    page.evaluate("window.jupyterapp.shell.activateById('jp-property-inspector')")
    graph = page.locator(".fl-PipelineTool")
    names = ".fl-PipelineTool [data-fl-node]"
    page.locator(names).nth(2).wait_for()
    page.locator(".jp-Notebook .jp-Cell", has_text="print(mean)").click()
    page.locator(f"{names}[data-fl-node='report'][aria-pressed='true']").wait_for()
    picture(page, "graph-light")
    editor = page.locator(".jp-Notebook .jp-Cell .cm-content", has_text="print(mean)")
    editor.click()
    page.keyboard.press("End")
    page.keyboard.type("; print(rows)")
    page.locator(".fl-PipelineTool .fl-Dag-edge").nth(2).wait_for(state="attached")

    graph.locator("[data-fl-node='load']").click()
    page.locator(".jp-Notebook .jp-Cell.jp-mod-active", has_text="range(10)").wait_for()
    page.keyboard.press("ArrowDown")
    page.locator(".jp-Notebook .jp-Cell.jp-mod-active", has_text="sum(rows)").wait_for()
    page.keyboard.press("Enter")
    page.locator(".jp-Notebook .jp-Cell.jp-mod-active:focus", has_text="sum(rows)").wait_for()


def test_a_chip_is_edited_without_a_mouse(page, notebook):
    page.locator(".jp-Notebook .jp-Cell", has_text="mean = total").locator(
        ".jp-InputPrompt"
    ).click()
    page.keyboard.press("F2")
    page.locator("[data-fl-chip-editor='add_up'] [data-fl-field='name'] input:focus").wait_for()
    page.keyboard.type("load")
    page.keyboard.press("Enter")
    page.locator("[data-fl-error-of='name']:visible", has_text="Another step").wait_for()
    page.keyboard.press("Escape")
    face = page.locator("[data-fl-chip='add-up'] .fl-Chip-face:focus")
    face.wait_for()
    assert face.get_attribute("aria-label") == "Edit Step add-up; reads rows; writes mean"
    page.keyboard.press("Tab")
    page.locator("[data-fl-chip='add-up'] .fl-Chip-menu:focus").wait_for()
    page.keyboard.press("Enter")
    page.locator(".lm-Menu-item", has_text="Edit Step").wait_for()
    page.keyboard.press("Escape")
    page.locator("[data-fl-chip='add-up'] .fl-Chip-menu:focus").wait_for()
    assert saved(page, notebook).cells[1].metadata == {"tags": ["step:add_up"]}


def test_a_cell_is_made_a_step_joined_and_skipped_by_commands(page, notebook):
    page.locator(".jp-Notebook .jp-Cell", has_text="mean = total").locator(
        ".jp-InputPrompt"
    ).click()
    page.evaluate("() => void window.jupyterapp.commands.execute('fairlead:make-step')")
    page.locator(".jp-Dialog input").fill("average")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.locator("[data-fl-chip='average']").wait_for()
    assert tags(saved(page, notebook))[2] == ["step:average"]

    page.locator("[data-fl-chip='average'] .fl-Chip-menu").click()
    picture(page, "chip-menu-light")
    page.locator(".lm-Menu-item", has_text="Join Step Before").click()
    page.locator("[data-fl-chip='average']").wait_for(state="detached")
    assert tags(saved(page, notebook))[2] == []

    page.locator("[data-fl-chip='add-up'] .fl-Chip-menu").click()
    page.locator(".lm-Menu-item", has_text="Skip Cell").click()
    page.locator("[data-fl-problem='total']").first.wait_for()
    assert tags(saved(page, notebook))[1:3] == [["skip"], ["step:add_up"]]


@pytest.mark.parametrize("width", [1000, 760])
def test_chips_and_settings_in_dark_and_narrow(lab, browser, notebook, width):
    page = lab.page(browser, "steps.ipynb", width=width, height=800, dark=True)
    chip(page, "add-up").wait_for()
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    page.evaluate("window.jupyterapp.shell.activateById('jp-property-inspector')")
    page.locator("[data-fl-step-settings]").wait_for()
    chip(page, "report").click()
    field(page, "cpu").fill("many")
    page.keyboard.press("Tab")
    page.locator("[data-fl-error-of='cpu']:visible").wait_for()
    picture(page, f"steps-dark-{width}")
    for part in (".fl-StepTool", ".fl-ChipEditor"):
        assert page.locator(part).evaluate("one => one.scrollWidth <= one.clientWidth + 1"), part


def run_all(page):
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")


def test_the_kernel_tells_the_size_of_values_and_which_cannot_travel(lab, browser):
    made = nbformat.v4.new_notebook()
    source = "rows = bytes(1_200_000)\nbox = {'at': ctypes.pointer(ctypes.c_int(1))}"
    made.cells = [
        nbformat.v4.new_code_cell("import ctypes", metadata={"tags": ["imports"]}),
        nbformat.v4.new_code_cell("seed = 1", metadata={"tags": ["step:load"]}),
        nbformat.v4.new_code_cell(source),
        nbformat.v4.new_code_cell("print(len(rows), len(box))", metadata={"tags": ["step:use"]}),
    ]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, lab.folder / "live.ipynb")
    page = lab.page(browser, "live.ipynb")
    chip(page, "load").wait_for()
    run_all(page)
    page.locator(".fl-Chip-size", has_text="1.2 MB").wait_for()
    note = page.locator(".fl-Note[data-fl-problem='box']")
    note.filter(has_text="it is a dict that holds a LP_c_int").wait_for()
    page.locator(".fl-Underline.fl-mod-warning", has_text="box").wait_for()
    picture(page, "live-light")

    page.get_by_role("button", name="Run as pipeline").first.click()
    dialog = page.locator(".jp-Dialog", has_text="would not travel well")
    dialog.wait_for()
    picture(page, "live-dialog-light")
    dialog.get_by_role("button", name="Show the first").click()
    page.locator(".jp-Cell.jp-mod-active", has_text="box = {").wait_for()
    assert page.locator("[data-fl-dag] [data-fl-state='RUNNING']").count() == 0

    # Asked silently: no cell has another number for it.
    run_all(page)
    page.locator(".jp-InputPrompt", has_text="[8]:").wait_for()
