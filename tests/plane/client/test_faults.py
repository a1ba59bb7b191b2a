"""The layer over a disturbed line and before a failing server: nothing lost, nothing made up."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.client import get_run, submit
from fairlead.errors import ClusterError
from fairlead.kube import SYNCED, Follower, KubeClient, ResourceType
from fairlead.kube.client import NAMESPACES

sys.path.insert(0, str(Path(__file__).parent))
from faulty import (
    Answer,
    Fault,
    FaultyLine,
    FaultyServer,
    port_of,
    write_kubeconfig,
    writing,
)

CONFIG_MAPS = ResourceType("v1", "configmaps")
SECRETS = ResourceType("v1", "secrets")  # of which a new namespace has none
LAST = "the-last-one"

FAULTS = st.lists(
    st.builds(
        Fault,
        st.sampled_from(["cut", "half-close", "corrupt", "swap", "delay"]),
        # The first 1,500 bytes or so are the TLS handshake.
        st.integers(0, 12_000),
    ),
    max_size=8,
)
ANSWERS = st.lists(
    st.one_of(
        st.builds(Answer, st.sampled_from(["429", "500", "503"]), st.just(0), st.just("0")),
        st.builds(Answer, st.sampled_from(["end", "break", "gone", "garbage"]), st.integers(0, 6)),
    ),
    max_size=6,
)
WRITES = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), min_size=5, max_size=40)


@pytest.fixture(scope="module")
def direct(data_dir):
    client = KubeClient("local")
    client.list(NAMESPACES)
    return client


@pytest.fixture(scope="module")
def line(direct):
    made = FaultyLine(port_of(direct.context.kubeconfig))
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(direct):
    made = FaultyServer(direct.context.kubeconfig)
    yield made
    made.close()


@pytest.fixture
def disturbed(direct, line, tmp_path, monkeypatch):
    """A client whose line can be disturbed."""
    return client_at(f"https://127.0.0.1:{line.port}", direct, tmp_path, monkeypatch)


@pytest.fixture
def before_server(direct, server, tmp_path, monkeypatch):
    """A client before which a failing server can be put."""
    return client_at(f"http://127.0.0.1:{server.port}", direct, tmp_path, monkeypatch)


def client_at(url, direct, folder, monkeypatch):
    file = write_kubeconfig(direct.context.kubeconfig, folder / "kubeconfig", url)
    monkeypatch.setenv("KUBECONFIG", str(file))
    return KubeClient("disturbed")


def config_map(name, value):
    metadata = {"name": name}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"v": value}}


def secret(name, value):
    metadata = {"name": name}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"v": value}}


class History:
    """What was truly written to a namespace: for each object its versions, in order."""

    def __init__(self, client):
        self.client = client
        made = client.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "faults-"}}
        )
        self.namespace = made["metadata"]["name"]
        self.versions = {}
        self.alive = set()

    def write(self, writes):
        """Create, change (or, at will, delete) one object after another, then the last one."""
        for number, (name, delete) in enumerate(writes):
            if name not in self.alive:
                self.put(self.client.create(secret(name, str(number)), self.namespace))
                self.alive.add(name)
            elif delete:
                self.client.delete(SECRETS, name, self.namespace)
                self.versions[name].append("deleted")
                self.alive.remove(name)
            else:
                patch = {"stringData": {"v": str(number)}}
                self.put(self.client.patch(SECRETS, name, patch, self.namespace))
        self.put(self.client.create(secret(LAST, ""), self.namespace))

    def put(self, item):
        metadata = item["metadata"]
        self.versions.setdefault(metadata["name"], []).append(metadata["resourceVersion"])

    def end(self):
        self.client.delete(NAMESPACES, self.namespace)


def follow(client, history, writes, *, disturb):
    """Follow a namespace while it is written to; returns what was told of each object."""
    told, health = {}, []
    follower = Follower(
        client, SECRETS, history.namespace, on_health=lambda *now: health.append(now)
    )
    state = {}
    for event in follower:
        assert event.type == SYNCED
        break
    disturb()
    with writing(lambda: history.write(writes)):
        for event in follower:
            if event.type == SYNCED:
                continue
            metadata = event.object["metadata"]
            name = metadata["name"]
            # No event that does not fit what was told before.
            assert (event.type == "ADDED") == (name not in state), (event.type, name)
            if event.type == "DELETED":
                del state[name]
                told.setdefault(name, []).append("deleted")
            else:
                state[name] = event.object
                told.setdefault(name, []).append(metadata["resourceVersion"])
            if name == LAST:
                break
    follower.close()
    assert {item["metadata"]["name"]: item for item in follower.objects} == state
    return told, health


def is_part_in_order(part, whole):
    rest = iter(whole)
    return all(item in rest for item in part)


def check_line(disturbed, direct, line, faults, writes):
    history = History(direct)
    line.plan([])
    told, _ = follow(disturbed, history, writes, disturb=lambda: line.plan(faults))
    line.plan([])
    # The server knew every version that a resumed watch asked for: nothing may be missing.
    assert told == history.versions
    history.end()


def check_server(before_server, direct, server, answers, writes):
    history = History(direct)
    server.plan([])
    told, _ = follow(before_server, history, writes, disturb=lambda: server.plan(answers))
    server.plan([])
    for name, versions in history.versions.items():
        seen = told.get(name, [])
        # A list in between tells the outcome of several changes at once.
        assert is_part_in_order(seen, versions), name
        assert seen[-1:] == versions[-1:] or (versions[-1] == "deleted" and not seen), name
    if not any(answer.kind in ("500", "gone") for answer in answers):
        assert told == history.versions
    history.end()


FEW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MANY = settings(FEW, max_examples=300)


@FEW
@given(faults=FAULTS, writes=WRITES)
def test_a_follower_on_a_bad_line_tells_every_change_once(disturbed, direct, line, faults, writes):
    check_line(disturbed, direct, line, faults, writes)


@FEW
@given(answers=ANSWERS, writes=WRITES)
def test_a_follower_of_a_failing_server_ends_where_the_server_does(
    before_server, direct, server, answers, writes
):
    check_server(before_server, direct, server, answers, writes)


@pytest.mark.full
@pytest.mark.timeout(3600)
@MANY
@given(faults=FAULTS, writes=WRITES)
def test_a_follower_on_a_bad_line_tells_every_change_once_again_and_again(
    disturbed, direct, line, faults, writes
):
    check_line(disturbed, direct, line, faults, writes)


@pytest.mark.full
@pytest.mark.timeout(3600)
@MANY
@given(answers=ANSWERS, writes=WRITES)
def test_a_follower_of_a_failing_server_ends_where_the_server_does_again_and_again(
    before_server, direct, server, answers, writes
):
    check_server(before_server, direct, server, answers, writes)


def test_a_deletion_that_nobody_saw_is_told_after_the_gap(before_server, direct, server):
    history = History(direct)
    history.put(direct.create(secret("goes", "1"), history.namespace))
    history.put(direct.create(secret("stays", "1"), history.namespace))
    seen = []
    follower = Follower(before_server, SECRETS, history.namespace)
    for event in follower:
        if event.type == SYNCED:
            break
    # The watch ends, and the version from which it would go on is gone.
    server.plan([Answer("500"), Answer("500"), Answer("503", 0, "0")])
    with writing(lambda: direct.delete(SECRETS, "goes", history.namespace)):
        for event in follower:
            if event.type != SYNCED:
                seen.append((event.type, event.object["metadata"]["name"]))
            if seen:
                break
    follower.close()
    assert seen == [("DELETED", "goes")]
    assert [item["metadata"]["name"] for item in follower.objects] == ["stays"]
    history.end()


def test_health_is_told_as_it_changes_and_with_the_reason(disturbed, direct, line):
    history = History(direct)
    line.plan([])
    faults = [Fault("cut", 0), Fault("cut", 0), Fault("cut", 0), Fault("cut", 0)]
    told, health = follow(disturbed, history, [("a", False)] * 3, disturb=lambda: line.plan(faults))
    assert told == history.versions
    assert health[0] == ("ok", "")
    assert ("ok", "") in health[1:]
    broken = [why for state, why in health if state == "reconnecting"]
    assert broken
    assert all(why for why in broken)
    history.end()


def test_a_follower_ends_for_another_thread_at_once(direct):
    follower = Follower(direct, CONFIG_MAPS, "default")
    for event in follower:
        if event.type == SYNCED:
            break
    with writing(follower.close):
        assert list(follower) == []


def test_a_kind_that_is_not_served_ends_a_follower_with_the_reason(direct):
    with pytest.raises(Exception, match="could not find the requested resource"):
        next(Follower(direct, ResourceType("nowhere.example/v1", "things"), "default"))


@pytest.mark.parametrize("kind", ["cut", "half-close", "corrupt", "swap", "delay"])
def test_a_run_seen_over_a_bad_line_ends_as_succeeded(direct, disturbed, line, tmp_path, kind):
    notebook = nbformat.v4.new_notebook()
    for name in ("one", "two"):
        source = f"import time\ntime.sleep(0.3)\nprint('{name} {uuid.uuid4().hex}')"
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": [f"step:{name}"]})
        notebook.cells.append(cell)
    nbformat.write(notebook, tmp_path / "seen.ipynb")
    started = submit(tmp_path / "seen.ipynb", context="local")
    line.plan([])
    seen = get_run(started.run_id, context="disturbed")
    line.plan([Fault(kind, after) for after in (0, 1800, 2500, 4000, 8000, 3000, 2200)])
    assert seen.wait().state == "SUCCEEDED"
    line.plan([])


@pytest.mark.parametrize("code", ["429", "502", "503", "504"])
def test_what_only_reads_is_asked_again(before_server, server, code):
    server.plan([Answer(code, 0, "0"), Answer(code, 0, "0")])
    assert before_server.list(NAMESPACES)
    assert len(server.asked) == 3


def test_a_write_is_sent_again_only_where_the_server_did_not_look_at_it(
    before_server, direct, server
):
    history = History(direct)
    before_server.resource_type("v1", "ConfigMap")
    server.plan([Answer("429", 0, "0")])
    before_server.create(config_map("a", "1"), history.namespace)
    assert [method for method, _ in server.asked] == ["POST", "POST"]
    server.plan([Answer("503", 0, "0")])
    with pytest.raises(ClusterError, match="planned") as caught:
        before_server.create(config_map("b", "1"), history.namespace)
    assert (caught.value.code, caught.value.retry_after_s) == (503, 0.0)
    assert [method for method, _ in server.asked] == ["POST"]
    history.end()


def test_a_server_that_asks_to_wait_too_long_is_told_not_waited_for(before_server, server):
    server.plan([Answer("429", 0, "3600")])
    with pytest.raises(ClusterError, match="planned") as caught:
        before_server.list(NAMESPACES)
    assert caught.value.retry_after_s == 3600
    assert len(server.asked) == 1


def test_a_change_of_what_was_read_is_made_again_after_a_conflict(direct):
    history = History(direct)
    direct.create(config_map("shared", "0"), history.namespace)
    others = iter(["1", "2"])

    def add(item):
        value = next(others, None)
        if value is not None:
            patch = {"data": {"other": value}}
            direct.patch(CONFIG_MAPS, "shared", patch, history.namespace)
        item["data"]["v"] = "mine"

    made = direct.update(CONFIG_MAPS, "shared", add, history.namespace)
    assert made["data"] == {"v": "mine", "other": "2"}
    history.end()
