from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from harstream.stream.web.http_errors import validation_errors_as_422


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
def test_invalid_body_is_refused_with_422_and_one_sentence(body: str, detail: str) -> None:
    with pytest.raises(HTTPException) as caught, validation_errors_as_422(Patch):
        Patch.model_validate_json(body)
    assert caught.value.status_code == 422
    assert caught.value.detail.startswith(detail)


def test_a_long_unknown_name_is_repeated_only_in_part() -> None:
    with pytest.raises(HTTPException) as caught, validation_errors_as_422(Patch):
        Patch.model_validate({"y" * 1000: 1})
    assert len(caught.value.detail) < 100
