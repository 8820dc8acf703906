"""The message about the errors of a model: what a hidden Markov model needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from harstream.wire.context import Context
from harstream.wire.messages.message import Message, ModelMessage, Name, Score, Sha, optional_field

EMISSION: Final = "harstream.emission/1"

RENEWAL = 60.0
"""What `lasting` assumes: mean seconds after which a person looks different, because they turn or the light changes."""
SHORTEST_STEP = 1.0
"""What `lasting` assumes: its windows are one span apart, and at least so many seconds. Nearer ones show the same."""

Probability = Annotated[float, Field(ge=0, le=1)]


class EmissionMessage(Message):
    """How often the model recognizes each label, on clips of people and places that it never saw. Retained."""

    id_of_schema: Literal["harstream.emission/1"] = Field(alias="schema")
    node: Name
    labels: list[str]
    """K labels, in the order of rows and columns, background included."""
    matrix: list[list[Probability]]
    """K rows: `matrix[true][recognized]` is P(recognized | true). Rows sum to 1."""
    prior: list[Probability]
    """P(true) of the evaluated clips, which is not that of a day at home."""
    sure: list[list[Probability]] | None = optional_field(
        "K rows of 2K: the matrix split at `threshold`. The first K columns are for windows at or above it, the others "
        "for windows below it."
    )
    threshold: Score
    """The score from which a window counts as sure."""
    lasting: Score | None = optional_field(
        "The share of windows whose label repeats what the person looks like to the model, measured on streams. "
        "Errors last."
    )
    labels_sha: Sha
    """The same value as in `labels`."""
    model: ModelMessage

    @classmethod
    def of(cls, report: Mapping[str, Any], context: Context) -> EmissionMessage:
        """Build the message from the part `emission` of a report. Raises pydantic.ValidationError."""
        measured = {key: report.get(key) for key in ("labels", "matrix", "prior", "sure", "lasting")}
        return cls.model_validate(
            measured
            | {
                "schema": EMISSION,
                "node": context.node,
                "threshold": context.contract.unknown_threshold,
                "labels_sha": context.labels_sha,
                "model": context.model,
            }
        )
