"""The requests for streams: what they ask for, and their upgrade."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs

from ...resources import ApiError, Json, bad_request
from ..containers import choose_container
from ..http import Receive, Scope, Send, read_flag
from ..paths import Target
from ..websocket import WebSocket, check_upgrade, choose_protocol, is_spdy
from .commands import (
    PROTOCOLS,
    SPDY_PROTOCOLS,
    Commands,
    Options,
    open_channels,
    open_session,
    serve_session,
)
from .forward import Ports, answer_forward

STREAMS = ("exec", "attach", "portforward")
"""Subresources of pods that are streams."""


class PodStreams(NamedTuple):
    """What the node has for streams."""

    commands: Commands
    ports: Ports


async def answer_stream(
    streams: PodStreams, pod: Json, target: Target, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer `pods/NAME/exec`, `attach` or `portforward`.

    Raises
    ------
    ApiError
        Before the upgrade, as the real API answers it.
    """
    query = parse_qs(scope["query_string"].decode("latin-1"))
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    if target.subresource == "portforward":
        await answer_forward(streams.ports, pod, query, scope, receive, send)
        return
    flags = {name: values[-1] for name, values in query.items()}
    options = Options(
        container=choose_container(pod, flags.get("container", "")),
        command=query.get("command", []),
        stdin=read_flag(flags, "stdin"),
        stdout=read_flag(flags, "stdout"),
        stderr=read_flag(flags, "stderr"),
        tty=read_flag(flags, "tty"),
    )
    check_upgrade(scope)
    spdy = is_spdy(scope)
    protocol = choose_protocol(scope, SPDY_PROTOCOLS if spdy else PROTOCOLS)
    attach = target.subresource == "attach"
    session = await open_session(streams.commands, pod, options, attach=attach)
    socket = WebSocket(receive, send)
    channels = open_channels(socket, protocol, options, spdy=spdy)
    try:
        await socket.accept(protocol)
        await serve_session(channels, protocol, session, options)
    finally:
        await channels.stop()
        if not isinstance(session, ApiError):
            session.close()
