"""Routes that read and change settings.

`GET /api/cameras`, `PATCH /api/cameras/hall {"enabled": false, "threshold": 0.7}`, `POST /api/reload`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harstream.stream.service.protocols import Controls
from harstream.stream.web.http_errors import MAX_BODY, validation_errors_as_422
from harstream.wire.errors import HarstreamError, UnknownCamera
from harstream.wire.values import CameraControl


@dataclass(frozen=True)
class HttpControl:
    """The controls that HTTP clients may use."""

    settings: Controls
    reload: Callable[[], str]
    """Applies the current config.yaml and returns the changes as text. Raises HarstreamError."""


class CameraPatch(BaseModel):
    """The settings to change. A missing key keeps its setting. A threshold of null restores the configured one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None


class CameraSetting(BaseModel):
    """The settings of a camera, as answers show them."""

    camera: str
    enabled: bool
    threshold: float | None
    """The score at which an activity starts; null if nothing is configured."""


def control_routes(control: HttpControl | None) -> Sequence[Route]:
    """Return the routes. `control` is None if HTTP clients may change nothing."""
    endpoints = _Endpoints(control)
    return (
        Route("/api/cameras", endpoints.cameras),
        Route("/api/cameras/{name}", endpoints.change, methods=["PATCH"], max_body_size=MAX_BODY),
        Route("/api/reload", endpoints.reload, methods=["POST"], max_body_size=MAX_BODY),
    )


class _Endpoints:
    """The functions behind the routes. Those that are not async run on threads, so they may block."""

    def __init__(self, control: HttpControl | None) -> None:
        self._control = control

    def cameras(self, request: Request) -> Response:
        return JSONResponse([_facts(camera) for camera in self._allowed().settings.cameras()])

    async def change(self, request: Request) -> Response:
        settings = self._allowed().settings
        try:
            body = await request.body()
        except ClientDisconnect as error:  # otherwise the server logs a traceback
            raise HTTPException(400, "the client disconnected") from error
        with validation_errors_as_422(CameraPatch):
            patch = CameraPatch.model_validate_json(body)
        return JSONResponse(await run_in_threadpool(_apply, settings, request.path_params["name"], patch))

    def reload(self, request: Request) -> Response:
        try:
            return JSONResponse({"detail": self._allowed().reload()})
        except HarstreamError as error:
            raise HTTPException(409, str(error)) from error

    def _allowed(self) -> HttpControl:
        """Return the controls if HTTP clients may use them. Raises HTTPException."""
        if self._control is None:
            raise HTTPException(403, "nothing can be changed over HTTP here: see web.control in config.yaml")
        return self._control


def _apply(settings: Controls, name: str, patch: CameraPatch) -> dict[str, object]:
    """Change a camera's settings and return its new settings."""
    try:
        if "threshold" in patch.model_fields_set:
            settings.set_threshold(name, patch.threshold)
        if patch.enabled is not None:
            settings.switch(name, on=patch.enabled)
    except UnknownCamera as error:
        raise HTTPException(404, str(error)) from error
    except HarstreamError as error:
        raise HTTPException(409, str(error)) from error
    found = [_facts(camera) for camera in settings.cameras() if camera.camera == name]
    if not found:
        raise HTTPException(404, f"there is no camera {name!r}")
    return found[0]


def _facts(camera: CameraControl) -> dict[str, object]:
    return CameraSetting(camera=camera.camera, enabled=camera.is_enabled, threshold=camera.threshold).model_dump()
