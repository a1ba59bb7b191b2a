"""What the user may do: asked from the server, and remembered for some minutes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple

from fairlead.errors import FairleadError
from fairlead.kube.transport import Transport

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_REMEMBERED_S = 180.0
_NOT_ASKABLE = frozenset({403, 404, 405})


class Verdict(NamedTuple):
    """Whether something is allowed, and the authorizer's reason; often it gives none."""

    allowed: bool
    reason: str


class Access:
    """Answers of access reviews. Threads may share it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: dict[tuple[str, ...], tuple[float, Verdict | None]] = {}
        self._lock = threading.Lock()

    def review(
        self,
        verb: str,
        group: str,
        resource: str,
        namespace: str | None,
        subresource: str = "",
        name: str = "",
    ) -> Verdict:
        """Ask whether the user may `verb` a resource.

        Where the server takes no reviews, everything counts as allowed: the request itself will
        say.

        Parameters
        ----------
        namespace : str or None
            `None`: in all namespaces, or for a kind that has none.
        name : str
            Of one object; empty: of all.
        """
        attributes = {
            "verb": verb,
            "group": group,
            "resource": resource,
            "namespace": namespace or "",
            "subresource": subresource,
            "name": name,
        }
        key = tuple(attributes.values())
        with self._lock:
            until, known = self._known.get(key, (0.0, None))
        if known is not None and time.monotonic() < until:
            return known
        answer = self._ask(attributes)
        with self._lock:
            self._known[key] = (time.monotonic() + _REMEMBERED_S, answer)
        return answer

    def _ask(self, attributes: Mapping[str, str]) -> Verdict:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}},
        }
        try:
            answer = self._transport.request("POST", _PATH, body=review, reads_only=True)
        except FairleadError as error:
            if error.code in _NOT_ASKABLE:
                return Verdict(True, "")
            raise
        status = json.loads(answer)["status"]
        return Verdict(bool(status["allowed"]), str(status.get("reason") or ""))
