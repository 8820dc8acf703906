"""Serves the files of the page. Each has a route of its own, so that no request can name another file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

PAGE = Path(__file__).parent / "page"
PATHS = {"index.html": "/", "teach.html": "/teach"}
"""The paths of the pages. Other files have their name as path."""
LOGIN = "login.html"


def page_routes() -> Sequence[Route]:
    names = sorted(file.name for file in PAGE.iterdir() if file.is_file() and file.name != LOGIN)
    return [_route(PATHS.get(name, f"/{name}"), name) for name in names]


def login_html() -> str:
    return (PAGE / LOGIN).read_text(encoding="utf-8")


def _route(path: str, name: str) -> Route:
    files = StaticFiles(directory=PAGE)  # it answers 304 to a browser that has the file

    async def send(request: Request) -> Response:
        return await files.get_response(name, request.scope)

    return Route(path, send)
