"""How each camera fares, looked at once a second; that the machine cannot keep up is logged once, and once its end."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stream.messages import CameraChange, CameraState, Health, HealthState, Notice

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks."""
PERIOD = 10.0
"""Seconds over which frames are counted."""
STALLED = 3.0
"""Seconds without a frame after which a camera that calls itself live is not."""
OVERLOADED, RECOVERED = 0.02, 0.005
"""Shares of a live camera's frames: above the first dropped it is overloaded, until no more than the second are."""
LATE, IN_TIME = 2.0, 0.5
"""Seconds: the same for a replay, that is not to lose a frame and so falls behind."""
SLOW = 15.0
"""Seconds of frames without a full window, after which there is something wrong with them."""
ENDED = "its material has ended"


@dataclass
class _Camera:
    is_live: bool
    counts: deque[tuple[float, int, int]]
    """(time, frames arrived, frames dropped) at each look since it was connected."""
    arrived: int = 0
    change: CameraChange | None = None
    warming: tuple[int, int] = (0, 0)
    warming_since: float | None = None
    came_at: float | None = None
    behind: float = 0.0
    connections: int = 0
    has_ended: bool = False
    fault: str = ""
    """Why its frames fill no window."""
    dropping: float = 0.0
    overloaded: bool = False


class HealthWatch:
    """Told of every notice; counts what arrived and what was dropped."""

    def __init__(
        self,
        cameras: Mapping[str, bool],
        arrived: Mapping[str, int],
        dropped: Mapping[str, int],
        now: Callable[[], float],
        rate: float,
    ) -> None:
        """`cameras`: is it live, or a replay? The counts of frames are those of another thread: they only grow. `now`
        in seconds since the epoch; `rate`: of the frames that the model takes, in hertz."""
        self._arrived, self._dropped, self._now, self._rate = arrived, dropped, now, rate
        looks = round(PERIOD / TICK) + 1
        self._cameras = {name: _Camera(is_live, deque(maxlen=looks)) for name, is_live in cameras.items()}
        self._next = now() + TICK

    def see(self, notice: Notice) -> None:
        camera = self._cameras[notice.camera]
        camera.warming = notice.warming
        camera.behind = 0.0 if camera.is_live else max(0.0, self._now() - notice.time)
        if notice.change is not None:
            camera.change = notice.change
            camera.counts.clear()  # many cameras begin with a burst of old frames
            if notice.change.state is CameraState.LIVE:
                camera.connections += 1
            elif notice.change.state is CameraState.OFFLINE:
                camera.dropping, camera.overloaded = 0.0, False

    def end(self, camera: str) -> None:
        """Its source has no more frames. From any thread."""
        self._cameras[camera].has_ended = True

    def look(self) -> list[Health]:
        """As often as one likes: the cameras' health once a second, nothing in between."""
        now = self._now()
        if now < self._next:
            return []
        self._next = now + TICK
        was_overloaded = any(camera.overloaded for camera in self._cameras.values())
        healths = [self._health(name, camera, now) for name, camera in self._cameras.items()]
        self._log(healths, was_overloaded)
        return healths

    def _health(self, name: str, camera: _Camera, now: float) -> Health:
        arrived, dropped = self._arrived.get(name, 0), self._dropped.get(name, 0)
        if arrived > camera.arrived:
            camera.arrived, camera.came_at = arrived, now
        camera.counts.append((now, arrived, dropped))
        since, arrived_before, dropped_before = camera.counts[0]
        fresh = arrived - arrived_before
        fps = fresh / (now - since) if now > since else 0.0
        if len(camera.counts) == camera.counts.maxlen:
            camera.dropping = (dropped - dropped_before) / fresh if fresh else 0.0
        most, latest = (RECOVERED, IN_TIME) if camera.overloaded else (OVERLOADED, LATE)
        camera.overloaded = camera.dropping > most or (camera.behind > latest and not camera.has_ended)
        state = _state(camera, now)
        self._look_for_a_fault(name, camera, state, now, fps)
        return Health(
            camera=name,
            time=now,
            state=state,
            reason=_reason(camera),
            warming=camera.warming,
            fps=fps,
            frame_age=None if camera.came_at is None else now - camera.came_at,
            dropped=dropped,
            dropping=camera.dropping,
            behind=camera.behind,
            overloaded=camera.overloaded,
            reconnects=max(0, camera.connections - 1),
        )

    def _look_for_a_fault(self, name: str, camera: _Camera, state: HealthState, now: float, fps: float) -> None:
        """Of a camera whose frames come and fill no window, though the machine keeps up."""
        if state is not HealthState.WARMING or camera.overloaded:
            camera.warming_since, camera.fault = None, ""
        elif camera.warming_since is None:
            camera.warming_since = now
        elif now - camera.warming_since >= SLOW and not camera.fault:
            camera.fault = (
                f"it sends fewer frames than this model takes, {self._rate:g} a second: raise the camera's frame rate"
                if fps < self._rate
                else f"its frames come too irregularly for this model, which takes {self._rate:g} a second"
            )
            log.warning("camera %s: %s", name, camera.fault)

    def _log(self, healths: list[Health], was_overloaded: bool) -> None:
        late = [health for health in healths if health.overloaded]
        if late and not was_overloaded:
            log.warning(
                "this machine cannot keep up: %s. A lighter model (--model lrcn), a larger stride in config.yaml, "
                "fewer cameras or a GPU would help",
                _what_happens(late),
            )
        elif was_overloaded and not late:
            total = sum(health.dropped for health in healths)
            log.info("this machine keeps up again; %d frames were dropped so far", total)


def _state(camera: _Camera, now: float) -> HealthState:
    if camera.has_ended or (camera.change and camera.change.state is CameraState.OFFLINE):
        return HealthState.OFFLINE
    if camera.came_at is None or (camera.change and camera.change.state is CameraState.CONNECTING):
        return HealthState.CONNECTING
    if now - camera.came_at > STALLED:
        return HealthState.STALLED
    has, needs = camera.warming
    return HealthState.WARMING if has < needs else HealthState.LIVE


def _reason(camera: _Camera) -> str:
    if camera.has_ended:
        return ENDED
    return camera.fault or (camera.change.reason if camera.change else "")


def _what_happens(late: list[Health]) -> str:
    names = sorted(health.camera for health in late)
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    lost, behind = max(health.dropping for health in late), max(health.behind for health in late)
    loss = f"{100 * lost:.0f} % of the frames are dropped, the oldest first" if lost > RECOVERED else ""
    delay = f"up to {behind:.0f} s behind" if behind > IN_TIME else ""
    return f"{shown}: {' and '.join(part for part in (loss, delay) if part)}"
