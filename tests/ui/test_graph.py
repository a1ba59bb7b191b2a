"""The graph of a run in the browser: scopes of every kind, and a thousand tasks."""

from __future__ import annotations

import itertools
import os
import subprocess

import pytest
import yaml
from graphs import GATE, layers, names, waiting_pipeline
from pictures import picture
from scopes import KFP_SOURCE, scopes_pipeline

from fairlead.client import connect

RUN_MS = 180_000
GRAPH = "[data-fl-dag]"
TASKS = 1000
INSIDE = 300
WIDTH = 10

# Goes by Enter from one found step to the next; which of them were selected, drawn and in sight.
WALK_FOUND = """count => {
  const field = document.querySelector('[data-fl-dag-search]');
  const viewport = document.querySelector('.fl-Dag-viewport').getBoundingClientRect();
  const reached = new Set();
  for (let index = 0; index < count; index += 1) {
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    const node = document.querySelector(".fl-Dag-node[aria-pressed='true']");
    const box = node.getBoundingClientRect();
    if (box.left >= viewport.left - 1 && box.right <= viewport.right + 1 &&
        box.top >= viewport.top - 1 && box.bottom <= viewport.bottom + 1) {
      reached.add(node.dataset.flNode);
    }
  }
  return [...reached];
}"""


def node(step, state=None):
    wanted = f"[data-fl-state='{state}']" if state else ""
    return f"{GRAPH} [data-fl-node='{step}']{wanted}"


def focused(page):
    return page.evaluate("document.activeElement.dataset.flNode")


def heard(page, step):
    return page.locator(node(step)).get_attribute("aria-label")


def open_run(page, run):
    page.evaluate(
        "run => window.jupyterapp.commands.execute('fairlead:open-run', { run })",
        run,
    )


@pytest.fixture
def page(lab, browser):
    opened = lab.page(browser)
    yield opened
    opened.context.close()


def test_a_run_of_a_thousand_tasks_is_drawn_live_searched_walked_and_folded(page, tmp_path):
    outside = layers(TASKS - INSIDE, WIDTH)
    outside["inner"] = [GATE]
    within = {
        one.replace("task", "inside"): [above.replace("task", "inside") for above in after]
        for one, after in layers(INSIDE, WIDTH).items()
        if one != GATE
    }
    for after in within.values():
        after[:] = [one for one in after if one != GATE]
    files = tmp_path / "files"
    files.mkdir()
    spec = waiting_pipeline("thousand", outside, files, inside={"inner": within})
    pipelines = connect()
    run = pipelines.submit("thousand", spec, {})["run_id"]
    open_run(page, run)
    page.wait_for_selector(node(GATE, "RUNNING"), timeout=RUN_MS)
    viewport = page.locator(f"{GRAPH} [role='application']")
    assert viewport.get_attribute("aria-label") == f"Pipeline graph, {TASKS} steps"
    # What is out of sight is not drawn.
    assert page.locator(f"{GRAPH} .fl-Dag-node").count() < TASKS / 2
    picture(page, "thousand-light")

    # Every step is found, and shown where it stands; the sub-pipeline unfolds for those in it.
    search = page.locator("[data-fl-dag-search]")
    search.fill("task-")
    page.locator(f"{GRAPH} [role='search']", has_text=str(len(outside) - 2)).wait_for()
    assert set(page.evaluate(WALK_FOUND, len(outside) - 2)) == set(outside) - {GATE, "inner"}
    search.fill("inside-")
    page.locator(f"{GRAPH} [role='search']", has_text=str(len(within))).wait_for()
    assert set(page.evaluate(WALK_FOUND, len(within))) == {f"inner.{one}" for one in within}
    picture(page, "thousand-found-light")
    page.keyboard.press("Escape")

    # Folded again it is one node that tells of all that is in it.
    page.locator(node("inner")).focus()
    page.keyboard.press("-")
    assert page.locator(node("inner")).get_attribute("aria-expanded") == "false"
    assert f"0 of {len(within)} steps done" in heard(page, "inner")

    # The arrows lead along the edges, Home to the first.
    page.keyboard.press("Home")
    assert focused(page) == GATE
    assert heard(page, GATE).startswith("gate, running, 1 of ")
    seen = [GATE]
    for _ in range(6):
        page.keyboard.press("ArrowDown")
        seen.append(focused(page))
    assert len(set(seen)) == 7
    assert all(one in outside[two] for one, two in itertools.pairwise(seen))

    # States come by themselves.
    page.keyboard.press("Home")
    (files / GATE).touch()
    page.wait_for_selector(node(GATE, "SUCCEEDED"), timeout=RUN_MS)
    page.wait_for_selector(node("task-000", "RUNNING"), timeout=RUN_MS)
    page.wait_for_selector(node("task-015", "PENDING"))
    for one in names(2):
        (files / one).touch()
    page.wait_for_selector(node("task-000", "SUCCEEDED"), timeout=RUN_MS)
    page.wait_for_selector(node("task-010", "RUNNING"), timeout=RUN_MS)
    page.locator("[data-fl-tab='table']").click()
    page.locator("[data-fl-filter='step']").fill("task-")
    page.locator("[data-fl-fact='steps']", has_text=f"{len(outside) - 2} of").wait_for()
    picture(page, "thousand-table-light")
    page.locator("[data-fl-tab='graph']").click()
    page.locator("[data-fl-runview] [data-fl-action='stop']").click()
    page.wait_for_selector("[data-fl-runview][data-fl-state='CANCELED']", timeout=RUN_MS)


@pytest.fixture(params=["ours", "kfp"])
def scopes(request, tmp_path):
    """A pipeline with every kind of scope: written by hand, and by a stock kfp where it is here."""
    if request.param == "ours":
        return scopes_pipeline()
    python = os.environ.get("FAIRLEAD_TEST_KFP_PYTHON")
    if not python:
        pytest.skip("FAIRLEAD_TEST_KFP_PYTHON names no Python that has kfp")
    source = tmp_path / "scopes.py"
    source.write_text(KFP_SOURCE)
    subprocess.run([python, "-W", "ignore", str(source), "scopes.yaml"], check=True, cwd=tmp_path)
    return yaml.safe_load((tmp_path / "scopes.yaml").read_text())


def test_scopes_fold_by_mouse_and_keyboard_and_say_what_is_in_them(page, scopes):
    run = connect().submit("scopes", scopes, {})["run_id"]
    open_run(page, run)
    page.wait_for_selector(node("tidy", "SUCCEEDED"), timeout=RUN_MS)
    page.wait_for_selector("[data-fl-runview][data-fl-state='FAILED']", timeout=RUN_MS)
    picture(page, "every-scope-folded-light")
    guarded = "exit-handler-1"
    branches = f"{guarded}.condition-branches-6"
    loop = f"{guarded}.for-loop-3"

    # What one hears: the kind, the state of all that is in it, and how far it is.
    assert [
        heard(page, one).rpartition(", ")[0] for one in (guarded, f"{guarded}.inner", loop)
    ] == [
        "guarded, with exit handler, failed, 6 of 7 steps done",
        "inner, sub-pipeline, succeeded, 2 of 2 steps done",
        "for-loop-3, loop, 2 iterations, failed, 3 of 4 steps done",
    ]
    taken, other = f"{branches}.condition-7", f"{branches}.condition-8"
    assert heard(page, taken).startswith("when yes, branch, flag == 'yes', succeeded, 1 of 1")
    assert heard(page, other).startswith("otherwise, branch, !(flag == 'yes'), skipped")
    assert heard(page, "tidy").startswith("tidy, succeeded, ")
    graph = page.locator(GRAPH).get_by_role("application", name="Pipeline graph, 23 steps")
    for name, expanded in (("inner", False), ("for-loop-3", False), ("condition-branches", True)):
        graph.get_by_role("button", name=name, expanded=expanded).wait_for()

    # By mouse: the caret, and a double click.
    inner = page.locator(node(f"{guarded}.inner"))
    inner.locator("[data-fl-fold-toggle]").click()
    page.wait_for_selector(node(f"{guarded}.inner.say-2", "SUCCEEDED"))
    assert inner.get_attribute("aria-expanded") == "true"
    inner.locator("[data-fl-fold-toggle]").click()
    page.wait_for_selector(node(f"{guarded}.inner.say-2"), state="detached")
    page.locator(node(branches)).dblclick()
    page.wait_for_selector(node(taken), state="detached")
    page.locator(node(branches)).dblclick()
    page.wait_for_selector(node(taken))

    # By keyboard: of each loop that iteration is shown which failed.
    page.locator(node(loop)).focus()
    page.keyboard.press("Space")
    page.locator(f"{GRAPH} [aria-live]", has_text="for-loop-3 unfolded").wait_for()
    nested = f"{loop}.1.for-loop-5"
    page.locator(node(nested, "FAILED")).focus()
    assert heard(page, nested).startswith(
        "for-loop-5, loop, 2 iterations, failed, 1 of 2 steps done, "
    )
    page.keyboard.press("+")
    failed = f"{nested}.1.say"
    page.wait_for_selector(node(failed, "FAILED"))
    page.keyboard.press("ArrowDown")
    assert focused(page) == failed
    page.keyboard.press("ArrowUp")
    assert focused(page) == nested
    picture(page, "every-scope-open-light")
    page.locator(node(failed)).click()
    page.locator("[data-fl-tab='logs']").click()
    page.locator("[data-fl-log]", has_text="say b 2").wait_for()

    # Another iteration, of the inner loop and then of the outer.
    chooser = graph.get_by_role("combobox", name="Iteration of for-loop-5")
    assert chooser.locator("option").all_inner_texts() == ["0 ✓", "1 ✗"]
    chooser.select_option(f"{nested}.0")
    page.locator(node(f"{nested}.0.say", "SUCCEEDED")).click()
    page.locator("[data-fl-log]", has_text="say b 1").wait_for()
    graph.get_by_role("combobox", name="Iteration of for-loop-3").select_option(f"{loop}.0")
    page.wait_for_selector(node(f"{loop}.0.for-loop-5", "SUCCEEDED"))
    page.locator(node(loop)).focus()
    page.keyboard.press("-")
    page.wait_for_selector(node(f"{loop}.0.for-loop-5"), state="detached")
    assert focused(page) == loop

    # The search unfolds what it goes to.
    page.locator("[data-fl-dag-search]").fill("say-2")
    page.locator(f"{GRAPH} [role='search']", has_text="2").wait_for()
    for place in ("1 of 2", "2 of 2"):
        page.keyboard.press("Enter")
        page.locator(f"{GRAPH} [role='search']", has_text=place).wait_for()
    page.wait_for_selector(node(f"{guarded}.inner.say-2"))
