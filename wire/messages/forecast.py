"""The message about a forecast. Another program publishes it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from harstream.wire.messages.message import CameraMessage, Moment, Part, Score, Seconds, Sha

FORECAST: Final = "harstream.forecast/1"


class HorizonMessage(Part):
    """What is expected at one future moment."""

    horizon_s: Annotated[float, Field(gt=0)]
    """Seconds after `made_at`."""
    p: dict[str, Score]
    """The probability of each activity of the model and of `unknown` at that moment; they sum to 1."""


class NextMessage(Part):
    """The likeliest activity after the current one."""

    activity: str
    """A label, or `unknown`; never the current one."""
    p: Score
    """The probability that it is the next."""
    expected_at: Moment
    """The median of its possible start times."""


class PredictorMessage(Part):
    """The method that makes the forecast."""

    name: str
    """The name of the method, such as `hmm`."""
    version: str
    trained_until: Moment | None
    """The last moment of the training data; null for a predictor without training."""


class ForecastMessage(CameraMessage):
    """What is expected next in front of a camera. Retained. Another program publishes it, not `harstream run`."""

    id_of_schema: Literal["harstream.forecast/1"] = Field(alias="schema")
    made_at: Moment
    activity: str
    """The current activity at `made_at`: a label, or `unknown`."""
    dwell_s: Seconds
    """Seconds for which that activity has lasted."""
    horizons: Annotated[list[HorizonMessage], Field(min_length=1)]
    """The nearest first."""
    next: NextMessage | None
    """Null if the predictor does not know what follows."""
    labels_sha: Sha
    """The same value as in `labels` of the model that recognizes these activities."""
    predictor: PredictorMessage
