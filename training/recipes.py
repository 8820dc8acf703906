"""How to train, as values: the papers' presets and the recipe that ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Sampling = Literal["rate", "even"]
Split = Literal["group", "random"]
Schedule = Literal["cosine", "plateau", "constant"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, apart from the clips."""

    arch: str = "flow_tcn"
    epochs: int = 60
    batch: int = 16
    windows_per_clip: int = 1
    """Fresh windows of each clip in an epoch."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    """Source: Loshchilov and Hutter 2019, "Decoupled weight decay regularization"."""
    averaged: float = 0.08
    """What is validated and kept is an exponential mean of the weights over about this share of the run's steps; 0: the
    weights as they are. Source: Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging"."""
    schedule: Schedule = "cosine"
    """cosine: decay to zero over all epochs, after three of warming up; plateau: times 0.2 where the validation loss no
    longer falls; constant: as it is."""
    patience: int | None = None
    """Epochs without a lower validation loss before training stops; None: never."""
    label_smoothing: float = 0.1
    augmentation: str = "mild"
    """One of training.augmentation.AUGMENTATIONS."""
    sampling: Sampling = "rate"
    rate: float = 8.0
    """Hertz; not used with even sampling."""
    fine_background: bool = True
    """The class folders of background clips are learned as a class each; they are told as one label all the same."""
    split: Split = "group"
    """Used where no split file says."""
    seed: int = 27
    size: int = 64
    frames: int = 20
    """Of a window."""
    weights: str | None = None
    """Of a backbone: `imagenet`, or a file; None: it learns from nothing, as all else."""
    start_from: str | None = None
    """A run folder, or its model.keras, whose layers this one begins with."""
    refit: str | None = None
    """The folder of a finished run of this recipe, whose validation clips this one learns from, too; see
    training.refit."""


_PAPERS = {
    "arch": "lrcn",
    "learning_rate": 1e-3,
    "batch": 4,
    "weight_decay": 0.0,
    "averaged": 0.0,
    "schedule": "constant",
    "patience": 5,
    "label_smoothing": 0.0,
    "augmentation": "none",
    "split": "random",
    "sampling": "even",
}

PRESETS: dict[str, Recipe] = {
    "live": Recipe(),
    "even": Recipe(arch="lrcn", epochs=120, sampling="even", split="random"),
    "rana": Recipe(epochs=30, **_PAPERS),  # type: ignore[arg-type]
    "hamzah": Recipe(epochs=50, **_PAPERS),  # type: ignore[arg-type]
    "jeevakumari": Recipe(**(_PAPERS | {"arch": "lrcn_large", "epochs": 400, "patience": 20, "schedule": "plateau"})),  # type: ignore[arg-type]
    "dheeraj": Recipe(**(_PAPERS | {"arch": "convlstm", "epochs": 50})),  # type: ignore[arg-type]
}
"""`live` is ours, what the default model was trained with: fresh windows at a camera's rate, split by group.
`even`: the same training of the papers' models, on frames spread evenly over most of a clip, and evaluated on theirs,
which are spread over all of it. The others: the papers named so."""
