"""Past activities as JSON: `GET /api/events?camera=hall&activity=PushUps&since=2h&until=2026-11-20&limit=100`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harstream.stream.history import store as history
from harstream.stream.history.formats import facts
from harstream.stream.history.time_parsing import parse_time
from harstream.stream.web.http_errors import validation_errors_as_422
from harstream.wire.errors import HarstreamError

MAX_EVENTS = 10_000
"""The largest number of activities in one answer."""


def _check_time(text: str) -> str:
    parse_time(text, time.time())
    return text


Text = Annotated[str, Field(min_length=1, max_length=200)]
TimeText = Annotated[str, AfterValidator(_check_time)]


class EventsQuery(BaseModel):
    """The parameters of a query. Unknown names are refused, because a mistyped filter would return every activity."""

    model_config = ConfigDict(extra="forbid")

    camera: Text | None = None
    activity: Text | None = None
    since: TimeText | None = None
    until: TimeText | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_EVENTS)] = 100

    def query(self) -> history.Query:
        now = time.time()
        return history.Query(
            self.camera,
            self.activity,
            since=None if self.since is None else parse_time(self.since, now),
            until=None if self.until is None else parse_time(self.until, now),
            limit=self.limit,
        )


def history_routes(file: Path | None) -> Sequence[Route]:
    """Return the routes. `file` is the history; None without a history."""

    def events(request: Request) -> Response:
        """Answer with activities, newest first. It is not async, so it runs on a thread that may wait for the disk."""
        with validation_errors_as_422(EventsQuery):
            parsed = EventsQuery.model_validate(dict(request.query_params))
        if file is None:
            raise HTTPException(404, "no history is kept: history.enabled is false in config.yaml")
        try:
            with history.reading(file) as database:
                return JSONResponse([facts(past) for past in history.activities(database, parsed.query())])
        except HarstreamError as error:
            raise HTTPException(503, str(error)) from error

    return (Route("/api/events", events),)
