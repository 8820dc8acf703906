"""What may be changed while the service runs: cameras switched off and on, thresholds, and what config.yaml says."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from harstream.resilience.whole_file import write_whole
from harstream.stream.config.model import CameraConfig, Config
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.service import Service
from harstream.stream.sources.reader import NewSource
from harstream.wire.errors import ControlError, HarstreamError, SinkError, UnknownCamera
from harstream.wire.values import CameraControl

log = logging.getLogger(__name__)

LONGEST_START = 60.0
"""Seconds: a broker far away, a large model."""
IN_PLACE = {"cameras", "activities"}
"""Sections of the configuration that a running service takes; with any other it begins anew."""


@dataclass(frozen=True)
class Parts:
    """What a control needs to make new ones of."""

    source: Callable[[CameraConfig, bool], NewSource]
    """For a camera; must its first try succeed? Raises HarstreamError."""
    settings: Callable[[Config, CameraConfig, float | None], TrackerSettings]
    """Of a camera, with the threshold that was asked for. Raises ConfigError."""
    reread: Callable[[], Config]
    """The configuration as it is now. Raises ConfigError."""
    is_possible: Callable[[Config], None]
    """Raises HarstreamError for a configuration that no service could begin with."""
    areas: dict[str, str | None]
    """Camera to the room it watches, for all who tell of it: kept up to date."""


class CameraSettings:
    """Every method may be called from any thread; one change is made after the other.

    What is switched off stays so when the service is started again: it is kept in a file.
    """

    def __init__(self, config: Config, parts: Parts, memory: Path) -> None:
        """Raises SinkError if `memory` cannot be read."""
        self._config = config
        self._parts = parts
        self._memory = memory
        self._listeners: list[Callable[[CameraControl], None]] = []
        self._followers: list[Callable[[Config], None]] = []
        self._changing = threading.Lock()
        self._is_ready = threading.Event()
        self._started: Service | None = None
        self._wanted: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._asked = _remembered(memory)
        self._is_closing = self._is_ending = False
        self.begins_anew = False
        """The service was stopped only to begin again with another configuration."""
        # Last: of a control that could not be made nobody would end the thread, and the process would hang.
        self._worker = threading.Thread(target=self._work, name="control")
        self._worker.start()

    def listen(self, listener: Callable[[CameraControl], None]) -> None:
        """Before `start`. Called for each camera at the start and at every change; it must not block."""
        self._listeners.append(listener)

    def follow(self, follower: Callable[[Config], None]) -> None:
        """Before `start`. Called with each configuration that the running service has taken; it must not block."""
        self._followers.append(follower)

    def start(self, service: Service, *, must_open: bool) -> None:
        """Watch all cameras. `must_open`: a first try that fails ends the run. Raises HarstreamError."""
        with self._changing:
            self._started = service
            for camera in self._config.cameras:
                self._begin(camera, must_open=must_open)
        self._is_ready.set()

    def close(self) -> None:
        """Waits for the change under way; what was asked for after it is left."""
        self._is_closing = True
        self._is_ready.set()
        self._wanted.put(None)
        self._worker.join()

    def end(self) -> None:
        """The service stops for good, whatever was asked for. From any thread, or a signal handler."""
        self.begins_anew, self._is_ending = False, True
        if self._started is not None:
            self._started.stop()

    def ask(self, change: Callable[[], object], refused: Callable[[str], None]) -> None:
        """Make a change without waiting for it; `refused` is told why not, in one line. From any thread, or a signal
        handler: it takes no lock."""

        def make() -> None:
            try:
                change()
            except HarstreamError as error:
                refused(str(error))
            except Exception:  # a fault of ours, which the worker would keep to itself
                log.exception("a change could not be made")
                refused("it could not be done by a fault of ours, which the log tells")

        self._wanted.put(make)

    def _work(self) -> None:
        while (change := self._wanted.get()) is not None and not self._is_closing:
            change()

    def cameras(self) -> list[CameraControl]:
        with self._changing:
            return [self._control(camera.name) for camera in self._config.cameras]

    def switch(self, camera: str, *, on: bool) -> None:
        """Raises ControlError if there is no such camera."""
        with self._once_started():
            configured = self._camera(camera)
            if self._wish(camera).is_enabled == on:
                return
            service = self._service
            new_source = self._parts.source(configured, False) if on else None
            self._remember(replace(self._wish(camera), is_enabled=on))
            log.info("camera %s is switched %s", camera, "on" if on else "off", extra={"camera": camera})
            if new_source is None:
                service.switch_off(camera)
            else:
                service.watch(camera, new_source)
            self._tell(camera)

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        """The score, 0 to 1, from which an activity starts before this camera; None: as configured. Raises ControlError
        for another number or no such camera."""
        if threshold is not None and not 0 <= threshold <= 1:
            raise ControlError(f"expected a threshold between 0 and 1, got {threshold:g}")
        with self._once_started():
            self._camera(camera)
            service = self._service
            self._remember(replace(self._wish(camera), threshold=threshold))
            service.retune(camera, self._settings(camera))
            self._tell(camera)

    def reload(self) -> str:
        """Take what config.yaml says now; returns what came of it, for a person. Raises HarstreamError, and then all is
        as before."""
        with self._once_started():
            service, config = self._service, self._parts.reread()
            if config == self._config:
                return "nothing has changed"
            for camera in config.cameras:
                self._parts.source(camera, False)  # all can be made, before anything is changed
            if _is_more(config, self._config):
                if self._config.record:
                    raise ControlError(f"{self._config.record} is being recorded, and would begin anew: stop and start")
                self._parts.is_possible(config)
                self.begins_anew = not self._is_ending
                service.stop()
                return "the service begins anew"
            for camera in config.cameras:
                self._parts.settings(config, camera, None)
            return self._take(config)

    def _take(self, config: Config) -> str:
        earlier = self._config
        before = {camera.name: camera for camera in earlier.cameras}
        now = {camera.name: camera for camera in config.cameras}
        changed = [camera for name, camera in now.items() if not _is_the_same(camera, before.get(name))]
        self._config = config
        for name in before.keys() - now.keys():
            self._service.unwatch(name)
        for camera in changed:
            self._begin(camera, must_open=False)
        for name in now:
            self._service.retune(name, self._settings(name))
            self._tell(name)
        for follower in self._followers:
            follower(config)
        gone = sorted(before.keys() - now.keys())
        told = [f"{camera.name} {'changed' if camera.name in before else 'is new'}" for camera in changed]
        told += [f"{name} is gone" for name in gone]
        told += [f"activities {f'of {name} ' if name else ''}changed" for name in _other_activities(config, earlier)]
        return ", ".join(told)

    def _begin(self, camera: CameraConfig, *, must_open: bool) -> None:
        self._parts.areas[camera.name] = camera.area
        if (by_hand := self._wish(camera.name).threshold) is not None:
            log.info(
                "camera %s: its threshold is %g, set while running, whatever config.yaml says", camera.name, by_hand
            )
        self._service.retune(camera.name, self._settings(camera.name))
        if self._wish(camera.name).is_enabled:
            self._service.watch(camera.name, self._parts.source(camera, must_open))
        else:
            self._service.switch_off(camera.name)
        self._tell(camera.name)

    @contextmanager
    def _once_started(self) -> Iterator[None]:
        """Who asks while the service is starting waits for it."""
        self._is_ready.wait(LONGEST_START)
        with self._changing:
            yield

    @property
    def _service(self) -> Service:
        if self._started is None:
            raise ControlError("the service is still starting: ask again in a moment")
        return self._started

    def _camera(self, name: str) -> CameraConfig:
        for camera in self._config.cameras:
            if camera.name == name:
                return camera
        there_are = ", ".join(camera.name for camera in self._config.cameras)
        raise UnknownCamera(f"there is no camera {name[:80]!r}; there are {there_are}")

    def _settings(self, camera: str) -> TrackerSettings:
        return self._parts.settings(self._config, self._camera(camera), self._wish(camera).threshold)

    def _wish(self, camera: str) -> CameraControl:
        """What was asked for; no threshold: as configured."""
        return self._asked.get(camera) or CameraControl(camera)

    def _control(self, camera: str) -> CameraControl:
        """As it is: with the threshold that is in force."""
        return replace(self._wish(camera), threshold=self._settings(camera).start_above)

    def _tell(self, camera: str) -> None:
        for listener in self._listeners:
            listener(self._control(camera))

    def _remember(self, asked: CameraControl) -> None:
        """What cannot be written down holds all the same: who switches a camera off wants it off."""
        self._asked = self._asked | {asked.camera: asked}
        text = json.dumps(
            {name: {"enabled": one.is_enabled, "threshold": one.threshold} for name, one in self._asked.items()},
            indent=1,
        )
        try:
            write_whole(self._memory, text)
        except OSError as error:
            log.warning("camera %s: what was asked for holds until the next start only: %s", asked.camera, error)


def _remembered(memory: Path) -> dict[str, CameraControl]:
    if not memory.exists():
        return {}
    try:
        kept = json.loads(memory.read_text(encoding="utf-8"))
        return {
            name: CameraControl(name, is_enabled=bool(one["enabled"]), threshold=_share(one["threshold"]))
            for name, one in kept.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SinkError(f"expected in {memory} what was switched off, got {error!r}: remove the file") from error


def _share(threshold: float | None) -> float | None:
    """Raises ValueError or TypeError for what is none."""
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"a threshold of {threshold}")
    return threshold


def _is_the_same(camera: CameraConfig, before: CameraConfig | None) -> bool:
    """But for its activities, for which it need not be opened anew."""
    return before is not None and camera.model_copy(update={"activities": before.activities}) == before


def _other_activities(config: Config, before: Config) -> list[str]:
    """Cameras that were there and whose own activities differ; "" where those of all do."""
    known = {camera.name: camera.activities for camera in before.cameras}
    own = [one.name for one in config.cameras if one.name in known and one.activities != known[one.name]]
    return ([""] if config.activities != before.activities else []) + own


def _is_more(config: Config, before: Config) -> bool:
    """Is there a difference that a running service cannot take?"""
    sections = [name for name in type(config).model_fields if name not in IN_PLACE]
    return config.activities.smoothing != before.activities.smoothing or any(
        getattr(config, name) != getattr(before, name) for name in sections
    )
