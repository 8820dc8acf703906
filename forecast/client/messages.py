"""Writes an outlook as the message that is published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

from harstream.forecast.client.outlook import Outlook
from harstream.forecast.client.skill import Skill
from harstream.forecast.client.unusual import Unusual
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.wire.messages.forecast import (
    FORECAST,
    AlternativeMessage,
    ForecastMessage,
    HorizonMessage,
    NextMessage,
    PredictorMessage,
    RemainingMessage,
    SkillMessage,
    UnusualMessage,
)


@dataclass(frozen=True)
class About:
    """What a message says beside the outlook."""

    node: str
    camera: str | None
    """None for a home."""
    area: str | None
    labels_sha: str
    predictor: str
    """Its name."""
    trained_until: float | None
    since: float
    """When the current activity or unknown began."""
    skill: Skill
    surprise: float | None
    unusual: Unusual | None


def message_of(outlook: Outlook, states: States, about: About) -> ForecastMessage:
    """Build the message. Until it has proved better than the baseline, the next activity is null, with the reason."""
    names, current = states.shown_names, outlook.likeliest
    candidates = [AlternativeMessage(activity=names[each.activity], p=each.probability) for each in outlook.candidates]
    is_said = about.skill.is_enough and bool(candidates) and outlook.begins_at < float("inf")
    return ForecastMessage(
        schema=FORECAST,
        node=about.node,
        camera=about.camera,
        scope="home" if about.camera is None else None,
        area=about.area,
        made_at=outlook.time,
        activity=names[current],
        dwell_s=max(outlook.time - about.since, 0.0),
        p_now=_by_name(names, outlook.now),
        horizons=[
            HorizonMessage(horizon_s=horizon, p=_by_name(names, going_on), begins=_by_name(states.activities, begins))
            for horizon, going_on, begins in zip(outlook.horizons, outlook.going_on, outlook.begins, strict=True)
        ],
        next=NextMessage(
            activity=candidates[0].activity,
            p=candidates[0].p,
            expected_at=outlook.begins_at,
            alternatives=candidates[1:],
        )
        if is_said
        else None,
        next_reason=None if is_said else _why_not(about.skill),
        remaining_s=_remaining(outlook),
        unusual=_unusual(about.unusual, names),
        surprise=about.surprise,
        skill=SkillMessage(value=about.skill.value, changes=about.skill.changes, days=about.skill.days)
        if about.skill.changes
        else None,
        labels_sha=about.labels_sha,
        predictor=PredictorMessage(
            name=about.predictor, version=_installed_version(), trained_until=about.trained_until
        ),
    )


def _by_name(names: Iterable[str], values: Floats) -> dict[str, float]:
    return {name: min(max(float(value), 0.0), 1.0) for name, value in zip(names, values, strict=True)}


def _why_not(skill: Skill) -> str:
    return "another activity is not expected within two days" if skill.is_enough else skill.reason


def _remaining(outlook: Outlook) -> RemainingMessage | None:
    left = outlook.remaining
    if left is None or left.p90 == float("inf"):
        return None
    return RemainingMessage(p10=left.p10, p50=left.p50, p90=left.p90)


def _unusual(unusual: Unusual | None, names: tuple[str, ...]) -> UnusualMessage | None:
    if unusual is None:
        return None
    activity = names[unusual.activity]
    return UnusualMessage(kind=unusual.kind, activity=activity, p=unusual.probability, since=unusual.since)


@cache
def _installed_version() -> str:
    """Read it once, because that takes a tenth of the time of a message."""
    return version("harstream")
