"""`GET /metrics`, the metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

METRICS_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
"""Source: https://prometheus.io/docs/instrumenting/exposition_formats/"""


def metrics_route(metrics: Callable[[], bytes] | None) -> Route:
    """Return the route. `metrics` returns the text. If it is None, the answer is 404."""

    def read(_: Request) -> Response:
        if metrics is None:
            raise HTTPException(404)
        return Response(metrics(), media_type=METRICS_FORMAT)

    return Route("/metrics", read)
