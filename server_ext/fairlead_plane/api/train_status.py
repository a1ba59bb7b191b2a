"""Progress of a TrainJob, as its own nodes report it.

On a cluster a server of the trainer takes it, at this very path below its own address; nodes find
it by `KUBEFLOW_TRAINER_SERVER_URL`. Here that is the API, which knows a pod by its token.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import orjson
from starlette.requests import Request

from ..resources import TRAIN_JOB, ApiError, Json, Resources, Transaction
from .paths import Target

_MOST_BYTES = 1 << 16
_FIELDS = ("estimatedRemainingSeconds", "metrics", "progressPercentage")


def is_report(target: Target, method: str) -> bool:
    """Tell whether a request reports progress; other POSTs to a status are refused as ever."""
    return target.kind == TRAIN_JOB and target.subresource == "status" and method == "POST"


async def take_report(resources: Resources, request: Request, target: Target) -> Json:
    """Write a reported `trainerStatus`, and return what was sent.

    Raises
    ------
    ApiError
        422 for what is no report, or breaks the schema; 404 without the TrainJob; 413 for more
        than 64 KiB.
    """
    body = await request.body()
    if len(body) > _MOST_BYTES:
        raise ApiError(413, "RequestEntityTooLarge", "Payload too large")
    try:
        sent: Any = orjson.loads(body)
        report = sent.get("trainerStatus")
        status = None if report is None else _read(report)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ApiError(422, "Invalid", f"Invalid payload: {error}") from error

    def change(transaction: Transaction) -> None:
        assert target.name is not None
        job = transaction.get(TRAIN_JOB, target.name, target.namespace)
        before = job.get("status") or {}
        transaction.update_status({**job, "status": {**before, "trainerStatus": status}})

    if status is not None:
        await resources.transaction(change)
    return dict(sent)


def _read(report: Any) -> Json:
    found = {field: report[field] for field in _FIELDS if report.get(field) is not None}
    time = datetime.fromisoformat(report["lastUpdatedTime"].replace("Z", "+00:00"))
    written = time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**found, "lastUpdatedTime": written}
