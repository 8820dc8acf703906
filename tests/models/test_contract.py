"""A contract survives a round trip through JSON. An invalid one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harstream.models.contract import (
    CONTRACT_KEY,
    CausalNetwork,
    ContractError,
    ModelContract,
    RowPart,
    contract_from_metadata,
)

LABELS = ("Jump", "Walk", "Idle")
VALUES: dict[str, Any] = {
    "name": "lrcn",
    "version": "1.0.0",
    "labels": LABELS,
    "background": ("Idle",),
}


def contract(**changes: Any) -> ModelContract:
    return ModelContract(**(VALUES | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rate": None},
        {"rate": 12.5, "temperature": 0.31},
        {"labels": ("Ä", "é", "Idle")},
        {"taught": ("Walk",)},
        {"view": "motion"},
        {"causal": CausalNetwork(outputs=(2, 0, 1, 0), longest=50)},
    ],
)
def test_contract_survives_a_round_trip_through_json(changes: dict[str, Any]) -> None:
    written = contract(**changes)
    assert ModelContract.from_json(written.to_json()) == written


def test_contract_is_read_from_the_metadata_of_a_model() -> None:
    assert contract_from_metadata({CONTRACT_KEY: contract().to_json()}, "model.onnx") == contract()


def test_a_contract_that_says_no_view_is_of_a_model_of_whole_pictures() -> None:
    assert ModelContract.from_json(json.dumps(VALUES)).view == "picture"


def test_activities_are_the_labels_without_background() -> None:
    assert contract().activities == ("Jump", "Walk")


def test_span_lasts_from_the_first_to_the_last_frame() -> None:
    assert contract(frames=21, rate=10.0).span == 2.0


def test_model_without_a_rate_has_no_live_rate() -> None:
    with pytest.raises(ContractError, match="trained with 16 frames spread evenly"):
        contract(rate=None, frames=16).live_rate  # noqa: B018


REFUSED = [
    ({"labels": ("Jump",), "background": ()}, "at least two different labels"),
    ({"labels": ("Jump", "Jump"), "background": ()}, "different labels"),
    ({"background": ("Sleep",)}, "must be some of the labels"),
    ({"taught": ("Idle",)}, "must be some of the activities"),
    ({"background": ("Jump", "Walk", "Idle")}, "must be some of the labels"),
    ({"frames": 0}, "got 0, 64, 64"),
    ({"height": -1}, "must be positive"),
    ({"width": 0}, "must be positive"),
    ({"frames": 100_000, "height": 10_000, "width": 10_000}, "at most 256 MiB"),
    ({"labels": ("<b>Jump</b>", "Idle")}, "printable characters without"),
    ({"labels": ("Jump\x1b[31m", "Idle")}, "printable characters"),
    ({"labels": ("Jump\u202e", "Idle")}, "printable characters"),
    ({"labels": (" ", "Idle")}, "printable characters"),
    ({"labels": ("J" * 101, "Idle")}, "1 to 100"),
    ({"labels": (*map(str, range(10_001)), "Idle")}, "at most 10000 labels"),
    ({"name": "a<b"}, "a name must have"),
    ({"version": "1\n2"}, "a version must have"),
    ({"temperature": float("inf")}, "temperature must be positive"),
    ({"rate": 0.0}, "between 0 and 120 Hz, got 0.0"),
    ({"rate": 121.0}, "between 0 and 120 Hz"),
    ({"rate": float("nan")}, "between 0 and 120 Hz"),
    ({"rate": None, "view": "motion"}, "without a sample rate must be 'picture', got 'motion'"),
    ({"temperature": 0.0}, "temperature must be positive"),
    ({"temperature": float("nan")}, "temperature must be positive"),
    ({"unknown_threshold": 1.1}, "between 0 and 1"),
    ({"unknown_threshold": -0.1}, "between 0 and 1"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_contract_that_contradicts_itself_cannot_be_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        contract(**changes)


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_contract_that_contradicts_itself_cannot_be_read(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        ModelContract.from_json(json.dumps(VALUES | changes))


@pytest.mark.parametrize("channels", ["RGB", "BGR"])
@pytest.mark.parametrize(
    ("normalisation", "dtype"), [("divide by 255", "uint8"), ("0 to 1", "float32"), ("-1 to 1", "float32")]
)
def test_normalisation_determines_the_type_of_the_input(channels: str, normalisation: str, dtype: str) -> None:
    read = ModelContract.from_json(json.dumps(VALUES | {"channels": channels, "normalisation": normalisation}))
    assert (read.channels, read.normalisation, read.input_dtype.name) == (channels, normalisation, dtype)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"channels": "GRAY"}, ("channels", "RGB or BGR", "'GRAY'")),
        ({"normalisation": "imagenet"}, ("normalisation", "divide by 255 or 0 to 1 or -1 to 1", "'imagenet'")),
        ({"transform": "letterbox"}, ("transform", "squash-linear256-area", "'letterbox'")),
        ({"view": "person"}, ("view", "picture or motion", "'person'")),
    ],
)
def test_value_outside_a_closed_set_is_refused_in_one_line(changes: dict[str, str], parts: tuple[str, ...]) -> None:
    with pytest.raises(ContractError) as refused:
        contract_from_metadata({CONTRACT_KEY: json.dumps(VALUES | changes)}, "mine/model.onnx")
    line = str(refused.value)
    assert "\n" not in line
    assert all(part in line for part in ("mine/model.onnx", *parts, "harstream export"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read: the whole text"),
        ("[1]", "cannot be read: the whole text"),
        (json.dumps(VALUES | {"frames": "many"}), "cannot be read: frames: .*integer"),
        (json.dumps(VALUES | {"colour": "RGB"}), "cannot be read: colour: "),
        (json.dumps({"name": "lrcn", "version": "1.0.0"}), "cannot be read: labels: "),
    ],
)
def test_text_that_is_no_contract_is_refused(text: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        ModelContract.from_json(text)


def test_model_file_without_a_contract_is_named() -> None:
    with pytest.raises(ContractError, match=r"model\.onnx has no harstream contract"):
        contract_from_metadata({"producer": "somebody"}, "model.onnx")


def test_no_label_is_named_unknown() -> None:
    with pytest.raises(ContractError, match="cannot be a label"):
        ModelContract("name", "1", ("unknown", "Run"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"causal": CausalNetwork((0, 1), 50)}, "got 2 outputs for 2 labels"),
        ({"causal": CausalNetwork((0, 1, 2, 3), 50)}, "labels 0 to 2, got 4 outputs for 4 labels"),
        ({"causal": CausalNetwork((0, 1, 2), 38)}, "at most half the frames of its longest state, got 20 of 38"),
        ({"causal": CausalNetwork((0, 1, 2), 50), "rate": None}, "must have a sample rate"),
        ({"causal": CausalNetwork((0, 1, 2), 50), "parts": (RowPart("pose", 9, 9, 1),)}, "and no parts"),
    ],
)
def test_a_causal_network_that_does_not_fit_its_labels_or_window_is_refused(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ContractError, match=reason):
        contract(**changes)
