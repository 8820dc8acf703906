"""The current state that viewers see. The recognition thread writes it and the server's thread reads it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from types import MappingProxyType

from harstream.models.contract import UNKNOWN
from harstream.wire.errors import SinkError
from harstream.wire.health import Health, HealthState
from harstream.wire.messages.event import EventFacts
from harstream.wire.values import Activity, CameraState, Event, Forecast, Frame, LabelScore, Step, Subject, Warming

EVENTS_KEPT = 200
FPS_PERIOD = 2.0
"""Seconds of frame times over which a camera's frame rate is measured."""
STUCK_AFTER = 30.0
"""Seconds without a health report after which recognition counts as stuck. Reports come once a second."""


@dataclass(frozen=True, eq=False)
class CameraView:
    """One camera as a viewer sees it."""

    index: int
    name: str
    title: str
    """What people call the camera; its name if it has no title."""
    state: CameraState = CameraState.CONNECTING
    reason: str = ""
    activity: Activity = Activity(UNKNOWN, 0.0, 0.0)
    topk: tuple[LabelScore, ...] = ()
    scores: tuple[float, ...] = ()
    """Smoothed scores in label order."""
    subjects: tuple[Subject, ...] = ()
    """The people, or what moves. Empty if the model sees all that the camera watches."""
    warming: Warming = Warming(0, 0)
    time: float = 0.0
    fps: float = 0.0
    blind: HealthState | None = None
    """FROZEN or DARK if frames arrive but show nothing to recognize, else None."""
    blind_since: float = 0.0
    hint: str = ""
    """The reason for an incomplete window or a blind camera."""
    forecast: Forecast | None = None
    dropping: float = 0.0
    behind: float = 0.0
    """`dropping` and `behind` are those of Health while the machine cannot keep up, else 0."""
    frame: Frame | None = None
    """The last frame. It is kept while the camera is offline."""

    def to_json(self) -> str:
        return json.dumps(self.facts())

    def facts(self) -> dict[str, object]:
        return {
            "type": "camera",
            "index": self.index,
            "name": self.name,
            "title": self.title,
            "state": self.state,
            "reason": self.reason,
            "activity": self.activity.name,
            "since": self.activity.since,
            "time": self.time,
            "confidence": round(self.activity.confidence, 3),
            "threshold": self.activity.threshold,
            "warming": self.warming,
            "fps": round(self.fps, 1),
            "blind": self.blind,
            "blind_since": self.blind_since,
            "hint": self.hint,
            "forecast": self.forecast and asdict(self.forecast),
            "dropping": self.dropping,
            "behind": self.behind,
            "topk": [(label, round(score, 3)) for label, score in self.topk],
            "scores": [round(score, 3) for score in self.scores],
            "subjects": [_subject_facts(subject) for subject in self.subjects],
        }


class ViewState:
    """A FrameSink and HealthSink that holds the newest view of each camera and the last events.

    Every method is callable from any thread.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        forecast: Callable[[str | None], Forecast | None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        *,
        titles: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`forecast` returns the forecast of a camera, or of the home for None. `clock` returns seconds.

        `titles`: what people call a camera.
        """
        self._forecast = forecast
        self._titles = titles
        self._indices = count()
        self._views = {name: self._new_view(name) for name in cameras}
        self._events: dict[str, Event] = {}
        self._new_event_ids: set[str] = set()
        self._listener: Callable[[], None] | None = None
        self._failure: BaseException | None = None
        self._is_watched = False
        self._clock = clock
        self._reported_at = clock()
        self._lock = threading.Lock()

    def set_events(self, events: Iterable[Event]) -> None:
        """Set the events of earlier runs, in the order of their starts."""
        with self._lock:
            self._events = {event.id: event for event in events}

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Set what people call the cameras."""
        with self._lock:
            self._titles = titles
            self._views = {name: replace(view, title=titles.get(name, name)) for name, view in self._views.items()}
            if self._listener is not None:
                self._listener()

    def show(self, step: Step) -> None:
        """Store the step without a copy. A new camera is appended. Raises SinkError after the server has failed."""
        with self._lock:
            if self._failure is not None:
                raise SinkError(f"the live view has stopped: {self._failure}") from self._failure
            name = step.notice.camera
            self._views[name] = self._updated(self._view(name), step)
            if self._views[name].state is CameraState.REMOVED:
                del self._views[name]
            for event in step.notice.events:
                self._add_event(event)
            if self._listener is not None:
                self._listener()

    @property
    def is_stuck(self) -> bool:
        """Whether recognition hangs."""
        return self._clock() - self._reported_at > STUCK_AFTER

    def report(self, health: Health) -> None:
        with self._lock:
            self._reported_at = self._clock()
            view = self._view(health.camera)
            dropping, behind = (health.dropping, health.behind) if health.overloaded else (0.0, 0.0)
            blind = health.state if health.state in (HealthState.FROZEN, HealthState.DARK) else None
            now = replace(
                view,
                dropping=round(dropping, 2),
                behind=round(behind),
                fps=health.fps,
                blind=blind,
                blind_since=health.since if blind else 0.0,
                hint=health.reason if blind or health.state is HealthState.WARMING else "",
            )
            if now.facts() != view.facts():
                self._views[health.camera] = now
                if self._listener is not None:
                    self._listener()

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Set a function to call after each change, on the recognition thread under the lock. It must not block."""
        with self._lock:
            self._listener = listener

    def set_watched(self, is_watched: bool) -> None:
        """Record whether a page shows the cameras now. Only then does it need every frame."""
        self._is_watched = is_watched

    def is_watching(self, camera: str) -> bool:
        return self._is_watched

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def fail(self, error: BaseException) -> None:
        """Store the server's error. `show` raises it on the recognition thread."""
        with self._lock:
            self._failure = error

    def views(self) -> tuple[CameraView, ...]:
        with self._lock:
            return tuple(self._views.values())

    def home_forecast(self) -> Forecast | None:
        """Return the forecast for all cameras together."""
        return self._forecast(None)

    def events(self) -> tuple[Event, ...]:
        """Return the newest event of each of the last activities, in the order of their starts."""
        with self._lock:
            return tuple(self._events.values())

    def take_new_events(self) -> tuple[Event, ...]:
        """Return the newest event of each activity that changed since the last call, and clear this list."""
        with self._lock:
            fresh = tuple(event for event in self._events.values() if event.id in self._new_event_ids)
            self._new_event_ids.clear()
            return fresh

    def _view(self, name: str) -> CameraView:
        return self._views.get(name) or self._new_view(name)

    def _new_view(self, name: str) -> CameraView:
        return CameraView(next(self._indices), name, self._titles.get(name, name))

    def _updated(self, view: CameraView, step: Step) -> CameraView:
        notice = step.notice
        view = replace(
            view,
            activity=notice.activity,
            subjects=notice.boxed,
            warming=notice.warming,
            time=notice.time,
            forecast=self._forecast(notice.camera),
        )
        if notice.smoothed is not None:
            scores = tuple(float(score) for score in notice.smoothed)
            view = replace(view, topk=notice.best, scores=scores)
        if notice.change is not None:
            view = replace(view, state=notice.change.state, reason=notice.change.reason)
            if notice.change.state.is_away:
                view = replace(view, topk=(), scores=())
            if notice.change.state is CameraState.DISABLED:  # a disabled camera must not be visible
                view = replace(view, frame=None)
        if step.frame is not None:
            view = replace(view, frame=step.frame, state=CameraState.LIVE, reason="")
        return view

    def _add_event(self, event: Event) -> None:
        self._events[event.id] = event
        self._new_event_ids.add(event.id)
        if len(self._events) > EVENTS_KEPT:
            oldest = next(iter(self._events))
            del self._events[oldest]
            self._new_event_ids.discard(oldest)


def _subject_facts(subject: Subject) -> dict[str, object]:
    box = subject.box
    return {
        "person": subject.person,
        "box": [round(side, 4) for side in (box.left, box.top, box.right, box.bottom)],
        "activity": subject.activity.name,
        "confidence": round(subject.activity.confidence, 3),
        "since": subject.activity.since,
    }


def event_facts(event: Event) -> dict[str, object]:
    """Return an event for the page, with times in seconds since the epoch."""
    facts = EventFacts.from_event(event, area=None).model_dump(exclude={"event_type", "area", "confidence"})
    return {"type": "event", "event": event.type, "confidence": round(event.confidence.mean, 3), **facts}
