"""The socket of a Lab page: what it shows, and only while it does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from fairlead.errors import FairleadError, SpecError
from fairlead_server.base import AUTH_RESOURCE
from fairlead_server.reflect import Reflector, Request, Subscription

Json = dict[str, Any]

_MOST_SUBSCRIPTIONS = 200
_GAP_S = 0.05
"""Changes that come closer together than this travel together."""


class WatchSocket(ExtensionHandlerMixin, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One page. It sends `{"subscribe": id, "topic": …}` and `{"unsubscribe": id}`.

    It gets `{id, health, message, hint}`, where the topic has rows with `{snapshot, rows, gone}`
    (see `Subscription.take`), and for a request that is refused `{id, error, hint}`. Ids are the
    page's own.
    """

    auth_resource = AUTH_RESOURCE

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the socket for a user who may read."""
        allowed = await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "read", self.auth_resource)
        )
        if not allowed:
            raise web.HTTPError(403)
        answer = super().get(*args, **kwargs)
        if answer is not None:
            await answer

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Begin to listen to the page."""
        super().open(*args, **kwargs)
        self._subscriptions: dict[int, Subscription] = {}
        self._reflector: Reflector | None = None
        self._wake = asyncio.Event()
        self._closed = False
        self._refused: list[Json] = []
        self._sender = asyncio.get_running_loop().create_task(self._send())

    async def on_message(self, message: str | bytes) -> None:
        """Take one wish of the page."""
        subscription_id = None
        try:
            body = _read(message)
            if "unsubscribe" in body:
                self._unsubscribe(_id_of(body, "unsubscribe"))
                return
            subscription_id = _id_of(body, "subscribe")
            await self._subscribe(subscription_id, Request.read(body))
        except FairleadError as error:
            if subscription_id is not None:
                self._drop_unless_followed(subscription_id)
            self._refused.append({"id": subscription_id, "error": error.what, "hint": error.hint})
            self._wake.set()

    def on_close(self) -> None:
        """End all that the page was shown."""
        self._closed = True
        self._sender.cancel()
        for subscription_id in tuple(self._subscriptions):
            self._unsubscribe(subscription_id)
        super().on_close()

    async def _subscribe(self, subscription_id: int, request: Request) -> None:
        if subscription_id in self._subscriptions:
            raise SpecError(f"subscribe: {subscription_id} is taken on this socket.")
        if len(self._subscriptions) >= _MOST_SUBSCRIPTIONS:
            raise SpecError(
                f"subscribe: this page has {_MOST_SUBSCRIPTIONS} subscriptions already.",
                hint="End some that are not shown.",
            )
        subscription = Subscription(request, self._wake.set)
        # Kept before the wait: the page may end it, or leave, meanwhile.
        self._subscriptions[subscription_id] = subscription
        reflector: Reflector = await self.settings["fairlead_reflector"]()
        if self._subscriptions.get(subscription_id) is subscription:
            self._reflector = reflector
            reflector.subscribe(subscription)

    def _drop_unless_followed(self, subscription_id: int) -> None:
        """Forget a subscription that came to nothing: the page may ask again under its id."""
        subscription = self._subscriptions.get(subscription_id)
        if subscription is not None and not subscription.attached:
            del self._subscriptions[subscription_id]

    def _unsubscribe(self, subscription_id: int) -> None:
        subscription = self._subscriptions.pop(subscription_id, None)
        if subscription is not None and self._reflector is not None:
            self._reflector.unsubscribe(subscription)

    async def _send(self) -> None:
        """Tell the page what it has not been told; waits for a slow one, and keeps nothing."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                refused, self._refused = self._refused, []
                for refusal in refused:
                    await self.write_message(json.dumps(refusal))
                for subscription_id, subscription in tuple(self._subscriptions.items()):
                    message = subscription.take()
                    if message is not None:
                        await self.write_message(json.dumps({"id": subscription_id, **message}))
                await asyncio.sleep(_GAP_S)
        except (WebSocketClosedError, StreamClosedError):
            # The page has left; `on_close` ends its subscriptions.
            return


def _read(message: str | bytes) -> Json:
    try:
        body = json.loads(message)
    except ValueError as error:
        raise SpecError(f"A message must be JSON: {error}") from error
    if not isinstance(body, dict) or not ({"subscribe", "unsubscribe"} & set(body)):
        raise SpecError("A message must be an object with `subscribe` or `unsubscribe`.")
    return body


def _id_of(body: Json, field: str) -> int:
    found = body[field]
    if not isinstance(found, int):
        raise SpecError(f"{field}: must be a number, the page's own id of the subscription.")
    return found


ROUTES = [(r"watch", WatchSocket)]
