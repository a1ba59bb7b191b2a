"""Watch streams: events as lines of JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial

import orjson

from ..resources import ApiError, Json, Kind, Resources, Watch, WatchEvent, bad_request
from ..resources.changes import event_line
from .forms import Form, Forms
from .http import PIECE_BYTES, read_flag
from .paths import Target

BOOKMARK_S = 60.0
"""Seconds between two bookmarks for a client that asks for them, as in the real API server."""

DEFAULT_TIMEOUT_S = 3600.0
"""Length of a watch whose client names none; a client starts again at its last version."""


def watch_events(
    resources: Resources, target: Target, query: Mapping[str, str], forms: Forms, form: Form
) -> AsyncGenerator[bytes, None]:
    """Return the lines of a watch, as they happen.

    An expired version is an ERROR event, as the real API server answers it, since a client reads
    it where it reads events.

    Raises
    ------
    ApiError
        400 for a selector, version or time-out that cannot be read.
    """
    timeout_text = query.get("timeoutSeconds") or str(DEFAULT_TIMEOUT_S)
    try:
        timeout_s = float(timeout_text)
    except ValueError as error:
        raise bad_request(f'invalid timeoutSeconds "{timeout_text}"') from error
    if timeout_s <= 0:
        timeout_s = DEFAULT_TIMEOUT_S
    fields = query.get("fieldSelector", "")
    if target.name is not None:
        fields = f"{fields},metadata.name={target.name}".strip(",")
    initial = read_flag(query, "sendInitialEvents")
    if initial and query.get("resourceVersionMatch") != "NotOlderThan":
        message = (
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
        cause = {
            "reason": "FieldValueForbidden",
            "message": message,
            "field": "resourceVersionMatch",
        }
        text = f'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: {message}'
        raise ApiError(422, "Invalid", text, {"causes": [cause]})
    try:
        watch = resources.watch(
            target.kind,
            target.namespace,
            resource_version=None if initial else query.get("resourceVersion"),
            label_selector=query.get("labelSelector", ""),
            field_selector=fields,
        )
    except ApiError as error:
        if error.code != 410:
            raise
        return _error_line(error)
    bookmarks = read_flag(query, "allowWatchBookmarks")
    render = None if not form.name else partial(forms.render_object, form, target.kind)
    return _lines(resources, watch, timeout_s, render, bookmarks=bookmarks, mark_initial=initial)


async def _error_line(error: ApiError) -> AsyncGenerator[bytes, None]:
    yield event_line("ERROR", orjson.dumps(error.status()))


async def _lines(
    resources: Resources,
    watch: Watch,
    timeout_s: float,
    render: Callable[[bytes], bytes] | None,
    *,
    bookmarks: bool,
    mark_initial: bool,
) -> AsyncGenerator[bytes, None]:
    def line(event: WatchEvent) -> bytes:
        return event.line if render is None else event_line(event.type, render(event.body))

    clock = asyncio.get_running_loop().time
    end = clock() + timeout_s
    try:
        if mark_initial:
            while not watch.idle:
                event = await anext(watch)
                yield line(event)
            annotations = {"k8s.io/initial-events-end": "true"}
            yield _bookmark(watch.kind, resources.version, annotations)
        while True:
            left = end - clock()
            if left <= 0:
                break
            await watch.wait(min(left, BOOKMARK_S))
            if watch.idle and not watch.closed:
                if bookmarks:
                    yield _bookmark(watch.kind, resources.version)
                continue
            try:
                event = await anext(watch)
            except StopAsyncIteration:
                break
            lines = [line(event)]
            size = len(lines[0])
            while not watch.idle and size < PIECE_BYTES:
                event = await anext(watch)
                lines.append(line(event))
                size += len(lines[-1])
            yield b"".join(lines)
    except ApiError as error:
        yield event_line("ERROR", orjson.dumps(error.status()))
    finally:
        watch.close()


def _bookmark(kind: Kind, version: str, annotations: Json | None = None) -> bytes:
    metadata: Json = {"resourceVersion": version, "creationTimestamp": None}
    if annotations:
        metadata["annotations"] = annotations
    mark = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
    return event_line("BOOKMARK", orjson.dumps(mark))
