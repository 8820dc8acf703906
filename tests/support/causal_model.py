"""A small network of MoViNet's kind, which recognizes Light, as a TFLite file with its state.

(2+1)D convolutions with stream buffers, squeeze-and-excitation and a last mean over all frames that the state saw. The
weights are random, but for the last layer, which tells the features of light pictures from those of dark ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from harstream.models.contract import CausalNetwork, ModelContract
from harstream.models.fetchable.table import home_activities
from harstream.models.lite_file import append_contract

SIZE, OUTPUTS = 172, 600
"""As in MoViNet-A0-Stream."""
CHANNELS, BUFFERED = 8, 2
STEEP = 16
"""The logit of READING in light pictures minus that in dark ones. Halfway, its probability is 1/2."""
READING = list(home_activities()).index("reading book")
"""The output that is high for light pictures. Every other output is the same for all."""
CAUSAL = ModelContract(
    name="causal", version="1.0.0", labels=("Light", "background"), background=("background",), frames=4, height=SIZE,
    width=SIZE, rate=10.0, normalisation="0 to 1", unknown_threshold=0.6,
    causal=CausalNetwork(outputs=tuple(int(number != READING) for number in range(OUTPUTS)), longest=12),
)  # fmt: skip

State = dict[str, Any]


@pytest.fixture(scope="session")
def causal_network() -> bytes:
    """The content of the file, without a contract."""
    pytest.importorskip("tensorflow")
    return CausalNet().to_tflite()


@pytest.fixture(scope="session")
def causal_model(tmp_path_factory: pytest.TempPathFactory, causal_network: bytes) -> Path:
    """The folder of the network."""
    return write_causal_model(tmp_path_factory.mktemp("causal"), causal_network)


def write_causal_model(folder: Path, network: bytes, contract: ModelContract = CAUSAL) -> Path:
    (folder / "model.tflite").write_bytes(append_contract(network, contract))
    return folder


class CausalNet:
    """The network. It sees any number of frames at once, after those that its state saw."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)

        def weights(*shape: int) -> Any:
            return random.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape).astype(np.float32)

        self._stem = weights(3, 3, 3, CHANNELS)
        self._blocks = [
            (weights(BUFFERED + 1, CHANNELS), weights(3, 3, CHANNELS, 1), weights(CHANNELS, CHANNELS)) for _ in range(2)
        ]
        dark, light = (self._features(level) for level in (0.05, 0.8))
        middle, across = (light + dark) / 2, (light - dark) / np.sum((light - dark) ** 2)
        self._last, self._bias = np.zeros((CHANNELS, OUTPUTS), np.float32), np.zeros(OUTPUTS, np.float32)
        self._last[:, READING] = STEEP * across
        self._bias[READING] = np.log(OUTPUTS - 1) - STEEP * (middle @ across)

    def __call__(self, frames: Any, state: State) -> tuple[Any, State]:
        """Turn frames (1, T, H, W, 3) from 0 to 1 and a state into logits (1, OUTPUTS) after them and a new state."""
        features, state = self._pooled(frames, dict(state))
        return features[:, -1] @ self._last + self._bias, state

    def to_tflite(self, *, int8: bool = False) -> bytes:
        """Return the file of one frame, with the signature of MoViNet's files. `int8`: all but counts are 8 bits."""
        import tensorflow as tf

        shapes = {"image": tf.TensorSpec((1, 1, SIZE, SIZE, 3), tf.float32, name="image")}
        shapes |= {name: tf.TensorSpec(x.shape, x.dtype, name=name) for name, x in empty_state().items()}

        def compute(image: Any, **state: Any) -> State:
            logits, after = self(image, state)
            return {"logits": logits, **after}

        module = tf.Module()
        module.compute = tf.function(compute)
        with TemporaryDirectory() as folder:
            tf.saved_model.save(module, folder, module.compute.get_concrete_function(**shapes))
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            if int8:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.representative_dataset = self._representative_inputs
                converter.inference_input_type = converter.inference_output_type = tf.int8
            return bytes(converter.convert())

    def _representative_inputs(self) -> Iterator[State]:
        for level in (0.02, 0.4, 1.0):
            state = empty_state()
            for _ in range(8):
                image = np.full((1, 1, SIZE, SIZE, 3), level, np.float32)
                yield {"image": image, **state}
                _, after = self(image, state)
                state = {name: np.asarray(values) for name, values in after.items()}

    def _features(self, level: float) -> Any:
        pooled, _ = self._pooled(np.full((1, 8, SIZE, SIZE, 3), level, np.float32), dict(empty_state()))
        return np.asarray(pooled)[0, -1]

    def _pooled(self, frames: Any, state: State) -> tuple[Any, State]:
        """Return the mean (1, T, CHANNELS) over the picture and all frames so far, after each frame."""
        import tensorflow as tf

        x = tf.nn.relu6(_each(frames, lambda pictures: tf.nn.conv2d(pictures, self._stem, 2, "SAME")))
        for number, (over_time, over_space, excite) in enumerate(self._blocks):
            name = f"state_block{number}"
            seen = tf.concat([state[f"{name}_buffer"], x], axis=1)
            state[f"{name}_buffer"] = seen[:, -BUFFERED:]
            T = x.shape[1]
            y = tf.add_n([seen[:, k : k + T] * over_time[k] for k in range(BUFFERED + 1)])
            y = _each(y, lambda pictures, w=over_space: tf.nn.depthwise_conv2d(pictures, w, (1, 1, 1, 1), "SAME"))
            gate = tf.sigmoid(_mean_so_far(y, state, f"{name}_pool") @ excite)
            x = tf.nn.relu6(x + y * gate[:, :, tf.newaxis, tf.newaxis])
        return _mean_so_far(x, state, "state_head_pool"), state


def empty_state() -> State:
    """Return the state before the first frame."""
    half = SIZE // 2
    names = ("state_block0", "state_block1", "state_head")
    sums = {f"{name}_pool": np.zeros((1, CHANNELS), np.float32) for name in names}
    counts = {f"{name}_pool_count": np.zeros((1,), np.int32) for name in names}
    buffers = {f"{name}_buffer": np.zeros((1, BUFFERED, half, half, CHANNELS), np.float32) for name in names[:2]}
    return sums | counts | buffers


def _each(frames: Any, layer: Any) -> Any:
    """Apply a layer of pictures to each frame (1, T, ...)."""
    import tensorflow as tf

    return layer(tf.reshape(frames, frames.shape[1:]))[tf.newaxis]


def _mean_so_far(x: Any, state: State, name: str) -> Any:
    """Return the mean over the picture and all frames so far, (1, T, C), and put sum and count into the state."""
    import tensorflow as tf

    sums = state[name][:, tf.newaxis] + tf.cumsum(tf.reduce_mean(x, axis=(2, 3)), axis=1)
    counts = state[f"{name}_count"] + tf.range(1, x.shape[1] + 1)
    state[name], state[f"{name}_count"] = sums[:, -1], counts[-1:]
    # TFLite's division of 8-bit integers refuses some numbers, and it has no power of them, so that stays in floats.
    return sums * tf.pow(tf.cast(counts, tf.float32), -1.0)[tf.newaxis, :, tf.newaxis]
