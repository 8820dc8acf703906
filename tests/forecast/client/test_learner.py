"""Learning and looking ahead go on beside the ticks, and a result is used when it is complete."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future

import pytest

from harstream.forecast.client.background import Background, Workers
from harstream.forecast.client.diary import Diary
from harstream.forecast.client.learned import ForecasterSettings, Learned, Scope, learn
from harstream.forecast.client.learner import FIRST_REFITS, REFIT_PERIOD, RETRY_AFTER, Learner
from harstream.forecast.model.states import States
from harstream.forecast.predictors.hmm import PART
from tests.forecast.client.household import LABELS, MONDAY, ZONE, AtOnce, P, T, fill, new_forecaster, observation

STATES = States(LABELS[:4])
SETTINGS = ForecasterSettings("home", Scope.CAMERA, "mix", ZONE)


class WhenTold(Executor):
    """Does the work when the test says so."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = Future[T]()

        def do() -> None:
            done = AtOnce().submit(work, *args, **kwargs)
            if (error := done.exception()) is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result())

        self._waiting.append(do)
        return future

    def work(self) -> int:
        """Do all that waits, and return how many pieces of work it was."""
        waiting, self._waiting = self._waiting, []
        for do in waiting:
            do()
        return len(waiting)


def learning_from(diary: Diary) -> Callable[[float], Learned]:
    return lambda now: learn(diary, STATES, SETTINGS, now)


def new_learner(diary: Diary, executor: Executor) -> Learner:
    learning = learning_from(diary)
    return Learner(learning, Workers(executor, executor, AtOnce()), learning(MONDAY))


def test_what_was_learned_stays_in_use_until_the_next_is_complete(diary: Diary) -> None:
    executor = WhenTold()
    learner = new_learner(diary, executor)
    first = learner.learned
    fill(diary, 3)
    learner.add(FIRST_REFITS)

    learner.advance(MONDAY + 1)
    assert learner.learned is first
    executor.work()
    learner.advance(MONDAY + 2)

    assert learner.learned is not first
    assert learner.learned.trained_until is not None
    learner.advance(MONDAY + 3)
    assert executor.work() == 0  # what was new is learned


def test_activities_that_come_while_it_learns_are_learned_next(diary: Diary) -> None:
    executor = WhenTold()
    learner = new_learner(diary, executor)
    learner.add(FIRST_REFITS)
    learner.advance(MONDAY + 1)
    learner.add(FIRST_REFITS)
    executor.work()
    second = learner.learned
    learner.advance(MONDAY + 2)
    executor.work()
    learner.advance(MONDAY + 3)

    assert learner.learned is not second


def test_a_failure_is_one_line_and_the_earlier_result_goes_on(diary: Diary, caplog: pytest.LogCaptureFixture) -> None:
    is_broken = False

    def learn_or_fail(now: float) -> Learned:
        if is_broken:
            raise ZeroDivisionError("a wrong row")
        return learn(diary, STATES, SETTINGS, now)

    learner = Learner(learn_or_fail, Workers(AtOnce(), AtOnce(), AtOnce()), learn_or_fail(MONDAY))
    first, is_broken = learner.learned, True
    for minute in range(30):
        learner.advance(MONDAY + REFIT_PERIOD + 60 * minute)
    assert learner.learned is first
    assert [record.message for record in caplog.records] == [
        "learning from the diary fails, so forecasts follow from what was learned before: "
        "ZeroDivisionError('a wrong row')"
    ]

    is_broken = False
    learner.advance(MONDAY + REFIT_PERIOD + 1800 + RETRY_AFTER)
    assert learner.learned is not first


def test_it_looks_ahead_before_it_is_asked(diary: Diary) -> None:
    """The work takes one tick here."""
    executor = WhenTold()
    learner = new_learner(diary, executor)
    for second in range(0, int(4 * PART), 10):
        learner.advance(MONDAY + second)
        assert learner.has_looked_ahead(MONDAY + second)
        executor.work()


def test_after_a_jump_of_the_clock_a_forecast_waits_for_its_tables(diary: Diary) -> None:
    fill(diary, 3)
    executor = WhenTold()
    forecaster = new_forecaster(diary, executor=executor)
    forecaster.observe(observation(MONDAY, "Sleep"), MONDAY)
    assert len(forecaster.tick(MONDAY)) == 1

    assert forecaster.tick(MONDAY + 7200) == []
    executor.work()

    assert len(forecaster.tick(MONDAY + 7201)) == 1


def test_observations_do_not_wait_while_it_learns(diary: Diary) -> None:
    """Nor does the end of the process: the thread of this test never comes back."""
    is_begun, never = threading.Event(), threading.Event()

    def learn_for_ever(now: float) -> Learned:
        is_begun.set()
        never.wait()
        raise AssertionError

    background = Background("learner")
    background.start()
    learner = Learner(learn_for_ever, Workers(background, AtOnce(), AtOnce()), learning_from(diary)(MONDAY))
    first = learner.learned

    learner.advance(MONDAY + REFIT_PERIOD + 1)
    assert is_begun.wait(10)
    learner.advance(MONDAY + REFIT_PERIOD + 2)

    assert learner.learned is first
    never.set()


def test_the_background_hands_on_results_and_errors_in_order() -> None:
    background, order = Background("test"), list[int]()
    background.start()
    futures = [background.submit(order.append, number) for number in range(5)]
    failing = background.submit(divmod, 1, 0)

    assert [future.result(10) for future in futures] == [None] * 5
    assert order == list(range(5))
    with pytest.raises(ZeroDivisionError):
        failing.result(10)
