"""The message about a forecast. `harstream forecast` publishes it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from harstream.wire.messages.message import (
    Hundredths,
    Message,
    Moment,
    Name,
    Part,
    Score,
    Seconds,
    Sha,
    optional_field,
)

FORECAST: Final = "harstream.forecast/1"


class HorizonMessage(Part):
    """What is expected at one future moment."""

    horizon_s: Annotated[float, Field(gt=0)]
    """Seconds after `made_at`."""
    p: dict[str, Score]
    """The probability of each activity of the model and of `unknown` at that moment; they sum to 1."""
    begins: dict[str, Score] | SkipJsonSchema[None] = optional_field(
        "The probability that each activity begins within the horizon. It never falls with a longer horizon."
    )


class AlternativeMessage(Part):
    """Another activity that may be the next."""

    activity: str
    p: Score


class NextMessage(Part):
    """The likeliest activity after the current one."""

    activity: str
    """A label, or `unknown`; never the current one."""
    p: Score
    """The probability that it is the next."""
    expected_at: Moment
    """The median of its possible start times."""
    alternatives: list[AlternativeMessage] | SkipJsonSchema[None] = optional_field("Other candidates, best first.")


class RemainingMessage(Part):
    """How long the current activity still lasts, in seconds."""

    p10: Seconds
    """It ends within this time with a probability of 0.1."""
    p50: Seconds
    p90: Seconds


class UnusualMessage(Part):
    """Something that this home rarely does."""

    kind: Literal["lasts_long", "not_begun"]
    """The current activity lasts unusually long, or an activity has not begun as usual."""
    activity: str
    p: Score
    """How often it lasts as long, or begins as late."""
    since: Moment
    """When the activity began, or by when it usually has begun."""


class SkillMessage(Part):
    """How good the forecasts of the last days were, against the frequency of activities at each hour."""

    value: Annotated[float, Field(le=1)]
    """1 - loss / loss of the baseline: 1 is perfect, 0 is no better than the baseline."""
    changes: Annotated[int, Field(ge=0)]
    """Changes of activity in these days."""
    days: Annotated[float, Field(ge=0)]


class PredictorMessage(Part):
    """The method that makes the forecast."""

    name: str
    """The name of the method, such as `hmm`."""
    version: str
    trained_until: Moment | None
    """The last moment of the training data; null for a predictor without training."""


class ForecastMessage(Message):
    """What is expected next in front of a camera, or in a home. Retained. `harstream forecast` publishes it."""

    id_of_schema: Literal["harstream.forecast/1"] = Field(alias="schema")
    node: Name
    camera: Name | None
    """Null for a forecast of a home."""
    area: str | None
    """The room that the camera watches."""
    scope: Literal["home"] | SkipJsonSchema[None] = optional_field(
        "`home`: several cameras see one person, and this forecast is for all of them. Left out for one camera."
    )
    made_at: Moment
    activity: str
    """The current activity at `made_at`: a label, or `unknown`."""
    dwell_s: Seconds
    """Seconds for which that activity has lasted."""
    horizons: Annotated[list[HorizonMessage], Field(min_length=1)]
    """The nearest first."""
    next: NextMessage | None
    """Null if the predictor does not know what follows."""
    next_reason: str | SkipJsonSchema[None] = optional_field("Why `next` is null, for a person.")
    p_now: dict[str, Score] | SkipJsonSchema[None] = optional_field(
        "The probability of each activity and of `unknown` at `made_at`."
    )
    remaining_s: RemainingMessage | SkipJsonSchema[None] = optional_field(
        "How long the current activity still lasts; left out while it is unknown."
    )
    unusual: UnusualMessage | SkipJsonSchema[None] = optional_field("Left out while everything is as usual.")
    surprise: Hundredths | SkipJsonSchema[None] = optional_field(
        "How unexpected the last activity was, in nats: -ln of its forecast probability."
    )
    skill: SkillMessage | SkipJsonSchema[None] = optional_field("Left out before the first change.")
    labels_sha: Sha
    """The same value as in `labels` of the model that recognizes these activities."""
    predictor: PredictorMessage
