"""The web application: the page, its live socket, and the HTTP API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from harstream.models.contract import ModelContract
from harstream.stream.web.cameras_api import HttpControl, control_routes
from harstream.stream.web.events_api import history_routes
from harstream.stream.web.health_endpoints import health_routes
from harstream.stream.web.http_errors import json_error
from harstream.stream.web.live_socket import live_route
from harstream.stream.web.metrics_endpoint import metrics_route
from harstream.stream.web.view_state import ViewState
from harstream.stream.web.viewers import Broadcast, Encode, encode_jpeg

PAGE = Path(__file__).parent / "page"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class ServiceFacts:
    """The facts about the service that the page shows."""

    contract: ModelContract
    version: str
    provider: str
    """The device and library that run the model, as text."""


@dataclass(frozen=True)
class Site:
    """The parts that the web application serves."""

    about: ServiceFacts
    view: ViewState
    history: Path | None = None
    """The file that `/api/events` reads. The page starts with its last activities. None without a history."""
    control: HttpControl | None = None
    """The controls over HTTP. None if HTTP clients may change nothing."""
    metrics: Callable[[], bytes] | None = None
    """Returns the answer of `/metrics`. None if there are no metrics."""
    has_broker: Callable[[], bool] = lambda: True
    """Returns whether events can be published now."""
    encode: Encode = encode_jpeg
    """Encodes a picture. Only the server's threads call it."""


def create_app(site: Site, hosts: tuple[str, ...] | None, on_ready: Callable[[], None]) -> Starlette:
    """`hosts`: Host names that the server answers; None for all. `on_ready` is called when the event loop runs."""
    broadcast = Broadcast(site.view, _facts(site), site.encode, site.has_broker)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        publishing = asyncio.create_task(broadcast.run())
        publishing.add_done_callback(lambda task: _carry_error(task, site.view))
        on_ready()
        yield
        publishing.cancel()

    return Starlette(
        routes=[
            *health_routes(site.view, site.about.version),
            metrics_route(site.metrics),
            *history_routes(site.history),
            *control_routes(site.control),
            live_route(broadcast),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ],
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=_add_headers),
            *([Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)] if hosts else []),
        ],
        exception_handlers={HTTPException: json_error},
        lifespan=lifespan,
    )


def _facts(site: Site) -> dict[str, object]:
    contract = site.about.contract
    return {
        "version": site.about.version,
        "provider": site.about.provider,
        "model": {"name": contract.name, "version": contract.version},
        "labels": contract.labels,
        "background": contract.background,
        "control": site.control is not None,
    }


async def _add_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


def _carry_error(task: asyncio.Task[None], view: ViewState) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        view.fail(error)
