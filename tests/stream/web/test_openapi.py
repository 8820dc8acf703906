"""The document of the HTTP API: the code writes it, and it lists every route."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.routing import Route

from harstream.models.contract import ModelContract
from harstream.stream.history.formats import facts
from harstream.stream.history.store import PastActivity
from harstream.stream.web.app import ServiceFacts, Site, create_app
from harstream.stream.web.openapi import document, text
from harstream.stream.web.page_files import page_routes
from harstream.stream.web.view_state import ViewState
from tests.support.values import MakeEvent

FILE = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_file_is_what_the_code_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), (
        "write it: python -m harstream.stream.web.openapi docs/openapi.json"
    )


def test_the_document_lists_every_request_except_files_of_the_page() -> None:
    about = ServiceFacts(ModelContract(name="lrcn", version="1.0.0", labels=("A", "B")), "0.1.0", "CPU")
    app = create_app(Site(about, ViewState(())), lambda: None, (), most_viewers=1)
    files = {route.path for route in page_routes() if isinstance(route, Route)} - {"/"}
    served = {
        (method.lower(), route.path)
        for route in app.routes
        if isinstance(route, Route) and route.path not in files
        for method in (route.methods or set()) - {"HEAD"}
    }
    listed = {(method, path) for path, methods in document()["paths"].items() for method in methods}
    assert listed == served


def test_an_answer_has_the_keys_of_its_schema(make_event: MakeEvent) -> None:
    answer = json.loads(json.dumps(facts(PastActivity(make_event(), "Küche", "light", "1"))))
    schema = document()["components"]["schemas"]["PastEvent"]
    assert list(answer) == schema["required"]
    assert answer["ended_at"] is None
    assert {"type": "null"} in schema["properties"]["ended_at"]["anyOf"]
