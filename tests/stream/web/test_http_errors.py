from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from harstream.stream.web.http_errors import checked_as


class Patch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    threshold: float = 0.5


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{", "expected JSON, got something else"),
        ("[]", "expected a JSON object of enabled, threshold"),
        ('{"x": 1}', "expected enabled, threshold; got 'x'"),
        ('{"threshold": "high"}', "threshold: "),
    ],
)
def test_what_pydantic_refuses_is_422_and_one_sentence(body: str, detail: str) -> None:
    with pytest.raises(HTTPException) as caught, checked_as(Patch):
        Patch.model_validate_json(body)
    assert caught.value.status_code == 422
    assert caught.value.detail.startswith(detail)


def test_an_unknown_name_is_repeated_in_part_only() -> None:
    with pytest.raises(HTTPException) as caught, checked_as(Patch):
        Patch.model_validate({"y" * 1000: 1})
    assert len(caught.value.detail) < 100
