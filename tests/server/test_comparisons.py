"""Runs beside each other, and runs that are kept, through HTTP against a real control plane."""

from __future__ import annotations

import asyncio
import json

import nbformat
import pytest
from tornado.httpclient import HTTPClientError


def notebook(source):
    made = nbformat.v4.new_notebook()
    for tags, code in ((["parameters"], "n = 2"), (["step:total", "metrics"], source)):
        made.cells.append(nbformat.v4.new_code_cell(code, metadata={"tags": tags}))
    for place, cell in enumerate(made.cells):
        cell.id = f"c{place}"
    return made


async def ended(fetch, name, source, n):
    body = {"path": name, "notebook": notebook(source), "parameters": {"n": n}}
    run = await fetch("runs", method="POST", body=body)
    while True:
        found = await fetch("runs", run["id"])
        if found["state"] in ("SUCCEEDED", "FAILED"):
            return run["id"]
        await asyncio.sleep(0.1)


async def refused(call):
    with pytest.raises(HTTPClientError) as caught:
        await call
    return caught.value.code, json.loads(caught.value.response.body)["message"]


async def test_runs_are_compared_with_the_first_of_them(fetch):
    first = await ended(fetch, "one.ipynb", "total = n + 1", 2)
    second = await ended(fetch, "two.ipynb", "total = n + 2", 3)
    found = await fetch("comparison", params={"run": f"{first},{second}"})
    assert [run["label"] for run in found["runs"]] == ["one", "two"]
    assert found["parameters"] == [{"name": "n", "values": [2, 3], "differs": True}]
    assert found["metrics"] == [{"name": "total", "values": [3.0, 5.0], "differs": True}]
    (step,) = (row for row in found["sources"] if row["step"] == "total")
    assert step["changes"] == ["same", "changed"]
    assert "-total = n + 1\n+total = n + 2" in step["diffs"][1]
    assert await refused(fetch("comparison")) == (400, "run: from 1 to 50 runs can be compared.")
    code, told = await refused(fetch("comparison", params={"run": "no-such-run"}))
    assert code == 404
    assert "no-such-run" in told


async def test_a_pinned_run_is_shown_so_and_not_deleted(fetch):
    kept = await ended(fetch, "kept.ipynb", "total = n", 1)
    other = await ended(fetch, "other.ipynb", "total = n", 1)
    await fetch("runs", kept, "pin", method="PUT", body={})
    await fetch("runs", other, "pin", method="PUT", body={"baseline": True})
    rows = {run["id"]: run for run in (await fetch("runs", params={"page_size": 50}))["runs"]}
    assert (rows[kept]["pinned"], rows[kept]["baseline"]) == (True, False)
    assert (rows[other]["pinned"], rows[other]["baseline"]) == (True, True)
    assert await refused(fetch("runs", kept, method="DELETE")) == (
        409,
        "Run kept is pinned, and stays.",
    )
    for run in (kept, other):
        await fetch("runs", run, "pin", method="DELETE")
        await fetch("runs", run, method="DELETE")
