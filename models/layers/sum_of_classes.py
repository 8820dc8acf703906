"""Sums the scores of a label's learned classes. Background has several classes, because it looks like many things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from harstream.models.encoder_and_head import fold, input_like, parts


def sum_matrix(label_of: Sequence[int]) -> NDArray[np.float32]:
    """Return the matrix (F, K) that turns scores of classes (N, F) into scores of labels (N, K).

    Each row has a single 1. Class f has label `label_of[f]`, and K is the highest of these plus 1.
    """
    return np.eye(max(label_of) + 1, dtype=np.float32)[list(label_of)]


@keras.saving.register_keras_serializable(package="harstream")
class SumOfClasses(keras.layers.Layer):  # type: ignore[misc]
    """Turns scores of classes (N, F) into scores of labels (N, K), each the sum over its classes."""

    def __init__(self, label_of: Sequence[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.label_of = tuple(label_of)

    def call(self, scores: Any) -> Any:
        return ops.matmul(scores, sum_matrix(self.label_of))

    def compute_output_shape(self, input_shape: tuple[int | None, int]) -> tuple[int | None, int]:
        return (input_shape[0], max(self.label_of) + 1)

    def get_config(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().get_config()
        return settings | {"label_of": self.label_of}


def with_label_scores(model: keras.Model, label_of: Sequence[int]) -> keras.Model:
    """Return the model with a SumOfClasses after its scores, or the model itself if each class is a label."""
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
