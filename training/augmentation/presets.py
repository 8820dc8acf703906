"""The augmentations that a recipe can name."""

from __future__ import annotations

from harstream.training.augmentation.frames import Augmentation
from harstream.training.augmentation.views import Views

AUGMENTATIONS: dict[str, Augmentation | Views | None] = {
    "none": None,
    "mild": Augmentation(zoom=(0.95, 1.3), aspect=(0.9, 1.1), tilt=3, shift=0.06, light=(0.8, 1.2), grey=0.2),
    "strong": Augmentation(
        zoom=(0.8, 1.6),
        aspect=(0.8, 1.25),
        tilt=6,
        shift=0.1,
        light=(0.7, 1.3),
        grey=0.25,
        recoloured=0.2,
        hidden=0.3,
        noisy=0.3,
        other_place=0.5,
    ),
    "views": Views(
        stored=1.5,
        whole=0.4,
        zoom=(0.95, 1.3),
        margin=(1.0, 2.5),
        aspect=(0.75, 1.33),
        shift=0.1,
        tilt=4,
        surrounded=0.6,
        beside=0.15,
        television=0.07,
        shaken=0.35,
        dark=0.15,
        noisy=0.15,
        fisheye=0.12,
        soft=0.15,
        hidden=0.1,
        grey=0.25,
        light=(0.75, 1.25),
        still=0.08,
        joined=0.35,
    ),
}
"""`strong` is for models of pictures, which would learn places. `mild` and `views` are for models of optical flow."""
