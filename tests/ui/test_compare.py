"""Runs side by side in the browser."""

from __future__ import annotations

import nbformat
from pictures import picture

import fairlead
from fairlead.client import list_runs

PAGE = "[data-fl-compareview]"
TABLE = "[data-fl-runtable]"


def fit(folder, trees, source="accuracy = 1 - 1 / (trees + 1)"):
    """Run a small notebook to its end."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("trees = 5\nseed = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("rows = list(range(100))", metadata={"tags": ["step:load"]}),
        nbformat.v4.new_code_cell(
            f"size = len(rows) + seed\n{source}", metadata={"tags": ["step:fit", "metrics"]}
        ),
    ]
    path = folder / "fit.ipynb"
    nbformat.write(notebook, path)
    run = fairlead.submit(path, {"trees": trees}, name=f"trees-{trees}", experiment="trees")
    return run.wait()


# True when the server has the comparison of these runs, and that it is shown, in Lab's workspace.
KEPT = """async ids => {
  const answer = await fetch(new URL('/lab/api/workspaces', location));
  return (await answer.json()).workspaces.values.some(({ data }) => {
    const shown = JSON.stringify(data['layout-restorer:data']?.main ?? null);
    return shown.includes('fairlead-compare') && Object.values(data).some(
      one => JSON.stringify(one.data?.runs) === JSON.stringify(ids)
    );
  });
}"""


def test_three_runs_are_compared_and_one_is_the_baseline(lab, browser, tmp_path):
    runs = [
        fit(tmp_path, 1),
        fit(tmp_path, 3),
        fit(tmp_path, 5, "accuracy = 1 - 1 / (trees + 2)"),
    ]
    page = lab.page(browser, width=1300, height=900)
    page.evaluate("window.jupyterapp.commands.execute('fairlead:open-runs')")
    for run in runs:
        page.locator(f"{TABLE} [data-fl-choose='{run.run_id}']").check()
    page.locator(f"{TABLE} [data-fl-bulk='compare']").click()
    compared = page.locator(f"{PAGE} [data-fl-compared]")
    compared.nth(2).wait_for()
    assert [one.get_attribute("data-fl-compared") for one in compared.all()] == [
        run.run_id for run in runs
    ]

    values = page.locator(f"{PAGE} [data-fl-row='trees'] td").all_inner_texts()
    assert values == ["1", "3", "5"]
    metrics = page.locator(f"{PAGE} [data-fl-row='accuracy'] td").all_inner_texts()
    assert metrics == ["50.0 %", "75.0 %", "85.7 %"]
    seed = page.locator(f"{PAGE} [data-fl-row='seed']")
    assert seed.count() == 0
    page.locator(f"{PAGE} [data-fl-filter='differences']").uncheck()
    seed.wait_for()
    changed = page.locator(f"{PAGE} [data-fl-source='fit'] [data-fl-line='added']")
    assert changed.all_inner_texts() == ["+accuracy = 1 - 1 / (trees + 2)"]
    picture(page, "compare-light")

    last = runs[2].run_id
    page.locator(f"{PAGE} [data-fl-compared='{last}'] [data-fl-action='baseline']").click()
    page.locator(f"{PAGE} [data-fl-compared='{last}'][data-fl-baseline='true']").wait_for()
    assert page.locator(f"{PAGE} [data-fl-source='fit']").count() == 2
    page.locator(f"{PAGE} [data-fl-action='keep-baseline']").click()
    page.get_by_text("Pinned as the baseline").wait_for()
    assert next(run for run in list_runs() if run.run_id == last).pinned

    first = runs[0].run_id
    page.locator(f"{PAGE} [data-fl-compared='{first}'] [data-fl-action='leave-out']").click()
    page.locator(f"{PAGE} [data-fl-compared='{first}']").wait_for(state="detached")
    page.set_viewport_size({"width": 700, "height": 800})
    picture(page, "compare-light-narrow")

    page.set_viewport_size({"width": 1300, "height": 900})
    page.evaluate("window.jupyterapp.commands.execute('fairlead:open-runs')")
    page.keyboard.press("Escape")
    page.locator(f"{TABLE} [data-fl-run='{last}'] [data-fl-fact='pinned']").wait_for()
    for run in runs[:2]:
        page.locator(f"{TABLE} [data-fl-choose='{run.run_id}']").uncheck()
    page.locator(f"{TABLE} [data-fl-bulk='unpin']").click()
    page.locator(f"{TABLE} [data-fl-run='{last}'] [data-fl-fact='pinned']").wait_for(
        state="detached"
    )


def test_a_comparison_comes_back_after_a_reload_in_the_dark(lab, browser, tmp_path):
    runs = [fit(tmp_path, 2), fit(tmp_path, 4)]
    page = lab.page(browser, width=1300, height=900, dark=True)
    ids = [run.run_id for run in runs]
    page.evaluate(
        "ids => window.jupyterapp.commands.execute('fairlead:compare-runs', {runs: ids})", ids
    )
    page.locator(f"{PAGE} [data-fl-row='trees']").wait_for()
    page.locator(f"{PAGE} [data-fl-compared='{ids[1]}'] [data-fl-action='baseline']").click()
    page.locator(f"{PAGE} [data-fl-compared='{ids[1]}'][data-fl-baseline='true']").wait_for()
    picture(page, "compare-dark")
    # Lab keeps the layout a moment after it has changed.
    while not page.evaluate(KEPT, [ids[1], ids[0]]):
        page.wait_for_timeout(200)
    page.reload()
    page.locator(f"{PAGE} [data-fl-compared='{ids[1]}'][data-fl-baseline='true']").wait_for()
