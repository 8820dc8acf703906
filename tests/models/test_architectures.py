"""Every architecture has the parameters of its paper and the common input and output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harstream.models import architectures

pytestmark = pytest.mark.training


@pytest.mark.parametrize(
    ("name", "classes", "parameters"),
    [
        # These numbers are printed in the papers' model summaries.
        ("convlstm", 4, 44_524),
        ("lrcn", 4, 73_060),
        ("convlstm_large", 4, 368_324),
        ("convlstm_large", 10, 369_098),
        ("lrcn_large", 10, 783_818),
    ],
)
def test_architecture_has_the_number_of_parameters_of_its_paper(name: str, classes: int, parameters: int) -> None:
    assert architectures.build(name, frames=20, height=64, width=64, classes=classes).count_params() == parameters


def test_only_the_batch_statistics_of_lrcn_large_are_not_trained() -> None:
    model = architectures.build("lrcn_large", frames=20, height=64, width=64, classes=10)
    # There is a mean and a variance after each of 32, 64, 128 and 128 filters: 2 * 352.
    fixed = [weight for weight in model.non_trainable_weights if weight.name.startswith("moving")]
    assert sum(int(np.prod(weight.shape)) for weight in fixed) == 704


@pytest.mark.parametrize("name", architectures.names())
def test_every_architecture_ends_in_a_softmax_named_scores(name: str) -> None:
    import keras

    last = architectures.build(name, frames=4, height=64, width=64, classes=3)
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    assert isinstance(last, keras.layers.Dense)
    assert (last.name, last.activation.__name__) == ("scores", "softmax")


@pytest.mark.parametrize("name", architectures.names())
def test_every_architecture_turns_windows_into_scores_that_sum_to_1(name: str) -> None:
    model = architectures.build(name, frames=4, height=64, width=64, classes=3)
    windows = np.random.default_rng(1).integers(0, 256, size=(2, 4, 64, 64, 3), dtype=np.uint8)
    scores = np.asarray(model(windows))
    assert scores.shape == (2, 3)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_every_saved_architecture_is_loaded_in_a_new_process(tmp_path: Path) -> None:
    for name in architectures.names():
        architectures.build(name, frames=4, height=64, width=64, classes=3).save(tmp_path / f"{name}.keras")
    program = """
import sys
from pathlib import Path

from harstream.models.finished_run import read_model

for file in sorted(Path(sys.argv[1]).glob("*.keras")):
    print(read_model(file).count_params() > 0, file.stem)
"""
    read = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=200)
    assert read.stdout.splitlines() == [f"True {name}" for name in sorted(architectures.names())], read.stderr


def test_name_may_be_written_with_hyphens() -> None:
    assert architectures.build("lrcn-large", frames=2, height=64, width=64, classes=2).name == "lrcn_large"


@pytest.mark.parametrize("name", ["transformer", "", "../lrcn"])
def test_unknown_architecture_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(architectures.UnknownArchitecture, match=r"there are .*convlstm, .*lrcn"):
        architectures.build(name, frames=2, height=64, width=64, classes=2)


@pytest.mark.parametrize(("name", "side"), [("lrcn", 32), ("convlstm", 16), ("mobilenet_gru", 16), ("flow_tcn", 50)])
def test_frames_that_are_too_small_for_an_architecture_are_refused(name: str, side: int) -> None:
    with pytest.raises(architectures.CannotBuild, match=f"{name} cannot be built for 4 frames of {side}x{side} pixels"):
        architectures.build(name, frames=4, height=side, width=side, classes=2)
