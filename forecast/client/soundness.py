"""Checks what comes from the network, before anything is believed or learned from it."""

from __future__ import annotations

from collections.abc import Sequence

from harstream.models.contract import UNKNOWN
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.node import LabelsMessage

EARLIEST = 1_577_836_800.0
"""2020-01-01 in seconds since the epoch. An earlier time comes from a clock that was not set yet."""
FURTHEST_AHEAD = 60.0
"""Seconds by which the clock of a node may be ahead of this one."""
MOST_CAMERAS = 1000
"""Cameras that are followed."""
MOST_ACTIVITIES = 200
"""Activities of a model. The tables of more would fill the memory."""
ROUNDED = 0.02
"""By how much the sum of published probabilities may differ from 1."""


class Unsound(ValueError):
    """A message that is complete, but cannot be true. Its text says why."""


def check_time(name: str, time: float, now: float) -> None:
    """Check a time of a message, in seconds since the epoch. Raises Unsound."""
    if not time >= EARLIEST:
        raise Unsound(f"{name} is before 2020: the clock of its node was not set")
    if not time <= now + FURTHEST_AHEAD:
        raise Unsound(f"{name} is {time - now:.0f} s in the future: compare the clocks")


def check_event(message: EventMessage, now: float) -> None:
    """Check the times of an event. Raises Unsound."""
    check_time("started_at", message.started_at, now)
    check_time("updated_at", message.updated_at, now)
    check_time("the end", end_of(message), now)
    if end_of(message) < message.started_at:
        raise Unsound("its activity ends before it begins")


def end_of(message: EventMessage) -> float:
    """Return the time until which an activity has gone on."""
    return message.started_at + message.duration_s if message.ended_at is None else message.ended_at


def check_labels(message: LabelsMessage) -> None:
    """Check that a model knows activities, each by one name. Raises Unsound."""
    names = [*message.labels, UNKNOWN]
    if len(set(names)) < len(names):
        raise Unsound(f"expected different labels, none of them {UNKNOWN!r}")
    activities = len(set(message.labels) - set(message.background))
    if not 1 <= activities <= MOST_ACTIVITIES:
        raise Unsound(f"expected 1 to {MOST_ACTIVITIES} activities, got {activities}")


def check_emission(message: EmissionMessage, labels: Sequence[str]) -> None:
    """Check that the errors of a model fit its labels. Raises Unsound."""
    K = len(labels)
    if list(message.labels) != list(labels):
        raise Unsound(f"its labels are not the {K} labels of the model")
    if len(message.prior) != K:
        raise Unsound(f"expected a prior of {K} labels, got {len(message.prior)}")
    _check_rows("matrix", message.matrix, K, K)
    if message.sure is not None:
        _check_rows("sure", message.sure, K, 2 * K)


def _check_rows(name: str, rows: Sequence[Sequence[float]], height: int, width: int) -> None:
    if len(rows) != height or any(len(row) != width for row in rows):
        raise Unsound(f"expected {height} rows of {width} numbers in {name}")
    if wrong := [number for number, row in enumerate(rows) if not abs(sum(row) - 1) <= ROUNDED]:
        raise Unsound(f"row {wrong[0]} of {name} sums to {sum(rows[wrong[0]]):g}, not to 1")
