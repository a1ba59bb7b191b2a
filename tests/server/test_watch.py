"""The socket of a page: one watch for all viewers, while there are any, through all trouble."""

from __future__ import annotations

import asyncio
import json
import threading
from random import Random
from urllib.parse import urlsplit

import nbformat
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from fairlead.kube import KubeClient, ResourceType

MAPS_PATH = "/api/v1/namespaces/default/configmaps"
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


@pytest.fixture
def proxied(fetch, api_proxy, tmp_path, monkeypatch, data_dir):
    """The server uses the plane through the proxy, as the context `proxied`."""
    contexts = {"proxied": "default", "other": "kube-system", "away": "default"}
    monkeypatch.setenv("KUBECONFIG", str(api_proxy.kubeconfig(tmp_path / "kube", contexts)))
    yield api_proxy
    (data_dir / "context.json").unlink(missing_ok=True)


def use(fetch, context, namespace=None):
    body = {"context": context} | ({"namespace": namespace} if namespace else {})
    return fetch("contexts", "current", method="PUT", body=body)


async def until(holds):
    """Wait for what nobody tells."""
    for _ in range(600):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come to be")


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
    assert row["server"].startswith("https://127.0.0.1:")


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


async def test_a_user_who_may_not_read_gets_no_socket(jp_serverapp, jp_ws_fetch, monkeypatch):
    asked = []

    def is_authorized(handler, user, action, resource):
        asked.append((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    with pytest.raises(HTTPClientError) as caught:
        await jp_ws_fetch("fairlead", "api", "v1", "watch")
    assert (caught.value.code, asked) == (403, [("read", "fairlead")])


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


async def test_all_viewers_share_one_watch_which_ends_with_the_last(new_viewer, fetch, proxied):
    await use(fetch, "proxied")
    viewers = [await new_viewer() for _ in range(3)]
    for viewer in viewers:
        await viewer.subscribe(1, "objects", api_version="v1", kind="ConfigMap")
        await viewer.subscribe(2, "usage")
        await viewer.subscribe(3, "context")
        for number in (1, 2, 3):
            await viewer.until(number, lambda rows: True)
    paths = ("nodes", "pods", "namespaces/default/resourcequotas", "namespaces/default/configmaps")
    await until(lambda: set(proxied.watches) == {f"/api/v1/{path}" for path in paths})
    assert set(proxied.watches.values()) == {1}
    assert proxied.begun == proxied.watches
    await viewers[0].unsubscribe(1)
    viewers[1].socket.close()
    await viewers[2].subscribe(4, "runs")
    await viewers[2].until(4, lambda rows: True)
    assert proxied.watches[MAPS_PATH] == 1
    viewers[2].socket.close()
    await until(lambda: proxied.watches[MAPS_PATH] == 0)
    assert proxied.watches["/api/v1/pods"] == 1
    viewers[0].socket.close()
    await until(lambda: not proxied.watches)
    await until(lambda: all(one.name != "fairlead-watch" for one in threading.enumerate()))


async def test_a_watch_goes_on_when_cut_and_when_its_version_is_gone(
    new_viewer, fetch, proxied, kube
):
    await use(fetch, "proxied")
    viewer = await new_viewer()
    await viewer.subscribe(1, "objects", api_version="v1", kind="ConfigMap")
    await viewer.until(1, lambda rows: True)
    kube.create(config_map("now-0"))
    await viewer.until(1, lambda rows: "now-0" in names(rows))
    for number in range(3):
        if number == 1:
            proxied.expired.add(MAPS_PATH)
        proxied.cut()
        kube.delete(CONFIG_MAPS, f"now-{number}", "default")
        kube.create(config_map(f"now-{number + 1}"))
        wanted = [f"now-{number + 1}"]
        await viewer.until(
            1,
            lambda rows, wanted=wanted: (
                [name for name in names(rows) if name.startswith("now-")] == wanted
            ),
        )
    assert not proxied.expired
    await until(lambda: proxied.watches[MAPS_PATH] == 1)


async def test_whatever_is_cut_under_load_the_viewer_ends_with_what_there_is(
    new_viewer, fetch, proxied, kube
):
    await use(fetch, "proxied")
    viewer = await new_viewer()
    await viewer.subscribe(1, "objects", api_version="v1", kind="ConfigMap")
    await viewer.until(1, lambda rows: True)
    random = Random(3)

    def write():
        there = []
        for number in range(150):
            if there and random.random() < 0.4:
                kube.delete(CONFIG_MAPS, there.pop(random.randrange(len(there))), "default")
            else:
                there.append(f"load-{number}")
                kube.create(config_map(there[-1], number=str(number)))
        return there

    writing = asyncio.create_task(asyncio.to_thread(write))
    while not writing.done():
        if random.random() < 0.2:
            proxied.expired.add(MAPS_PATH)
        proxied.cut()
        await asyncio.sleep(random.random() / 4)
    left = sorted(await writing)
    await viewer.until(
        1, lambda rows: [one for one in names(rows) if one.startswith("load-")] == left
    )


async def test_viewers_go_on_when_the_plane_is_killed(new_viewer, kube, kill_plane):
    viewers = [await new_viewer(), await new_viewer()]
    for viewer in viewers:
        await viewer.subscribe(1, "objects", api_version="v1", kind="ConfigMap")
        await viewer.subscribe(2, "context")
        await viewer.until(1, lambda rows: True)
        await viewer.until(2, lambda rows: rows["context"]["health"] == "ok")
    kube.create(config_map("kept"))
    for round_ in range(2):
        kill_plane()
        await asyncio.to_thread(kube.create, config_map(f"after-{round_}"))
        for viewer in viewers:
            wanted = {"kept", f"after-{round_}"}
            await viewer.until(1, lambda rows, wanted=wanted: wanted <= set(names(rows)))
    for viewer in viewers:
        await viewer.until(2, lambda rows: rows["context"]["health"] == "ok")
        snapshots = [one for one in viewer.messages if one["id"] == 1 and one.get("snapshot")]
        assert len(snapshots) == 1


async def test_a_switch_is_told_to_all_pages_and_their_watches_move_over(
    new_viewer, fetch, proxied, kube, data_dir
):
    viewers = [await new_viewer(), await new_viewer()]
    for viewer in viewers:
        await viewer.subscribe(1, "context")
        await viewer.subscribe(2, "objects", api_version="v1", kind="ConfigMap")
        await viewer.until(2, lambda rows: True)
    kube.create(config_map("elsewhere"), "kube-system")
    answer = await use(fetch, "other")
    assert answer == {"context": "other", "namespace": "kube-system"}
    for viewer in viewers:
        await viewer.until(1, lambda rows: rows["context"]["context"] == "other")
        await viewer.until(2, lambda rows: "elsewhere" in names(rows))
    await until(lambda: proxied.watches["/api/v1/namespaces/kube-system/configmaps"] == 1)
    await use(fetch, "other", "default")
    for viewer in viewers:
        await viewer.until(1, lambda rows: rows["context"]["namespace"] == "default")
    await until(lambda: not proxied.watches["/api/v1/namespaces/kube-system/configmaps"])
    assert await fetch("contexts", "current") == {"context": "other", "namespace": "default"}
    assert json.loads((data_dir / "context.json").read_text())["context"] == "other"


async def test_a_context_that_is_away_is_listed_with_the_reason_and_not_taken(fetch, proxied):
    found = await fetch("contexts")
    assert found["current"] == {"context": "local", "namespace": "default"}
    problems = {one["name"]: one["problem"] for one in found["contexts"]}
    assert [name for name, problem in problems.items() if not problem] == [
        "local",
        "proxied",
        "other",
    ]
    assert "https://127.0.0.1:9 cannot be reached" in problems["away"]
    with pytest.raises(HTTPClientError) as caught:
        await use(fetch, "away")
    assert caught.value.code == 502
    with pytest.raises(HTTPClientError) as caught:
        await use(fetch, "nowhere")
    assert caught.value.code == 404
    assert "nowhere" in json.loads(caught.value.response.body)["message"]
    assert await fetch("contexts", "current") == found["current"]


async def test_where_the_chosen_context_is_no_more_another_one_can_be_used(
    new_viewer, fetch, proxied, data_dir
):
    (data_dir / "context.json").write_text(json.dumps({"context": "removed", "namespace": None}))
    viewer = await new_viewer()
    await viewer.subscribe(1, "context")
    refusal = await viewer.next()
    assert (refusal["id"], "removed" in refusal["error"]) == (1, True)
    found = await fetch("contexts")
    assert found["current"] is None
    assert "local" in [one["name"] for one in found["contexts"]]
    await use(fetch, "proxied")
    await viewer.subscribe(1, "context")
    await viewer.until(1, lambda rows: rows["context"]["context"] == "proxied")


async def test_trouble_of_the_server_is_told_in_words_and_passes(new_viewer, fetch, proxied):
    await use(fetch, "proxied")
    viewer = await new_viewer()
    await viewer.subscribe(1, "context")
    await viewer.subscribe(2, "objects", api_version="v1", kind="ConfigMap")
    await viewer.until(2, lambda rows: True)
    await viewer.until(1, lambda rows: rows["context"]["health"] == "ok")
    proxied.refused["."] = 401
    proxied.cut()
    rows = await viewer.until(1, lambda rows: rows["context"]["health"] == "error")
    assert rows["context"]["message"] == "Unauthorized"
    assert "log in again" in rows["context"]["hint"]
    proxied.refused.clear()
    await viewer.until(1, lambda rows: rows["context"]["health"] == "ok")
    assert rows["context"]["message"] == ""


async def test_capabilities_are_what_the_cluster_serves_and_what_we_may(fetch, proxied):
    answer = await fetch("capabilities")
    assert answer["pipelines"] == {"lacks": {}}
    kinds = answer["kinds"]
    assert kinds["Run"]["available"]
    assert kinds["Run"]["verbs"]["create"] == {"allowed": True, "reason": ""}
    proxied.hidden.add("argoproj.io")
    await use(fetch, "proxied")
    run = (await fetch("capabilities"))["kinds"]["Run"]
    assert (run["available"], run["verbs"]) == (False, {})
    assert "Workflow" in run["reason"]
    assert (await fetch("capabilities"))["kinds"]["Pod"]["available"]


async def test_namespaces_that_may_not_be_listed_are_none_with_the_reason(fetch, proxied):
    assert "default" in (await fetch("namespaces"))["namespaces"]
    await use(fetch, "proxied")
    proxied.refused["GET /api/v1/namespaces$"] = 403
    answer = await fetch("namespaces")
    assert answer["namespaces"] == []
    assert "forbidden" in answer["reason"]


async def test_where_all_pods_may_not_be_seen_those_of_the_namespace_count(
    new_viewer, fetch, proxied
):
    proxied.refused["GET /api/v1/(pods|nodes)$"] = 403
    await use(fetch, "proxied")
    viewer = await new_viewer()
    await viewer.subscribe(1, "usage")
    rows = await viewer.until(1, lambda rows: True)
    assert rows["usage"]["scope"] == "namespace"
    assert rows["usage"]["cpu"] == {"used": 0, "allocatable": None, "quota": None}
    await until(lambda: proxied.watches["/api/v1/namespaces/default/pods"] == 1)
    assert not proxied.watches["/api/v1/pods"]
