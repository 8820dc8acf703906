"""Checks each camera's health once a second. Logs when the machine cannot keep up, and when it recovers."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from harstream.wire.errors import Trouble
from harstream.wire.health import Health, HealthState
from harstream.wire.values import CameraChange, CameraState, Notice, Warming

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two checks."""
PERIOD = 10.0
"""Seconds over which frames are counted."""
STALLED = 3.0
"""Seconds without a frame after which a connected camera is stalled."""
FROZEN = 30.0
"""Seconds of the same picture after which a live camera is frozen. In a still scene, some cameras repeat a picture bit
for bit until their next key frame."""
UNLIT, DARK = 0.02, 3.0
"""A camera is dark if less than the share UNLIT of its picture is lit for DARK seconds."""
OVERLOADED, RECOVERED = 0.02, 0.005
"""Shares of dropped frames among those that the model needs. Overload begins above the first and ends at the second."""
LATE, IN_TIME = 2.0, 0.5
"""The same two limits for a replay, as seconds behind its time. A replay drops no frames, so it falls behind."""
SLOW = 15.0
"""Seconds of frames without a complete window after which the frames count as faulty."""
ENDED = "its recording has ended"
REASONS = {
    HealthState.FROZEN: "it repeats the same picture: restart the camera",
    HealthState.DARK: "its picture is black: is the lens covered, or the light off?",
}


class FrameCounts(Protocol):
    """Numbers of frames so far, by camera. Of the arrived frames the model needs some, of which some are dropped."""

    @property
    def arrived(self) -> Mapping[str, int]: ...

    @property
    def needed(self) -> Mapping[str, int]: ...

    @property
    def dropped(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Counts:
    """The FrameCounts of one camera at a time, in seconds since the epoch."""

    time: float
    arrived: int
    needed: int
    dropped: int

    @staticmethod
    def of(frames: FrameCounts, camera: str, time: float) -> Counts:
        numbers = (count.get(camera, 0) for count in (frames.arrived, frames.needed, frames.dropped))
        return Counts(time, *numbers)


@dataclass
class _Camera:
    is_live: bool
    counts: deque[Counts]
    """The counts at each check since the camera was connected."""
    arrived: int = 0
    change: CameraChange | None = None
    warming: Warming = Warming(0, 0)
    warming_since: float | None = None
    last_frame_at: float | None = None
    unchanged: float = 0.0
    dark_since: float | None = None
    state: HealthState | None = None
    since: float = 0.0
    """Start of this state, in seconds since the epoch."""
    behind: float = 0.0
    connections: int = 0
    has_ended: bool = False
    fault: tuple[str, Trouble] | None = None
    """Why its frames complete no window, as text and as a value."""
    dropping: float = 0.0
    overloaded: bool = False


class HealthWatch:
    """Derives each camera's health from its notices and from the counts of its frames."""

    def __init__(self, frames: FrameCounts, now: Callable[[], float], rate: float) -> None:
        """`frames`: other threads increase its counts. `now` returns seconds since the epoch. `rate`: the rate of the
        model's time grid, in hertz."""
        self._frames, self._now, self._rate = frames, now, rate
        self._cameras: dict[str, _Camera] = {}
        self._next = now() + TICK

    def watch(self, camera: str, *, is_live: bool) -> None:
        """Watch a camera as a new one. `is_live` is False for a replay. Callable from any thread."""
        counts = deque[Counts](maxlen=round(PERIOD / TICK) + 1)
        self._cameras[camera] = _Camera(is_live, counts, arrived=self._frames.arrived.get(camera, 0))

    def forget(self, camera: str) -> None:
        """Stop watching a camera. Callable from any thread."""
        self._cameras.pop(camera, None)

    def refused(self) -> list[str]:
        """Return the cameras that are offline because they refused the login. Callable from any thread."""
        cameras = list(self._cameras.items())
        return [name for name, one in cameras if one.change and one.change.trouble is Trouble.LOGIN_REFUSED]

    def observe(self, notice: Notice) -> None:
        """Record a notice. Notices of removed cameras are ignored."""
        camera = self._cameras.get(notice.camera)
        if camera is None:
            return
        camera.warming = notice.warming
        camera.unchanged = notice.unchanged
        if notice.lit >= UNLIT:
            camera.dark_since = None
        elif camera.dark_since is None:
            camera.dark_since = self._now()
        camera.behind = 0.0 if camera.is_live else max(0.0, self._now() - notice.time)
        if notice.change is not None:
            camera.change = notice.change
            camera.counts.clear()  # many cameras start with a burst of old frames
            if notice.change.state is CameraState.LIVE:
                camera.connections += 1
            elif notice.change.state.is_away:
                camera.dropping, camera.overloaded = 0.0, False

    def end(self, camera: str) -> None:
        """Record that the camera's source has no more frames. Callable from any thread."""
        if camera in self._cameras:
            self._cameras[camera].has_ended = True

    def check(self) -> list[Health]:
        """Return the cameras' health if TICK seconds have passed since the last check, else an empty list."""
        now = self._now()
        if now < self._next:
            return []
        self._next = now + TICK
        cameras = list(self._cameras.items())  # a copy: other threads add and remove cameras
        was_overloaded = any(camera.overloaded for _, camera in cameras)
        healths = [self._health(name, camera, now) for name, camera in cameras]
        self._log(healths, was_overloaded)
        return healths

    def _health(self, name: str, camera: _Camera, now: float) -> Health:
        counts = Counts.of(self._frames, name, now)
        fps = self._update_rates(camera, counts)
        state = _state(camera, now)
        if state is not camera.state:
            _log_change(name, camera.state, state)
            camera.state, camera.since = state, _since(camera, state, now)
        self._detect_fault(name, camera, state, now, fps)
        reason, trouble = _reason(camera)
        return Health(
            camera=name,
            time=now,
            state=state,
            since=camera.since,
            reason=reason,
            trouble=trouble,
            warming=camera.warming,
            fps=fps,
            frame_age=None if camera.last_frame_at is None else now - camera.last_frame_at,
            dropped=counts.dropped,
            dropping=camera.dropping,
            behind=camera.behind,
            overloaded=camera.overloaded,
            reconnects=max(0, camera.connections - 1),
        )

    def _update_rates(self, camera: _Camera, counts: Counts) -> float:
        """Update the share of dropped frames and the overload. Return the frames per second that arrive."""
        if counts.arrived > camera.arrived:
            camera.arrived, camera.last_frame_at = counts.arrived, counts.time
        camera.counts.append(counts)
        before = camera.counts[0]
        if len(camera.counts) == camera.counts.maxlen:
            needed = counts.needed - before.needed
            camera.dropping = (counts.dropped - before.dropped) / needed if needed else 0.0
        most, latest = (RECOVERED, IN_TIME) if camera.overloaded else (OVERLOADED, LATE)
        camera.overloaded = camera.dropping > most or (camera.behind > latest and not camera.has_ended)
        seconds = counts.time - before.time
        return (counts.arrived - before.arrived) / seconds if seconds > 0 else 0.0

    def _detect_fault(self, name: str, camera: _Camera, state: HealthState, now: float, fps: float) -> None:
        """Log why a camera's frames complete no window although the machine keeps up."""
        if state is not HealthState.WARMING or camera.overloaded:
            camera.warming_since, camera.fault = None, None
        elif camera.warming_since is None:
            camera.warming_since = now
        elif now - camera.warming_since >= SLOW and not camera.fault:
            camera.fault = self._fault(fps)
            log.warning("camera %s: %s", name, camera.fault[0], extra={"camera": name})

    def _fault(self, fps: float) -> tuple[str, Trouble]:
        needed = f"{self._rate:g} a second"
        if fps < self._rate:
            few = f"it sends fewer frames than this model needs, {needed}: raise the camera's frame rate"
            return few, Trouble.TOO_FEW_FRAMES
        return f"its frames come too irregularly for this model, which needs {needed}", Trouble.IRREGULAR_FRAMES

    def _log(self, healths: list[Health], was_overloaded: bool) -> None:
        late = [health for health in healths if health.overloaded]
        if late and not was_overloaded:
            log.warning(
                "this machine cannot keep up: %s. A lighter model (--model lrcn), a larger stride in config.yaml, "
                "fewer cameras or a GPU would help",
                _describe_overload(late),
            )
        elif was_overloaded and not late:
            total = sum(health.dropped for health in healths)
            log.info("this machine keeps up again; %d frames were dropped so far", total)


def _state(camera: _Camera, now: float) -> HealthState:
    if camera.change and camera.change.state is CameraState.DISABLED:
        return HealthState.DISABLED
    if camera.has_ended or (camera.change and camera.change.state is CameraState.OFFLINE):
        return HealthState.OFFLINE
    if camera.last_frame_at is None or (camera.change and camera.change.state is CameraState.CONNECTING):
        return HealthState.CONNECTING
    if now - camera.last_frame_at > STALLED:
        return HealthState.STALLED
    if camera.dark_since is not None and now - camera.dark_since >= DARK:
        return HealthState.DARK
    if camera.is_live and camera.unchanged >= FROZEN:
        return HealthState.FROZEN
    has, needs = camera.warming
    return HealthState.WARMING if has < needs else HealthState.LIVE


def _since(camera: _Camera, state: HealthState, now: float) -> float:
    """Return the start of the state, which may be earlier than its detection."""
    if state is HealthState.STALLED and camera.last_frame_at is not None:
        return camera.last_frame_at
    if state is HealthState.FROZEN:
        return now - camera.unchanged
    return now if camera.dark_since is None or state is not HealthState.DARK else camera.dark_since


def _reason(camera: _Camera) -> tuple[str, Trouble | None]:
    is_broken = camera.change is not None and camera.change.trouble is not None
    if camera.has_ended and camera.state is HealthState.OFFLINE and not is_broken:
        return ENDED, Trouble.ENDED
    if camera.state in REASONS:
        return REASONS[camera.state], None
    if camera.fault:
        return camera.fault
    return (camera.change.reason, camera.change.trouble) if camera.change else ("", None)


def _log_change(name: str, before: HealthState | None, state: HealthState) -> None:
    """Log the start and end of the states in REASONS. Other modules log the other states."""
    if state in REASONS:
        log.warning("camera %s: %s", name, REASONS[state], extra={"camera": name})
    elif before in REASONS and state in (HealthState.LIVE, HealthState.WARMING):
        log.info("camera %s is no longer %s", name, before, extra={"camera": name})


def _describe_overload(late: list[Health]) -> str:
    names = sorted(health.camera for health in late)
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    lost, behind = max(health.dropping for health in late), max(health.behind for health in late)
    loss = f"{100 * lost:.0f} % of the frames are dropped, of one camera after the other" if lost > RECOVERED else ""
    delay = f"up to {behind:.0f} s behind" if behind > IN_TIME else ""
    return f"{shown}: {' and '.join(part for part in (loss, delay) if part)}"
