"""`GET /api/cameras`, `PATCH /api/cameras/hall {"enabled": false, "threshold": 0.7}`, `POST /api/reload`."""

from __future__ import annotations

from collections.abc import Sequence
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


class Wish(BaseModel):
    """What is not named stays as it is; a threshold of null is the configured one again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None


def control_routes(controls: Controls | None) -> Sequence[Route]:
    """`controls`: None where nobody may change anything over HTTP."""

    def asked_by(request: Request) -> Controls:
        # A page of another site that a browser has open must not switch cameras off.
        if not is_same_host(request.headers.get("origin"), request.headers.get("host")):
            raise HTTPException(403, "a page of another site asked for it")
        if controls is None:
            raise HTTPException(403, "nothing can be changed over HTTP here: see web.control in config.yaml")
        return controls

    # What is not async is on a thread that may wait for a model to be read or a camera's settings to be kept.
    def cameras(request: Request) -> Response:
        return JSONResponse([_facts(camera) for camera in asked_by(request).cameras()])

    async def change(request: Request) -> Response:
        asked = asked_by(request)
        try:
            body = await request.body()
        except ClientDisconnect as error:  # or the server would log it as a fault of ours, with a traceback
            raise HTTPException(400, "the request broke off") from error
        with checked_as(Wish):
            wish = Wish.model_validate_json(body)
        return JSONResponse(await run_in_threadpool(_changed, asked, request.path_params["name"], wish))

    def reload(request: Request) -> Response:
        """Look at config.yaml again."""
        try:
            return JSONResponse({"detail": asked_by(request).reload()})
        except HarstreamError as error:
            raise HTTPException(409, str(error)) from error

    return (
        Route("/api/cameras", cameras),
        Route("/api/cameras/{name}", change, methods=["PATCH"]),
        Route("/api/reload", reload, methods=["POST"]),
    )


def _changed(controls: Controls, name: str, wish: Wish) -> dict[str, object]:
    """How the camera is set now."""
    try:
        if "threshold" in wish.model_fields_set:
            controls.set_threshold(name, wish.threshold)
        if wish.enabled is not None:
            controls.switch(name, on=wish.enabled)
    except UnknownCamera as error:
        raise HTTPException(404, str(error)) from error
    except HarstreamError as error:
        raise HTTPException(409, str(error)) from error
    found = [_facts(camera) for camera in controls.cameras() if camera.camera == name]
    if not found:
        raise HTTPException(404, f"camera {name!r} was removed in this moment")
    return found[0]


def _facts(camera: CameraControl) -> dict[str, object]:
    return {"camera": camera.camera, "enabled": camera.is_enabled, "threshold": camera.threshold}
