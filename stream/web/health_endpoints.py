"""`GET /healthz` and `GET /readyz`, for watchdogs and orchestrators."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.authentication import has_required_scope
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harstream.stream.web.view_state import ViewState
from harstream.wire.values import CameraState


def health_routes(view: ViewState, version: str) -> Sequence[Route]:
    def healthz(request: Request) -> Response:
        """Answer 503 while recognition hangs."""
        status, code = ("stuck", 503) if view.is_stuck else ("ok", 200)
        return answer(request, status, code, version=version)

    def readyz(request: Request) -> Response:
        """Answer 503 while no enabled camera is live. Without an enabled camera, answer 200."""
        views = [camera for camera in view.views() if camera.state is not CameraState.DISABLED]
        is_ready = not views or any(camera.state is CameraState.LIVE for camera in views)
        return answer(request, "ready" if is_ready else "not ready", 200 if is_ready else 503)

    def answer(request: Request, status: str, code: int, **more: object) -> Response:
        """Answer with the status alone to a stranger, who must not learn about the cameras."""
        if not has_required_scope(request, ["viewer"]):
            return JSONResponse({"status": status}, code)
        states = {camera.name: camera.state for camera in view.views()}
        return JSONResponse({"status": status, **more, "cameras": states}, code)

    return (Route("/healthz", healthz), Route("/readyz", readyz))
