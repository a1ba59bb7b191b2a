"""Who looks at what: topics begin with their first viewer and end with their last.

Jupyter's own event socket carries events to whoever listens and cannot tell a watch who that is, so
a watch behind it could never end. Pages have a socket of their own instead (`viewers`), whose
life is the viewer's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

from fairlead.errors import SpecError
from fairlead_server.backend import Connection
from fairlead_server.topics import (
    ContextTopic,
    ObjectsTopic,
    Place,
    RunsTopic,
    Topic,
    TrainingTopic,
    UsageTopic,
)
from fairlead_server.watches import Watches

Json = dict[str, Any]

_SIMPLE = {
    "context": ContextTopic,
    "usage": UsageTopic,
    "runs": RunsTopic,
    "training": TrainingTopic,
}
_LEAST_DIRTY = 1000


class Request(NamedTuple):
    """What a viewer asks for; equal requests share one topic.

    Attributes
    ----------
    topic : str
        `context`, `usage`, `runs`, `training` or `objects`.
    api_version, kind : str
        Of `objects`.
    namespace : str, optional
        Of `objects`: default the one in use, `*` for all.
    """

    topic: str
    api_version: str = ""
    kind: str = ""
    namespace: str | None = None

    @classmethod
    def read(cls, body: Json) -> Request:
        """Read a request from a page.

        Raises
        ------
        SpecError
            There is no such topic, or a field is missing.
        """
        topic = body.get("topic")
        if topic in _SIMPLE:
            return cls(str(topic))
        if topic != "objects":
            known = ", ".join((*_SIMPLE, "objects"))
            raise SpecError(f"topic: {topic!r} is none of {known}.")
        for field in ("api_version", "kind"):
            if not isinstance(body.get(field), str) or not body[field]:
                raise SpecError(f"{field}: the topic `objects` needs it.")
        namespace = body.get("namespace")
        if namespace is not None and not isinstance(namespace, str):
            raise SpecError("namespace: must be a name, or `*` for all namespaces.")
        return cls("objects", body["api_version"], body["kind"], namespace)


class Subscription:
    """One viewer's part in a topic: what it has not been told yet.

    It keeps keys, not rows: a slow browser gets each row once, as it is when its turn comes. So
    `gone` may name a row that came and went meanwhile, of which it never heard.
    """

    def __init__(self, request: Request, wake: Any) -> None:
        self.request = request
        self._wake = wake
        self._topic: Topic | None = None
        self._whole = True
        self._dirty: set[str] = set()
        self._health_changed = True

    @property
    def attached(self) -> bool:
        """Whether it follows a topic."""
        return self._topic is not None

    def attach(self, topic: Topic) -> None:
        """Follow a topic from its beginning."""
        self._topic = topic
        self._whole = True
        self._dirty.clear()
        topic.viewers.append(self._on_change)
        self._wake()

    def detach(self) -> None:
        """Follow it no longer."""
        if self._topic is not None:
            self._topic.viewers.remove(self._on_change)
            self._topic = None

    def take(self) -> Json | None:
        """Return what is to be told now, `None` where there is nothing."""
        topic = self._topic
        if topic is None or not (self._whole or self._dirty or self._health_changed):
            return None
        message: Json = topic.health.as_dict()
        if not topic.ready:
            # Nothing to show yet, but perhaps a reason why.
            if not self._health_changed:
                return None
        elif self._whole:
            message |= {"snapshot": True, "rows": dict(topic.rows), "gone": []}
            self._whole = False
            self._dirty.clear()
        else:
            dirty, self._dirty = self._dirty, set()
            message |= {
                "snapshot": False,
                "rows": {key: topic.rows[key] for key in dirty if key in topic.rows},
                "gone": [key for key in dirty if key not in topic.rows],
            }
        self._health_changed = False
        return message

    def _on_change(self, keys: Iterable[str]) -> None:
        self._health_changed = True
        if not self._whole:
            self._dirty.update(keys)
            # Things that come and go while a browser sleeps would be remembered for ever.
            if self._topic is not None and len(self._dirty) > _LEAST_DIRTY + len(self._topic.rows):
                self._whole = True
                self._dirty.clear()
        self._wake()


class Reflector:
    """All topics that are open on this server, in the context in use."""

    def __init__(self, connection: Connection, log: logging.Logger) -> None:
        self._log = log
        self._topics: dict[Request, Topic] = {}
        self._subscriptions: set[Subscription] = set()
        self._place = self._new_place(connection)

    def subscribe(self, subscription: Subscription) -> None:
        """Let a subscription have its topic."""
        self._subscriptions.add(subscription)
        self._attach(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; a topic that was its alone ends too."""
        self._subscriptions.discard(subscription)
        subscription.detach()
        self._sweep()

    def move(self, connection: Connection) -> None:
        """Go to another context or namespace: everything that is followed is followed there."""
        for subscription in self._subscriptions:
            subscription.detach()
        self._sweep()
        self._place.watches.close()
        self._place = self._new_place(connection)
        for subscription in self._subscriptions:
            self._attach(subscription)

    def close(self) -> None:
        """End everything."""
        for subscription in tuple(self._subscriptions):
            self.unsubscribe(subscription)
        self._place.watches.close()

    def _new_place(self, connection: Connection) -> Place:
        return Place(connection, Watches(connection.kube, self._on_health), self._log)

    def _attach(self, subscription: Subscription) -> None:
        request = subscription.request
        if request not in self._topics:
            self._topics[request] = self._open(request)
        subscription.attach(self._topics[request])

    def _open(self, request: Request) -> Topic:
        if request.topic != "objects":
            return _SIMPLE[request.topic](self._place)
        namespace = request.namespace or self._place.connection.namespace
        return ObjectsTopic(
            self._place,
            request.api_version,
            request.kind,
            None if namespace == "*" else namespace,
        )

    def _sweep(self) -> None:
        for request, topic in list(self._topics.items()):
            if not topic.viewers:
                del self._topics[request]
                topic.close()

    def _on_health(self) -> None:
        for topic in self._topics.values():
            if isinstance(topic, ContextTopic):
                topic.on_health()
