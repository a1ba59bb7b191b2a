"""The API server as one ASGI application."""

from __future__ import annotations

import logging
import time

import orjson
from starlette.requests import ClientDisconnect, Request

from ..resources import POD, SERVICE, SERVICE_ACCOUNT, ApiError, Resources, bad_request
from ..store import StoreError
from ..tokens import Tokens
from .access import Authorizer, User, read_attributes, read_path
from .auth import Authenticator
from .discovery import VERSION, discover
from .forms import Forms, read_form
from .health import check_health
from .http import (
    Receive,
    Scope,
    Send,
    read_flag,
    read_query,
    send_bytes,
    send_json,
    send_stream,
    warning_headers,
)
from .metrics import Metrics
from .objects import ObjectVerbs
from .openapi import OpenApi
from .openapi_answers import OpenApiPaths
from .paths import Target, parse_target
from .pod_logs import PodLogs, read_log
from .proxy import ALIAS_PREFIX, ALIAS_SERVICE, Services, answer_proxy
from .reviews import REVIEWS, Reviews, find_review
from .streams import STREAMS, PodStreams, answer_stream
from .train_status import is_report, take_report
from .watches import watch_events
from .websocket import is_spdy, refuse_by_http

log = logging.getLogger(__name__)

_LABELS = "fairlead.metrics"
_TEXT = "text/plain; charset=utf-8"
_HEALTH = ("/healthz", "/readyz", "/livez")


class ApiServer:
    """Answers those who say by a token who they are, and may do what they ask for.

    Parameters
    ----------
    resources : Resources
        The objects.
    token : str
        The bearer token of the administrator.
    tokens : Tokens
        Reads and signs those of service accounts.
    logs : PodLogs
        Logs of pods.
    streams : PodStreams
        Commands in pods, and their ports.
    services : mapping
        Applications behind the service proxy.
    """

    def __init__(
        self,
        resources: Resources,
        *,
        token: str,
        tokens: Tokens,
        logs: PodLogs,
        streams: PodStreams,
        services: Services,
    ) -> None:
        self._resources = resources
        self._authorizer = Authorizer(resources)
        self._authenticator = Authenticator(resources, token, tokens, self._authorizer)
        self._reviews = Reviews(resources, self._authenticator, self._authorizer, tokens)
        self._logs = logs
        self._streams = streams
        self._services = services
        self._verbs = ObjectVerbs(resources)
        self._metrics = Metrics(resources)
        self._forms = Forms(resources.registry)
        self._openapi = OpenApiPaths(
            OpenApi(lambda: [*resources.registry.kinds(), *REVIEWS], resources.registry.schema)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the process boundary of every error."""
        what = f"{scope.get('method', 'WebSocket')} {scope['path']}"
        answer = refuse_by_http(send) if scope["type"] == "websocket" else send
        began, status = time.perf_counter(), 0

        async def watched_send(message: Scope) -> None:
            nonlocal status
            status = status or message.get("status", 101)
            await answer(message)

        try:
            user = await self._authenticator.authenticate(scope)
            await self._answer(scope, receive, watched_send, user)
        except ApiError as error:
            if status:
                log.warning("%s broke off: %s", what, error)
                raise
            await send_json(watched_send, error.status(), error.code)
        except ClientDisconnect:
            return
        except StoreError as error:
            log.error("%s failed: %s", what, error)
            if status:
                raise
            why = f"Internal error occurred: {error}"
            await send_json(watched_send, ApiError(500, "InternalError", why).status(), 500)
        except Exception as error:
            # The boundary: the cause goes to the log, the client gets no traceback.
            log.exception("%s failed", what)
            if status:
                raise
            why = f"Internal error occurred: {type(error).__name__}"
            await send_json(watched_send, ApiError(500, "InternalError", why).status(), 500)
        finally:
            if (labels := scope.get(_LABELS)) is not None:
                self._metrics.end(labels, status, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, user: User) -> None:
        path: str = scope["path"]
        if path.startswith(ALIAS_PREFIX) and ALIAS_SERVICE in self._services:
            await self._authorizer.check(user, read_path(scope))
            await self._services[ALIAS_SERVICE](scope, receive, send)
            return
        if (review := find_review(path)) is not None:
            _refuse_socket(scope)
            await self._authorizer.check(user, read_attributes(scope, review))
            await self._answer_review(scope, receive, send, review, user)
            return
        target = parse_target(self._resources.registry, path)
        scope[_LABELS] = self._metrics.begin(scope, target)
        await self._authorizer.check(
            user, read_path(scope) if target is None else read_attributes(scope, target)
        )
        if target is None:
            await self._answer_path(scope, path, send)
            return
        if target.kind in (POD, SERVICE) and target.subresource == "proxy" and target.name:
            if is_spdy(scope):
                raise bad_request("SPDY does not go through the proxy")
            ports = self._streams.ports
            await answer_proxy(self._resources, self._services, ports, target, scope, receive, send)
            return
        if target.kind is POD and target.subresource in STREAMS and target.name:
            pod = await self._resources.get(POD, target.name, target.namespace)
            await answer_stream(self._streams, pod, target, scope, receive, send)
            return
        _refuse_socket(scope)
        if target.kind is SERVICE_ACCOUNT and target.subresource == "token" and target.name:
            await self._answer_review(scope, receive, send, target, user)
            return
        await self._answer_target(scope, receive, send, target)

    async def _answer_review(
        self, scope: Scope, receive: Receive, send: Send, target: Target, user: User
    ) -> None:
        if scope.get("method") != "POST":
            message = "the server does not allow this method on the requested resource"
            raise ApiError(405, "MethodNotAllowed", message)
        request = Request(scope, receive)
        if target.kind is SERVICE_ACCOUNT:
            answer = await self._reviews.create_token(request, target)
        else:
            answer = await self._reviews.answer(request, target, user)
        await send_json(send, answer, 201)

    async def _answer_path(self, scope: Scope, path: str, send: Send) -> None:
        if scope.get("method") not in ("GET", "HEAD"):
            raise _not_found()
        if path.rstrip("/").startswith(_HEALTH):
            await send_bytes(send, check_health(path, read_query(scope)), _TEXT)
        elif path.rstrip("/") == "/metrics":
            await send_bytes(send, *self._metrics.render())
        elif path.rstrip("/") == "/version":
            await send_json(send, VERSION)
        elif path.startswith("/openapi/"):
            await self._openapi.answer(scope, send)
        elif (found := discover(self._resources.registry, path, _accept(scope))) is not None:
            await send_bytes(send, orjson.dumps(found[0]), found[1], more=[(b"vary", b"Accept")])
        else:
            raise _not_found()

    async def _answer_target(
        self, scope: Scope, receive: Receive, send: Send, target: Target
    ) -> None:
        request = Request(scope, receive)
        form = read_form(_accept(scope), request.query_params)
        if request.method == "GET":
            query = read_query(scope)
            if target.kind is POD and target.subresource == "log" and target.name:
                pod = await self._resources.get(POD, target.name, target.namespace)
                chunks = read_log(self._logs, pod, query, time.time())
                await send_stream(receive, send, chunks, _TEXT)
                return
            if not target.subresource and (target.watch or read_flag(query, "watch")):
                events = watch_events(self._resources, target, query, self._forms, form)
                await send_stream(receive, send, events, "application/json")
                return
        if is_report(target, request.method):
            await send_json(send, await take_report(self._resources, request, target))
            return
        content, code = await self._verbs.answer(request, target)
        body = self._forms.render(form, target.kind, content)
        await send_bytes(send, body, form.media, code, warning_headers(scope))


def _accept(scope: Scope) -> str:
    return b",".join(value for name, value in scope["headers"] if name == b"accept").decode()


def _refuse_socket(scope: Scope) -> None:
    if scope["type"] == "websocket":
        raise bad_request("no WebSocket is served here")


def _not_found() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")
