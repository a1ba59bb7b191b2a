"""What a viewer is told of a topic, however slow it is; and what a quota leaves."""

from __future__ import annotations

from fairlead_server.health import BEGINNING, WELL
from fairlead_server.reflect import Request, Subscription
from fairlead_server.topics.usage import row_of


class Rows:
    """A topic that a test changes."""

    def __init__(self):
        self.rows = {}
        self.ready = True
        self.health = WELL
        self.viewers = []

    def put(self, **rows):
        for key, row in rows.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        for viewer in self.viewers:
            viewer(rows)


def subscribed(topic):
    wakes = []
    subscription = Subscription(Request("runs"), lambda: wakes.append(1))
    subscription.attach(topic)
    return subscription, wakes


def test_a_slow_viewer_is_told_each_row_once_as_it_is_when_its_turn_comes():
    topic = Rows()
    topic.put(a=1)
    subscription, wakes = subscribed(topic)
    first = subscription.take()
    assert (first["snapshot"], first["rows"], first["health"]) == (True, {"a": 1}, "ok")
    assert subscription.take() is None
    for value in range(1000):
        topic.put(a=value, b=value, c=value)
    topic.put(b=None, d=None)
    assert len(wakes) == 1002
    told = subscription.take()
    assert (told["snapshot"], told["rows"]) == (False, {"a": 999, "c": 999})
    assert sorted(told["gone"]) == ["b", "d"]
    assert subscription.take() is None


def test_what_came_and_went_while_a_viewer_slept_is_not_remembered_for_ever():
    topic = Rows()
    topic.put(a=1)
    subscription, _ = subscribed(topic)
    subscription.take()
    for number in range(5000):
        topic.put(**{f"n{number}": 1})
        topic.put(**{f"n{number}": None})
    assert len(subscription._dirty) <= 1001
    told = subscription.take()
    assert (told["snapshot"], told["rows"], told["gone"]) == (True, {"a": 1}, [])


def test_a_topic_that_is_not_ready_tells_how_it_is_and_no_rows():
    topic = Rows()
    topic.ready, topic.health = False, BEGINNING
    subscription, _ = subscribed(topic)
    assert subscription.take() == {"health": "starting", "message": "", "hint": ""}
    assert subscription.take() is None
    topic.ready, topic.health = True, WELL
    topic.put()
    assert subscription.take() == {**WELL.as_dict(), "snapshot": True, "rows": {}, "gone": []}


def test_another_topic_begins_with_a_snapshot():
    one, other = Rows(), Rows()
    one.put(a=1)
    other.put(b=2)
    subscription, _ = subscribed(one)
    subscription.take()
    subscription.detach()
    assert one.viewers == []
    subscription.attach(other)
    assert subscription.take()["rows"] == {"b": 2}


def test_of_several_quotas_the_one_that_leaves_the_least_is_shown():
    amount = {"used": 1, "allocatable": 8}
    quota = [
        {"name": "wide", "resource": "requests.cpu", "used": 1, "hard": 6},
        {"name": "tight", "resource": "cpu", "used": 1, "hard": 2},
        {"name": "tight", "resource": "limits.memory", "used": 1, "hard": 2},
        {"name": "tight", "resource": "requests.nvidia.com/gpu", "used": 0, "hard": 4},
    ]
    row = row_of({"cpu": amount, "memory": amount, "gpu": amount, "quota": quota})
    assert row == {
        "cpu": {**amount, "quota": {"used": 1, "hard": 2}},
        "memory": {**amount, "quota": None},
        "gpu": {**amount, "quota": {"used": 0, "hard": 4}},
    }
