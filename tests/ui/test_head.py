"""The head of the sidebar in the browser: where things go, how it is there, and how to switch."""

from __future__ import annotations

import pytest
from pictures import picture

from fairlead.kube import KubeClient
from fairlead.kube.types import PODS, RESOURCE_QUOTAS

WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/kubeflow/workflows"
HEAD = "[data-fl-panel='fairlead'] [data-fl-context]"


@pytest.fixture(autouse=True)
def kubeconfig(api_proxy, tmp_path, monkeypatch, data_dir):
    """Contexts beside the local one: two names for the plane behind the proxy, and one away."""
    contexts = {"team": "default", "lab": "kube-system", "away": "default"}
    monkeypatch.setenv("KUBECONFIG", str(api_proxy.kubeconfig(tmp_path / "kube", contexts)))
    yield
    (data_dir / "context.json").unlink(missing_ok=True)


def show_panel(page):
    page.keyboard.press("Alt+Shift+F")
    page.wait_for_selector(f"{HEAD}[data-fl-health='ok']")


def widen(page, width):
    """Give the sidebar a width by dragging its edge."""
    panel = page.locator("#jp-left-stack").bounding_box()
    edge = panel["x"] + panel["width"] + 2
    page.mouse.move(edge, 600)
    page.mouse.down()
    page.mouse.move(panel["x"] + width, 600, steps=4)
    page.mouse.up()


def at(page, context, namespace):
    """Wait until the head shows where things go."""
    page.wait_for_selector(
        f"{HEAD}[data-fl-context='{context}'][data-fl-namespace='{namespace}'][data-fl-health='ok']"
    )


def until(page, holds):
    """Wait for what is not on the page."""
    for _ in range(900):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come to be")


def used(page, name):
    return float(page.locator(f"[data-fl-meter='{name}']").get_attribute("data-fl-used"))


def drawn(page, name):
    """Wait until a bar, which moves into its place, is as long as what it tells."""
    page.wait_for_function(
        """name => {
          const { dataset, ariaValueMax, firstElementChild } = document.querySelector(
            `[data-fl-meter='${name}']`
          );
          const bar = firstElementChild.nextElementSibling;
          const wanted = Math.max(2, bar.clientWidth * Math.min(1, dataset.flUsed / ariaValueMax));
          return wanted > 0 && Math.abs(bar.firstElementChild.offsetWidth - wanted) <= 1;
        }""",
        arg=name,
    )


def quota(name, **hard):
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name},
        "spec": {"hard": hard},
    }


def pod(name, **requests):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "main",
                    "image": "python:3.11",
                    "command": ["python", "-c", "import time; time.sleep(600)"],
                    "resources": {"requests": requests},
                }
            ],
        },
    }


def test_bars_follow_the_pods_and_the_switch_goes_by_keyboard(lab, browser):
    page = lab.page(browser, "digits.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    show_panel(page)
    page.wait_for_selector("[data-fl-meter='cpu']")
    before = used(page, "cpu")
    kube = KubeClient("local")
    kube.create(pod("busy", cpu="1", memory="512Mi"))
    page.wait_for_function(
        "before => +document.querySelector('[data-fl-meter=cpu]').dataset.flUsed === before + 1",
        arg=before,
    )
    cpu = page.locator("[data-fl-meter='cpu']")
    assert cpu.get_attribute("role") == "meter"
    assert "CPU" in cpu.get_attribute("aria-valuetext")
    drawn(page, "cpu")
    picture(page, "head-light")
    kube.delete(PODS, "busy", "default")
    page.wait_for_function(
        "before => +document.querySelector('[data-fl-meter=cpu]').dataset.flUsed === before",
        arg=before,
    )

    kube.create(quota("small", **{"requests.cpu": "4"}))
    page.wait_for_selector("[data-fl-meter='cpu'][data-fl-quota='true'][aria-valuemax='4']")
    assert "quota of default" in cpu.get_attribute("title")
    picture(page, "quota-light")
    kube.delete(RESOURCE_QUOTAS, "small", "default")
    page.wait_for_selector("[data-fl-meter='cpu'][data-fl-quota='false']")

    # A click on what opened it closes it, and so does one elsewhere.
    switch = page.locator("[data-fl-switch]")
    for elsewhere in (HEAD, ".jp-Notebook .jp-Cell"):
        page.locator(HEAD).click()
        switch.wait_for()
        page.locator(".fl-Switch-title").first.click()
        assert switch.is_visible()
        page.locator(elsewhere).first.click()
        switch.wait_for(state="detached")

    # Lab activates what it opens by itself, which takes the focus: who has just opened it stays.
    page.locator(HEAD).click()
    page.wait_for_selector("[data-fl-choice='kube-system']")
    page.evaluate("window.jupyterapp.shell.currentWidget.activate()")
    page.wait_for_function("() => document.activeElement.closest('.jp-Notebook') !== null")
    assert switch.is_visible()
    page.locator(".fl-Switch-filter").click()
    page.keyboard.press("Escape")
    switch.wait_for(state="detached")

    # By keyboard, also when another sidebar is shown.
    page.get_by_role("tab", name="File Browser").first.click()
    page.keyboard.press("Alt+Shift+N")
    switch.wait_for()
    page.wait_for_selector("[data-fl-choice='kube-system']")
    picture(page, "switch-light")
    page.keyboard.type("kube-sy")
    page.keyboard.press("Enter")
    at(page, "local", "kube-system")
    switch.wait_for(state="detached")
    page.wait_for_function("document.activeElement.dataset.flContext === 'local'")

    page.keyboard.press("Enter")
    page.wait_for_selector("[data-fl-choice='away'] .fl-Switch-problem")
    picture(page, "switch-contexts-light")
    page.locator("[data-fl-choice='away']").click()
    page.wait_for_selector("[data-fl-switch] [role='alert']")
    picture(page, "switch-refused-light")
    page.keyboard.press("Escape")
    switch.wait_for(state="detached")
    at(page, "local", "kube-system")

    page.keyboard.press("Enter")
    page.wait_for_selector("[data-fl-choice='team']")
    page.keyboard.type("team")
    page.keyboard.press("Enter")
    at(page, "team", "default")
    page.reload()
    at(page, "team", "default")


def test_two_pages_go_along_and_the_palette_has_every_verb(lab, browser):
    page = lab.page(browser, dark=True)
    show_panel(page)
    other = page.context.new_page()
    # In a workspace of its own, or Lab sends it there while a test has begun to look.
    other.goto(f"{lab.url}/lab/workspaces/other")
    lab.ready(other)
    show_panel(other)
    page.bring_to_front()
    page.keyboard.press("Control+Shift+C")
    page.keyboard.type("Fairlead")
    palette = page.locator(".lm-CommandPalette-item")
    for verb in (
        "Show Fairlead",
        "Switch Context…",
        "Switch Namespace…",
        "Refresh",
        "Open Run",
        "Stop Run",
        "Retry Run",
        "Delete Run…",
        "Run as pipeline",
    ):
        palette.filter(has_text=verb).first.wait_for(state="attached")
    picture(page, "palette-dark")
    page.keyboard.press("Escape")
    page.evaluate(
        "window.jupyterapp.commands.execute('fairlead:switch-context', {context: 'team'})"
    )
    for one in (page, other):
        at(one, "team", "default")
    page.locator(HEAD).click()
    page.locator("[data-fl-choice='lab']").click()
    for one in (page, other):
        at(one, "lab", "kube-system")
    picture(page, "switched-dark")
    widen(page, 620)
    page.locator(HEAD).click()
    page.wait_for_selector("[data-fl-choice='away'] .fl-Switch-problem")
    picture(page, "switch-dark-wide")


def test_what_a_cluster_lacks_or_forbids_is_greyed_with_the_reason(lab, browser, api_proxy):
    page = lab.page(browser, width=1000, height=700, dark=True)
    show_panel(page)
    widen(page, 320)
    section = page.locator("[data-fl-section='runs']")
    assert section.get_attribute("data-fl-missing") == "false"
    api_proxy.denied.append({"verb": "create", "resource": "services", "subresource": "proxy"})
    page.locator(HEAD).click()
    page.locator("[data-fl-choice='team']").click()
    at(page, "team", "default")
    add = page.locator("[data-fl-action='add-runs'][aria-disabled='true']")
    add.wait_for()
    assert "You may not create services/proxy" in add.get_attribute("title")
    picture(page, "forbidden-dark-320")
    api_proxy.refused["GET .*/workflows$"] = 403
    page.locator(HEAD).click()
    page.locator("[data-fl-choice='kubeflow']").click()
    at(page, "team", "kubeflow")
    trouble = section.locator("[data-fl-trouble='error']")
    trouble.wait_for()
    assert "forbidden" in trouble.inner_text()
    picture(page, "unfollowed-dark-320")
    api_proxy.refused.clear()
    api_proxy.hidden.add("argoproj.io")
    page.locator(HEAD).click()
    page.locator("[data-fl-choice='lab']").click()
    at(page, "lab", "kube-system")
    page.wait_for_selector("[data-fl-section='runs'][data-fl-missing='true']")
    assert "Workflow" in section.locator(".fl-Section-missing").inner_text()
    picture(page, "missing-dark-320")


def test_trouble_is_told_in_words_and_what_was_known_stays(lab, browser, api_proxy):
    page = lab.page(browser, width=1000, height=700)
    show_panel(page)
    widen(page, 320)
    page.locator(HEAD).click()
    page.locator("[data-fl-choice='team']").click()
    at(page, "team", "default")
    page.wait_for_selector("[data-fl-meter='cpu']")
    api_proxy.refused["."] = 401
    api_proxy.cut()
    trouble = page.locator("[data-fl-trouble='error']")
    trouble.wait_for()
    assert "log in again" in trouble.inner_text()
    assert page.locator(".fl-Meters").get_attribute("data-fl-stale") == "true"
    picture(page, "refused-light-320")
    api_proxy.refused["."] = 503
    page.wait_for_selector("[data-fl-trouble='reconnecting']")
    picture(page, "reconnecting-light-320")
    api_proxy.refused.clear()
    at(page, "team", "default")
    trouble.wait_for(state="detached")

    # What nobody looks at is not watched: the usage while the panel is hidden, and then the rest.
    watched = api_proxy.watches
    until(page, lambda: watched["/api/v1/pods"] == 1)
    page.get_by_role("tab", name="File Browser").first.click()
    until(page, lambda: not watched["/api/v1/pods"] and watched[WORKFLOWS] == 1)
    other = page.context.browser.new_page()
    page.context.close()
    until(other, lambda: not api_proxy.watches)
    other.close()
