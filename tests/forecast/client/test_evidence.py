"""Only sound observations count, and each window once."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.forecast.client.evidence import Observations, Symbols
from harstream.forecast.model.states import States
from harstream.wire.messages.camera import ObservationMessage
from harstream.wire.messages.emission import EmissionMessage
from tests.forecast.client.household import CONTEXT, LABELS, MONDAY, REPORT, emission_message, observation

STATES = States(LABELS[:4])
NOTHING = 4


@pytest.fixture
def observations() -> Observations:
    return Observations(CONTEXT.labels_sha, len(LABELS))


def changed(**values: object) -> ObservationMessage:
    return observation(MONDAY, "Work").model_copy(update=values)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (changed(labels_sha="00"), "of another model"),
        (changed(p=[0.5, 0.5]), "with a wrong number of probabilities"),
        (changed(p=[0.9, 0.9, 0.1, 0.1, 0.1]), "whose probabilities do not sum to 1"),
        (changed(t=MONDAY + 3600), "from the future"),
    ],
)
def test_an_unsound_observation_is_dropped_and_counted(
    message: ObservationMessage, reason: str, observations: Observations
) -> None:
    assert observations.take(message, MONDAY) is None
    assert observations.dropped == {reason: 1}


def test_a_repeat_and_an_older_observation_are_dropped(observations: Observations) -> None:
    assert observations.take(observation(MONDAY, "Work"), MONDAY) is not None
    assert observations.take(observation(MONDAY, "Work"), MONDAY) is None
    assert observations.take(observation(MONDAY - 5, "Work"), MONDAY) is None
    assert observations.dropped == {"out of order": 2}


def test_windows_inside_one_span_count_once(observations: Observations) -> None:
    taken = [
        step for step in range(30)
        if observations.take(observation(MONDAY + step / 10, "Work"), MONDAY + step / 10) is not None
    ]  # fmt: skip

    assert taken == [0, 10, 20]


def test_a_missing_observation_is_no_evidence(observations: Observations) -> None:
    assert observations.take(changed(valid=False, p=None), MONDAY) is None
    assert not observations.dropped


def test_a_symbol_says_the_activity_and_whether_the_model_is_sure() -> None:
    symbols = Symbols(STATES, LABELS, 0.6)

    assert symbols.of([0.1, 0.7, 0.1, 0.05, 0.05]) == 1
    assert symbols.of([0.2, 0.5, 0.1, 0.1, 0.1]) == 5 + 1
    assert symbols.of([0.0, 0.1, 0.0, 0.0, 0.9]) == NOTHING
    assert symbols.of_activity(None) == NOTHING
    assert symbols.count == 10


def test_the_emission_has_a_row_per_state() -> None:
    emission = Symbols(STATES, LABELS, 0.6).emission(emission_message())

    assert emission.shape == (9, 10)
    np.testing.assert_allclose(emission.sum(axis=1), 1)
    np.testing.assert_allclose(emission[1, [1, 6]], [0.45, 0.45])  # it does not say how sure the model is
    np.testing.assert_allclose(emission[4:], emission[[4]].repeat(5, axis=0))


def test_an_emission_that_is_split_keeps_how_sure_the_model_is() -> None:
    sure = [[0.8 if row == column else 0.01 for column in range(5)] + [0.16 / 5] * 5 for row in range(5)]

    emission = Symbols(STATES, LABELS, 0.6).emission(EmissionMessage.of(REPORT | {"sure": sure}, CONTEXT))

    assert emission[2, 2] == pytest.approx(0.8)
    assert emission[2, 7] == pytest.approx(0.032)


def test_a_model_without_a_report_is_assumed_to_be_mostly_right() -> None:
    emission = Symbols(STATES, LABELS, 0.6).emission(None)

    np.testing.assert_allclose(emission.sum(axis=1), 1)
    assert emission[3, 3] + emission[3, 8] == pytest.approx(0.85)
