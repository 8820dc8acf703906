"""Classes that a model learns apart and tells as one label: what is none of the activities looks like many things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from harstream.models.encoder_and_head import fold, input_like, parts


def summing(label_of: Sequence[int]) -> NDArray[np.float32]:
    """(F, K), one 1 a row: scores (N, F) of classes times it are those (N, K) of labels; class f has label
    `label_of[f]`, K is the highest of them and 1."""
    return np.eye(max(label_of) + 1, dtype=np.float32)[list(label_of)]


@keras.saving.register_keras_serializable(package="harstream")
class SumOfClasses(keras.layers.Layer):  # type: ignore[misc]
    """Scores of classes (N, F) to scores of labels (N, K), each the sum of its classes'."""

    def __init__(self, label_of: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.label_of = tuple(label_of)

    def call(self, scores: Any) -> Any:
        return ops.matmul(scores, summing(self.label_of))

    def compute_output_shape(self, input_shape: tuple[int | None, int]) -> tuple[int | None, int]:
        return (input_shape[0], max(self.label_of) + 1)

    def get_config(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().get_config()
        return settings | {"label_of": self.label_of}


def telling_labels(model: keras.Model, label_of: Sequence[int]) -> keras.Model:
    """A model of classes as one of labels, with the same layers and one more at its end; where each class is a label,
    the model itself."""
    if list(label_of) == list(range(len(label_of))):
        return model
    if found := parts(model):
        encoder, head = found
        return fold(encoder, _summed(head, label_of), model.name)
    return _summed(model, label_of)


def _summed(model: keras.Model, label_of: Sequence[int]) -> keras.Model:
    last = SumOfClasses(label_of, name="labels")
    if isinstance(model, keras.Sequential):
        return keras.Sequential([input_like(model), *model.layers, last], name=model.name)
    return keras.Model(model.input, last(model.output), name=model.name)
