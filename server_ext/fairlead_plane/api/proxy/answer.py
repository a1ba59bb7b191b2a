"""Requests for the proxy: to an application of this process, or to a pod."""

from __future__ import annotations

import ssl

from ...resources import ApiError, Resources
from ..http import Receive, Scope, Send
from ..paths import Target
from ..streams import Ports
from .backends import find_backend
from .headers import Place
from .local import Services, find_service, inner_scope
from .requests import forward_request
from .sockets import forward_socket


async def answer_proxy(
    resources: Resources,
    services: Services,
    ports: Ports,
    target: Target,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer one request through the proxy.

    Raises
    ------
    ApiError
        404: no such pod or service. 503: nothing is behind it, or it does not answer.
    """
    app = find_service(services, target)
    if app is not None:
        await app(inner_scope(scope, target.rest), receive, send)
        return
    backend = await find_backend(resources, target)
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    # /api/v1/namespaces/NAMESPACE/KIND/NAME/proxy, and the rest as the client has written it.
    words = raw.split(b"/", 8)
    prefix, rest = b"/".join(words[:8]), b"".join(words[8:])
    if len(words) == 8 and scope.get("method") in ("GET", "HEAD"):
        # Or relative links would lead astray.
        await _redirect(send, raw + b"/", scope["query_string"])
        return
    place = Place(prefix.decode("latin-1"), (b"/" + rest.lstrip(b"/")).decode("latin-1"))
    try:
        pipe = await ports.connect(
            backend.pod, backend.port, _unverified() if backend.tls else None
        )
    except ApiError as error:
        raise _unreachable(error) from error
    try:
        if scope["type"] == "websocket":
            await forward_socket(pipe, place, scope, receive, send)
        else:
            await forward_request(pipe, place, scope, receive, send)
    except (ConnectionError, EOFError) as error:
        raise _unreachable(error) from error
    finally:
        pipe[1].close()


def _unreachable(error: Exception) -> ApiError:
    return ApiError(503, "ServiceUnavailable", f"error trying to reach service: {error}")


async def _redirect(send: Send, path: bytes, query: bytes) -> None:
    location = path + (b"?" + query if query else b"")
    headers = [(b"location", location), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 301, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _unverified() -> ssl.SSLContext:
    """Return settings that take any certificate, as the real proxy does for a pod's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
