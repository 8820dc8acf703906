"""A forecast, which another program publishes."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from harstream.wire.messages.message import CameraMessage, Moment, Part, Score, Seconds, Sha

FORECAST: Final = "harstream.forecast/1"


class HorizonMessage(Part):
    """What is expected after some time."""

    horizon_s: Annotated[float, Field(gt=0)]
    """Seconds after `made_at`."""
    p: dict[str, Score]
    """For each activity of the model and `unknown`, the probability that it goes on then; they sum to 1."""


class NextMessage(Part):
    """The likeliest activity after the current one."""

    activity: str
    """A label, or `unknown`; never the current one."""
    p: Score
    """The probability that it is the next."""
    expected_at: Moment
    """The median of the times at which it would start."""


class PredictorMessage(Part):
    """What forecasts."""

    name: str
    """The name of the method, such as `hmm`."""
    version: str
    trained_until: Moment | None
    """The last moment of the training data; null for a predictor that has learned nothing yet."""


class ForecastMessage(CameraMessage):
    """What is expected next in front of a camera. Retained. A program that forecasts publishes it, `run` does not."""

    id_of_schema: Literal["harstream.forecast/1"] = Field(alias="schema")
    made_at: Moment
    activity: str
    """The activity that goes on at `made_at`: a label, or `unknown`."""
    dwell_s: Seconds
    """How long it has lasted."""
    horizons: Annotated[list[HorizonMessage], Field(min_length=1)]
    """The nearest first."""
    next: NextMessage | None
    """Null while nothing is known about what follows."""
    labels_sha: Sha
    """As in `labels`: of the model whose activities these are."""
    predictor: PredictorMessage
