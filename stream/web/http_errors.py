"""Answers of refused HTTP requests: `{"detail": ...}` with one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MAX_BODY = 4096
"""The largest body of a request in bytes. Larger ones are refused with 413."""


def json_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


@contextmanager
def validation_errors_as_422(model: type[BaseModel]) -> Iterator[None]:
    """Turn pydantic's errors inside the block into HTTPException 422."""
    try:
        yield
    except ValidationError as error:
        known = ", ".join(model.model_fields)
        raise HTTPException(422, "; ".join(_describe(mistake, known) for mistake in error.errors())) from error


def _describe(mistake: Mapping[str, Any], known: str) -> str:
    names = mistake["loc"]
    if mistake["type"] == "extra_forbidden":
        return f"expected {known}; got {str(names[-1])[:40]!r}"
    if mistake["type"] == "json_invalid":
        return "expected JSON, got something else"
    if mistake["type"] == "model_type":
        return f"expected a JSON object of {known}"
    name = f"{names[-1]}: " if names else ""
    return f"{name}{mistake['msg'].removeprefix('Value error, ')}"
