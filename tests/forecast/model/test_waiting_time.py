"""The quantiles of a waiting time are read from its grid."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.forecast.model.waiting_time import LONGEST, TIMES, quantiles


def test_quantiles_are_those_of_an_exponential_time() -> None:
    found = quantiles(1 - np.exp(-TIMES / 600), (0.1, 0.5, 0.9))

    assert found == pytest.approx([-600 * np.log(share) for share in (0.9, 0.5, 0.1)], rel=0.01)


def test_what_has_happened_takes_no_time_and_what_never_does_takes_for_ever() -> None:
    assert quantiles(np.full(len(TIMES), 1.0), (0.1, 0.9)) == [0.0, 0.0]
    assert quantiles(np.where(TIMES < LONGEST, 0.0, 0.5), (0.5, 0.9)) == [LONGEST, float("inf")]
