"""The web application: the page, its live socket, and the HTTP API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware, DispatchFunction, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from harstream.models.contract import ModelContract
from harstream.stream.config.loopback import is_loopback
from harstream.stream.config.web import WebConfig
from harstream.stream.teaching.teaching import Teaching
from harstream.stream.web.access.gate import Gate
from harstream.stream.web.access.hosts import HostCheck, host_names
from harstream.stream.web.access.login import login_routes
from harstream.stream.web.access.login_limit import LoginLimit
from harstream.stream.web.access.proxy import TrustedProxy
from harstream.stream.web.access.sessions import Sessions
from harstream.stream.web.access.visitors import Visitors
from harstream.stream.web.cameras_api import HttpControl, control_routes
from harstream.stream.web.events_api import history_routes
from harstream.stream.web.health_endpoints import health_routes
from harstream.stream.web.http_errors import json_error
from harstream.stream.web.live_socket import live_route
from harstream.stream.web.metrics_endpoint import metrics_route
from harstream.stream.web.page_files import page_routes
from harstream.stream.web.teaching_api import teaching_routes
from harstream.stream.web.view_state import ViewState
from harstream.stream.web.viewers import Broadcast, Encode, OutputState, encode_jpeg

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
MAX_THREADS = 8
"""Requests that run on threads at once. Each may open files."""


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
    web: WebConfig = WebConfig()
    """Where the page is, and who may open it."""
    sessions: Path | None = None
    """The file of the sessions. None: all sessions end with the process."""
    history: Path | None = None
    """The file that `/api/events` reads. The page starts with its last activities. None without a history."""
    control: HttpControl | None = None
    """The controls over HTTP. None if HTTP clients may change nothing."""
    teaching: Teaching | None = None
    """Teaches over HTTP. None if HTTP clients may change nothing."""
    metrics: Callable[[], bytes] | None = None
    """Returns the answer of `/metrics`. None if there are no metrics."""
    outputs: Callable[[], OutputState] = OutputState
    """Returns the present state of broker and sinks."""
    encode: Encode = encode_jpeg
    """Encodes a picture. Only the server's threads call it."""


def create_app(
    site: Site,
    on_ready: Callable[[], None],
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    *,
    most_viewers: int,
) -> Starlette:
    """Return the application. Raises SinkError.

    `on_ready` is called when the event loop runs. `background` runs beside the application until its end.
    """
    sessions = Sessions(site.web.users, site.sessions)
    sessions.load()
    visitors = Visitors(site.web, sessions)
    broadcast = Broadcast(site.view, _facts(site), site.encode, site.outputs)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = MAX_THREADS
        tasks = [asyncio.create_task(work()) for work in (broadcast.run, *background)]
        for task in tasks:
            task.add_done_callback(lambda task: _carry_error(task, site.view))
        on_ready()
        yield
        for task in tasks:
            task.cancel()

    return Starlette(
        routes=[
            *health_routes(site.view, site.about.version),
            metrics_route(site.metrics),
            *history_routes(site.history),
            *control_routes(site.control),
            *teaching_routes(site.teaching),
            *login_routes(site.web, sessions, LoginLimit()),
            live_route(broadcast, visitors, may_control=site.control is not None, most=most_viewers),
            *page_routes(),
        ],
        middleware=_middleware(site, sessions, visitors),
        exception_handlers={HTTPException: json_error},
        lifespan=lifespan,
    )


def _middleware(site: Site, sessions: Sessions, visitors: Visitors) -> list[Middleware]:
    """Return what each request passes, in this order."""
    return [
        Middleware(BaseHTTPMiddleware, dispatch=_header_adder(site.web.frame_ancestors)),
        Middleware(HostCheck, host_names(site.web), answers_addresses=not is_loopback(site.web.host)),
        *([Middleware(TrustedProxy, site.web.proxy)] if site.web.proxy else []),
        Middleware(sessions.middleware),
        Middleware(AuthenticationMiddleware, visitors),
        Middleware(Gate),
    ]


def _facts(site: Site) -> dict[str, object]:
    contract = site.about.contract
    return {
        "version": site.about.version,
        "provider": site.about.provider,
        "model": {"name": contract.name, "version": contract.version},
        "labels": contract.labels,
        "background": contract.background,
    }


def _header_adder(frame_ancestors: Sequence[str]) -> DispatchFunction:
    """Return a function that adds the headers of a strict page. `frame_ancestors`: sites that may frame it."""
    headers = {
        "Content-Security-Policy": " ".join((CONTENT_POLICY, *frame_ancestors)),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # no-referrer would make a browser hide the Origin of the login form
    }

    async def add_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.update(headers)
        is_file = "etag" in response.headers
        response.headers["Cache-Control"] = "no-cache" if is_file else "no-store"
        return response

    return add_headers


def _carry_error(task: asyncio.Task[None], view: ViewState) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        view.fail(error)
