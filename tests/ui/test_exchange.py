"""Pipelines in and out of the browser: files that run, and exports."""

from __future__ import annotations

import json

import nbformat
import pytest
from pictures import picture

RUN_MS = 180_000


@pytest.fixture
def lab(shared_lab):
    """One Lab for all tests of this file."""
    return shared_lab


@pytest.fixture
def folder(lab):
    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["step:first"]}),
        nbformat.v4.new_code_cell("y = x + 1", metadata={"tags": ["step:second"]}),
    ]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, lab.folder / "story.ipynb")
    (lab.folder / "hello.py").write_text("print('hello')\n")
    data = {"component_parameters": {"filename": "hello.py"}, "ui_data": {"label": "Say hello"}}
    node = {"id": "1", "type": "execution_node", "op": "execute-python-node", "app_data": data}
    flow = {"id": "p", "nodes": [node], "app_data": {"version": 8, "properties": {}}}
    pipeline = {"primary_pipeline": "p", "pipelines": [flow]}
    (lab.folder / "greet.pipeline").write_text(json.dumps(pipeline))
    # The same, with what Fairlead cannot do.
    data["component_parameters"]["priority"] = "high"
    flow["app_data"]["properties"]["pipeline_defaults"] = {"cos_object_prefix": "team/a"}
    (lab.folder / "told.pipeline").write_text(json.dumps(pipeline))
    return lab.folder


def test_a_pipeline_of_elyra_runs_from_the_file_browser(folder, lab, browser):
    page = lab.page(browser, "story.ipynb")
    page.locator(".jp-DirListing-item", has_text="hello.py").click(button="right")
    page.locator(".lm-Menu").wait_for()
    assert page.locator("[data-command='fairlead:run-file']:visible").count() == 0
    page.keyboard.press("Escape")
    page.locator(".jp-DirListing-item", has_text="greet.pipeline").click(button="right")
    page.locator("[data-command='fairlead:run-file']").click()
    page.wait_for_selector(
        "[data-fl-dag] [data-fl-node='say-hello'][data-fl-state='SUCCEEDED']", timeout=RUN_MS
    )
    picture(page, "elyra-light")


def test_what_of_a_pipeline_has_no_effect_is_told_when_it_runs_and_when_it_is_exported(
    folder, lab, browser
):
    page = lab.page(browser, "story.ipynb")

    def choose(command):
        page.locator(".jp-DirListing-item", has_text="told.pipeline").click(button="right")
        page.locator(f"[data-command='{command}']:visible").click()

    def listed():
        dialog = page.locator(".jp-Dialog", has_text="What of told.pipeline has no effect")
        dialog.wait_for()
        found = dialog.locator("[data-fl-problem]").all_inner_texts()
        return dialog, found

    choose("fairlead:export-file")
    form = page.locator(".fl-ExportForm")
    form.wait_for()
    formats = form.locator("[data-fl-field='format'] option")
    assert formats.evaluate_all("all => all.map(one => one.value)") == ["ir", "kustomize"]
    page.get_by_role("button", name="Export", exact=True).click()
    said = page.locator(
        ".Toastify__toast", has_text="Wrote told.yaml. 2 things of it have no effect"
    )
    said.get_by_role("button", name="Show").click()
    dialog, found = listed()
    assert "Node 'Say hello': `priority` has no effect" in found[1]
    dialog.get_by_role("button", name="Close").click()
    choose("fairlead:run-file")
    said = page.locator(".Toastify__toast", has_text="told.pipeline was started. 2 things of it")
    said.wait_for()
    picture(page, "told-toast-light")
    said.get_by_role("button", name="Show").click()
    dialog, found = listed()
    assert found[0].startswith("`pipeline_defaults.cos_object_prefix` has no effect")
    assert found[1].startswith("Node Say hello")
    picture(page, "told-light")


def test_what_has_no_effect_is_drawn_in_the_dark_and_narrow(folder, lab, browser):
    page = lab.page(browser, "story.ipynb", width=320, height=700, dark=True)
    page.wait_for_function(
        "window.jupyterapp?.commands.isEnabled('fairlead:run-file', {path: 'x'})"
    )
    page.evaluate(
        "void window.jupyterapp.commands.execute('fairlead:run-file', {path: 'told.pipeline'})"
    )
    said = page.locator(".Toastify__toast", has_text="told.pipeline was started.")
    said.wait_for()
    picture(page, "told-toast-dark-narrow")
    said.get_by_role("button", name="Show").click()
    dialog = page.locator(".jp-Dialog-content", has_text="What of told.pipeline has no effect")
    dialog.wait_for()
    picture(page, "told-dark-narrow")
    box = dialog.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320


def test_a_notebooks_pipeline_is_exported_beside_it_and_overwritten_only_when_told(
    folder, lab, browser
):
    page = lab.page(browser, "story.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")

    def export(format_, name):
        page.locator(".jp-Notebook .jp-Cell").first.click(button="right")
        page.locator("[data-command='fairlead:export-pipeline']").click()
        form = page.locator(".fl-ExportForm")
        form.wait_for()
        form.locator("[data-fl-field='format']").select_option(format_)
        assert form.locator("[data-fl-field='name']").input_value() == name
        picture(page, f"export-{format_}-light")
        page.get_by_role("button", name="Export", exact=True).click()

    export("kfp", "story_pipeline.py")
    page.get_by_text("Wrote story_pipeline.py.").first.wait_for()
    assert "def second(" in (folder / "story_pipeline.py").read_text()
    (folder / "story_pipeline.py").write_text("mine\n")
    export("kfp", "story_pipeline.py")
    dialog = page.locator(".jp-Dialog", has_text="Overwrite story_pipeline.py?")
    dialog.wait_for()
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="detached")
    assert (folder / "story_pipeline.py").read_text() == "mine\n"
    export("share", "story.zip")
    page.get_by_text("Its digest is sha256:").first.wait_for()
    assert (folder / "story.zip").is_file()


def test_the_export_form_is_drawn_in_the_dark_and_narrow(folder, lab, browser):
    page = lab.page(browser, "story.ipynb", width=420, height=700, dark=True)
    page.wait_for_selector(".jp-Notebook")
    page.wait_for_function("window.jupyterapp?.commands.isEnabled('fairlead:export-pipeline')")
    # Not waited for: it ends when the form is closed.
    page.evaluate("void window.jupyterapp.commands.execute('fairlead:export-pipeline')")
    form = page.locator(".fl-ExportForm")
    form.wait_for()
    picture(page, "export-dark-narrow")
    box = form.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 420
