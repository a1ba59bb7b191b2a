"""Which contexts' servers can be reached, without logging in anywhere.

A connection is opened and closed again. Asking a server for more would need credentials, and a
plugin that fetches them may open a browser: not for a look into a menu.
"""

from __future__ import annotations

import asyncio
import contextlib
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from fairlead_server.backend import Choice

_WAIT_S = 3.0


async def with_problems(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """Return the contexts as the browser gets them; at once all are tried."""
    tries = {url: _problem(url) for url in {one.server for one in choices if _is_direct(one)}}
    found = dict(zip(tries, await asyncio.gather(*tries.values()), strict=True))
    return [asdict(one) | {"problem": one.problem or found.get(one.server, "")} for one in choices]


def _is_direct(choice: Choice) -> bool:
    """Tell whether a plain connection says anything: not of what starts by itself, nor by proxy."""
    if choice.problem or choice.startable or not choice.server:
        return False
    url = urlsplit(choice.server)
    proxies = urllib.request.getproxies()
    return url.scheme not in proxies or bool(urllib.request.proxy_bypass(url.hostname or ""))


async def _problem(server: str) -> str:
    url = urlsplit(server)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(url.hostname, port), _WAIT_S)
    except asyncio.TimeoutError:
        return f"{server} does not answer."
    except OSError as error:
        return f"{server} cannot be reached: {error.strerror or error}."
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""
