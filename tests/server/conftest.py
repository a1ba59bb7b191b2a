"""A Jupyter Server for the tests of this folder."""

from __future__ import annotations

import asyncio
import json

import pytest

# Imported, not named in `pytest_plugins`: its event loop is for the tests of this folder alone.
from pytest_jupyter.jupyter_server import *  # noqa: F403

API = ("fairlead", "api", "v1")
WAIT_S = 90


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"fairlead_server": True}}}


@pytest.fixture
def fetch(jp_fetch, data_dir):
    """Asks the extension; JSON answers are read."""

    async def call(*path, method="GET", body=None, **more):
        payload = json.dumps(body) if body is not None else ("" if method == "POST" else None)
        answer = await jp_fetch(
            *API, *path, method=method, body=payload, request_timeout=120, **more
        )
        kind = answer.headers.get("Content-Type", "")
        return json.loads(answer.body) if kind.startswith("application/json") else answer.body

    return call


class Viewer:
    """A page: its socket, and what it would show of each subscription."""

    def __init__(self, socket):
        self.socket = socket
        self.rows = {}
        self.messages = []

    async def subscribe(self, number, topic, **more):
        await self.socket.write_message(json.dumps({"subscribe": number, "topic": topic, **more}))

    async def unsubscribe(self, number):
        await self.socket.write_message(json.dumps({"unsubscribe": number}))

    async def next(self):
        """Take the next message."""
        text = await asyncio.wait_for(self.socket.read_message(), WAIT_S)
        assert text is not None, "the socket was closed"
        message = json.loads(text)
        self.messages.append(message)
        if "rows" in message:
            rows = self.rows.setdefault(message["id"], {})
            if message["snapshot"]:
                rows.clear()
            rows.update(message["rows"])
            for key in message["gone"]:
                # What came and went between two messages was never told.
                rows.pop(key, None)
        return message

    async def until(self, number, holds):
        """Take messages until the rows of a subscription are as wanted; returns them."""
        while number not in self.rows or not holds(self.rows[number]):
            await self.next()
        return self.rows[number]


@pytest.fixture
def new_viewer(jp_ws_fetch, data_dir):
    """Opens sockets as pages do; those that are left are closed at the end."""
    opened = []

    async def open_one(**more):
        viewer = Viewer(await jp_ws_fetch(*API, "watch", **more))
        opened.append(viewer)
        return viewer

    yield open_one
    for viewer in opened:
        viewer.socket.close()
