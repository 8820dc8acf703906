"""A taught model says how it errs: as before for shipped labels, and as its examples were recognized for new ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harstream.forecast.client.soundness import check_emission
from harstream.teaching.emission import read_emission, with_taught_rows
from harstream.teaching.replay import ScoredVideo
from harstream.wire.context import Context
from harstream.wire.messages.emission import EmissionMessage
from tests.support.row_model import BRIGHTNESS

SHIPPED = {
    "labels": ["Dark", "Light"], "matrix": [[0.9, 0.1], [0.2, 0.8]], "prior": [0.75, 0.25],
    "sure": [[0.8, 0.0, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]], "lasting": 0.5,
}  # fmt: skip
TAUGHT = replace(BRIGHTNESS, labels=("Dark", "Light", "Grey"), taught=("Grey",))


def grey(*values: tuple[float, float, float]) -> ScoredVideo:
    return ScoredVideo((), np.array(values, np.float32), 2.0, "Grey")


def test_rows_of_shipped_labels_stay_and_those_of_taught_ones_are_counted() -> None:
    examples = [grey((0.1, 0.1, 0.8), (0.2, 0.2, 0.6)), grey((0.3, 0.2, 0.5), (0.9, 0.0, 0.1))]
    made = with_taught_rows(SHIPPED, examples, TAUGHT)  # sure from 0.6 on
    assert made["sure"][0] == pytest.approx([0.8, 0.0, 0.0, 0.1, 0.1, 0.0])
    assert made["sure"][2] == pytest.approx(np.array([1.5, 0.5, 2.5, 0.5, 0.5, 1.5]) / 7)
    assert made["matrix"][2] == pytest.approx(np.array([2, 1, 4]) / 7)
    assert made["prior"] == pytest.approx([0.5, 1 / 6, 1 / 3])


def test_a_forecaster_takes_it() -> None:
    made = with_taught_rows(SHIPPED, [grey((0.1, 0.1, 0.8))], TAUGHT)
    message = EmissionMessage.of(made, Context("home", {}, TAUGHT, "ab12", "0.1.0"))
    check_emission(message, TAUGHT.labels)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"emission": 3}',
        '{"emission": {"labels": ["A", "B"]}}',
        '{"emission": {"labels": ["Dark", "Light"]}}',
    ],
)
def test_a_report_that_does_not_fit_is_left_out(tmp_path: Path, content: str) -> None:
    assert read_emission(tmp_path, BRIGHTNESS) is None
    (tmp_path / "report.json").write_text(content)
    assert read_emission(tmp_path, BRIGHTNESS) is None


def test_the_report_beside_a_model_is_read(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps({"emission": SHIPPED}))
    assert read_emission(tmp_path, BRIGHTNESS) == SHIPPED
