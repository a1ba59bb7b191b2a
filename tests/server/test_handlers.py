"""The server extension through HTTP, against a real control plane."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import nbformat
import pytest
from tornado.httpclient import HTTPClientError

FINAL = {"SUCCEEDED", "FAILED", "CANCELED"}


def notebook(*cells):
    made = nbformat.v4.new_notebook()
    for tags, source in cells:
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags})
        made.cells.append(cell)
    return made


SMALL = notebook(
    (["parameters"], "n = 2"),
    (["step:load"], "data = list(range(n))"),
    (["step:total", "metrics"], "total = sum(data)\nprint('total is', total)"),
)


async def ended(fetch, run_id):
    while True:
        run = await fetch("runs", run_id)
        if run["state"] in FINAL:
            return run
        await asyncio.sleep(0.1)


async def test_a_notebook_is_run_and_read_back(fetch):
    started = await fetch("runs", method="POST", body={"path": "small.ipynb", "notebook": SMALL})
    run = await ended(fetch, started["id"])
    assert (run["state"], run["done"], run["total"]) == ("SUCCEEDED", 2, 2)
    assert run["metrics"] == {"total": 1}
    assert [edge["names"] for edge in run["graph"]["edges"]] == [["data"]]
    log = await fetch("runs", run["id"], "nodes", "total", "log", params={"follow": "1"})
    assert "total is 1" in log.decode()
    executed = json.loads(await fetch("runs", run["id"], "nodes", "total", "artifacts", "notebook"))
    assert any("total is 1" in json.dumps(cell.get("outputs")) for cell in executed["cells"])
    assert b"total" in await fetch("runs", run["id"], "manifest")
    listed = await fetch("runs")
    assert [(one["id"], one["metrics"]) for one in listed["runs"]] == [(run["id"], {"total": 1})]


async def test_a_failed_step_names_its_cell_and_a_retry_resumes(fetch, tmp_path):
    marker = tmp_path / "fixed"
    broken = notebook(
        (["step:first"], "x = 1"),
        (["step:second"], f"import os\n\nassert os.path.exists({str(marker)!r}), 'not yet'\ny = x"),
        (["step:third"], "print(y)"),
    )
    started = await fetch("runs", method="POST", body={"path": "b.ipynb", "notebook": broken})
    run = await ended(fetch, started["id"])
    first, second, third = run["graph"]["nodes"]
    assert (run["state"], first["state"], second["state"]) == ("FAILED", "SUCCEEDED", "FAILED")
    assert third["started_at"] is None
    assert second["error"]["cell_id"] == broken.cells[1].id
    assert (second["error"]["line"], second["error"]["ename"]) == (3, "AssertionError")
    marker.touch()
    await fetch("runs", run["id"], "retry", method="POST")
    again = await ended(fetch, run["id"])
    assert again["state"] == "SUCCEEDED"
    assert again["graph"]["nodes"][0]["finished_at"] == first["finished_at"]


async def test_what_cannot_travel_is_refused_with_cell_and_line(fetch):
    bad = notebook((["step:a"], "f = open('x', 'w')"), (["step:b"], "f.write('y')"))
    with pytest.raises(HTTPClientError) as caught:
        await fetch("runs", method="POST", body={"path": "bad.ipynb", "notebook": bad})
    assert caught.value.code == 400
    answer = json.loads(caught.value.response.body)
    problem = answer["problems"][0]
    assert (problem["cell_id"], problem["name"]) == (bad.cells[0].id, "f")
    assert problem["hint"]


async def test_a_stopped_run_is_canceled_and_can_be_deleted(fetch):
    slow = notebook(
        (["step:slow"], "import time\ntime.sleep(600)"),
    )
    started = await fetch("runs", method="POST", body={"path": "slow.ipynb", "notebook": slow})
    await fetch("runs", started["id"], "stop", method="POST")
    assert (await ended(fetch, started["id"]))["state"] == "CANCELED"
    await fetch("runs", started["id"], method="DELETE")
    with pytest.raises(HTTPClientError) as caught:
        await fetch("runs", started["id"])
    assert caught.value.code == 404


async def test_a_notebook_is_analysed_without_a_run(fetch):
    found = await fetch("analysis", method="POST", body={"notebook": SMALL})
    assert [step["name"] for step in found["steps"]] == ["load", "total"]
    assert [step["reads"] for step in found["steps"]] == [["n"], ["data"]]
    assert found["problems"] == []


async def test_the_settings_of_a_step_are_described_for_a_form(fetch):
    schema = await fetch("analysis", "settings")
    assert {"step", "resources", "packages", "timeout"} <= set(schema["properties"])


@pytest.mark.parametrize("path", ["../outside.ipynb", "a/../../outside.ipynb"])
async def test_a_path_outside_the_servers_folder_is_refused(fetch, path):
    with pytest.raises(HTTPClientError) as caught:
        await fetch("runs", method="POST", body={"path": path, "notebook": SMALL})
    assert caught.value.code == 400


async def test_every_handler_needs_a_login(jp_serverapp, http_server_client, jp_base_url):
    from fairlead_server import (
        analysis,
        archive,
        artifacts,
        capabilities,
        clones,
        contexts,
        experiments,
        namespaces,
        recurring,
        runs,
        viewers,
    )

    parts = (
        analysis,
        archive,
        artifacts,
        capabilities,
        clones,
        contexts,
        experiments,
        namespaces,
        recurring,
        runs,
        viewers,
    )
    for pattern, handler in [route for part in parts for route in part.ROUTES]:
        for method in ("GET", "POST", "PUT", "DELETE"):
            if method.lower() not in vars(handler):
                continue
            path = pattern
            for group in ("run_id", "node", "name", "artifact_id", "identity", "recurring_run_id"):
                path = path.replace(f"(?P<{group}>[^/]+)", "x")
            path = path.replace("(?P<noun>runs|experiments)", "runs")
            path = path.replace("(?P<verb>archive|unarchive)", "archive")
            path = path.replace("(?P<verb>enable|disable)", "enable")
            with pytest.raises(HTTPClientError) as caught:
                await http_server_client.fetch(
                    f"{jp_base_url}fairlead/api/v1/{path}",
                    method=method,
                    body="{}" if method in ("POST", "PUT") else None,
                    follow_redirects=False,
                )
            assert caught.value.code == 403, (method, path)


def test_the_server_starts_without_what_only_a_first_question_needs():
    source = """
import sys
import fairlead_server.extension
from fairlead_server import analysis, archive, artifacts, capabilities, clones, contexts
from fairlead_server import experiments, namespaces, recurring, runs, viewers
heavy = {"kubernetes", "fairlead.client", "fairlead.pipelines"}
print(sorted(heavy & set(sys.modules)))
"""
    printed = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert printed.stdout == "[]\n"


async def test_what_of_a_file_has_no_effect_comes_with_its_run(fetch, jp_root_dir):
    (jp_root_dir / "hello.py").write_text("print('hello')\n")
    given = {"filename": "hello.py", "priority": 1}
    data = {"component_parameters": given, "ui_data": {"label": "Say hello"}}
    node = {"id": "1", "type": "execution_node", "op": "execute-python-node", "app_data": data}
    flow = {"id": "p", "nodes": [node], "app_data": {"version": 8, "properties": {}}}
    pipeline = {"primary_pipeline": "p", "pipelines": [flow]}
    (jp_root_dir / "greet.pipeline").write_text(json.dumps(pipeline))
    started = await fetch("runs", method="POST", body={"path": "greet.pipeline"})
    [problem] = started["problems"]
    assert (problem["node"], problem["path"]) == ("Say hello", "priority")
    export = {"path": "greet.pipeline", "to": "ir", "name": "greet.yaml"}
    [remark] = (await fetch("exports", method="POST", body=export))["remarks"]
    assert remark.startswith("Node 'Say hello': `priority` has no effect")


async def test_a_notebook_of_kales_runs_in_its_experiment_and_tells_what_has_no_effect(fetch):
    made = notebook((["block:a"], "x = 1"))
    made.metadata["kubeflow_notebook"] = {"experiment_name": "sweets", "autosnapshot": True}
    started = await fetch("runs", method="POST", body={"path": "k.ipynb", "notebook": made})
    assert [one["name"] for one in started["problems"]] == ["autosnapshot"]
    body = {"path": "k.ipynb", "notebook": made}
    draft = await fetch("recurringruns", "draft", method="POST", body=body)
    assert [text.startswith("`autosnapshot`") for text in draft["warnings"]] == [True]
    found = (await fetch("experiments"))["experiments"]
    assert "sweets" in [one["name"] for one in found]


async def test_a_notebook_is_exported_beside_itself(fetch, jp_root_dir):
    folder = jp_root_dir / "work"
    folder.mkdir()
    nbformat.write(SMALL, folder / "small.ipynb")
    body = {"path": "work/small.ipynb", "to": "kfp", "name": "small.py"}
    made = await fetch("exports", method="POST", body=body)
    assert made == {"path": "work/small.py", "remarks": []}
    assert "def total(" in (folder / "small.py").read_text()
    with pytest.raises(HTTPClientError) as caught:
        await fetch("exports", method="POST", body=body)
    assert caught.value.code == 409
    await fetch("exports", method="POST", body={**body, "overwrite": True})
    share = {**body, "to": "share", "name": "small.zip"}
    assert "sha256:" in (await fetch("exports", method="POST", body=share))["remarks"][-1]
    for wrong in ("../up.py", "", "a/b.py"):
        with pytest.raises(HTTPClientError) as caught:
            await fetch("exports", method="POST", body={**body, "name": wrong})
        assert caught.value.code == 400


async def test_a_pipeline_of_elyra_is_run_by_its_path(fetch, jp_root_dir):
    (jp_root_dir / "hello.py").write_text("print('hello')\n")
    data = {"component_parameters": {"filename": "hello.py"}, "ui_data": {"label": "Hello"}}
    node = {"id": "1", "type": "execution_node", "op": "execute-python-node", "app_data": data}
    flow = {"id": "p", "nodes": [node], "app_data": {"version": 8, "properties": {}}}
    made = {"primary_pipeline": "p", "pipelines": [flow]}
    (jp_root_dir / "hello.pipeline").write_text(json.dumps(made))
    started = await fetch("runs", method="POST", body={"path": "hello.pipeline"})
    run = await ended(fetch, started["id"])
    assert (run["state"], run["name"]) == ("SUCCEEDED", "hello")


async def test_a_kernels_answer_about_values_is_told_as_problems(fetch):
    question = (await fetch("analysis", "live"))["question"]
    assert callable(eval(question, {}))
    made = notebook((["step:one"], "x = 1"), (["step:two"], "print(x)"))
    answer = {"x": {"type": "lock", "error": "TypeError: no"}}
    body = {"notebook": made, "answer": answer}
    [problem] = (await fetch("analysis", "live", method="POST", body=body))["problems"]
    assert (problem["cell_index"], problem["line"], problem["name"]) == (0, 1, "x")
    assert "cannot travel" in problem["message"]
