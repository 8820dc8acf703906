from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from harstream.models.contract import ModelContract
from harstream.stream.web.forecast_cache import MAX_BYTES, MAX_CAMERAS, ForecastCache
from harstream.wire.context import labels_sha
from harstream.wire.values import Forecast, HorizonForecast, NextActivity

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
        {"horizon_s": 30, "p": {"Jump": 0.2, "Walk": 0.5, "unknown": 0.3}},
        {"horizon_s": 300, "p": {"Jump": 0.1, "Walk": 0.1, "unknown": 0.8}},
    ],
    "next": {"activity": "Walk", "p": 0.6, "expected_at": "2026-11-20T10:00:20.500Z"},
    "labels_sha": labels_sha(CONTRACT),
    "predictor": {"name": "hmm", "version": "1", "trained_until": None},
}
MADE_AT = 1_795_168_800.0
FORECAST = Forecast(
    MADE_AT, next=NextActivity("Walk", 0.6, MADE_AT + 20.5),
    then=(HorizonForecast(30.0, "Walk", 0.5), HorizonForecast(300.0, "unknown", 0.8)),
)  # fmt: skip


def payload(**changes: Any) -> bytes:
    return json.dumps(MESSAGE | changes).encode()


@pytest.fixture
def forecasts() -> ForecastCache:
    return ForecastCache(CONTRACT)


def test_a_forecast_gives_the_likeliest_activity_after_each_horizon(forecasts: ForecastCache) -> None:
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


def test_a_forecast_without_a_next_activity_is_valid(forecasts: ForecastCache) -> None:
    forecasts.receive(TOPIC, payload(next=None), False)
    forecast = forecasts.get("hall")
    assert forecast is not None
    assert forecast.next is None


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
        (payload(horizons=[{"horizon_s": 5, "p": {}}]), "expected the probabilities of a horizon, got none"),
        (payload(horizons=[{"horizon_s": 5, "p": {"Jump": 1.5}}]), "horizons.0.p.Jump: "),
        (payload(horizons=[{"horizon_s": 5, "p": {"x\n12:00:00 ERROR": 1.5}}]), r"horizons.0.p.x\n12:00:00 ERROR"),
        (payload(horizons=[{"horizon_s": 5, "p": {"x" * 9000: 1.5}}]), "horizons.0.p.xxx"),
        (payload().replace(b'"horizon_s": 30', b'"horizon_s": 1e999'), "horizons.0.horizon_s: "),
        (payload(dwell_s=float("inf")), "dwell_s: "),
        (payload(next=MESSAGE["next"] | {"activity": "<b>"}), "the model has no activity '<b>'"),  # type: ignore[operator]
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
