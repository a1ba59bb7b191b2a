"""Artifacts over KFP's REST: their records, who made and read them, and their bytes.

A server without an artifact service (KFP before 2.16) still tells the artifacts of a run with the
run itself; what it lacks is a `CapabilityError` in words.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fairlead.errors import CapabilityError, ClusterError, FairleadError, NotFoundError
from fairlead.kube.proxy import Service

Json = dict[str, Any]

_API = "apis/v2beta1/"
_PAGE = 200
_IDS_AT_ONCE = 50
"""Ids that one URL can hold with ease."""
_DATA = re.compile(rb'"data"\s*:\s*"')
_NO_ROUTE = (404, 405, 501)


class ArtifactsClient:
    """Client of the artifact service of one context.

    Parameters
    ----------
    service : Service
        The pipelines service.
    scope : callable
        What a list asks for beside its own: the namespace, where the server has users.
    """

    def __init__(
        self, service: Service, scope: Callable[[], Mapping[str, str]] = lambda: {}
    ) -> None:
        self._service = service
        self._scope = scope

    def page(
        self,
        *,
        name: str = "",
        types: Iterable[str] = (),
        page_token: str = "",
        page_size: int = 50,
    ) -> Json:
        """Return a page of artifacts, newest first: `{artifacts, total_size, next_page_token}`.

        Parameters
        ----------
        name : str
            Part of the name or the URI that they have.
        types : iterable of str
            Words of upstream's `Artifact.ArtifactType`, of which they have one.

        Raises
        ------
        CapabilityError
            This server has no artifact service.
        """
        predicates: list[Json] = []
        if name:
            predicates.append({"operation": "IS_SUBSTRING", "key": "name", "string_value": name})
        wanted = list(types)
        if wanted:
            predicates.append(
                {"operation": "IN", "key": "type", "string_values": {"values": wanted}}
            )
        query = {"page_size": str(page_size), "sort_by": "created_at desc", **self._scope()}
        if page_token:
            query["page_token"] = page_token
        if predicates:
            query["filter"] = json.dumps({"predicates": predicates})
        return self._get("artifacts", query.items())

    def get(self, artifact_id: str) -> Json:
        """Return an artifact's record; raises `NotFoundError` where there is none of that id."""
        return self._get(f"artifacts/{quote(artifact_id, safe='')}")

    def links_of_artifacts(self, artifact_ids: Iterable[str]) -> list[Json]:
        """Return who made and who read these artifacts: upstream's `ArtifactTask` records."""
        return self._links("artifact_ids", artifact_ids)

    def links_of_tasks(self, task_ids: Iterable[str]) -> list[Json]:
        """Return what these tasks made and read."""
        return self._links("task_ids", task_ids)

    def read(self, run_id: str, node: str, name: str, artifact_id: str = "") -> Iterator[bytes]:
        """Return the bytes of an artifact piece by piece; closing the iterator ends the answer.

        Parameters
        ----------
        node : str
            Name or id of the task that made it, or makes it still.
        artifact_id : str
            Which one of an output that is a list; empty: the first.
        """
        try:
            return self._read(run_id, node, name, artifact_id)
        except NotFoundError:
            # A cluster knows a step by its pod alone.
            pod = self._pod_of(run_id, node)
            if not pod or pod == node:
                raise
            return self._read(run_id, pod, name, artifact_id)

    def _read(self, run_id: str, node: str, name: str, artifact_id: str) -> Iterator[bytes]:
        parts = (quote(part, safe="") for part in (run_id, "nodes", node, "artifacts", name))
        path = f"{_API}runs/{'/'.join(parts)}:read"
        if artifact_id:
            path += "?" + urlencode({"artifact_id": artifact_id})
        return _decoded(self._service.pieces(path), path)

    def _pod_of(self, run_id: str, node: str) -> str:
        run = self._get(f"runs/{quote(run_id, safe='')}")
        for task in (run.get("run_details") or {}).get("task_details") or []:
            if node in (task.get("task_id"), task.get("display_name")):
                return str(task.get("pod_name") or "")
        return ""

    def _links(self, field: str, ids: Iterable[str]) -> list[Json]:
        wanted = sorted(set(ids))
        found: list[Json] = []
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            query = [(field, one) for one in wanted[start : start + _IDS_AT_ONCE]]
            query.append(("page_size", str(_PAGE)))
            token = ""
            while True:
                page = self._get(
                    "artifact_tasks", [*query, *([("page_token", token)] * bool(token))]
                )
                found += page.get("artifact_tasks") or []
                token = page.get("next_page_token") or ""
                if not token:
                    break
        return found

    def _get(self, path: str, query: Iterable[tuple[str, str]] = ()) -> Json:
        asked = urlencode(list(query))
        try:
            answer = self._service.request("GET", _API + path + (f"?{asked}" if asked else ""))
        except NotFoundError as error:
            # One that is not there is said so; the whole collection is there, or nothing serves it.
            raise (_no_service() if "/" not in path else error) from error
        except FairleadError as error:
            raise (_no_service() if error.code in _NO_ROUTE else error) from error
        return answer if isinstance(answer, dict) else {}


def _no_service() -> CapabilityError:
    return CapabilityError(
        "This server of Kubeflow Pipelines has no artifact service.",
        hint="A run's own page shows what its tasks made.",
    )


def artifacts_of_run(record: Mapping[str, Any]) -> list[tuple[Json, str, Json]]:
    """Return what a run's tasks made: the task, the output's key, and the artifact's record."""
    tasks = (record.get("run_details") or {}).get("task_details") or []
    scopes = {task.get("parent_task_id") for task in tasks}
    found = []
    for task in tasks:
        outputs = task.get("outputs")
        entries = outputs.get("artifacts") if isinstance(outputs, dict) else None
        # What a scope gives out, a task in it has made.
        if task.get("task_id") in scopes or not isinstance(entries, list):
            continue
        found += [
            (task, str(entry.get("artifact_key")), artifact)
            for entry in entries
            for artifact in entry.get("artifacts") or []
        ]
    return found


def _decoded(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    """Decode `{"data": "BASE64"}` while it comes."""
    rest = b""
    begun = False
    try:
        for piece in pieces:
            rest += piece
            if not begun:
                start = _DATA.search(rest)
                if start is None:
                    continue
                rest, begun = rest[start.end() :], True
            text, end, _ = rest.partition(b'"')
            text = text.replace(b"\\", b"")
            ready = len(text) - len(text) % 4
            if ready:
                yield base64.b64decode(text[:ready], validate=True)
            rest = text[ready:]
            if end:
                return
    except binascii.Error as error:
        raise ClusterError(f"The answer to GET {what} is no base64.") from error
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    if begun:
        raise ClusterError(f"The answer to GET {what} broke off.")
