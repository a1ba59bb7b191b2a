"""The ASGI application: routes of all nouns, and the boundary where errors become answers."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...resources import ApiError
from ..controller import Controller
from ..recurring import Schedules
from .answers import INTERNAL, NOT_FOUND, UNIMPLEMENTED, RestError, reply
from .artifact_writes import ArtifactWrites
from .artifacts import Artifacts
from .experiments import Experiments
from .pipelines import Pipelines
from .recurring import RecurringRuns
from .run_rows import RunMaker
from .runs import Runs

_CODES = {404: NOT_FOUND, 405: UNIMPLEMENTED}


def build_app(controller: Controller, maker: RunMaker, schedules: Schedules) -> Starlette:
    """Build the application that stands at the root of the service `ml-pipeline`.

    Parameters
    ----------
    controller : Controller
        Moves the runs.
    maker : RunMaker
        Makes them.
    schedules : Schedules
        Starts those that recur.

    Notes
    -----
    It does no authentication: whoever mounts it has checked the token.
    """
    resources = controller.resources
    routes = [
        Route("/apis/v2beta1/healthz", _healthz, methods=["GET"]),
        Route("/apis/v2beta1/auth", _authorize, methods=["GET"]),
        *ArtifactWrites(resources).routes(),
        *Artifacts(resources, controller.namespace).routes(),
        *Runs(controller, maker).routes(),
        *RecurringRuns(resources, maker, schedules).routes(),
        *Experiments(resources, schedules).routes(),
        *Pipelines(resources).routes(),
    ]
    return Starlette(
        routes=routes,
        exception_handlers={
            RestError: _refused,
            ApiError: _api_error,
            HTTPException: _no_route,
        },
    )


async def _healthz(_: Request) -> Response:
    return reply({"multi_user": False, "pipeline_store": "database"})


async def _authorize(_: Request) -> Response:
    # As upstream without users: whoever gets here may do everything.
    return reply({})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RestError)
    return error.answer()


async def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return RestError(INTERNAL, error.message).answer()


async def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, INTERNAL)
    body = {"error": error.detail, "code": code, "message": error.detail, "details": []}
    return reply(body, error.status_code)
