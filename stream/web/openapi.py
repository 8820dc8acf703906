"""Writes what the HTTP API takes and answers, as an OpenAPI document.

Run it with `python -m harstream.stream.web.openapi docs/openapi.json`. Source: OpenAPI 3.1.0, https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from harstream.stream.history.formats import PastEvent
from harstream.stream.teaching.teaching import TeachingState
from harstream.stream.web.cameras_api import CameraPatch, CameraSetting
from harstream.stream.web.events_api import EventsQuery
from harstream.stream.web.teaching_api import LearningRequest, RecordingRequest
from harstream.wire.values import CameraState

VERSION = "1.0.0"
"""The version of the HTTP API."""
SCHEMAS = "#/components/schemas/"
JSON, HTML, TEXT, FORM = "application/json", "text/html", "text/plain", "application/x-www-form-urlencoded"
Schema = dict[str, Any]


@dataclass(frozen=True)
class _Answer:
    """`content`: the schema of its body, by media type. Empty without a body."""

    description: str
    content: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    summary: str
    answers: Mapping[int, _Answer]
    right: str | None = None
    """What the sender must be allowed to do. None: no login is needed."""
    parameters: tuple[Schema, ...] = ()
    body: Mapping[str, Schema] = field(default_factory=dict)
    """The schema of the body, by media type. Empty if the request takes none."""


def _ref(name: str) -> Schema:
    return {"$ref": f"{SCHEMAS}{name}"}


def _refused(reason: str) -> _Answer:
    return _Answer(reason, {JSON: _ref("Detail")})


def _page(description: str) -> _Answer:
    return _Answer(description, {HTML: {"type": "string"}})


def _query_parameters(model: type[BaseModel]) -> tuple[Schema, ...]:
    """Return a parameter for each field. A parameter is left out rather than null."""
    parameters = []
    for name, found in model.model_json_schema()["properties"].items():
        known = {key: value for key, value in found.items() if key not in ("anyOf", "title", "default")}
        schema = next((one for one in found.get("anyOf", ()) if one["type"] != "null"), known)
        parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    return tuple(parameters)


def _path_parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


HEALTH = {JSON: _ref("Health")}
CAMERA_NAME, ACTIVITY, FILE = (_path_parameter(name) for name in ("name", "activity", "file"))
STATE = _Answer("What there is now, and what happens.", {JSON: _ref("TeachingState")})
NOT_NOW = _refused("Nothing can be taught with this model, or something else is recorded or learned now.")
NO_VIDEO = _refused("There is no such video.")
VIDEO_FILE = {f"video/{kind}": {"type": "string", "format": "binary"} for kind in ("mp4", "webm")}
TO_START, TO_LOGIN = _Answer("Open the page that `Location` names."), _Answer("Log in on the page of `Location`.")
REQUESTS = (
    _Request("get", "/healthz", "Whether recognition goes on. Without a login only the status.",
             {200: _Answer("It does.", HEALTH), 503: _Answer("Recognition hangs.", HEALTH)}),
    _Request("get", "/readyz", "Whether a camera sends pictures. Without a login only the status.",
             {200: _Answer("One does, or all are switched off.", HEALTH), 503: _Answer("None does.", HEALTH)}),
    _Request("get", "/metrics", "Counters and states for Prometheus.",
             {200: _Answer("The metrics.", {TEXT: {"type": "string"}}), 404: _refused("There are no metrics.")},
             right="metrics"),
    _Request("get", "/api/events", "Past activities, newest first.",
             {200: _Answer("The activities.", {JSON: {"type": "array", "items": _ref("PastEvent")}}),
              404: _refused("No history is kept."), 422: _refused("A parameter is unknown or wrong."),
              503: _refused("The history cannot be read.")},
             right="viewer", parameters=_query_parameters(EventsQuery)),
    _Request("get", "/api/cameras", "The settings of each camera.",
             {200: _Answer("The settings.", {JSON: {"type": "array", "items": _ref("CameraSetting")}})},
             right="viewer"),
    _Request("patch", "/api/cameras/{name}", "Changes the settings of a camera.",
             {200: _Answer("The settings now.", {JSON: _ref("CameraSetting")}),
              404: _refused("There is no such camera."), 409: _refused("The service cannot change it now."),
              422: _refused("The body is not such an object.")},
             right="operator", parameters=(CAMERA_NAME,), body={JSON: _ref("CameraPatch")}),
    _Request("post", "/api/reload", "Reads config.yaml again.",
             {200: _Answer("The changes, as text.", {JSON: _ref("Detail")}),
              409: _refused("config.yaml cannot be used.")}, right="operator"),
    _Request("get", "/api/teaching", "The examples, what is recorded or learned now, and the last result.",
             {200: STATE}, right="viewer"),
    _Request("post", "/api/teaching/record", "Starts to record examples of an activity with a camera.",
             {200: STATE, 404: _refused("There is no such camera."), 409: NOT_NOW,
              422: _refused("The body is not such an object, or the activity needs another name.")},
             right="operator", body={JSON: _ref("RecordingRequest")}),
    _Request("post", "/api/teaching/learn", "Starts to learn from all examples.",
             {200: STATE, 409: NOT_NOW, 422: _refused("The body is not such an object.")},
             right="operator", body={JSON: _ref("LearningRequest")}),
    _Request("post", "/api/teaching/stop", "Ends what is recorded or learned now. Whole examples are kept.",
             {200: STATE}, right="operator"),
    _Request("post", "/api/teaching/use", "Recognizes with what was learned last.",
             {200: _Answer("The changes, as text.", {JSON: _ref("Detail")}),
              409: _refused("Nothing was learned, or it cannot be used now.")}, right="operator"),
    _Request("post", "/api/teaching/discard", "Deletes what was learned last, and stops using it.",
             {200: _Answer("The changes, as text.", {JSON: _ref("Detail")}),
              409: _refused("Nothing was learned, or it is needed now.")}, right="operator"),
    *(request for path, parameters, video in (
        ("/api/teaching/examples/{activity}/{file}", (ACTIVITY, FILE), "an example"),
        ("/api/teaching/ordinary/{file}", (FILE,), "ordinary footage"),
    ) for request in (
        _Request("get", path, f"A video of {video}.", {200: _Answer("The video.", VIDEO_FILE), 404: NO_VIDEO},
                 right="viewer", parameters=parameters),
        _Request("delete", path, f"Deletes a video of {video}.", {200: STATE, 404: NO_VIDEO, 409: NOT_NOW,
                 422: NO_VIDEO}, right="operator", parameters=parameters),
    )),
    _Request("get", "/", "The page with all cameras.",
             {200: _page("The page."), 303: TO_LOGIN, 304: _Answer("The browser has it.")}, right="viewer"),
    _Request("get", "/login", "The login page.", {200: _page("The page."), 303: TO_START}),
    _Request("post", "/login", "Logs in, and sets the cookie of the session.",
             {303: TO_START, 401: _page("Name or password is wrong."), 429: _page("There were too many attempts.")},
             body={FORM: _ref("Login")}),
    _Request("post", "/logout", "Ends the session.", {303: TO_LOGIN}, right="viewer"),
)  # fmt: skip


def text() -> str:
    """Return the file's content."""
    return json.dumps(document(), indent=2) + "\n"


def document() -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, object]] = {}
    for request in REQUESTS:
        paths.setdefault(request.path, {})[request.method] = _operation(request)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "harstream",
            "version": VERSION,
            "description": "The HTTP API of `harstream run`. The WebSocket /live is not part of it.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A token of web.tokens."}},
        },
    }


def _operation(request: _Request) -> dict[str, object]:
    operation: dict[str, object] = {"summary": request.summary}
    if request.parameters:
        operation["parameters"] = list(request.parameters)
    if request.body:
        content = {media: {"schema": schema} for media, schema in request.body.items()}
        operation["requestBody"] = {"required": True, "content": content}
    if request.right:
        operation["security"] = [{"token": []}]
    answers = {**_general_answers(request), **request.answers}
    operation["responses"] = {str(code): _response(answers[code]) for code in sorted(answers)}
    return operation


def _general_answers(request: _Request) -> dict[int, _Answer]:
    """Return the answers that do not depend on what the request asks for."""
    foreign = "The Host is not a name of this page."
    general = {
        400: _Answer(f"{foreign} Or it is not HTTP.", {JSON: _ref("Detail"), TEXT: {"type": "string"}}),
        403: _refused("The request comes from a page of another site, or the sender may not do this."),
    }
    if request.right:
        general[401] = _refused("There is no session and no valid token.")
    if request.method != "get":
        general[413] = _refused("The body is larger than 4 KiB.")
    return general


def _response(answer: _Answer) -> dict[str, object]:
    if not answer.content:
        return {"description": answer.description}
    content = {media: {"schema": schema} for media, schema in answer.content.items()}
    return {"description": answer.description, "content": content}


def _schemas() -> dict[str, Schema]:
    found: dict[str, Schema] = {
        "Detail": _object(detail={"type": "string", "description": "One sentence."}),
        "Login": _object(name={"type": "string"}, password={"type": "string"}),
        "Health": {
            **_object(
                status={"enum": ["ok", "stuck", "ready", "not ready"]},
                version={"type": "string"},
                cameras={"type": "object", "additionalProperties": {"enum": [state.value for state in CameraState]}},
            ),
            "required": ["status"],
        },
    }
    for model in (PastEvent, CameraSetting, CameraPatch, TeachingState, RecordingRequest, LearningRequest):
        schema = model.model_json_schema(mode="serialization", ref_template=f"{SCHEMAS}{{model}}")
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    _allow_null(found["PastEvent"])
    return found


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _allow_null(schema: Schema) -> None:
    """Turn each optional property into one that is always there and may be null."""
    properties = schema["properties"]
    for name in properties.keys() - set(schema["required"]):
        properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    schema["required"] = list(properties)


def main(file: Path) -> None:
    file.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
