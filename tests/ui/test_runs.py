"""Runs of any client in the browser: table, graph with loops and branches, clones, experiments."""

from __future__ import annotations

import pytest
from pictures import picture

from fairlead.client import connect

RUN_MS = 180_000
GRAPH = "[data-fl-dag]"
TABLE = "[data-fl-runtable]"


def container(script):
    return {"container": {"image": "python:3.11", "command": ["sh", "-c", script]}}


def task(component, *after, **more):
    return {
        "componentRef": {"name": component},
        "taskInfo": {"name": component.removeprefix("comp-")},
        "cachingOptions": {"enableCache": True},
        "dependentTasks": list(after),
        **more,
    }


def named(component, name, *after, **more):
    return {**task(component, *after, **more), "taskInfo": {"name": name}}


def pipeline(name="scopes"):
    """make -> (a loop over [work -> check] -> end, a branch that is taken, one that is not)."""
    item = {"inputs": {"parameters": {"word": {"componentInputParameter": "item"}}}}
    text = {"parameterType": "STRING"}
    leaves = ("make", "check", "leaf", "end")
    return {
        "pipelineInfo": {"name": name},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "deploymentSpec": {
            "executors": {
                # The name makes what each pipeline does its own: nothing is cached between tests.
                **{f"exec-{leaf}": container(f"echo {leaf} of {name}") for leaf in leaves},
                "exec-work": container(f"echo {name} works {{{{$.inputs.parameters['word']}}}}"),
            }
        },
        "components": {
            **{f"comp-{leaf}": {"executorLabel": f"exec-{leaf}"} for leaf in leaves},
            "comp-work": {
                "executorLabel": "exec-work",
                "inputDefinitions": {"parameters": {"word": text}},
            },
            "comp-for-loop-1": {
                "dag": {
                    "tasks": {
                        "work": task("comp-work", **item),
                        "check": task("comp-check", "work"),
                    }
                },
                "inputDefinitions": {"parameters": {"item": text}},
            },
            "comp-condition": {"dag": {"tasks": {"leaf": task("comp-leaf")}}},
        },
        "root": {
            "inputDefinitions": {
                "parameters": {
                    "epochs": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3},
                    "rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.1},
                    "verbose": {"parameterType": "BOOLEAN", "defaultValue": False},
                    "layers": {
                        "parameterType": "LIST",
                        "defaultValue": [8, 4],
                        "description": "Sizes of the layers, from the first to the last.",
                    },
                }
            },
            "dag": {
                "tasks": {
                    "make": task("comp-make"),
                    "for-loop-1": task(
                        "comp-for-loop-1",
                        "make",
                        parameterIterator={
                            "itemInput": "item",
                            "items": {"raw": '["a", "b", "c"]'},
                        },
                    ),
                    "condition-2": named(
                        "comp-condition",
                        "condition-2",
                        "make",
                        triggerPolicy={"condition": "1 == 1"},
                    ),
                    "condition-3": named(
                        "comp-condition",
                        "condition-3",
                        "make",
                        triggerPolicy={"condition": "!(1 == 1)"},
                    ),
                    "end": task("comp-end", "for-loop-1"),
                }
            },
        },
    }


def node(step, state=None):
    wanted = f"[data-fl-state='{state}']" if state else ""
    return f"{GRAPH} [data-fl-node='{step}']{wanted}"


def command(page, name, **arguments):
    # Lab may load itself once more to forget its last workspace.
    page.wait_for_function("() => window.jupyterapp?.commands !== undefined")
    page.evaluate(
        "([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments]
    )


@pytest.fixture
def page(lab, browser):
    opened = lab.page(browser)
    yield opened
    opened.context.close()


def start(name, **parameters):
    """Start a run as any client does, without the Jupyter Server."""
    return connect().submit(name, pipeline(name), parameters)["run_id"]


def test_loops_fold_branches_are_drawn_and_the_keyboard_is_enough(page):
    run = start("scopes")
    command(page, "fairlead:open-run", run=run)
    page.wait_for_selector(node("end", "SUCCEEDED"), timeout=RUN_MS)
    page.wait_for_selector(node("for-loop-1", "SUCCEEDED"))
    page.wait_for_selector(node("condition-3", "SKIPPED"))
    page.wait_for_selector(node("condition-2.leaf", "SUCCEEDED"))
    assert page.locator(node("for-loop-1")).get_attribute("aria-expanded") == "false"
    assert "6/6" in page.locator(node("for-loop-1")).inner_text()
    picture(page, "scopes-folded")

    page.locator(node("make")).focus()
    page.keyboard.press("Home")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("make, succeeded, 1 of")
    page.locator(node("for-loop-1")).focus()
    page.keyboard.press("Space")
    page.wait_for_selector(node("for-loop-1.0.work", "SUCCEEDED"))
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.dataset.flNode")
    assert focused == "for-loop-1.0.work"
    page.locator("[data-fl-loop='for-loop-1']").select_option("for-loop-1.2")
    page.locator(node("for-loop-1.2.work")).click()
    page.locator("[data-fl-tab='logs']").click()
    page.locator("[data-fl-log]", has_text="scopes works c").wait_for()
    picture(page, "scopes-open")

    page.locator("[data-fl-dag-search]").fill("check")
    page.keyboard.press("Enter")
    page.wait_for_selector(node("for-loop-1.0.check"))
    page.locator("[data-fl-tab='table']").click()
    page.locator("[data-fl-filter='step']").fill("work")
    page.locator("[data-fl-fact='steps']", has_text="3 of").wait_for()
    picture(page, "steps-table")


def test_a_run_is_cloned_with_other_values_and_rerun_from_a_step(page):
    run = start("cloned")
    command(page, "fairlead:open-run", run=run)
    page.wait_for_selector(node("end", "SUCCEEDED"), timeout=RUN_MS)
    page.locator("[data-fl-runview] [data-fl-action='clone']").click()
    form = page.locator(f"[data-fl-clone='{run}']")
    form.locator("[data-fl-field='epochs'] input").fill("many")
    form.locator("[data-fl-field='epochs'] [role='alert']").wait_for()
    assert form.locator("[data-fl-action='start']").is_disabled()
    form.locator("[data-fl-field='epochs'] input").fill("5")
    form.locator("[data-fl-field='layers'] textarea").fill("[16]")
    form.locator("[data-fl-input='name']").fill("second")
    form.locator("[data-fl-request='yaml']", has_text="epochs: 5").wait_for()
    picture(page, "clone-light")
    form.locator("[data-fl-tab='python']").click()
    form.locator("[data-fl-request='python']", has_text="'epochs': 5").wait_for()
    form.locator("[data-fl-action='start']").click()
    second = page.locator("[data-fl-runview]:visible")
    second.locator("[data-fl-parameter='epochs']", has_text="5").wait_for()
    page.wait_for_selector(f"[data-fl-runview]:not([data-fl-runview='{run}'])")

    command(page, "fairlead:open-run", run=run)
    first = page.locator(f"[data-fl-runview='{run}']")
    first.locator("[data-fl-node='end']").click()
    first.locator("[data-fl-action='rerun']").click()
    third = page.locator(f"[data-fl-runview]:visible:not([data-fl-runview='{run}'])")
    third.locator("[data-fl-node='make'][data-fl-state='CACHED']").wait_for(timeout=RUN_MS)
    third.locator("[data-fl-node='end'][data-fl-state='SUCCEEDED']").wait_for(timeout=RUN_MS)
    third.locator("[data-fl-node='make']").click()
    third.locator("[data-fl-fact='cache-reason']", has_text="Same code").wait_for()


def test_a_rerun_from_a_step_asks_first_where_other_steps_run_too(page):
    spec = pipeline("uncached")
    spec["root"]["dag"]["tasks"]["make"]["cachingOptions"] = {}
    run = connect().submit("uncached", spec, {})["run_id"]
    command(page, "fairlead:open-run", run=run)
    page.wait_for_selector(node("end", "SUCCEEDED"), timeout=RUN_MS)
    shown = page.locator(f"[data-fl-runview='{run}']")
    shown.locator("[data-fl-node='end']").click()
    shown.locator("[data-fl-action='rerun']").click()
    asked = page.locator(".jp-Dialog", has_text="Caching is off for make: it runs again, too.")
    asked.locator(".jp-mod-reject").click()
    asked.wait_for(state="detached")
    command(page, "fairlead:clone-run", run=run, node="end")
    form = page.locator(f"[data-fl-clone='{run}']")
    form.locator("[data-fl-fact='runs-again']", has_text="make").wait_for()
    form.locator("[data-fl-input='rerun-from']").select_option("make")
    form.locator("[data-fl-fact='runs-again']").wait_for(state="detached")


def test_a_run_that_waits_for_another_says_so_until_it_begins(page):
    def spec(name, script):
        made = pipeline(name)
        made["deploymentSpec"]["executors"]["exec-make"] = container(script)
        config = {"pipelineConfig": {"mutexName": "only-one"}}
        return {"pipeline_spec": made, "platform_spec": {"platforms": {"kubernetes": config}}}

    first = connect().submit("holds", spec("holds", "sleep 600"), {})["run_id"]
    second = connect().submit("waits", spec("waits", "echo waited"), {})["run_id"]
    command(page, "fairlead:open-run", run=second)
    told = page.locator(f"[data-fl-runview='{second}'] [data-fl-fact='waits-for']")
    told.filter(has_text=f"Waits for the mutex 'only-one', after run {first}.").wait_for()
    connect().terminate(first)
    page.wait_for_selector(node("make", "SUCCEEDED"), timeout=RUN_MS)
    told.wait_for(state="detached")


def test_the_table_of_runs_is_live_filtered_and_acts_on_many(page):
    start("one")
    page.get_by_role("tab", name="Fairlead").first.click()
    page.locator("[data-fl-action='open-runs']").click()
    rows = page.locator(f"{TABLE} [data-fl-run]")
    page.locator(f"{TABLE} [data-fl-name='one'][data-fl-state='SUCCEEDED']").wait_for(
        timeout=RUN_MS
    )
    # Somebody else starts another: it comes by itself.
    start("two")
    page.locator(f"{TABLE} [data-fl-name='two'][data-fl-state='SUCCEEDED']").wait_for(
        timeout=RUN_MS
    )
    picture(page, "runs-light")
    page.locator("[data-fl-filter='name']").fill("on")
    page.wait_for_function(
        f"() => document.querySelectorAll(\"{TABLE} [data-fl-name='two']\").length === 0"
    )
    page.locator("[data-fl-filter='name']").fill("")
    page.locator(f"{TABLE} [data-fl-name='two']").wait_for()
    page.locator(f"{TABLE} [data-fl-sort='name']").click()
    page.wait_for_selector(f"{TABLE} th[aria-sort='ascending'] [data-fl-sort='name']")

    page.locator(f"{TABLE} [data-fl-name='two'] input").check()
    page.locator("[data-fl-bulk='archive']").click()
    page.locator(f"{TABLE} [data-fl-name='two']").wait_for(state="detached")
    page.locator("[data-fl-filter='archived']").check()
    page.locator(f"{TABLE} [data-fl-name='two'] input").check()
    page.locator("[data-fl-bulk='delete']").click()
    page.locator(".jp-Dialog .jp-mod-warn").click()
    page.locator(f"{TABLE} [data-fl-name='two']").wait_for(state="detached")
    page.locator("[data-fl-filter='archived']").uncheck()
    page.locator(f"{TABLE} [data-fl-name='one']").wait_for()
    assert rows.count() >= 1

    page.locator(f"{TABLE} [data-fl-tab='experiments']").click()
    page.locator("[data-fl-action='new-experiment']").click()
    page.locator(".jp-Dialog input").fill("tries")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.locator("[data-fl-experiment='tries']").wait_for()
    picture(page, "experiments-light")
    page.locator("[data-fl-experiment='tries'] [data-fl-action='show-runs']").click()
    page.locator(f"{TABLE} [data-fl-message='empty']").wait_for()


def test_table_form_and_scopes_are_drawn_dark_and_narrow(lab, browser):
    run = start("narrow")
    page = lab.page(browser, width=760, height=800, dark=True)
    command(page, "fairlead:open-runs")
    page.locator(f"{TABLE} [data-fl-name='narrow'][data-fl-state='SUCCEEDED']").wait_for(
        timeout=RUN_MS
    )
    picture(page, "runs-dark-narrow")
    command(page, "fairlead:clone-run", run=run)
    page.locator("[data-fl-request='yaml']", has_text="pipeline_spec").wait_for()
    picture(page, "clone-dark-narrow")
    command(page, "fairlead:open-run", run=run)
    page.wait_for_selector(node("end", "SUCCEEDED"))
    page.locator(node("for-loop-1")).focus()
    page.keyboard.press("Space")
    page.wait_for_selector(node("for-loop-1.0.work", "SUCCEEDED"))
    picture(page, "scopes-dark-narrow")
    # The main area as narrow as a sidebar may be.
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": 400, "height": 700})
    picture(page, "scopes-dark-320")
    command(page, "fairlead:open-runs")
    page.locator(f"{TABLE} [data-fl-name='narrow']").wait_for()
    picture(page, "runs-dark-320")
    command(page, "fairlead:clone-run", run=run)
    form = page.locator(f"[data-fl-clone='{run}']")
    form.locator("[data-fl-action='start']").wait_for()
    picture(page, "clone-dark-320")
    assert form.evaluate("form => form.scrollWidth <= form.clientWidth")
    page.context.close()
