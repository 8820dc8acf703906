"""The recipes of training: the presets of the papers and of the shipped models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from typer import Option

from harstream.command_line.options import MeansNone
from harstream.models.contract import DefaultView

Sampling = Literal["rate", "even"]
Split = Literal["group", "random"]
Schedule = Literal["cosine", "plateau", "constant"]
AugmentationName = Literal["none", "mild", "strong", "views"]


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a training run, apart from the clips.

    A field with an Option is an option of `harstream train`. Its name, type, limits and help are declared only here.
    """

    arch: Annotated[str, Option(help="Architecture: the name of a file in models/architectures.")] = "flow_tcn"
    epochs: Annotated[int, Option(min=1, help="Passes over the training clips.")] = 60
    batch: Annotated[int, Option(min=1, help="Windows in one training step.")] = 16
    windows_per_clip: Annotated[int, Option(min=1, help="New windows of each clip in one epoch.")] = 1
    learning_rate: Annotated[float, Option(min=0, help="Step size of the optimizer AdamW.")] = 2e-3
    weight_decay: Annotated[float, Option(min=0, help="Weight decay of AdamW; 0 switches it off.")] = 0.01
    """Source: Loshchilov and Hutter 2019, "Decoupled weight decay regularization"."""
    averaged: Annotated[
        float, Option(min=0, max=1, help="Share of the run over which weights are averaged; 0 switches it off.")
    ] = 0.08
    """The weights are averaged exponentially. The averaged weights are validated and kept.
    Source: Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging"."""
    schedule: Annotated[
        Schedule,
        Option(
            help="Schedule of the learning rate. cosine: rises for three epochs, then falls to zero; plateau: falls to "
            "a fifth when the validation loss stops falling; constant: never changes."
        ),
    ] = "cosine"
    patience: Annotated[
        int | None,
        Option(min=0, help="Epochs without a lower validation loss until training stops; 0: never stops early."),
        MeansNone(0),
    ] = None
    label_smoothing: Annotated[
        float, Option(min=0, max=1, help="Share of each target that is spread over all classes (label smoothing).")
    ] = 0.1
    augmentation: Annotated[
        AugmentationName,
        Option(
            help="mild: for models of optical flow; views: these, in front of any camera, with still pictures as "
            "background; strong: for models of whole pictures."
        ),
    ] = "mild"
    sampling: Annotated[Sampling, Option(help="Frames at a fixed rate, or spread evenly over the clip.")] = "rate"
    rate: Annotated[float, Option(help="Frames per second of a window, in hertz; even sampling ignores it.")] = 8.0
    fine_background: Annotated[
        bool,
        Option(help="Learn each class folder of --background as its own class. All are reported as background."),
    ] = True
    split: Split = "group"
    """The split rule if no split file is given. --split sets it, which also takes files."""
    seed: Annotated[int, Option(help="Seed of the split, the first weights, the windows and the augmentation.")] = 27
    size: Annotated[int, Option(min=8, help="Height and width of a frame, in pixels.")] = 64
    frames: Annotated[int, Option(min=2, help="Frames in a window.")] = 20
    weights: Annotated[
        str | None,
        Option(help="First weights of a backbone, such as that of mobilenet_gru: imagenet, a file, or none."),
        MeansNone("none"),
    ] = None
    start_from: Annotated[
        str | None,
        Option(
            metavar="<name or path>",
            help="A shipped model's name, an exported model, a finished run, or its model.keras. Training starts with "
            "all its layers that fit.",
        ),
    ] = None
    refit: Annotated[
        str | None,
        Option(
            metavar="<path>",
            help="A finished run with the same options. Learn also from its validation clips, and keep its "
            "temperature and threshold.",
        ),
    ] = None

    @property
    def view(self) -> DefaultView:
        """What its model is shown where nothing else is asked: the box of what moves, if it learns from boxes."""
        return "motion" if self.augmentation == "views" and self.sampling == "rate" else "picture"


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
"""The presets by name.

`live` trained the default model, on windows at a camera's rate and a split by group. `even` trains on frames that are
spread evenly over most of a clip. Its models are evaluated on frames of the whole clip, as in the papers. Each other
preset is the recipe of the paper with that first author.
"""
