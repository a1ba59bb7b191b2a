"""The socket of a page: one watch for all viewers, while there are any, through all trouble."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import nbformat
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from fairlead.kube import KubeClient, ResourceType

CONFIG_MAPS = ResourceType("v1", "configmaps")
PODS = ResourceType("v1", "pods")


def config_map(name, **labels):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels},
    }


@pytest.fixture
def kube(data_dir):
    """A client of our own at the plane."""
    return KubeClient()


def names(rows):
    return sorted(row["name"] for row in rows.values())


async def test_objects_come_as_a_snapshot_and_then_as_they_change(new_viewer, kube):
    kube.create(config_map("first", app="a"))
    viewer = await new_viewer()
    await viewer.subscribe(7, "objects", api_version="v1", kind="ConfigMap")
    rows = await viewer.until(7, lambda rows: "first" in names(rows))
    row = next(row for row in rows.values() if row["name"] == "first")
    assert (row["namespace"], row["labels"], row["phase"]) == ("default", {"app": "a"}, None)
    kube.create(config_map("second"))
    await viewer.until(7, lambda rows: "second" in names(rows))
    kube.delete(CONFIG_MAPS, "first", "default")
    await viewer.until(7, lambda rows: "first" not in names(rows))
    assert [one["snapshot"] for one in viewer.messages if "rows" in one].count(True) == 1


async def test_a_run_is_pushed_to_viewers_while_it_changes(new_viewer, fetch):
    viewer = await new_viewer()
    await viewer.subscribe(1, "runs")
    await viewer.until(1, lambda rows: rows == {})
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["step:one"]})]
    started = await fetch("runs", method="POST", body={"path": "pushed.ipynb", "notebook": made})
    await viewer.until(
        1,
        lambda rows: any(
            (row["run_id"], row["state"]) == (started["id"], "SUCCEEDED") for row in rows.values()
        ),
    )


async def test_the_context_tells_where_things_go_and_how_it_is(new_viewer):
    viewer = await new_viewer()
    await viewer.subscribe(1, "context")
    rows = await viewer.until(1, lambda rows: rows["context"]["health"] == "ok")
    row = rows["context"]
    assert (row["context"], row["namespace"], row["message"]) == ("local", "default", "")
    assert row["version"].startswith("v1.")


async def test_what_cannot_be_subscribed_is_refused_and_the_socket_stays(new_viewer):
    viewer = await new_viewer()
    for wish, word in [
        ({"subscribe": 1, "topic": "nothing"}, "topic"),
        ({"subscribe": 1, "topic": "objects", "api_version": "v1"}, "kind"),
        ({"subscribe": "one", "topic": "runs"}, "subscribe"),
    ]:
        await viewer.socket.write_message(json.dumps(wish))
        assert word in (await viewer.next())["error"]
    await viewer.socket.write_message("no json")
    assert "JSON" in (await viewer.next())["error"]
    await viewer.subscribe(2, "objects", api_version="nobody.example/v1", kind="Nothing")
    message = await viewer.next()
    assert (message["id"], message["health"], "rows" in message) == (2, "error", False)
    assert "nobody.example/v1" in message["message"]


async def test_a_page_of_another_origin_is_refused(jp_fetch, jp_base_url):
    # With a token in the request any page may come; a browser's cookie goes along by itself.
    answer = await jp_fetch("api", "status")
    cookies = "; ".join(
        one.partition(";")[0] for one in answer.headers.get_list("Set-Cookie") if "username" in one
    )
    assert cookies
    host = urlsplit(answer.effective_url).netloc
    url = f"ws://{host}{jp_base_url}fairlead/api/v1/watch"
    for origin, code in [("http://elsewhere.example", 403), (f"http://{host}", 0)]:
        request = HTTPRequest(url, headers={"Cookie": cookies, "Origin": origin})
        if code:
            with pytest.raises(HTTPClientError) as caught:
                await websocket_connect(request)
            assert caught.value.code == code
        else:
            (await websocket_connect(request)).close()
