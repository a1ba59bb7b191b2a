"""Stands between a client and the control plane: counts watches, and can hide, refuse and cut."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml


class ApiProxy:
    """An API server at an address of its own, which is the plane with what a test changes.

    Attributes
    ----------
    watches : Counter
        Watches that are open now, by path.
    begun : Counter
        Watches that were ever begun, by path.
    hidden : set of str
        API groups that this server does not have.
    refused : dict
        Pattern of `METHOD path` to the code with which it is refused.
    denied : list of dict
        Attributes of what access reviews say may not be done.
    expired : set of str
        Paths whose next watch is told that its version is gone.
    """

    def __init__(self, plane: Path) -> None:
        config = yaml.safe_load(plane.read_text())
        self._upstream = urlsplit(config["clusters"][0]["cluster"]["server"])
        self._token = config["users"][0]["user"]["token"]
        self._tls = ssl.create_default_context(cafile=str(plane.parent / "ca.crt"))
        self.watches: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self.hidden: set[str] = set()
        self.refused: dict[str, int] = {}
        self.denied: list[dict[str, str]] = []
        self.expired: set[str] = set()
        self._streams: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def kubeconfig(self, path: Path, contexts: dict[str, str]) -> Path:
        """Write a kubeconfig whose contexts, with their namespaces, all lead here."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "test", "cluster": {"server": f"http://127.0.0.1:{self.port}"}},
                {"name": "away", "cluster": {"server": "https://127.0.0.1:9"}},
            ],
            "users": [{"name": "test", "user": {}}],
            "contexts": [
                {
                    "name": name,
                    "context": {
                        "cluster": "away" if name == "away" else "test",
                        "user": "test",
                        "namespace": namespace,
                    },
                }
                for name, namespace in contexts.items()
            ],
        }
        path.write_text(yaml.safe_dump(config))
        return path

    def cut(self) -> None:
        """Break all connections that are open now."""

        async def close() -> None:
            for stream in tuple(self._streams):
                stream.transport.abort()

        self._call(close())

    def stop(self) -> None:
        """Listen no more, and end what is under way."""

        async def close() -> None:
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._call(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _serve(self, reader, writer) -> None:
        self._streams.add(writer)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            # One of the two sides has gone.
            pass
        finally:
            self._streams.discard(writer)
            writer.close()

    async def _answer(self, reader, writer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *headers = head.rstrip().split("\r\n")
        method, target, _ = request.split(" ")
        length = next(
            (int(one[15:]) for one in headers if one.lower()[:15] == "content-length:"), 0
        )
        body = await reader.readexactly(length)
        url = urlsplit(target)
        watched = parse_qs(url.query).get("watch", ["0"])[0] not in ("0", "false")
        code = self._refusal(f"{method} {url.path}")
        if code is not None:
            writer.write(_status(code, url.path))
            await writer.drain()
            return
        if url.path.endswith("/selfsubjectaccessreviews") and self._is_denied(json.loads(body)):
            writer.write(_answer(201, json.loads(body) | {"status": {"allowed": False}}))
            await writer.drain()
            return
        if watched and url.path in self.expired:
            self.expired.discard(url.path)
            writer.write(_gone())
            await writer.drain()
            return
        await self._pass_on(request, headers, body, reader, writer, url.path if watched else None)

    def _refusal(self, request: str) -> int | None:
        for group in self.hidden:
            if re.search(rf"/apis/{re.escape(group)}(/|$)", request):
                return 404
        for pattern, code in self.refused.items():
            if re.search(pattern, request):
                return code
        return None

    def _is_denied(self, review) -> bool:
        asked = review["spec"]["resourceAttributes"].items()
        return any(one.items() <= asked for one in self.denied)

    async def _pass_on(self, request, headers, body, reader, writer, watched) -> None:
        # Lists of groups are answered by the old discovery, from which a group is easily taken.
        ours = ("authorization:", "host:", "connection:", "accept:", "accept-encoding:")
        kept = [one for one in headers if not one.lower().startswith(ours)]
        kept += [
            f"Host: {self._upstream.netloc}",
            f"Authorization: Bearer {self._token}",
            "Connection: close",
            "Accept: application/json",
        ]
        up, down = await asyncio.open_connection(
            self._upstream.hostname, self._upstream.port, ssl=self._tls
        )
        self._streams.add(down)
        down.write("\r\n".join([request, *kept, "", ""]).encode("latin-1") + body)
        if watched:
            self.watches[watched] += 1
            self.begun[watched] += 1
        copy = asyncio.ensure_future(self._copy(up, writer, request))
        gone = asyncio.ensure_future(reader.read())
        try:
            await asyncio.wait({copy, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if watched:
                self.watches[watched] -= 1
                self.watches += Counter()
            self._streams.discard(down)
            copy.cancel()
            gone.cancel()
            await asyncio.gather(copy, gone, return_exceptions=True)
            down.close()

    async def _copy(self, up, writer, request) -> None:
        if request.startswith("GET /apis ") and self.hidden:
            answer = (await up.read()).partition(b"\r\n\r\n")[2]
            groups = json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])
            groups["groups"] = [one for one in groups["groups"] if one["name"] not in self.hidden]
            writer.write(_answer(200, groups))
            await writer.drain()
            return
        while piece := await up.read(1 << 16):
            writer.write(piece)
            await writer.drain()


def _answer(code: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    return (
        f"HTTP/1.1 {code} Told\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


def _status(code: int, path: str) -> bytes:
    words = {401: "Unauthorized", 403: f"{path} is forbidden", 404: "not found"}
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return _answer(code, status | {"message": words.get(code, f"refused with {code}")})


def _gone() -> bytes:
    status = {"kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired"}
    return _answer(
        200, {"type": "ERROR", "object": status | {"message": "too old resource version"}}
    )
