"""Runs page by page, clones and experiments, through HTTP against a real control plane."""

from __future__ import annotations

import asyncio
import copy
import json

import nbformat
import pytest
import yaml
from tornado.httpclient import HTTPClientError

FINAL = {"SUCCEEDED", "FAILED", "CANCELED"}


def notebook(*cells):
    made = nbformat.v4.new_notebook()
    for tags, source in cells:
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
    return made


SMALL = notebook(
    (["parameters"], "n = 2"),
    (["step:load"], "data = list(range(n))"),
    (["step:total", "metrics"], "total = sum(data)"),
    (["step:show"], "print('total is', total)"),
)
FAILING = notebook((["step:fail"], "raise ValueError('no')"))


async def started(fetch, name, document=SMALL):
    return await fetch("runs", method="POST", body={"path": name, "notebook": document})


async def ended(fetch, run_id):
    while True:
        run = await fetch("runs", run_id)
        if run["state"] in FINAL:
            return run
        await asyncio.sleep(0.1)


async def refusal(call):
    with pytest.raises(HTTPClientError) as caught:
        await call
    assert caught.value.code == 400
    return json.loads(caught.value.response.body)["message"]


async def three_runs(fetch):
    """Run two that succeed and one that fails; returns them in the order of their start."""
    for run in (await fetch("runs"))["runs"]:
        await fetch("runs", run["id"], method="DELETE")
    made = [
        await started(fetch, "beta.ipynb"),
        await started(fetch, "alpha.ipynb"),
        await started(fetch, "alpha-fails.ipynb", FAILING),
    ]
    return [await ended(fetch, run["id"]) for run in made]


async def names(fetch, **query):
    found = await fetch("runs", params=query)
    return [run["name"] for run in found["runs"]], found


async def test_runs_are_filtered_sorted_and_paged_by_the_server(fetch):
    await three_runs(fetch)
    assert (await names(fetch, sort_by="created_at desc"))[0] == ["alpha-fails", "alpha", "beta"]
    assert (await names(fetch, sort_by="name asc"))[0] == ["alpha", "alpha-fails", "beta"]
    assert (await names(fetch, name="ALPHA", sort_by="name desc"))[0] == ["alpha-fails", "alpha"]
    assert (await names(fetch, state="FAILED,CANCELED"))[0] == ["alpha-fails"]
    first, found = await names(fetch, page_size="2", sort_by="name asc")
    assert (first, found["total_size"]) == (["alpha", "alpha-fails"], 3)
    token = found["next_page_token"]
    second, found = await names(fetch, page_size="2", sort_by="name asc", page_token=token)
    assert (second, found["next_page_token"]) == (["beta"], "")


async def test_a_row_tells_experiment_pipeline_and_metrics(fetch):
    await three_runs(fetch)
    row = (await fetch("runs", params={"name": "beta"}))["runs"][0]
    assert (row["experiment"], row["pipeline"], row["metrics"]) == ("Default", "beta", {"total": 1})
    assert (row["archived"], row["done"], row["total"]) == (False, 3, 3)


async def test_runs_are_labelled_and_found_by_their_labels(fetch):
    first, second, third = await three_runs(fetch)

    async def label(run, *changes):
        body = {"changes": changes}
        return (await fetch("runs", run["id"], "labels", method="POST", body=body))["labels"]

    assert await label(first, "team=vision", "checked=") == {"checked": "", "team": "vision"}
    assert await label(second, "team=vision") == {"team": "vision"}
    assert await label(third, "team=speech") == {"team": "speech"}
    sort = {"sort_by": "created_at asc"}
    assert (await names(fetch, label="team=vision", **sort))[0] == ["beta", "alpha"]
    found, page = await names(fetch, label="team=vision,checked", page_size=10)
    assert (found, page["total_size"], page["runs"][0]["labels"]) == (
        ["beta"], 1, {"checked": "", "team": "vision"},
    )  # fmt: skip
    assert (await names(fetch, label="nobody"))[0] == []
    assert await label(second, "team-") == {}
    await fetch("runs", first["id"], method="DELETE")
    assert (await names(fetch, label="team=vision"))[0] == []
    assert "is no label" in await refusal(label(third, "team"))
    assert "is no value of a label" in await refusal(label(third, "team=a b"))
    assert "is no key of a label" in await refusal(names(fetch, label="a b"))


async def test_an_archived_run_is_listed_apart_and_comes_back(fetch):
    runs = await three_runs(fetch)
    await fetch("runs", runs[0]["id"], "archive", method="POST")
    assert "beta" not in (await names(fetch, page_size="50"))[0]
    assert (await names(fetch, storage_state="ARCHIVED"))[0] == ["beta"]
    await fetch("runs", runs[0]["id"], "unarchive", method="POST")
    assert "beta" in (await names(fetch, page_size="50"))[0]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"page_size": "many"}, "page_size"),
        ({"page_size": "0"}, "page_size"),
        ({"sort_by": "colour"}, "sort_by"),
        ({"storage_state": "LOST"}, "storage_state"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_query_that_nobody_understands_is_refused(fetch, query, told):
    assert told in await refusal(fetch("runs", params=query))


async def test_the_time_that_lab_adds_to_a_url_is_no_query(fetch):
    found = await fetch("runs", params={"1795547389302": ""})
    assert "runs" in found
    assert "next_page_token" not in found
    paged = await fetch("runs", params={"page_size": "2", "1795547389302": ""})
    assert "total_size" in paged


async def test_a_clone_has_its_own_values_and_experiment(fetch):
    runs = await three_runs(fetch)
    made = await fetch("experiments", method="POST", body={"name": "tries"})
    draft = await fetch("runs", runs[0]["id"], "draft")
    assert draft["parameters"] == [
        {
            "name": "n",
            "type": "NUMBER_INTEGER",
            "description": "",
            "optional": True,
            "literals": [],
            "default": 2,
            "value": 2,
        }
    ]
    wish = {"name": "gamma", "experiment_id": made["id"], "parameters": {"n": 4}}
    shown = await fetch(
        "runs", runs[0]["id"], "clone", method="POST", body=wish | {"preview": True}
    )
    request = yaml.safe_load(shown["yaml"])
    assert (request["display_name"], request["runtime_config"]["parameters"]) == ("gamma", {"n": 4})
    assert request["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "beta"
    assert "parameters={'n': 4}" in shown["python"]
    compile(shown["python"], "cell", "exec")
    assert len((await fetch("runs"))["runs"]) == 3, "a preview starts nothing"

    clone = await fetch("runs", runs[0]["id"], "clone", method="POST", body=wish)
    run = await ended(fetch, clone["id"])
    assert (run["state"], run["metrics"], run["parameters"]) == (
        "SUCCEEDED",
        {"total": 6},
        {"n": 4},
    )
    listed = await fetch("runs", params={"experiment_id": made["id"]})
    assert [(one["name"], one["experiment"]) for one in listed["runs"]] == [("gamma", "tries")]


async def test_a_rerun_from_a_step_takes_what_is_before_it_from_the_cache(fetch):
    runs = await three_runs(fetch)
    body = {"rerun_from": "total"}
    clone = await fetch("runs", runs[0]["id"], "clone", method="POST", body=body)
    run = await ended(fetch, clone["id"])
    states = {node["name"]: node["state"] for node in run["graph"]["nodes"]}
    assert states == {"load": "CACHED", "total": "SUCCEEDED", "show": "SUCCEEDED"}
    reasons = {node["name"]: node["cache_reason"] for node in run["graph"]["nodes"]}
    assert reasons["total"] == "Caching is off for this task."
    assert reasons["load"].startswith("Same code")


async def test_a_preview_names_the_steps_that_run_again_since_their_caching_is_off(fetch):
    document = copy.deepcopy(SMALL)
    document.cells[1].metadata["fairlead"] = {"cache": False}
    run = await ended(fetch, (await started(fetch, "fresh.ipynb", document))["id"])
    for step, again in (("show", ["load"]), ("load", [])):
        body = {"rerun_from": step, "preview": True}
        shown = await fetch("runs", run["id"], "clone", method="POST", body=body)
        assert shown["runs_again"] == again


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"parameters": {"n": "two"}}, "'n' must be a NUMBER_INTEGER"),
        ({"parameters": {"m": 1}}, "no parameter 'm'"),
        ({"parameters": [1]}, "parameters: must be an object"),
        ({"rerun_from": "nobody"}, "no step 'nobody'"),
        ({"colour": "red"}, "no 'colour'"),
        ({"name": 3}, "name: must be a text"),
    ],
)
async def test_a_clone_that_cannot_be_is_refused_and_nothing_starts(fetch, body, told):
    runs = await three_runs(fetch)
    message = await refusal(fetch("runs", runs[0]["id"], "clone", method="POST", body=body))
    assert told in message
    assert len((await fetch("runs"))["runs"]) == 3


async def test_experiments_are_made_listed_and_put_away_with_their_runs(fetch):
    runs = await three_runs(fetch)
    made = await fetch("experiments", method="POST", body={"name": "old", "description": "done"})
    clone = await fetch(
        "runs", runs[0]["id"], "clone", method="POST", body={"experiment_id": made["id"]}
    )
    await ended(fetch, clone["id"])
    found = (await fetch("experiments"))["experiments"]
    assert next(one for one in found if one["id"] == made["id"])["description"] == "done"
    await fetch("experiments", made["id"], "archive", method="POST")
    assert made["id"] not in [one["id"] for one in (await fetch("experiments"))["experiments"]]
    archived = await fetch("experiments", params={"archived": "1"})
    assert made["id"] in [one["id"] for one in archived["experiments"]]
    put_away = await fetch("runs", params={"storage_state": "ARCHIVED"})
    assert [run["id"] for run in put_away["runs"]] == [clone["id"]]
    assert "needs one" in await refusal(fetch("experiments", method="POST", body={"name": " "}))
    await fetch("experiments", made["id"], "unarchive", method="POST")


async def test_an_experiment_whose_name_is_taken_is_refused(fetch):
    await fetch("experiments", method="POST", body={"name": "twice"})
    with pytest.raises(HTTPClientError) as caught:
        await fetch("experiments", method="POST", body={"name": "twice"})
    assert caught.value.code == 409
