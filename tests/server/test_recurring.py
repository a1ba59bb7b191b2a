"""Recurring runs through HTTP against a real control plane."""

from __future__ import annotations

import asyncio
from datetime import datetime

import nbformat
import pytest
import yaml
from tornado.httpclient import HTTPClientError

SMALL = nbformat.v4.new_notebook()
for tags, source in (
    (["parameters"], "n = 2"),
    (["step:total", "metrics"], "total = n * 3"),
):
    SMALL.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
BODY = {"path": "daily.ipynb", "notebook": SMALL}


async def test_a_form_is_drafted_previewed_and_makes_one(fetch):
    draft = await fetch("recurringruns", "draft", method="POST", body=BODY)
    assert (draft["name"], draft["pipeline"]) == ("daily", "daily")
    assert [(one["name"], one["value"]) for one in draft["parameters"]] == [("n", 2)]
    wish = BODY | {
        "cron": "0 7 * * *", "time_zone": "Europe/Berlin", "max_concurrency": 2,
        "catchup": False, "parameters": {"n": 4}, "name": "each morning",
    }  # fmt: skip
    shown = await fetch("recurringruns", method="POST", body=wish | {"preview": True})
    request = yaml.safe_load(shown["yaml"])
    assert request["trigger"] == {"cron_schedule": {"cron": "CRON_TZ=Europe/Berlin 0 0 7 * * *"}}
    assert (request["max_concurrency"], request["no_catchup"]) == ("2", True)
    assert (shown["when"], shown["time_zone"]) == (
        "cron 0 0 7 * * * (Europe/Berlin)", "Europe/Berlin",
    )  # fmt: skip
    times = [datetime.fromisoformat(one.replace("Z", "+00:00")) for one in shown["next"]]
    assert len(times) == 5
    assert times == sorted(times)
    compile(shown["python"], "cell", "exec")
    assert "cron='0 7 * * *'" in shown["python"]
    assert "    'daily.ipynb',\n" in shown["python"]
    assert (await fetch("recurringruns"))["recurring_runs"] == [], "a preview makes nothing"

    made = await fetch("recurringruns", method="POST", body=wish)
    listed = (await fetch("recurringruns"))["recurring_runs"]
    assert listed == [made]
    assert (made["name"], made["enabled"], made["last_run"]) == ("each morning", True, None)
    assert made["next"] == shown["next"]
    off = await fetch("recurringruns", made["id"], "disable", method="POST", body={})
    assert (off["enabled"], off["next"]) == (False, [])
    on = await fetch("recurringruns", made["id"], "enable", method="POST", body={})
    assert on["next"] == shown["next"]
    await fetch("recurringruns", made["id"], method="DELETE")
    assert (await fetch("recurringruns"))["recurring_runs"] == []


async def test_what_a_run_was_of_runs_again_and_tells_its_last_run(fetch):
    run = await fetch("runs", method="POST", body=BODY | {"parameters": {"n": 5}})
    draft = await fetch("recurringruns", "draft", method="POST", body={"run": run["id"]})
    assert [(one["name"], one["value"]) for one in draft["parameters"]] == [("n", 5)]
    wish = {"run": run["id"], "every": "2s", "name": "again"}
    shown = await fetch("recurringruns", method="POST", body=wish | {"preview": True})
    assert f"fairlead.get_run('{run['id']}')" in shown["python"]
    made = await fetch("recurringruns", method="POST", body=wish)
    while True:
        (found,) = (await fetch("recurringruns"))["recurring_runs"]
        if found["last_run"] is not None:
            break
        await asyncio.sleep(0.2)
    assert found["last_run"]["name"].startswith("again #")
    detail = await fetch("runs", found["last_run"]["id"])
    assert detail["parameters"] == {"n": 5}
    await fetch("recurringruns", made["id"], method="DELETE")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"cron": "0 7 *"}, "expected 5 to 6 fields"),
        ({"cron": "0 7 * * *", "time_zone": "Nowhere"}, "no time zone 'Nowhere'"),
        ({}, "either a cron expression or an interval"),
        ({"every": "1h", "max_concurrency": 0}, "must be 1 to 10"),
        ({"every": "1h", "often": True}, "The body has no 'often'."),
        ({"every": "1h", "parameters": {"gone": 1}}, "no parameter 'gone'"),
    ],
)
async def test_what_is_no_schedule_is_told(fetch, body, words):
    with pytest.raises(HTTPClientError) as caught:
        await fetch("recurringruns", method="POST", body=BODY | body | {"preview": True})
    assert caught.value.code == 400
    assert words in caught.value.response.body.decode()
