"""Routes that teach: `/api/teaching` shows the state; others record, delete, learn, use and discard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from harstream.stream.teaching.recording import RecordingPlan
from harstream.stream.teaching.teaching import Teaching
from harstream.stream.web.http_errors import MAX_BODY, validation_errors_as_422
from harstream.wire.errors import ConfigError, HarstreamError, UnknownCamera

ROOT = "/api/teaching"
B = TypeVar("B", bound=BaseModel)


class RecordingRequest(BaseModel):
    """What to record."""

    model_config = ConfigDict(extra="forbid", strict=True)

    activity: Annotated[str, Field(max_length=200)] | None
    """null: ordinary footage, in which none of the activities happens."""
    camera: str
    number: Annotated[int, Field(ge=1, le=100)] = 5
    seconds: Annotated[float, Field(ge=1, le=60)] = 8.0
    """Length of each video."""
    pause: Annotated[float, Field(ge=0, le=600)] = 5.0
    """Seconds before each."""


class LearningRequest(BaseModel):
    """How to learn."""

    model_config = ConfigDict(extra="forbid", strict=True)

    camera: str | None = None
    """The camera whose view and crop the examples are seen with; null: those of all cameras."""


def teaching_routes(teaching: Teaching | None) -> Sequence[Route]:
    """Return the routes. `teaching` is None if HTTP clients may change nothing."""
    endpoints = _Endpoints(teaching)
    return (
        Route(ROOT, endpoints.state),
        *(
            Route(f"{ROOT}/{name}", getattr(endpoints, name), methods=["POST"], max_body_size=MAX_BODY)
            for name in ("record", "learn", "stop", "use", "discard")
        ),
        *(
            Route(f"{ROOT}/{path}", endpoints.example, methods=["GET", "DELETE"], max_body_size=MAX_BODY)
            for path in ("examples/{activity}/{file}", "ordinary/{file}")
        ),
    )


class _Endpoints:
    """The functions behind the routes. Those that are not async run on threads, so they may block."""

    def __init__(self, teaching: Teaching | None) -> None:
        self._teaching = teaching

    def state(self, request: Request) -> Response:
        return _state(self._allowed())

    async def record(self, request: Request) -> Response:
        teaching, asked = self._allowed(), await _body(request, RecordingRequest)
        plan = RecordingPlan(asked.number, asked.seconds, asked.pause)
        return await _changed(teaching, lambda: teaching.record(asked.activity, asked.camera, plan))

    async def learn(self, request: Request) -> Response:
        teaching, asked = self._allowed(), await _body(request, LearningRequest)
        return await _changed(teaching, lambda: teaching.learn(asked.camera))

    def stop(self, request: Request) -> Response:
        teaching = self._allowed()
        teaching.stop()
        return _state(teaching)

    def use(self, request: Request) -> Response:
        with _errors():
            return JSONResponse({"detail": self._allowed().use()})

    def discard(self, request: Request) -> Response:
        with _errors():
            return JSONResponse({"detail": self._allowed().discard()})

    def example(self, request: Request) -> Response:
        """Send or delete the video of an example, or of ordinary footage."""
        teaching, file = self._allowed(), request.path_params["file"]
        activity = request.path_params.get("activity")
        path = teaching.file(activity, file)
        if path is None:
            raise HTTPException(404, f"there is no video {file[:80]!r}")
        if request.method != "DELETE":
            return FileResponse(path)
        with _errors():
            teaching.remove(activity, file)
        return _state(teaching)

    def _allowed(self) -> Teaching:
        """Return what teaches if HTTP clients may use it. Raises HTTPException."""
        if self._teaching is None:
            raise HTTPException(403, "nothing can be taught over HTTP here: see web.control in config.yaml")
        return self._teaching


async def _body(request: Request, model: type[B]) -> B:
    try:
        body = await request.body()
    except ClientDisconnect as error:  # otherwise the server logs a traceback
        raise HTTPException(400, "the client disconnected") from error
    with validation_errors_as_422(model):
        return model.model_validate_json(body)


async def _changed(teaching: Teaching, change: Callable[[], None]) -> Response:
    """Run the change, which may block, and answer with the state after it."""

    def run() -> Response:
        with _errors():
            change()
        return _state(teaching)

    return await run_in_threadpool(run)


def _state(teaching: Teaching) -> Response:
    return JSONResponse(teaching.state().model_dump(mode="json"))


@contextmanager
def _errors() -> Iterator[None]:
    """Turn the errors of teaching into HTTPException."""
    try:
        yield
    except UnknownCamera as error:
        raise HTTPException(404, str(error)) from error
    except ConfigError as error:
        raise HTTPException(422, str(error)) from error
    except HarstreamError as error:
        raise HTTPException(409, str(error)) from error
