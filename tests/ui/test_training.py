"""Training jobs in the browser: listed live, opened, read, suspended, resumed and deleted."""

from __future__ import annotations

import pytest
from pictures import picture

from fairlead.kube import KubeClient

SOURCE = """
import os, sys, time
node = os.environ['PET_NODE_RANK']
for step in range(3):
    print('node', node, 'step', step, flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
sys.exit(int(node) * 3)
"""


def command(page, name, /, **arguments):
    page.wait_for_function("() => window.jupyterapp?.commands !== undefined")
    page.evaluate(
        "([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments]
    )


@pytest.fixture
def page(lab, browser):
    opened = lab.page(browser)
    yield opened
    opened.context.close()


@pytest.fixture
def start(lab):
    """Starts a job of two nodes; when its file is there they end, the second one badly."""
    kube = KubeClient()
    kind = kube.resource_type("trainer.kubeflow.org/v1alpha1", "TrainJob")

    def create(name):
        file = lab.folder / f"{name}.end"
        trainer = {"numNodes": 2, "command": ["python", "-c", SOURCE, str(file)]}
        manifest = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"runtimeRef": {"name": "torch-distributed"}, "trainer": trainer},
        }
        kube.create(manifest, "default")
        return file

    return create


def test_a_job_is_followed_read_and_deleted(page, start):
    command(page, "fairlead:show-panel")
    section = page.locator("[data-fl-section='training']")
    section.locator("[data-fl-message='empty']", has_text="%%train").wait_for()
    file = start("digits")
    row = section.locator("[data-fl-job]", has_text="digits")
    row.locator("[data-fl-progress='2/2']").wait_for()
    row.locator(".fl-RunRow-main").click()
    view = page.locator("[data-fl-jobview]")
    view.locator("[data-fl-fact='job-state']", has_text="Running").wait_for()
    view.locator(".fl-Log-line", has_text="[node-1] node 1 step 2").wait_for()
    picture(page, "training-light")
    # One replica alone, by the keyboard.
    view.locator("[data-fl-replica] button").first.focus()
    page.keyboard.press("Enter")
    view.locator("[data-fl-tab='logs']", has_text="digits-node-0-0").wait_for()
    assert "node 1" not in view.locator(".fl-Log-text").inner_text()
    file.touch()
    view.locator("[data-fl-error='job']", has_text="exit code 3").wait_for()
    section.locator("[data-fl-job][data-fl-state='FAILED']").wait_for()
    view.locator("[data-fl-tab='events']").click()
    view.locator("[data-fl-event='Started']").first.wait_for()
    view.locator("[data-fl-tab='manifest']").click()
    view.locator("[data-fl-manifest]", has_text="numNodes: 2").wait_for()
    page.set_viewport_size({"width": 760, "height": 700})
    view.locator("[data-fl-tab='logs']").click()
    picture(page, "training-failed-narrow")
    view.locator("[data-fl-action='delete']").click()
    page.locator(".jp-Dialog", has_text="Delete the TrainJob digits?").wait_for()
    page.locator(".jp-Dialog button.jp-mod-warn").click()
    view.locator("[data-fl-message='empty']", has_text="This job was deleted.").wait_for()
    section.locator("[data-fl-message='empty']").wait_for()


def test_a_job_is_suspended_and_resumed_from_its_row(lab, browser, start):
    page = lab.page(browser, width=1300, height=900, dark=True)
    command(page, "fairlead:show-panel")
    file = start("patient")
    row = page.locator("[data-fl-section='training'] [data-fl-job]", has_text="patient")
    row.locator("[data-fl-progress='2/2']").wait_for()
    row.hover()
    row.locator("[data-fl-action='suspend']").click()
    # The verbs of a row stand over its numbers.
    job = "[data-fl-job][data-fl-state='%s'] [data-fl-progress='%s']"
    page.locator(job % ("SUSPENDED", "0/2")).wait_for(state="attached")
    picture(page, "training-suspended-dark")
    row.hover()
    row.locator("[data-fl-action='resume']").click()
    page.locator(job % ("RUNNING", "2/2")).wait_for(state="attached")
    file.touch()
    page.locator("[data-fl-job][data-fl-state='FAILED']").wait_for()
    row.locator(".fl-RunRow-main").click()
    page.locator("[data-fl-jobview] [data-fl-error='job']").wait_for()
    picture(page, "training-failed-dark")
    row.locator(".fl-RunRow-main").focus()
    page.keyboard.press("Delete")
    page.locator(".jp-Dialog button.jp-mod-warn").click()
    row.wait_for(state="detached")
