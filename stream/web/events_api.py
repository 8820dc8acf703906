"""`GET /api/events?camera=hall&activity=PushUps&since=2h&until=2026-11-20&limit=100`: past activities as JSON."""

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
from harstream.stream.history.time_parsing import moment
from harstream.stream.web.http_errors import checked_as
from harstream.wire.errors import HarstreamError

MOST = 10_000
"""Most activities in one answer."""


def _is_moment(text: str) -> str:
    moment(text, time.time())
    return text


Text = Annotated[str, Field(min_length=1, max_length=200)]
Moment = Annotated[str, AfterValidator(_is_moment)]


class EventsQuery(BaseModel):
    """Unknown names are refused. A mistyped filter would otherwise return every activity."""

    model_config = ConfigDict(extra="forbid")

    camera: Text | None = None
    activity: Text | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100

    def query(self) -> history.Query:
        now = time.time()
        return history.Query(
            self.camera,
            self.activity,
            since=None if self.since is None else moment(self.since, now),
            until=None if self.until is None else moment(self.until, now),
            limit=self.limit,
        )


def history_routes(file: Path | None) -> Sequence[Route]:
    """`file` is the history; None: no history is kept."""

    def events(request: Request) -> Response:
        """Answer with the newest first. This is not async, so it runs on a thread that may wait for the disk."""
        with checked_as(EventsQuery):
            asked = EventsQuery.model_validate(dict(request.query_params))
        if file is None:
            raise HTTPException(404, "no history is kept: history.enabled is false in config.yaml")
        try:
            with history.reading(file) as database:
                return JSONResponse([facts(past) for past in history.activities(database, asked.query())])
        except HarstreamError as error:
            raise HTTPException(503, str(error)) from error

    return (Route("/api/events", events),)
