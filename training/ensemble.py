"""Combines several runs into one model that averages their logits. The mean is better, because their errors differ."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from harstream.models import encoder_and_head as folding
from harstream.models.contract import ModelContract
from harstream.models.finished_run import read_windows
from harstream.models.layers.optical_flow import OpticalFlow
from harstream.models.layers.sum_of_classes import SumOfClasses, with_label_scores
from harstream.models.temperature import at_temperature
from harstream.training.calibration import calibrate
from harstream.training.errors import TrainingError
from harstream.training.run_folder import RunFolder, Validated


@dataclass(frozen=True, eq=False)
class Member:
    """A finished run with its encoder and head."""

    run: RunFolder
    name: str
    """The name of its architecture."""
    contract: ModelContract
    encoder: keras.Model
    head: keras.Model
    """Its layer `scores` is a softmax Dense; SumOfClasses may follow it."""
    label_of: tuple[int, ...]
    """The index of the label of each learned class."""
    validated: Validated

    @property
    def scoring(self) -> keras.layers.Dense:
        return self.head.get_layer("scores")


def combine(folders: Sequence[Path], run: RunFolder) -> ModelContract:
    """Write a run whose model outputs the softmax of the mean logits of finished runs, each at its own temperature.

    The result is again a model with one layer of scores. Its temperature and threshold are chosen again.

    Source: Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles";
    mean logits instead of mean probabilities: Hinton 2002, "Training products of experts", eq. 1.

    Raises TrainingError and UnreadableRun. Raises OSError if the run cannot be written, and then leaves no file.
    """
    if len(folders) < 2:
        raise TrainingError(f"expected at least two runs to combine, got {len(folders)}")
    if run.path.is_dir() and any(run.path.iterdir()):
        raise TrainingError(f"{run.path} is not empty: choose another --out")
    members = _read_members(folders)
    first = members[0]
    scores = _mean_scores([member.validated.scores for member in members], [m.contract.temperature for m in members])
    contract = calibrate(first.contract, scores, first.validated.truth, first.label_of)
    validation, training = read_windows(first.run.validation_windows), read_windows(first.run.training_windows)
    try:
        run.begin_combined([member.run for member in members])
        run.finish(
            with_label_scores(_join(members), first.label_of),
            contract,
            validated=Validated(scores, first.validated.truth),
            validation=validation,
            training=training,
        )
    except OSError:  # an incomplete run is useless
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    return contract


def _read_members(folders: Sequence[Path]) -> list[Member]:
    """Read the runs. Raises UnreadableRun, and TrainingError if they do not fit together."""
    members = [_read_member(folder) for folder in folders]
    for other in members[1:]:
        _require_alike(members[0], other)
    return members


def _mean_scores(each: Sequence[NDArray[np.float32]], temperatures: Sequence[float]) -> NDArray[np.float32]:
    """Return the softmax of the mean over members of log(scores (N, F)) / temperature."""
    product = np.mean([np.log(np.maximum(s, 1e-12)) / t for s, t in zip(each, temperatures, strict=True)], axis=0)
    return at_temperature(np.exp(product), 1.0)


def _join(members: Sequence[Member]) -> keras.Model:
    """Join the encoders and the heads side by side, with one layer `scores` on all features."""
    frame = keras.Input(members[0].encoder.input_shape[1:], dtype="uint8")
    encoded = _encode(frame, [member.encoder for member in members])
    encoder = keras.Model(frame, layers.concatenate(encoded), name=folding.ENCODER)
    rows = keras.Input((members[0].head.input_shape[1], encoder.output_shape[-1]))
    features, begin = [], 0
    for number, member in enumerate(members):
        end = begin + member.head.input_shape[-1]
        features.append(_rename(folding.before(member.head, "scores"), number)(rows[:, :, begin:end]))
        begin = end
    scoring = layers.Dense(len(members[0].label_of), activation="softmax", name="scores")
    head = keras.Model(rows, scoring(layers.concatenate(features)), name=folding.HEAD)
    shares = [1 / (len(members) * member.contract.temperature) for member in members]
    kernels, biases = zip(*(member.scoring.get_weights() for member in members), strict=True)
    scoring.set_weights(
        [
            np.concatenate([kernel * share for kernel, share in zip(kernels, shares, strict=True)]),
            np.sum([bias * share for bias, share in zip(biases, shares, strict=True)], axis=0),
        ]
    )
    return folding.fold(encoder, head, "_".join(sorted({member.name for member in members})))


def _encode(frame: Any, encoders: Sequence[keras.Model]) -> list[Any]:
    """Return the output of each encoder. Optical flow, which has no learned weights, is computed once."""
    if all(isinstance(folding.first_layer(encoder), OpticalFlow) for encoder in encoders):
        flow = OpticalFlow()(frame)
        return [_rename(folding.after_first(encoder), number)(flow) for number, encoder in enumerate(encoders)]
    return [_rename(encoder, number)(frame) for number, encoder in enumerate(encoders)]


def _rename(model: keras.Model, number: int) -> keras.Model:
    """Name the model after its number, because the layers of a model need different names."""
    model.name = f"member_{number}"
    return model


def _read_member(folder: Path) -> Member:
    run = RunFolder(folder)
    run.require(
        run.model,
        run.contract,
        run.validated,
        run.validation_windows,
        run.training_windows,
        run.split,
        run.provenance,
    )
    model, contract, validated = run.read_model(), run.read_contract(), Validated.read(run.validated)
    found = folding.parts(model)
    if found is None:
        raise TrainingError(
            f"{folder} holds a model without an encoder and a head: only models with both can be combined"
        )
    encoder, head = found
    last = head.layers[-1]
    label_of = last.label_of if isinstance(last, SumOfClasses) else tuple(range(len(contract.labels)))
    return Member(run, model.name, contract, encoder, head, label_of, validated)


def _require_alike(one: Member, other: Member) -> None:
    """Check that two runs fit together. Raises TrainingError if they differ in input, output or validation clips."""
    for what in ("labels", "background", "frames", "height", "width", "rate", "view"):
        here, there = getattr(one.contract, what), getattr(other.contract, what)
        if here != there:
            raise TrainingError(
                f"runs to combine must have the same {what}: {one.run.path} has {_as_text(here)}, {other.run.path} "
                f"{_as_text(there)}"
            )
    if one.encoder.input_shape != other.encoder.input_shape:
        raise TrainingError(
            f"runs to combine must have the same input: only one of {one.run.path} and {other.run.path} sees pairs of "
            "frames"
        )
    if one.label_of != other.label_of:
        raise TrainingError(
            f"runs to combine must have learned the same classes: {one.run.path} and {other.run.path} differ in their "
            "background classes"
        )
    if one.run.held_out() != other.run.held_out() or not np.array_equal(one.validated.truth, other.validated.truth):
        raise TrainingError(
            f"runs to combine must share their clips of val and test: those of {one.run.path} and {other.run.path} "
            "differ; give both the same --split"
        )


def _as_text(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else json.dumps(value)
