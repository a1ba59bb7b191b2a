"""Requests at random for the fuzz campaign: each is a function of its seed alone."""

from __future__ import annotations

import random
import struct
from typing import Any
from urllib.parse import quote, urlencode

from .fuzz_client import Wire
from .fuzz_values import (
    CUSTOM_PLURALS,
    KEYS,
    NAMES,
    NAMESPACES,
    TEXTS,
    Schemas,
    mutate,
    places,
    strange,
    tame,
    to_json,
)

KEPT = "kept"
"""Namespace of the pod that runs all the time; nothing is written there."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "PURGE")
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_AS = ";g=meta.k8s.io;v=v1"
_ACCEPTS = (
    "application/json",
    "*/*",
    "application/yaml",
    _PROTOBUF,
    "",
    "text/html",
    ";q=x,,",
    f"application/json;as=Table{_AS}",
    f"application/json;as=PartialObjectMetadata{_AS}",
    f"application/json;as=PartialObjectMetadataList{_AS}",
    "application/json;as=Odd",
    f"{_PROTOBUF};as=Table{_AS}",
    f"application/yaml;as=Table{_AS}",
)
_SELECTORS = (
    "a=b",
    "a in (b,c)",
    "!a",
    "a notin (",
    "a==b,c!=d",
    "=",
    ",",
    "a in ()",
    "a=\0",
    "x" * 5000,
    "metadata.name=a",
    "metadata.namespace!=fuzz-a",
    "status.phase=Running",
    "spec.x=y",
    "(" * 3000,
)
_YAML = (
    b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
    ),
    b"&a [*a]",
    b"a: &a {b: *a}",
    b"!!python/object/apply:os.getpid []",
    b"{1: 2, [a]: b}",
    b"? {a: b}\n: c",
    b"a: 2026-01-01\nb: !!binary YQ==\nc: .nan\nd: 0o17\ne: 1_000",
    b"<<: {a: b}",
    b"a: !!set {b}",
    b"---\na: b\n---\nc: d",
    b"a: *nothing",
    b"\t- a",
    b"%YAML 9.9\n---\na",
    b"\xff\xfe",
    b"[" * 3000,
    b"a: " + b"{b: " * 2000,
    b"kind: \xed\xa0\x80",
    b"\0",
    b"a: !!timestamp x",
    b"a: !!int x",
    b"metadata: !!omap [a: b]",
    b"a: 99999-01-01",
    b"a: !<tag> b",
    b"- " * 5000,
)
_LIKELY = ("Pod", "Deployment", "Job", "CustomResourceDefinition", "Thing", "Bit", "Service")
"""Kinds behind which the most happens."""


class Requests:
    """Makes requests.

    Parameters
    ----------
    schemas : Schemas
        Of the plane.
    kinds : list of (apiVersion, kind, plural, namespaced)
        What is served.
    token : str
        Bearer token.
    pod : str
        Name of the pod that runs all the time.
    """

    def __init__(
        self, schemas: Schemas, kinds: list[tuple[str, str, str, bool]], token: str, pod: str
    ) -> None:
        self._schemas = schemas
        self.kinds = [
            *kinds,
            *(("fuzz.example.com/v1", f"{p[:-1].capitalize()}", p, True) for p in CUSTOM_PLURALS),
        ]
        self.likely = [each for each in self.kinds if each[1] in _LIKELY]
        self._token = token
        self._pod = pod

    def make(self, seed: int) -> Wire:
        """Return the request of a seed."""
        chance = random.Random(seed)
        roll = chance.random()
        if roll < 0.04:
            return self._stream(chance)
        if roll < 0.08:
            return self._proxy(chance)
        if roll < 0.12:
            return self._odd_path(chance)
        if roll < 0.14:
            return self._broken(chance)
        return self._on_object(chance)

    def plain(self, method: str, path: str, content: Any) -> Wire:
        """Return a request as any client sends it."""
        media = "application/merge-patch+json" if method == "PATCH" else "application/json"
        body = to_json(content)
        headers = [("Content-Type", media), ("Content-Length", str(len(body)))]
        return Wire((self._head(method, path, headers) + body,), method, f"{method} {path}")

    def _on_object(self, chance: random.Random) -> Wire:
        version, kind, plural, namespaced = chance.choice(self.kinds)
        if chance.random() < 0.3:
            version, kind, plural, namespaced = chance.choice(self.likely)
        method = chance.choices(_METHODS[:6], (4, 6, 3, 4, 2, 1))[0]
        name = chance.choice(NAMES)
        if kind == "CustomResourceDefinition":
            name = f"{chance.choice(CUSTOM_PLURALS)}.fuzz.example.com"
        if kind == "Namespace":
            name = chance.choice((*NAMESPACES, "fuzz-c")) if method == "POST" else "fuzz-c"
        path = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        if namespaced and (method not in ("GET", "HEAD") or chance.random() < 0.7):
            path += f"/namespaces/{chance.choice(NAMESPACES)}"
        path += f"/{plural}"
        single = method in ("PUT", "PATCH") or (
            method in ("GET", "DELETE", "HEAD") and chance.random() < 0.7
        )
        # The whole of what has no namespace would be the node and the namespaces, too.
        single = single or (method == "DELETE" and not namespaced)
        if single:
            path += f"/{name}"
        sub = ""
        if single and chance.random() < 0.25:
            sub = chance.choice(("status", "scale", "finalize", "token", "log", "odd"))
            path += f"/{sub}"
        elif kind == "Pod" and method == "POST" and chance.random() < 0.2:
            sub = chance.choice(("binding", "eviction"))
            path += f"/{name}/{sub}"
        query = self._query(chance, method)
        endless = "watch" in query or "follow" in query
        if method in ("GET", "HEAD"):
            return self._wire(chance, method, path, query, b"", "", endless=endless)
        if method == "DELETE" and chance.random() < 0.6:
            return self._wire(chance, method, path, query, b"", "")
        if method == "DELETE":
            options: Any = {
                "kind": "DeleteOptions",
                "apiVersion": "v1",
                "propagationPolicy": chance.choice(("Foreground", "Background", "Orphan", "Odd")),
                "gracePeriodSeconds": chance.choice((0, 1, -1, 2**40)),
                "preconditions": {"uid": "a"} if chance.random() < 0.3 else {},
            }
            body = to_json(mutate(chance, options, chance.choice((0, 0, 1, 2))))
            return self._wire(chance, method, path, query, body, "application/json")
        obj = self._object(chance, version, kind, name, sub)
        if method == "PATCH":
            return self._patch(chance, path, query, obj)
        obj = tame(mutate(chance, obj, chance.choice((0, 0, 0, 1, 1, 2, 4))), chance)
        return self._wire(chance, method, path, query, *self._body(chance, obj))

    def _object(self, chance: random.Random, version: str, kind: str, name: str, sub: str) -> Any:
        if sub == "scale":
            scale = {"metadata": {"name": name}, "spec": {"replicas": 1}}
            return {"apiVersion": "autoscaling/v1", "kind": "Scale", **scale}
        if sub == "binding":
            target = {"kind": "Node", "name": chance.choice(("nowhere", *TEXTS))}
            return {"apiVersion": "v1", "kind": "Binding", "metadata": {}, "target": target}
        if sub == "eviction":
            return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        if sub == "token":
            spec = {"expirationSeconds": 600, "audiences": ["a"]}
            return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        obj = self._schemas.object(chance, version, kind, name)
        if chance.random() < 0.1:
            obj["metadata"]["finalizers"] = ["fuzz.example.com/a"]
        if chance.random() < 0.1:
            owner = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": chance.choice(TEXTS)}
            obj["metadata"]["ownerReferences"] = [owner]
        if chance.random() < 0.03:
            obj["metadata"]["resourceVersion"] = chance.choice(("1", "0", "x", "9" * 30))
        return obj

    def _body(self, chance: random.Random, obj: Any) -> tuple[bytes, str]:
        roll = chance.random()
        body = to_json(obj)
        if roll < 0.85:
            return body, "application/json"
        if roll < 0.88:
            return body, "application/yaml"
        if roll < 0.92:
            return chance.choice(_YAML), "application/yaml"
        if roll < 0.96:
            garbage = chance.randbytes(chance.choice((0, 1, 5, 40, 400)))
            if chance.random() < 0.5:  # the envelope is right, the object in it is not
                meta = b"\x0a\x02v1\x12" + bytes([3]) + b"Pod"
                garbage = b"\x0a" + bytes([len(meta)]) + meta + b"\x12" + garbage
            return b"k8s\0" + garbage, _PROTOBUF
        return body, chance.choice(
            ("text/plain", "", "application/xml", "a/b;c=d", "application/cbor")
        )

    def _patch(self, chance: random.Random, path: str, query: dict[str, str], obj: Any) -> Wire:
        media = chance.choice(_PATCHES)
        if media == _PATCHES[0]:
            content: Any = [self._operation(chance, obj) for _ in range(chance.randint(0, 4))]
        elif media == _PATCHES[3]:
            query["fieldManager"] = chance.choice(("a", "b", "a", "b", "", "x" * 200, "é"))
            content = mutate(chance, obj, chance.choice((0, 0, 1, 2)))
        else:
            content = mutate(chance, obj, chance.choice((0, 1, 2)))
            for where, _ in places(content)[:200]:
                if isinstance(where, dict) and chance.random() < 0.1:
                    where[chance.choice(KEYS)] = chance.choice(
                        ("delete", "replace", "merge", "odd", 1, None, [{"name": "a"}], ["a"], [1])
                    )
        content = tame(content, chance)
        body = to_json(content)
        if media == _PATCHES[3] and chance.random() < 0.1:
            body = chance.choice(_YAML)
        return self._wire(chance, "PATCH", path, query, body, media)

    def _operation(self, chance: random.Random, obj: Any) -> Any:
        pieces = [
            "metadata",
            "labels",
            "annotations",
            "finalizers",
            "spec",
            "status",
            "data",
            "0",
            "-",
            "a",
            "1" * 25,
            "~1",
            "~2",
            "",
            "template",
            "selector",
            "\ud800",
            "managedFields",
        ]

        def pointer() -> str:
            return "".join(f"/{chance.choice(pieces)}" for _ in range(chance.randint(0, 4)))

        operation: Any = {
            "op": chance.choice(("add", "remove", "replace", "move", "copy", "test", "odd", 1)),
            "path": chance.choice((pointer(), pointer(), "a", 1, None)),
            "from": pointer(),
            "value": strange(chance),
        }
        if chance.random() < 0.2:
            del operation[chance.choice(list(operation))]
        return operation if chance.random() < 0.97 else strange(chance)

    def _query(self, chance: random.Random, method: str) -> dict[str, str]:
        query: dict[str, str] = {}
        texts = TEXTS[:25]
        options: dict[str, tuple[str, ...]] = {
            "resourceVersion": ("0", "1", "5", "x", "-1", "9" * 25, "1.5"),
            "dryRun": ("All", "odd", ""),
            "fieldValidation": ("Strict", "Warn", "Ignore", "odd"),
            "pretty": texts,
            "fieldManager": texts,
            "propagationPolicy": ("Orphan", "Foreground", "Background", "odd"),
            "gracePeriodSeconds": ("0", "1", "x", "-5", "9" * 30),
            "force": ("true", "false", "odd"),
            "labelSelector": _SELECTORS,
            "fieldSelector": _SELECTORS,
            "limit": ("1", "2", "0", "-1", "x", "9" * 30, "1e3"),
            "continue": ("a", "W10", "WzEsImEiLCJiIl0", "WzEsMSwyXQ", "W251bGwsMSwyXQ", "é", "="),
            "resourceVersionMatch": ("Exact", "NotOlderThan", "odd", ""),
            "timeoutSeconds": ("0", "1", "x", "-1", "9" * 30),
            "sendInitialEvents": ("true", "odd"),
            "allowWatchBookmarks": ("true", "odd"),
            "tailLines": ("0", "1", "-1", "x", "9" * 30),
            "limitBytes": ("0", "1", "-1", "x"),
            "sinceSeconds": ("0", "1", "-1", "x", "9" * 30),
            "sinceTime": ("2026-01-01T00:00:00Z", "x", "9999-12-31T23:59:59Z"),
            "previous": ("true", "odd"),
            "timestamps": ("true", "x"),
            "container": texts,
        }
        for _ in range(chance.choice((0, 0, 1, 2, 4))):
            name = chance.choice(list(options))
            query[name] = chance.choice(options[name])
        if method == "GET" and chance.random() < 0.08:
            query[chance.choice(("watch", "follow"))] = chance.choice(("true", "1", "odd"))
        return query

    def _stream(self, chance: random.Random) -> Wire:
        action = chance.choice(("exec", "attach", "portforward", "log"))
        path = f"/api/v1/namespaces/{KEPT}/pods/{chance.choice((self._pod, 'a'))}/{action}"
        query = [
            (name, chance.choice(("true", "false", "1")))
            for name in ("stdin", "stdout", "tty")
            if chance.random() < 0.6
        ]
        query += [
            ("command", chance.choice(("true", "\ud800", "", "/nowhere\0")))
        ] * chance.randint(0, 2)
        query += [("ports", chance.choice(("80", "x", "0", "99999", "8" * 30)))] * chance.randint(
            0, 3
        )
        if chance.random() < 0.2:
            query.append(("container", chance.choice(TEXTS)))
        pairs = "&".join(f"{name}={_quote(value)}" for name, value in query)
        upgrade = chance.choice(("websocket", "websocket", "SPDY/3.1", "SPDY/3.1", "h2c", ""))
        headers = [
            ("Connection", chance.choice(("Upgrade", "Upgrade", "keep-alive, Upgrade", "close")))
        ]
        headers.append(("Upgrade", upgrade))
        if upgrade == "websocket":
            headers.append(("Sec-WebSocket-Version", chance.choice(("13", "13", "13", "8", "x"))))
            headers.append(
                ("Sec-WebSocket-Key", chance.choice(("dGhlIHNhbXBsZSBub25jZQ==",) * 4 + ("x", "")))
            )
            protocols = (
                "v5.channel.k8s.io",
                "v4.channel.k8s.io",
                "channel.k8s.io",
                "base64.channel.k8s.io",
                "portforward.k8s.io",
                "v4.channel.k8s.io, odd",
                "odd",
                "é",
            )
            headers.append(("Sec-WebSocket-Protocol", chance.choice(protocols)))
            frames = b"".join(_frame(chance) for _ in range(chance.randint(0, 6)))
        else:
            versions = ("v4.channel.k8s.io", "v5.channel.k8s.io", "portforward.k8s.io", "odd", "")
            headers.append(("X-Stream-Protocol-Version", chance.choice(versions)))
            frames = b"".join(_spdy(chance) for _ in range(chance.randint(0, 6)))
        method = chance.choice(("GET", "POST", "POST", "PUT"))
        head = self._head(method, f"{path}?{pairs}", headers)
        return Wire(
            (head, frames), method, f"{method} {path}?{pairs} {headers} {frames[:80]!r}", True
        )

    def _proxy(self, chance: random.Random) -> Wire:
        method = chance.choice(_METHODS[:6])
        if chance.random() < 0.5:
            rest = chance.choice(
                (
                    "runs",
                    "experiments",
                    "pipelines",
                    "recurringruns",
                    "runs/a",
                    "runs/a:terminate",
                    "pipelines/a/versions",
                    "artifacts",
                    "experiments/a:archive",
                    "pipelines/upload",
                    "x",
                )
            )
            path = f"/api/v1/namespaces/kubeflow/services/ml-pipeline/proxy/apis/v2beta1/{rest}"
            if chance.random() < 0.3:
                path = f"/apis/v2beta1/{rest}"
            names = (
                "page_size",
                "page_token",
                "filter",
                "sort_by",
                "namespace",
                "experiment_id",
                "name",
            )
            query = {chance.choice(names): chance.choice((*TEXTS, '{"predicates":[{}]}', "-5"))}
            obj = mutate(
                chance,
                {
                    "display_name": "a",
                    "pipeline_spec": {"root": {"dag": {}}},
                    "runtime_config": {"parameters": {"a": 1}},
                },
                2,
            )
            body = b"" if method in ("GET", "HEAD", "DELETE") else to_json(tame(obj, chance))
            return self._wire(chance, method, path, query, body, "application/json", status=False)
        name = chance.choice((self._pod, f"{self._pod}:80", "a:b:c:d", f"http:{self._pod}:x", "a"))
        kind = chance.choice(("pods", "services"))
        path = (
            f"/api/v1/namespaces/{KEPT}/{kind}/{_quote(name)}/proxy{chance.choice(('', '/', '/a'))}"
        )
        return self._wire(chance, method, path, {}, b"", "", status=False)

    def _odd_path(self, chance: random.Random) -> Wire:
        path = chance.choice(
            (
                "/",
                "/api",
                "/apis",
                "/version",
                "/metrics",
                "/readyz",
                "/livez/odd",
                "/openapi/v2",
                "/openapi/v3",
                "/apis/apps",
                "/apis/odd/v1",
                "/healthz/etcd",
                "/api/v1/watch/pods",
            )
        )
        if chance.random() < 0.5 and self._schemas.paths:
            path = chance.choice(self._schemas.paths)
            path = path.replace("{namespace}", NAMESPACES[0]).replace(
                "{name}", _quote(chance.choice(TEXTS))
            )
        if chance.random() < 0.3:
            path += "/" + "/".join(
                _quote(chance.choice(TEXTS)) for _ in range(chance.randint(1, 4))
            )
        method = chance.choice(("GET", "GET", "GET", "HEAD", "OPTIONS", "PURGE", "POST"))
        query = (
            {_quote(chance.choice(TEXTS)): chance.choice(TEXTS)} if chance.random() < 0.2 else {}
        )
        endless = "watch" in path
        return self._wire(chance, method, path, query, b"", "", endless=endless, status=False)

    def _broken(self, chance: random.Random) -> Wire:
        """A request that is cut, or is none."""
        body = to_json({"kind": "ConfigMap", "metadata": {"name": "a"}})
        head = self._head(
            "POST",
            f"/api/v1/namespaces/{NAMESPACES[0]}/configmaps",
            [("Content-Type", "application/json"), ("Content-Length", "5000")],
        )
        data = chance.choice(
            (
                head + body,
                head[: chance.randrange(1, len(head))],
                chance.randbytes(200),
                b"\r\n" * 50,
                head.replace(b"5000", b"-1"),
                head.replace(b"5000", b"x"),
                b"GET / HTTP/9.9\r\n\r\n",
                head.replace(b"Content-Length: 5000", b"Transfer-Encoding: chunked")
                + b"zz\r\nabc\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"GET " + b"/a" * 40_000 + b" HTTP/1.1\r\n\r\n",
                head.replace(b"5000", b"9" * 25),
                head.replace(b"POST /", b"POST \xff\0/"),
            )
        )
        return Wire((data,), "POST", f"broken {data[:300]!r}", True, False)

    def _wire(
        self,
        chance: random.Random,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        media: str,
        *,
        endless: bool = False,
        status: bool = True,
    ) -> Wire:
        if query:
            path += "?" + urlencode(query, errors="surrogatepass")
        headers = [("Accept", chance.choice(_ACCEPTS))] if chance.random() < 0.2 else []
        if media:
            headers.append(("Content-Type", media))
        if chance.random() < 0.02:
            headers.append(
                ("Impersonate-User", chance.choice(("a", "", "system:serviceaccount:a:b", "\xff")))
            )
        if body and chance.random() < 0.04:
            at = chance.randrange(len(body))
            wrong = (
                body[:at],
                body[:at] + b"\xff\xc0" + body[at:],
                body[:at] + b'"' + body[at + 1 :],
            )
            body = chance.choice(wrong)
        pieces: tuple[bytes, ...]
        if body and chance.random() < 0.1:
            headers.append(("Transfer-Encoding", "chunked"))
            size = chance.choice((1, 7, 1000)) if len(body) < 2000 else 30_000
            parts = [body[at : at + size] for at in range(0, len(body), size)]
            pieces = (b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n")
        else:
            if body or method not in ("GET", "HEAD"):
                headers.append(("Content-Length", str(len(body))))
            pieces = (body,)
            if len(body) > 1 and chance.random() < 0.1:
                at = chance.randrange(1, len(body))
                pieces = (body[:at], body[at:])
        head = self._head(method, path, headers)
        said = dict(headers).get("Accept", "")
        what = f"{method} {path} ({said}; {media}) {body[:3000]!r}"
        return Wire((head, *pieces), method, what, endless, status)

    def _head(self, method: str, path: str, headers: list[tuple[str, str]]) -> bytes:
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self._token}",
        ]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n"


def _quote(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _frame(chance: random.Random) -> bytes:
    """One frame of a WebSocket, mostly a right one."""
    data = bytes([chance.choice((0, 1, 2, 3, 4, 5, 255))]) + chance.choice(
        (b"", b"\0\0", b'{"Width":9,"Height":1}', b'{"Width":-1}', b"\xff", b"[]", b"x" * 100)
    )
    first = chance.choice((0x82, 0x81, 0x88, 0x89, 0x80, 0x02, 0xF2, 0x8B))
    return bytes([first, 0x80 | len(data) if chance.random() < 0.9 else 0xFE]) + b"\0" * 4 + data


def _spdy(chance: random.Random) -> bytes:
    """One frame of SPDY, with a block of headers that cannot be read."""
    if chance.random() < 0.3:
        return chance.randbytes(20)
    body = chance.randbytes(chance.choice((0, 4, 8, 10, 12, 40)))
    length = len(body) if chance.random() < 0.9 else chance.choice((0, 1, 0xFFFFFF))
    flags = chance.choice((0, 1, 2)) << 24
    first = chance.choice((0x80030000 | chance.randint(0, 9), chance.randint(0, 5), 0x80020001))
    return struct.pack("!II", first, flags | length) + body
