"""`GET /api/cameras`, `PATCH /api/cameras/hall {"enabled": false, "threshold": 0.7}`, `POST /api/reload`."""

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
from harstream.stream.web.http_errors import checked_as
from harstream.stream.web.same_origin import is_same_host
from harstream.wire.errors import HarstreamError, UnknownCamera
from harstream.wire.values import CameraControl


@dataclass(frozen=True)
class HttpControl:
    """What may be changed over HTTP."""

    settings: Controls
    reload: Callable[[], str]
    """Takes what config.yaml says now and returns what changed, for a person. Raises HarstreamError."""


class CameraPatch(BaseModel):
    """A setting that is not named stays as it is. A threshold of null means: as configured."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None


def control_routes(control: HttpControl | None) -> Sequence[Route]:
    """`control` is None if nothing may be changed over HTTP."""

    def allowed(request: Request) -> HttpControl:
        # A page of another site that a browser has open must not switch cameras off.
        if not is_same_host(request.headers.get("origin"), request.headers.get("host")):
            raise HTTPException(403, "the request comes from a page of another site")
        if control is None:
            raise HTTPException(403, "nothing can be changed over HTTP here: see web.control in config.yaml")
        return control

    # Functions that are not async run on threads. They may wait while a model or a camera's settings are read.
    def cameras(request: Request) -> Response:
        return JSONResponse([_facts(camera) for camera in allowed(request).settings.cameras()])

    async def change(request: Request) -> Response:
        settings = allowed(request).settings
        try:
            body = await request.body()
        except ClientDisconnect as error:  # otherwise the server logs a traceback
            raise HTTPException(400, "the request broke off") from error
        with checked_as(CameraPatch):
            patch = CameraPatch.model_validate_json(body)
        return JSONResponse(await run_in_threadpool(_apply, settings, request.path_params["name"], patch))

    def reload(request: Request) -> Response:
        try:
            return JSONResponse({"detail": allowed(request).reload()})
        except HarstreamError as error:
            raise HTTPException(409, str(error)) from error

    return (
        Route("/api/cameras", cameras),
        Route("/api/cameras/{name}", change, methods=["PATCH"]),
        Route("/api/reload", reload, methods=["POST"]),
    )


def _apply(settings: Controls, name: str, patch: CameraPatch) -> dict[str, object]:
    """Change a camera's settings, and return how it is set now."""
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
        raise HTTPException(404, f"camera {name!r} has just been removed")
    return found[0]


def _facts(camera: CameraControl) -> dict[str, object]:
    return {"camera": camera.camera, "enabled": camera.is_enabled, "threshold": camera.threshold}
