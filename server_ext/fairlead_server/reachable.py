"""Which contexts' servers can be reached, without logging in anywhere.

A connection is opened and closed again. Asking a server for more would need credentials, and a
plugin that fetches them may open a browser: not for a look into a menu.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from fairlead.errors import FairleadError
from fairlead.kube import Context
from fairlead_server.backend import server_of

_WAIT_S = 3.0


async def problems_of(contexts: Sequence[Context]) -> list[str]:
    """Tell for each context why it cannot be used; empty where nothing is known against it."""
    return await asyncio.gather(*map(_problem, contexts))


async def _problem(context: Context) -> str:
    if context.startable:
        # Its server starts when it is needed.
        return ""
    try:
        server = server_of(context)
    except FairleadError as error:
        return error.what
    # Behind a proxy a connection of our own says nothing.
    return "" if server.proxy else await _try(server.host)


async def _try(server: str) -> str:
    url = urlsplit(server)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(url.hostname, port), _WAIT_S)
    except asyncio.TimeoutError:
        return f"{server} does not answer."
    except OSError as error:
        code = error.errno or 0
        # Some of asyncio's errors name addresses instead of the reason.
        why = os.strerror(code) if code > 0 else error.strerror or str(error)
        return f"{server} cannot be reached: {why}."
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""
