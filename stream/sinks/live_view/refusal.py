"""What is wrong with a request, in one sentence in place of FastAPI's list of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from stream.sinks.live_view.control_api import Wish
from stream.sinks.live_view.events_api import Asked

KNOWN = {"query": ", ".join(Asked.model_fields), "body": ", ".join(Wish.model_fields)}


def in_one_sentence(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": "; ".join(_told(mistake) for mistake in error.errors())}, 422)


def _told(mistake: Mapping[str, Any]) -> str:
    place, *names = mistake["loc"]
    if mistake["type"] == "extra_forbidden":
        return f"expected {KNOWN[place]}; got {str(names[-1])[:40]!r}"
    if mistake["type"] == "json_invalid":
        return "expected JSON, got something else"
    name = f"{names[-1]}: " if names else ""
    return f"{name}{mistake['msg'].removeprefix('Value error, ')}"
