"""The public API recognizes who is small, and each of two people, if the model sees boxes and not the whole picture."""

from __future__ import annotations

import pytest

import harstream
from harstream.models.picture import Pixels
from harstream.scene.film import frames
from harstream.scene.script import single
from harstream.stream.recognition.views.settings import ViewKind

RATE = 8.0
"""Pictures a second."""

Film = list[tuple[float, Pixels]]


@pytest.fixture(scope="module")
def model() -> harstream.Model:
    return harstream.load("flow_tcn", device="cpu")


@pytest.fixture(scope="module")
def two_activities() -> Film:
    """Draws two people for 9 s: one does push-ups, the other one jumping jacks."""
    return list(frames(single("PushUps", 0, 9.0), seed=1, rate=RATE, company=[single("JumpingJack", 1, 9.0)]))


@pytest.fixture(scope="module")
def beside_a_bystander() -> Film:
    """Draws one of two people who does lunges for 9 s. The other one stands there."""
    return list(frames(single("Lunges", 0, 9.0), seed=1, rate=RATE, company=[single(None, 1, 9.0)]))


@pytest.mark.parametrize(
    ("view", "expected"), [("picture", {("Lunges", None)}), ("motion", {("Lunges", None)}), ("person", {("Lunges", 2)})]
)
def test_lunges_beside_a_bystander_are_an_activity_of_that_person(
    view: ViewKind, expected: set[tuple[str, int | None]], beside_a_bystander: Film, model: harstream.Model
) -> None:
    events = list(harstream.recognize(beside_a_bystander, model=model, view=view))
    assert {(event.activity, event.person) for event in events} == expected


def test_two_people_at_once_are_recognized_if_the_model_sees_each(two_activities: Film, model: harstream.Model) -> None:
    of_people = {
        (event.activity, event.person) for event in harstream.recognize(two_activities, model=model, view="person")
    }
    assert {activity for activity, _ in of_people} == {"PushUps", "JumpingJack"}
    assert {person for _, person in of_people} == {1, 2}
    whole = list(harstream.recognize(two_activities, model=model, view="picture"))
    assert len({event.activity for event in whole}) < 2


def test_each_person_has_scores(beside_a_bystander: Film, model: harstream.Model) -> None:
    scores = list(harstream.recognize(beside_a_bystander, model=model, view="person", scores=True))
    last = {each.person: each.by_label() for each in scores if each.time == scores[-1].time}
    assert last.keys() == {1, 2}
    assert last[2]["Lunges"] > 0.8
    assert last[1]["Lunges"] < 0.2


@pytest.mark.parametrize(("name", "made_for"), [("flow_tcn", "motion"), ("lrcn", "picture")])
def test_without_a_view_a_model_is_shown_what_it_was_made_for(
    name: str, made_for: ViewKind, beside_a_bystander: Film
) -> None:
    loaded = harstream.load(name, device="cpu")

    def scores(view: ViewKind | None) -> list[bytes]:
        return [
            each.values.tobytes()
            for each in harstream.recognize(beside_a_bystander, model=loaded, view=view, scores=True)
        ]

    other: ViewKind = "picture" if made_for == "motion" else "motion"
    assert scores(None) == scores(made_for) != scores(other)


@pytest.mark.parametrize("view", ["picture", "motion"])
def test_scores_of_a_view_without_people_name_nobody(
    view: ViewKind, beside_a_bystander: Film, model: harstream.Model
) -> None:
    scores = list(harstream.recognize(beside_a_bystander, model=model, view=view, scores=True))
    assert len(scores) == len({each.time for each in scores}) > 20
    assert {each.person for each in scores} == {None}
