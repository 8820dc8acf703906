"""Turns the smoothed scores of one camera into events: start, update and end of an activity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ulid import ULID

from harstream.models.contract import UNKNOWN, ModelContract
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.wire.values import Activity, Confidence, EndReason, Event, EventType, LabelScore, Previous


class _Candidate(NamedTuple):
    """The activity that may start next."""

    label_id: int
    since: float
    """The middle of the first window that supports it, in seconds."""


@dataclass
class _Current:
    """The current activity."""

    label_id: int
    id: str
    started_at: float
    detected_at: float
    previous: Previous
    seq: int = 0
    total: float = 0.0
    count: int = 0
    peak: float = 0.0
    last: float = 0.0
    supported_at: float = 0.0
    """The middle of the last window that supports it."""
    supported: Confidence = Confidence(0.0, 0.0, 0.0)
    """The confidence up to that window. What follows is no longer part of the activity if it ends there."""
    is_supported: bool = True
    """Whether the last window supports it."""
    observed_at: float = 0.0
    reported_at: float = 0.0

    def observe(self, score: float, time: float) -> None:
        self.total += score
        self.count += 1
        self.peak = max(self.peak, score)
        self.last = score
        self.observed_at = time

    @property
    def confidence(self) -> Confidence:
        return Confidence(self.total / self.count, self.peak, self.last)

    def support(self, middle: float) -> None:
        """Record that the last window supports it. `middle`: the time of the window's middle, in seconds."""
        self.supported_at = middle
        self.supported = self.confidence


class Tracker:
    """Follows one activity at a time. Every start event is followed by an end event.

    start_above 0.8, end_below 0.5, hold 1, gone 1.5, merge 2:
    time:    0    1    2    3    4    5    6
    score:  0.6  0.9  0.9  0.3  0.9  0.2  0.2
    event:   ~  start  ~    ~    ~    ~   end (at 4)
    """

    def __init__(self, camera: str, contract: ModelContract, settings: TrackerSettings, recording: str = "") -> None:
        """`recording`: a unique name of the recording, for event ids. If it is empty, the camera's name is used."""
        self._camera = camera
        self._recording = recording or camera
        self._contract = contract
        self.settings = settings
        """Any thread may replace it between two updates."""
        self.person: int | None = None
        """The person who is followed; see Event.person."""
        self._background = np.array([label in contract.background for label in contract.labels])
        self._candidate: _Candidate | None = None
        self._current: _Current | None = None
        self._free_since: float | None = None
        self._previous: Previous | None = None
        self.best_three: tuple[LabelScore, ...] = ()
        """The three labels with the highest smoothed scores, best first, background included."""
        self._best: int | None = None
        """The label id of the likeliest activity, background excluded."""
        self._likeliest_score = 0.0

    @property
    def activity(self) -> Activity:
        if self._current:
            name = self._contract.labels[self._current.label_id]
            return Activity(name, self._current.started_at, self._current.last, self.settings.of(name).start_above)
        score = self.best_three[0].score if self.best_three else 0.0
        likeliest = UNKNOWN if self._best is None else self._contract.labels[self._best]
        return Activity(UNKNOWN, self._free_since or 0.0, score, self.settings.of(likeliest).start_above)

    @property
    def certainty(self) -> tuple[bool, float]:
        """Whether there is an activity, and the last score of it or of the likeliest one. For comparisons."""
        if self._current:
            return True, self._current.last
        return False, self._likeliest_score

    def update(self, smoothed: NDArray[np.float32], time: float, span: float) -> list[Event]:
        """Process the smoothed scores (K,) of the window that ends at `time` and spans `span` seconds."""
        self.best_three = self._best_labels(smoothed)
        middle = time - span / 2
        if self._free_since is None:
            self._free_since = middle
        best = self._best = int(np.where(self._background, -1, smoothed).argmax())
        self._likeliest_score = float(smoothed[best])
        self._follow_candidate(best, smoothed, middle)
        events = self._update_current(smoothed, time, span)
        if self._is_start(best, smoothed, time):
            events += self._close(time, self._current.supported_at, EndReason.SWITCHED) if self._current else []
            events.append(self._start(best, float(smoothed[best]), time, middle))
        elif self._current and time - self._current.reported_at >= self._settings_of(self._current.label_id).update:
            events.append(self._event(self._current, EventType.UPDATE, time))
        return events

    def finish(self, time: float, reason: EndReason) -> list[Event]:
        """End the current activity at the last scored frame, because the camera is offline or the service stops."""
        self.drop_candidate()
        if not self._current:
            return []
        current = self._current
        return self._close(time, current.observed_at if current.is_supported else current.supported_at, reason)

    def update_without_scores(self, time: float, span: float) -> list[Event]:
        """Process a frame without scores: end an activity that no window has supported for too long."""
        if self._current is None:
            return []
        settings = self._settings_of(self._current.label_id)
        if time - self._current.observed_at <= max(settings.gone, settings.merge) + span:
            return []
        return self.finish(time, EndReason.CAMERA_OFFLINE)

    def drop_candidate(self) -> None:
        """Drop the candidate after missing frames. An activity then needs new support to start."""
        self._candidate = None

    def _follow_candidate(self, best: int, smoothed: NDArray[np.float32], middle: float) -> None:
        if smoothed[best] < self._settings_of(best).end_below:
            self._candidate = None
        elif self._candidate is None or self._candidate.label_id != best:
            self._candidate = _Candidate(best, middle)

    def _is_start(self, best: int, smoothed: NDArray[np.float32], time: float) -> bool:
        if self._candidate is None or (self._current and self._current.label_id == best):
            return False
        settings = self._settings_of(best)
        is_top = smoothed[best] >= smoothed.max()
        held = time - self._candidate.since
        return bool(is_top and smoothed[best] >= settings.start_above and held >= settings.hold)

    def _update_current(self, smoothed: NDArray[np.float32], time: float, span: float) -> list[Event]:
        current = self._current
        if current is None:
            return []
        settings = self._settings_of(current.label_id)
        score = float(smoothed[current.label_id])
        current.observe(score, time)
        silent = time - current.supported_at - span / 2
        needed = settings.end_below if silent < settings.gone else settings.start_above
        # A start compares float32 values, too: 0.7 as float32 is below 0.7 as float64.
        current.is_supported = bool(smoothed[current.label_id] >= needed)
        if current.is_supported:
            current.support(time - span / 2)
        elif silent >= max(settings.gone, settings.merge):
            return self._close(time, current.supported_at, EndReason.LOW_CONFIDENCE)
        if time - current.started_at >= settings.max_duration:
            return self._close(time, time, EndReason.MAX_DURATION)
        return []

    def _settings_of(self, label_id: int) -> TrackerSettings:
        return self.settings.of(self._contract.labels[label_id])

    def _start(self, label_id: int, score: float, time: float, middle: float) -> Event:
        since = self._candidate.since if self._candidate else middle
        free_since = since if self._free_since is None else self._free_since
        started_at = max(since, free_since)  # activities do not overlap
        previous = self._previous if self._previous and started_at - free_since < 1e-6 else None
        self._current = _Current(
            label_id,
            self._new_id(label_id, started_at, time),
            started_at,
            detected_at=time,
            previous=previous or Previous(UNKNOWN, started_at - free_since),
        )
        self._current.observe(score, time)
        self._current.support(max(middle, started_at))
        return self._event(self._current, EventType.START, time)

    def _close(self, time: float, ended_at: float, reason: EndReason) -> list[Event]:
        current = self._current
        assert current is not None
        ended_at = max(ended_at, current.started_at)
        self._current = None
        if self._candidate and self._candidate.label_id == current.label_id:
            self._candidate = None
        self._free_since = ended_at
        self._previous = Previous(self._contract.labels[current.label_id], ended_at - current.started_at)
        return [self._event(current, EventType.END, time, ended_at, reason)]

    def _event(
        self,
        current: _Current,
        kind: EventType,
        time: float,
        ended_at: float | None = None,
        reason: EndReason | None = None,
    ) -> Event:
        current.seq += 1
        current.reported_at = time
        return Event(
            type=kind,
            id=current.id,
            seq=current.seq,
            camera=self._camera,
            activity=self._contract.labels[current.label_id],
            label_id=current.label_id,
            confidence=current.supported if kind is EventType.END else current.confidence,
            topk=self.best_three,
            started_at=current.started_at,
            updated_at=time,
            detected_at=current.detected_at,
            ended_at=ended_at,
            end_reason=reason,
            previous=current.previous,
            person=self.person,
        )

    def _new_id(self, label_id: int, started_at: float, detected_at: float) -> str:
        """Return a ULID whose random part hashes recording, activity, person and time.

        A replayed file gives the same ids.
        """
        name = f"{self._recording}/{self._contract.labels[label_id]}/{detected_at:.6f}"
        if self.person is not None:
            name += f"/{self.person}"
        milliseconds = max(int(started_at * 1000), 0).to_bytes(6, "big")
        return str(ULID.from_bytes(milliseconds + hashlib.sha256(name.encode()).digest()[:10]))

    def _best_labels(self, smoothed: NDArray[np.float32]) -> tuple[LabelScore, ...]:
        """Return the three best labels. Equal scores are in label order."""
        order = np.argsort(-smoothed, kind="stable")[:3]
        return tuple(LabelScore(self._contract.labels[index], float(smoothed[index])) for index in order)
