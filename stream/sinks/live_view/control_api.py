"""`GET /api/cameras`, `PATCH /api/cameras/hall {"enabled": false, "threshold": 0.7}`, `POST /api/reload`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from stream.errors import HarstreamError, UnknownCamera
from stream.messages import CameraControl
from stream.ports import Controls
from stream.sinks.live_view.origin import is_same_host


class Wish(BaseModel):
    """What is not named stays as it is; a threshold of null is the configured one again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None


def control_routes(controls: Controls | None) -> APIRouter:
    """`controls`: None where nobody may change anything over HTTP."""
    routes = APIRouter(dependencies=[Depends(_is_from_here)])

    def allowed() -> Controls:
        if controls is None:
            raise HTTPException(403, "nothing can be changed over HTTP here: see web.control in config.yaml")
        return controls

    # Not async, and so on a thread that may wait for a model to be read or a camera's settings to be kept.
    @routes.get("/api/cameras")
    def cameras() -> list[dict[str, object]]:
        return [_facts(camera) for camera in allowed().cameras()]

    @routes.patch("/api/cameras/{name}")
    def change(name: str, wish: Annotated[Wish, Body()]) -> dict[str, object]:
        """How the camera is set now."""
        asked = allowed()
        try:
            if "threshold" in wish.model_fields_set:
                asked.set_threshold(name, wish.threshold)
            if wish.enabled is not None:
                asked.switch(name, on=wish.enabled)
        except UnknownCamera as error:
            raise HTTPException(404, str(error)) from error
        except HarstreamError as error:
            raise HTTPException(409, str(error)) from error
        found = [_facts(camera) for camera in asked.cameras() if camera.camera == name]
        if not found:
            raise HTTPException(404, f"camera {name!r} was removed in this moment")
        return found[0]

    @routes.post("/api/reload")
    def reload() -> dict[str, str]:
        """Look at config.yaml again."""
        try:
            return {"detail": allowed().reload()}
        except HarstreamError as error:
            raise HTTPException(409, str(error)) from error

    return routes


def _is_from_here(request: Request) -> None:
    """A page of another site that a browser has open must not switch cameras off."""
    if not is_same_host(request.headers.get("origin"), request.headers.get("host")):
        raise HTTPException(403, "a page of another site asked for it")


def _facts(camera: CameraControl) -> dict[str, object]:
    return {"camera": camera.camera, "enabled": camera.is_enabled, "threshold": camera.threshold}
