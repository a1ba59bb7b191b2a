"""Artifacts through the server extension, of KFP components on a real control plane."""

from __future__ import annotations

import json

import pytest
from reports import PAGE, TYPES, run_reports
from tornado.httpclient import HTTPClientError

from fairlead.client import connect


@pytest.fixture
def run(fetch):
    """A run that made one artifact of every kind."""
    return run_reports(connect())


async def test_artifacts_are_listed_chosen_and_followed_both_ways(fetch, run):
    run_id = run["run_id"]
    everything = await fetch("artifacts")
    assert {one["name"]: one["type"] for one in everything["artifacts"]} == {
        **TYPES,
        "model": "Model",
    }
    chosen = await fetch("artifacts", params={"type": "Metrics"})
    assert [one["name"] for one in chosen["artifacts"]] == ["scores"]
    assert (await fetch("artifacts", params={"name": "row"}))["total_size"] == 1
    of_run = await fetch("artifacts", params={"run": run_id, "type": "Dataset"})
    (row,) = [one for one in of_run["artifacts"] if one["name"] == "rows"]
    assert (row["maker"]["run_name"], row["maker"]["task_name"]) == ("reports", "write")

    rows = await fetch("artifacts", row["id"])
    assert (rows["name"], rows["size"], len(rows["sha256"])) == ("rows", 404, 64)
    (made,) = rows["made_by"]
    assert (made["task_name"], made["inputs"]) == ("write", {"rate": 0.5})
    assert [one["task_name"] for one in rows["read_by"]] == ["read"]
    names = {node["id"]: node["name"] for node in rows["graph"]["nodes"]}
    edges = {(names[one["source"]], names[one["target"]]) for one in rows["graph"]["edges"]}
    assert edges == {("write", "rows"), ("rows", "read"), ("read", "model")}


async def test_previews_show_what_artifacts_hold(fetch, run):
    async def preview(name, node="write"):
        return await fetch("runs", run["run_id"], "nodes", node, "artifacts", name, "preview")

    assert (await preview("scores"))["values"] == {"accuracy": 0.9, "rows": 100}
    (curve,) = (await preview("curves"))["slices"]
    assert (curve["auc"], curve["matrix"]) == (pytest.approx(0.8), [[8, 2], [1, 9]])
    assert (await preview("page"))["text"].startswith("<h1>Report")
    table = await preview("rows")
    assert (table["columns"], len(table["rows"]), table["truncated"]) == (["a", "b"], 50, True)
    large = await preview("large")
    assert (large["kind"], len(large["text"]), large["truncated"]) == ("text", 1 << 20, True)
    assert (await preview("picture"))["mime"] == "image/png"
    assert [one["name"] for one in (await preview("slices"))["slices"]] == ["young", "old"]
    assert (await preview("model", "read"))["text"] == "404"
    by_id = {one["name"]: one["id"] for one in (await fetch("artifacts"))["artifacts"]}
    assert await fetch("artifacts", by_id["rows"], "preview") == table
    listed = (await fetch("artifacts", params={"name": "parts"}))["artifacts"]
    parts = [(await fetch("artifacts", one["id"], "preview"))["text"] for one in listed]
    assert sorted(set(parts)) == ["first", "second"]


async def test_a_download_is_whole_and_never_a_page_of_jupyters_origin(fetch, jp_fetch, run):
    by_id = {one["name"]: one["id"] for one in (await fetch("artifacts"))["artifacts"]}
    at = ("fairlead", "api", "v1", "artifacts", by_id["page"], "content")
    answer = await jp_fetch(*at)
    assert answer.body == PAGE.encode()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    large = await fetch("runs", run["run_id"], "nodes", "write", "artifacts", "large")
    assert large == b"0123456789abcde\n" * (1 << 17)


async def test_what_is_not_there_is_said_in_words(fetch, run):
    with pytest.raises(HTTPClientError) as caught:
        await fetch("artifacts", "no-such-id")
    assert caught.value.code == 404
    assert "no-such-id" in json.loads(caught.value.response.body)["message"]
    with pytest.raises(HTTPClientError) as caught:
        await fetch("runs", run["run_id"], "nodes", "write", "artifacts", "nothing")
    assert caught.value.code == 404
