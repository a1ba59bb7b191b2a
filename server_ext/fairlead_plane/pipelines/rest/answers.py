"""Answers and errors as grpc-gateway writes them."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ..problems import PipelineSpecError

Json = Any

INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS = 3, 5, 6
FAILED_PRECONDITION, UNIMPLEMENTED, INTERNAL = 9, 12, 13
"""google.rpc.Code."""

_HTTP = {
    INVALID_ARGUMENT: 400,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    FAILED_PRECONDITION: 400,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
}


class RestError(Exception):
    """A request that is refused; renders as google.rpc.Status.

    Parameters
    ----------
    code : int
        google.rpc.Code.
    message : str
        For people.
    details : list, optional
        JSON of google.protobuf.Any.
    """

    def __init__(self, code: int, message: str, details: list[Json] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or []

    def answer(self) -> Response:
        """Return the error as an answer."""
        body = {
            "error": self.message,
            "code": self.code,
            "message": self.message,
            "details": self.details,
        }
        return reply(body, _HTTP[self.code])


def invalid(message: str) -> RestError:
    """Build the error for a request that is wrong."""
    return RestError(INVALID_ARGUMENT, f"Invalid input error: {message}")


def invalid_spec(error: PipelineSpecError) -> RestError:
    """Build the error for a pipeline spec or parameters that cannot be run, field by field."""
    violations = [
        {
            "field": problem.path,
            "description": problem.message,
            "task": problem.task,
            **({"cell": problem.cell} if problem.cell else {}),
        }
        for problem in error.problems
    ]
    details = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "field_violations": violations}
    ]
    return RestError(INVALID_ARGUMENT, error.what, details)


def not_found(kind: str, name: str) -> RestError:
    """Build the error for something that is not there."""
    return RestError(NOT_FOUND, f"{kind} {name} not found.")


def reply(value: Json, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(orjson.dumps(value), status, media_type="application/json")


async def read_body(request: Request) -> dict[str, Json]:
    """Return the JSON object in the body; RestError when there is none."""
    try:
        value = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError as error:
        raise invalid(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise invalid("the body must be a JSON object")
    return value


def take(body: dict[str, Json], name: str, default: Json = "") -> Json:
    """Return a field by its proto name or its JSON name, as protobuf's JSON allows both."""
    if body.get(name) is not None:
        return body[name]
    first, *rest = name.split("_")
    value = body.get(first + "".join(word.capitalize() for word in rest))
    return default if value is None else value


def text_field(body: dict[str, Json], name: str) -> str:
    """Return a string field; empty when it is not set, RestError when it is something else."""
    value = take(body, name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string")
    return value
