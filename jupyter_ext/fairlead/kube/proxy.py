"""Services behind the API server's service proxy, where a cluster and the plane have them alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairlead.kube.client import KubeClient


class ServiceProxy:
    """Requests to one service through its API server.

    Parameters
    ----------
    service : str
        As the API server's proxy path takes it: `name`, `name:port` or `scheme:name:port`.
    """

    def __init__(self, client: KubeClient, namespace: str, service: str) -> None:
        self._client = client
        self._base = f"/api/v1/namespaces/{namespace}/services/{service}/proxy/"

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Any:
        """Send one request and return the JSON answer, `None` for an empty one.

        Parameters
        ----------
        path : str
            Path at the service, without a leading slash.
        body : object, optional
            Sent as JSON.
        """
        answer = self._client.request(method, self._base + path, query=query, body=body)
        return json.loads(answer) if answer else None
