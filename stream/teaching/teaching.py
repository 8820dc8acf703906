"""Teaches a running service. A page or a program shows the state of it, and asks for each step."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from harstream.models.catalogue import ModelNotFound
from harstream.models.contract import ModelContract
from harstream.stream.config.model import Config
from harstream.stream.teaching.chosen_model import choose_model, chosen_model
from harstream.stream.teaching.examples import EXAMPLES, FEWEST_EXAMPLES, ORDINARY, Examples, check_activity_name
from harstream.stream.teaching.learning_process import LearningProcess
from harstream.stream.teaching.recorder import ExampleRecorder
from harstream.stream.teaching.recording import Phase, RecordingPlan
from harstream.stream.teaching.requirements import base_files, missing_extra
from harstream.stream.teaching.taught_folder import TAUGHT, LearnedReport, read_report, taught_on
from harstream.wire.errors import ControlError, HarstreamError, ModelError, UnknownCamera


class ExamplesOf(BaseModel):
    activity: str
    examples: list[str]
    """The names of the files."""


class RecordingState(BaseModel):
    activity: str | None
    """null: ordinary footage."""
    camera: str
    done: int
    """Complete videos."""
    number: int
    """Of so many."""
    phase: Phase
    seconds: int
    """Whole seconds until the phase ends, rounded up."""


class Learned(LearnedReport):
    is_used: bool
    """Whether the service recognizes with it."""


class TeachingState(BaseModel):
    """What there is, and what happens now."""

    impossible: str | None
    """Why nothing can be taught here; null if it can."""
    fewest: int
    """The fewest examples of an activity that can be learned."""
    activities: list[ExamplesOf]
    ordinary: list[str]
    """The names of the files with ordinary footage."""
    recording: RecordingState | None
    learning: str | None
    """What the learning does now, in a few words; null if nothing is learned."""
    problem: str | None
    """Why the last recording or learning ended early, as a sentence."""
    learned: Learned | None
    """The last result that was not discarded."""


@dataclass(frozen=True)
class RunningModel:
    """The model with which the service recognizes."""

    name: str
    """Its name or path, as in the configuration."""
    contract: ModelContract


class Teaching:
    """Every method is callable from any thread, and raises HarstreamError."""

    def __init__(
        self,
        running: RunningModel,
        config: Callable[[], Config],
        reload: Callable[[], str],
        recorder: ExampleRecorder,
        learning: LearningProcess,
    ) -> None:
        """`config` returns the present configuration. `reload` applies a new one, and returns the changes as text."""
        self._running = running
        self._config = config
        self._reload = reload
        self._recorder = recorder
        self._learning = learning
        self._recorded: str | None = None
        """The activity that is recorded now. None: ordinary footage."""

    def state(self) -> TeachingState:
        examples = self._examples
        return TeachingState(
            impossible=self._impossible,
            fewest=FEWEST_EXAMPLES,
            activities=[
                ExamplesOf(activity=name, examples=[path.name for path in examples.of(name)])
                for name in examples.activities()
            ],
            ordinary=[path.name for path in self._footage.of(ORDINARY)],
            recording=self._recording(),
            learning=self._learning.step,
            problem=self._recorder.failure or self._learning.failure or None,
            learned=self._learned(),
        )

    def record(self, activity: str | None, camera: str, plan: RecordingPlan) -> None:
        """Start to record. `activity`: None for ordinary footage. Raises UnknownCamera and ConfigError, too."""
        self._check_possible()
        known = [each.name for each in self._config().cameras]
        if camera not in known:
            raise UnknownCamera(f"there is no camera {camera[:80]!r}; the cameras are {', '.join(known)}")
        target, name = self._footage, ORDINARY
        if activity is not None:
            check_activity_name(activity, self._running.contract, self._examples.activities(), asked="activity")
            target, name = self._examples, activity
        self._recorder.record(camera, plan, lambda file: target.add(name, [file]))
        self._recorded = activity

    def stop(self) -> None:
        """End what is recorded or learned now. Complete examples are kept, and nothing else."""
        self._recorder.stop()
        self._learning.stop()

    def remove(self, activity: str | None, name: str) -> None:
        """Delete an example by the name of its file. `activity`: None for ordinary footage. Raises ConfigError."""
        if activity is None:
            self._footage.remove(ORDINARY, [name])
        else:
            self._examples.remove(activity, [name])

    def file(self, activity: str | None, name: str) -> Path | None:
        """Return the file of an example. None if there is none."""
        files = self._footage.of(ORDINARY) if activity is None else self._examples.of(activity)
        return next((path for path in files if path.name == name), None)

    def learn(self, camera: str | None) -> None:
        """Start to learn from all examples, as the camera sees them. Raises ControlError."""
        self._check_possible()
        if self._recorder.progress is not None:
            raise ControlError("expected to learn from complete examples, and somebody records now")
        moment = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        out = self._config().state / f"{TAUGHT}-{moment}"
        self._learning.start(self._config(), camera, out, lambda: self._keep_only(out))

    def use(self) -> str:
        """Recognize with what was learned last, from now on. Return the changes. Raises HarstreamError."""
        self._check_idle()
        newest, state = self._newest(), self._config().state
        if newest is None:
            raise ControlError("expected a model that was taught, and nothing was learned yet")
        return self._choose(newest, chosen_model(state))

    def discard(self) -> str:
        """Delete what was learned last. If it is used, use the configured model again. Return the changes."""
        self._check_idle()
        newest = self._newest()
        if newest is None:
            raise ControlError("expected a model that was taught, and nothing was learned yet")
        chosen = chosen_model(self._config().state)
        changes = self._choose(None, chosen) if chosen == newest else "deleted"
        shutil.rmtree(newest, ignore_errors=True)
        return changes

    def close(self) -> None:
        self._recorder.close()
        self._learning.close()

    @property
    def _examples(self) -> Examples:
        return Examples(self._config().state / EXAMPLES)

    @property
    def _footage(self) -> Examples:
        """Ordinary footage, as if it were the examples of one activity."""
        return Examples(self._config().state)

    def _recording(self) -> RecordingState | None:
        if (now := self._recorder.progress) is None:
            return None
        return RecordingState(
            activity=self._recorded, camera=now.camera, done=now.done, number=now.number, phase=now.phase,
            seconds=now.seconds,
        )  # fmt: skip

    @cached_property
    def _impossible(self) -> str | None:
        name = self._running.name
        try:
            base_files(taught_on(name) or name)
        except (ModelError, ModelNotFound) as error:
            return str(error)
        return missing_extra()

    def _check_possible(self) -> None:
        if reason := self._impossible:
            raise ControlError(reason)

    def _check_idle(self) -> None:
        if self._recorder.progress is not None or self._learning.step is not None:
            raise ControlError("expected that nothing is recorded or learned meanwhile: wait for its end, or stop it")

    def _choose(self, folder: Path | None, before: Path | None) -> str:
        state = self._config().state
        choose_model(state, folder)
        try:
            return self._reload()
        except HarstreamError:
            choose_model(state, before)
            raise

    def _results(self) -> list[Path]:
        """Return the folders of what was learned, oldest first."""
        return sorted(each for each in self._config().state.glob(f"{TAUGHT}-*") if each.is_dir())

    def _newest(self) -> Path | None:
        return next(reversed(self._results()), None)

    def _learned(self) -> Learned | None:
        newest = self._newest()
        report = None if newest is None else read_report(newest, self._running.contract.background)
        return None if report is None else Learned(**dict(report), is_used=self._is_used(newest))

    def _is_used(self, folder: Path | None) -> bool:
        return folder is not None and Path(self._running.name) == folder

    def _keep_only(self, folder: Path) -> None:
        """Delete what was learned before, unless it is used."""
        chosen = chosen_model(self._config().state)
        for each in self._results():
            if each not in (folder, chosen) and not self._is_used(each):
                shutil.rmtree(each, ignore_errors=True)
