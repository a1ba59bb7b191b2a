"""KFP's REST `v2beta1`: one file per noun, as upstream has one service per noun.

Here: requests to rows and rows to answers, in the shapes of `backend/api/v2beta1` as grpc-gateway
writes them (snake_case). Not here: what a run does; the handlers tell the controller.
"""

from .app import build_app

__all__ = ["build_app"]
