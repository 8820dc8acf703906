"""A network of MoViNet's kind runs frame by frame on LiteRT as it does on whole clips, and misfits are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.catalogue import find_model
from harstream.models.contract import CausalNetwork
from harstream.stream.recognition.causal_litert import CausalLitert
from harstream.stream.recognition.model import load
from harstream.stream.recognition.onnx_runtime import open_model
from harstream.wire.errors import ModelError
from tests.support.causal_model import CAUSAL, READING, SIZE, CausalNet, empty_state, write_causal_model

pytestmark = pytest.mark.training
CLIP: NDArray[np.uint8] = np.random.default_rng(7).integers(0, 256, (6, SIZE, SIZE, 3), np.uint8)


def opened(folder: Path) -> CausalLitert:
    engine = open_model(find_model(str(folder)))
    assert isinstance(engine, CausalLitert)
    return engine


def test_frame_by_frame_it_gives_the_scores_of_the_whole_clip(causal_model: Path) -> None:
    engine, state = opened(causal_model), None
    for frame in CLIP:
        scores, state = engine.step(frame, state)
    logits, _ = CausalNet()((CLIP / 255).astype(np.float32)[np.newaxis], empty_state())
    shares = np.exp(np.asarray(logits)[0])
    light = shares[READING] / shares.sum()
    assert 0.01 < light < 0.99
    assert scores == pytest.approx([light, 1 - light], abs=1e-5)


def test_a_file_of_8_bit_integers_gives_nearly_the_scores_of_floats(causal_model: Path, tmp_path: Path) -> None:
    floats = opened(causal_model)
    integers = opened(write_causal_model(tmp_path, CausalNet().to_tflite(int8=True)))
    after = of_floats = None
    frame = np.full((SIZE, SIZE, 3), 120, np.uint8)
    for _ in range(10):
        scores, after = integers.step(frame, after)
        expected, of_floats = floats.step(frame, of_floats)
    assert 0.2 < expected[0] < 0.8
    assert scores == pytest.approx(expected, abs=0.1)  # the state goes out at other scales than it goes in


def test_earlier_frames_change_the_scores_of_a_frame(causal_model: Path) -> None:
    engine = opened(causal_model)
    light, dark = np.full((2, SIZE, SIZE, 3), [[[[250]]], [[[5]]]], np.uint8)
    _, after_light = engine.step(light, None)
    alone, _ = engine.step(dark, None)
    behind, _ = engine.step(dark, after_light)
    assert alone[0] < 0.1 < behind[0] - alone[0]
    again, _ = engine.step(dark, None)
    assert np.array_equal(again, alone)


def test_a_label_is_the_sum_of_its_outputs(causal_network: bytes, tmp_path: Path) -> None:
    network = CausalNetwork(outputs=(0,) * 100 + (1,) * 200 + (2,) * 300, longest=12)
    contract = replace(CAUSAL, labels=("a", "b", "background"), causal=network)
    engine = opened(write_causal_model(tmp_path, causal_network, contract))
    scores, _ = engine.step(np.zeros((SIZE, SIZE, 3), np.uint8), None)
    # In the dark, "reading book", one of the last 300, has no probability, and the others have the same.
    assert scores == pytest.approx([100 / 599, 200 / 599, 299 / 599], abs=0.0005)


def test_a_program_calls_it_with_a_window_of_pictures(causal_model: Path) -> None:
    model = load(causal_model)
    assert model.provider == "CPU, LiteRT"
    light = model(np.full((CAUSAL.frames, 48, 64, 3), 230, np.uint8))
    assert light["Light"] > 0.9
    assert sum(light.values()) == pytest.approx(1)


def test_a_contract_of_another_size_is_refused(causal_network: bytes, tmp_path: Path) -> None:
    folder = write_causal_model(tmp_path, causal_network, replace(CAUSAL, width=24))
    with pytest.raises(ModelError, match=r"image must have the shape \(1, 1, 172, 24, 3\) .*got \(1, 1, 172, 172, 3\)"):
        open_model(find_model(str(folder)))


def test_a_contract_with_another_number_of_outputs_is_refused(causal_network: bytes, tmp_path: Path) -> None:
    folder = write_causal_model(tmp_path, causal_network, replace(CAUSAL, causal=CausalNetwork((0, 1, 0), 12)))
    with pytest.raises(ModelError, match=r"logits must have the shape \(1, 3\) .*got \(1, 600\)"):
        open_model(find_model(str(folder)))


def test_a_model_of_windows_with_a_causal_contract_is_refused(light_model: Path, tmp_path: Path) -> None:
    import onnx

    graph = onnx.load(light_model)
    graph.metadata_props[0].value = replace(CAUSAL, normalisation="divide by 255").to_json()
    onnx.save(graph, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="must be a TFLite file"):
        open_model(find_model(str(tmp_path)))


def test_a_file_without_states_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    stateless = tf.function(lambda image: {"scores": tf.reduce_mean(image, axis=(1, 2, 3))[:, :2]})
    concrete = stateless.get_concrete_function(tf.TensorSpec((1, 1, SIZE, SIZE, 3), tf.float32, name="image"))
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete], stateless).convert()
    folder = write_causal_model(tmp_path, bytes(content))
    with pytest.raises(ModelError, match=r"must have one signature|is no causal network"):
        open_model(find_model(str(folder)))
