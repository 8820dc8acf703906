"""Backbones start with the weights of a file or with none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.models.architectures import CannotBuild
from harstream.models.backbones import backbone

pytestmark = pytest.mark.training
SMALL = keras.applications.MobileNetV3Small


def test_a_backbone_without_weights_is_trained() -> None:
    model = backbone(SMALL, None, 32, 32)
    assert model.trainable
    assert model.output_shape == (None, 576)


def test_a_backbone_with_the_weights_of_a_file_is_frozen(tmp_path: Path) -> None:
    first = backbone(SMALL, None, 32, 32)
    first.save_weights(tmp_path / "small.weights.h5")
    second = backbone(SMALL, str(tmp_path / "small.weights.h5"), 32, 32)
    assert not second.trainable
    assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


@pytest.mark.parametrize(("content", "part"), [(None, "found no file"), (b"no weights", "expected weights of")])
def test_weights_that_are_missing_or_do_not_fit_are_refused(tmp_path: Path, content: bytes | None, part: str) -> None:
    file = tmp_path / "small.weights.h5"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CannotBuild) as refused:
        backbone(SMALL, str(file), 32, 32)
    assert part in str(refused.value)
    assert str(file) in str(refused.value)
