"""Requests that schemathesis derives from the OpenAPI document, right and wrong ones, get the answers that it names."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from harstream.stream.web.openapi import document
from tests.soak.films import write_h264
from tests.support.accounts import TOKEN, USERS
from tests.support.cameras.stamped_camera import Habits, StampedCamera
from tests.support.command import Running
from tests.support.light_model import QUICK
from tests.support.waiting import new_free_port, wait_until

INPUTS = int(os.environ.get("HARSTREAM_REQUESTS", "50"))
"""Requests for each operation and sender."""
PATIENCE = 30.0
"""Seconds after which an answer counts as missing."""
SENDERS: Mapping[str, Mapping[str, str]] = {
    "anonymous": {"Authorization": "Bearer har_unknown"},
    "viewer": {"Authorization": f"Bearer {TOKEN}v"},
    "operator": {"Authorization": f"Bearer {TOKEN}o"},
}
"""The operator comes last, because it switches the camera off and on. Meanwhile /readyz rightly answers 503."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


def without_logins(content: dict[str, Any]) -> dict[str, Any]:
    """Return the document without its logins, so that schemathesis leaves those of the senders alone."""
    for methods in content["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return content


schema = schemathesis.openapi.from_dict(without_logins(document()))
operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]

pytestmark = pytest.mark.timeout(max(300, INPUTS * 60))


@dataclass(frozen=True)
class Service:
    running: Running
    url: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, light_model: Path) -> Iterator[Service]:
    folder, port = tmp_path_factory.mktemp("service"), new_free_port()
    tokens = [{"name": name, "token": sent["Authorization"].removeprefix("Bearer "), "role": name}
              for name, sent in SENDERS.items() if name != "anonymous"]  # fmt: skip
    with StampedCamera(write_h264(folder / "film.mp4", [(1.5, 0), (1.5, 200)]), Habits()) as camera:
        config = {
            "cameras": [{"name": "hall", "source": camera.url}],
            "mqtt": {"embedded_port": new_free_port()},
            "activities": QUICK,
            "web": {"port": port, "users": list(USERS), "tokens": tokens},
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        running = Running(folder, "run", "--model", str(light_model))
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_ready(url), "the page", PATIENCE)
        yield Service(running, url)
        running.end()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("sender", SENDERS)
def test_every_answer_is_one_that_the_document_names(service: Service, sender: str) -> None:
    answers = Counter[int]()
    for operation in operations:
        camera = {"name": "hall"} if "{name}" in operation.path else None
        cases = st.one_of(
            operation.as_strategy(GenerationMode.POSITIVE),
            operation.as_strategy(GenerationMode.NEGATIVE),
            operation.as_strategy(GenerationMode.POSITIVE, path_parameters=camera),
        )

        @settings(
            max_examples=INPUTS, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(cases)
        def ask(case: Case[Any]) -> None:
            answer = case.call_and_validate(
                service.url, headers=dict(SENDERS[sender]), checks=CHECKS, timeout=PATIENCE, allow_redirects=False
            )
            answers[answer.status_code] += 1

        ask()
    print(f"{sender}: {sum(answers.values())} requests, answered with {dict(sorted(answers.items()))}")
    assert httpx.get(f"{service.url}/healthz", headers=SENDERS[sender], timeout=PATIENCE).json()["status"] == "ok"
    assert not service.running.is_over()
    assert "Traceback" not in service.running.output
    assert service.running.complaints == []


def test_the_service_still_recognizes(service: Service) -> None:
    allowed = SENDERS["operator"]
    answer = httpx.patch(
        f"{service.url}/api/cameras/hall", headers=allowed, json={"enabled": True, "threshold": None}, timeout=PATIENCE
    )
    assert answer.status_code == 200
    wait_until(lambda: is_ready(service.url), "the camera", PATIENCE)

    def ids() -> set[str]:
        found = httpx.get(f"{service.url}/api/events", headers=allowed, params={"limit": 1000}, timeout=PATIENCE)
        return {event["id"] for event in json.loads(found.text)}

    before = ids()
    wait_until(lambda: ids() - before, "a new activity", PATIENCE)
