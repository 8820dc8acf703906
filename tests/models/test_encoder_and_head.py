"""An encoder and a head are joined and separated."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.models.encoder_and_head import after_first, before, first_layer, fold, parts

pytestmark = pytest.mark.training


def encoder(*shape: int) -> keras.Model:
    return keras.Sequential([keras.Input(shape, dtype="uint8"), keras.layers.Flatten(), keras.layers.Dense(3)], name="encoder")  # fmt: skip  # noqa: E501


def head(rows: int) -> keras.Model:
    layers = [keras.Input((rows, 3)), keras.layers.LSTM(4), keras.layers.Dense(2, activation="softmax", name="scores")]
    return keras.Sequential(layers, name="head")


@pytest.mark.parametrize(("shape", "rows"), [((4, 4, 3), 5), ((2, 4, 4, 3), 4)])
def test_joined_model_is_the_encoder_followed_by_the_head(shape: tuple[int, ...], rows: int) -> None:
    one, two = encoder(*shape), head(rows)
    model = fold(one, two, "both")
    frames = np.random.default_rng(1).integers(0, 256, (2, 5, 4, 4, 3), dtype=np.uint8)
    seen = frames if rows == 5 else np.stack([frames[:, :-1], frames[:, 1:]], axis=2)
    encoded = np.stack([np.asarray(one(window)) for window in seen])
    assert np.allclose(np.asarray(model(frames)), np.asarray(two(encoded)), atol=1e-6)


def test_parts_are_found_by_name() -> None:
    found = parts(fold(encoder(4, 4, 3), head(5), "both"))
    assert found is not None
    assert [part.name for part in found] == ["encoder", "head"]
    assert parts(head(5)) is None


def test_layers_before_and_after_a_cut_equal_the_model() -> None:
    model, rows = head(5), np.random.default_rng(1).random((2, 5, 3), dtype=np.float32)
    features = before(model, "scores")(rows)
    assert np.allclose(np.asarray(model.get_layer("scores")(features)), np.asarray(model(rows)), atol=1e-6)
    first = first_layer(model)
    assert np.allclose(np.asarray(after_first(model)(first(rows))), np.asarray(model(rows)), atol=1e-6)
