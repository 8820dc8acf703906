"""Figures are written with their units."""

from __future__ import annotations

import math

import pytest

from harstream.evaluation.number_format import decimal, percent, seconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (percent(0.5), "50.0\N{NO-BREAK SPACE}%"),
        (percent(None), "–"),
        (percent(math.nan), "–"),
        (seconds(1.24), "1.2\N{NO-BREAK SPACE}s"),
        (seconds(None), "–"),
        (decimal(0.98765), "0.988"),
        (decimal(2.5, 2), "2.50"),
        (decimal(None), "–"),
    ],
)
def test_a_figure_has_its_unit_and_an_undefined_one_a_dash(written: str, expected: str) -> None:
    assert written == expected
