from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from harstream.models.contract import ModelContract
from harstream.stream.web.forecast_cache import MAX_BYTES, MAX_CAMERAS, ForecastCache
from harstream.wire.context import labels_sha
from harstream.wire.values import Forecast, NextActivity, SoonActivity, UnusualActivity
from tests.support.clock import SettableClock

CONTRACT = ModelContract("light", "1", ("Jump", "Walk", "Idle"), ("Idle",))
TOPIC = "har/home/camera/hall/forecast"
MESSAGE = {
    "schema": "harstream.forecast/1",
    "node": "home",
    "camera": "hall",
    "area": None,
    "made_at": "2026-11-20T10:00:00.000Z",
    "activity": "Jump",
    "dwell_s": 4.0,
    "horizons": [
        {"horizon_s": 30, "p": {"Jump": 0.2, "Walk": 0.5, "unknown": 0.3}, "begins": {"Jump": 0.1, "Walk": 0.4}},
        {"horizon_s": 300, "p": {"Jump": 0.1, "Walk": 0.1, "unknown": 0.8}, "begins": {"Jump": 0.3, "Walk": 0.9}},
    ],
    "next": {"activity": "Walk", "p": 0.6, "expected_at": "2026-11-20T10:00:20.500Z"},
    "labels_sha": labels_sha(CONTRACT),
    "predictor": {"name": "hmm", "version": "1", "trained_until": None},
}
MADE_AT = 1_795_168_800.0
FORECAST = Forecast(
    MADE_AT, next=NextActivity("Walk", 0.6, MADE_AT + 20.5), next_reason="", unusual=None, activity="Jump",
    soon=(SoonActivity("Walk", 0.4, 30.0), SoonActivity("Jump", 0.3, 300.0)),
)  # fmt: skip


def payload(**changes: Any) -> bytes:
    return json.dumps(MESSAGE | changes).encode()


@pytest.fixture
def forecasts(clock: SettableClock) -> ForecastCache:
    clock.now = MADE_AT
    return ForecastCache(CONTRACT, clock)


def test_what_is_likely_to_begin_has_the_shortest_horizon_for_which_that_holds(forecasts: ForecastCache) -> None:
    assert forecasts.get("hall") is None
    forecasts.receive(TOPIC, payload(), False)
    assert forecasts.get("hall") == FORECAST
    assert forecasts.get("yard") is None


def test_a_cleared_forecast_is_forgotten(forecasts: ForecastCache) -> None:
    forecasts.receive(TOPIC, payload(), False)
    forecasts.receive(TOPIC, b"", False)
    assert forecasts.get("hall") is None


def test_a_forecast_for_another_model_is_ignored(forecasts: ForecastCache) -> None:
    forecasts.receive(TOPIC, payload(), True)
    forecasts.receive(TOPIC, payload(labels_sha="0" * 64), True)
    assert forecasts.get("hall") is None


def test_a_forecast_without_a_next_activity_gives_the_reason_and_names_nothing_as_soon(
    forecasts: ForecastCache,
) -> None:
    forecasts.receive(TOPIC, payload(next=None, next_reason="6 of 30 changes of activity seen"), False)
    forecast = forecasts.get("hall")
    assert forecast is not None
    assert (forecast.next, forecast.soon) == (None, ())
    assert forecast.next_reason == "6 of 30 changes of activity seen"


def test_what_is_unusual_is_kept_with_its_time(forecasts: ForecastCache) -> None:
    unusual = {"kind": "lasts_long", "activity": "Jump", "p": 0.001, "since": "2026-11-20T09:00:00.000Z"}
    forecasts.receive(TOPIC, payload(unusual=unusual), False)
    forecast = forecasts.get("hall")
    assert forecast is not None
    assert forecast.unusual == UnusualActivity("lasts_long", "Jump", MADE_AT - 3600)


def nothing_because(reason: str) -> Forecast:
    return Forecast(MADE_AT, next=None, next_reason=reason, soon=(), unusual=None)


def test_a_forecast_holds_for_three_minutes(forecasts: ForecastCache, clock: SettableClock) -> None:
    forecasts.receive(TOPIC, payload(), True)
    clock.now = MADE_AT + 180
    assert forecasts.get("hall") == FORECAST
    clock.now = MADE_AT + 181
    assert forecasts.get("hall") == nothing_because("the last one is older than 3 minutes")


def test_a_forecast_does_not_hold_while_its_forecaster_is_offline(forecasts: ForecastCache) -> None:
    status = "har/home/forecaster/status"
    forecasts.receive(TOPIC, payload(), True)
    forecasts.receive_status(status, b"offline", True)
    assert forecasts.get("hall") == nothing_because("the forecaster is offline")
    assert forecasts.get("yard") is None
    forecasts.receive_status(status, b"online", False)
    assert forecasts.get("hall") == FORECAST


def test_unknown_cameras_do_not_fill_the_memory(forecasts: ForecastCache) -> None:
    for number in range(MAX_CAMERAS + 2):
        forecasts.receive(f"har/home/camera/c{number}/forecast", payload(), False)
    assert [forecasts.get(f"c{number}") for number in (0, 1)] == [None, None]
    assert forecasts.get("c2") == FORECAST


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 2000, "Invalid JSON"),
        (b"{}", "Field required"),
        (b'"' + b"x" * MAX_BYTES + b'"', f"expected {MAX_BYTES} bytes at most, got {MAX_BYTES + 2}"),
        (payload(made_at="soon"), "made_at: "),
        (payload(horizons=[]), "horizons: "),
        (payload(horizons=[{"horizon_s": 5, "p": {"Jump": 1.5}}]), "horizons.0.p.Jump: "),
        (payload(horizons=[{"horizon_s": 5, "p": {"x\n12:00:00 ERROR": 1.5}}]), r"horizons.0.p.x\n12:00:00 ERROR"),
        (payload(horizons=[{"horizon_s": 5, "p": {"x" * 9000: 1.5}}]), "horizons.0.p.xxx"),
        (payload().replace(b'"horizon_s": 30', b'"horizon_s": 1e999'), "horizons.0.horizon_s: "),
        (payload(dwell_s=float("inf")), "dwell_s: "),
        (payload(next=MESSAGE["next"] | {"activity": "<b>"}), "the model has no activity '<b>'"),  # type: ignore[operator]
        (payload(horizons=[{"horizon_s": 5, "p": {}, "begins": {"<i>": 0.9}}]), "the model has no activity '<i>'"),
        (payload(made_at="9999-99-99T99:99:99.999Z"), "month must be in 1..12"),
    ],
)
def test_invalid_forecast_is_ignored_and_logged_once(
    wrong: bytes, why: str, forecasts: ForecastCache, caplog: pytest.LogCaptureFixture
) -> None:
    forecasts.receive(TOPIC, payload(), False)
    with caplog.at_level(logging.INFO):
        forecasts.receive(TOPIC, wrong, False)
        forecasts.receive(TOPIC, wrong, False)
        assert forecasts.get("hall") == FORECAST
        forecasts.receive(TOPIC, payload(), False)
    complaint, relief = (record.getMessage() for record in caplog.records)
    assert "is ignored" in complaint
    assert repr(TOPIC) in complaint
    assert why in complaint
    assert "\n" not in complaint
    assert len(complaint) < 400
    assert "can be read again" in relief
    assert "2 were ignored" in relief


def test_good_and_wrong_forecasts_in_turn_do_not_fill_the_log(
    forecasts: ForecastCache, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            forecasts.receive(TOPIC, b"{}", False)
            forecasts.receive(TOPIC, payload(), False)
    assert len(caplog.records) == 2


def test_the_forecast_of_the_home_is_that_of_no_camera(forecasts: ForecastCache) -> None:
    forecasts.receive("har/home/forecast", payload(camera=None, scope="home"), True)

    assert forecasts.get(None) == FORECAST
    assert forecasts.get("home") is None
    forecasts.receive("har/home/forecast", b"", False)
    assert forecasts.get(None) is None
