"""Builds a model with its first weights: random ones, those of a backbone, or those of an earlier run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras

from harstream.models import architectures
from harstream.models.catalogue import ModelFiles, ModelNotFound, find_model
from harstream.models.contract import ModelContract
from harstream.models.finished_run import FinishedRun, read_model
from harstream.training.errors import TrainingError
from harstream.training.exported_weights import copy_exported_weights
from harstream.training.recipes import Recipe


@dataclass(frozen=True)
class CopiedLayers:
    """The layers whose weights are copied from another model, and those that are new: paths such as `head/lstm`."""

    file: Path
    copied: tuple[str, ...]
    new: tuple[str, ...]


def build_initial_model(recipe: Recipe, contract: ModelContract, classes: int) -> keras.Model:
    """Build the model. Raises UnknownArchitecture and CannotBuild, see architectures.build."""
    keras.utils.clear_session()  # Keras counts to name layers, and copy_matching_layers compares names
    keras.utils.set_random_seed(recipe.seed)
    return architectures.build(
        recipe.arch,
        frames=contract.frames,
        height=contract.height,
        width=contract.width,
        classes=classes,
        weights=recipe.weights,
    )


def copy_matching_layers(model: keras.Model, contract: ModelContract, source: Path) -> CopiedLayers:
    """Give each layer of `model` the weights of the layer with its name in `source`, if their shapes are equal.

    `source` is a finished run folder, its model.keras, or an exported model; see exported_model. The layer `scores` is
    taken only if a contract next to the file has the same labels. Raises UnreadableRun, and TrainingError if no layer
    fits.
    """
    if (files := exported_model(source)) is not None:
        return _copy_exported(model, contract, files)
    file = FinishedRun(source).model if source.is_dir() else source
    if not file.is_file():
        raise TrainingError(
            f"expected a finished run of `harstream train`, its model.keras, a shipped model's name or an exported "
            f"model, found no file {file}"
        )
    known = _weighted_layers(read_model(file))
    if _labels_beside(file) != contract.labels:
        known = {path: layer for path, layer in known.items() if layer.name != "scores"}
    copied, new = [], []
    for path, layer in _weighted_layers(model).items():
        if path in known and _shapes(known[path]) == _shapes(layer):
            layer.set_weights(known[path].get_weights())
            copied.append(path)
        else:
            new.append(path)
    if not copied:
        raise TrainingError(f"no layer of {file} fits {model.name}: start from a run of the same architecture")
    return CopiedLayers(file, tuple(copied), tuple(new))


def exported_model(source: Path) -> ModelFiles | None:
    """Return the files of a shipped model's name or of an exported model's folder, or None for anything else."""
    if source.is_file() or FinishedRun(source).model.is_file():
        return None
    try:
        files = find_model(str(source))
    except ModelNotFound:
        return None
    return None if files.is_lite else files


def _copy_exported(model: keras.Model, contract: ModelContract, files: ModelFiles) -> CopiedLayers:
    new = copy_exported_weights(model, contract, files)
    copied = [path for path in _weighted_layers(model) if path not in new]
    return CopiedLayers(files.folder, tuple(copied), tuple(new))


def _labels_beside(file: Path) -> tuple[str, ...]:
    run = FinishedRun(file.parent)
    return run.read_contract().labels if run.contract.is_file() else ()


def _weighted_layers(model: keras.Model, prefix: str = "") -> dict[str, keras.layers.Layer]:
    found: dict[str, keras.layers.Layer] = {}
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model):
            found |= _weighted_layers(layer, f"{path}/")
        elif layer.weights:
            found[path] = layer
    return found


def _shapes(layer: keras.layers.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
