"""Chooses the look of a person: build, skin, hair, clothes."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from harstream.scene.patch import Colour

SKINS: tuple[Colour, ...] = (
    (180, 205, 240), (150, 182, 225), (120, 155, 205), (95, 130, 185), (70, 100, 150), (50, 72, 112), (42, 56, 84),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = ((25, 22, 24), (30, 45, 70), (45, 80, 125), (90, 160, 205), (150, 150, 155), (40, 60, 150))


@dataclass(frozen=True)
class Person:
    """The look of a person. Breadths are factors around 1."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    gloves: Colour
    stripe: Colour
    build: float
    """Breadth of torso and limbs."""
    sleeves: float
    """Part of the arm under the shirt: 0 none, 1 the upper arm, 2 the whole arm."""
    legs: float
    """Part of the leg under the trousers: 1 the thigh, 2 the whole leg."""
    long_hair: bool
    bald: bool
    striped: bool


def person(random: np.random.Generator) -> Person:
    return Person(
        skin=SKINS[random.integers(len(SKINS))],
        hair=HAIRS[random.integers(len(HAIRS))],
        shirt=dyed(random, (0.0, 0.85), (0.3, 0.97)),
        trousers=dyed(random, (0.0, 0.7), (0.16, 0.7)),
        shoes=dyed(random, (0.0, 0.35) if random.random() < 0.7 else (0.5, 0.9), (0.15, 0.95)),
        gloves=(35, 30, 200) if random.random() < 0.6 else dyed(random, (0.3, 0.9), (0.3, 0.9)),
        stripe=dyed(random, (0.0, 0.9), (0.4, 1.0)),
        build=float(random.uniform(0.9, 1.2)),
        sleeves=float(random.choice((0.0, 0.55, 0.7, 2.0), p=(0.15, 0.3, 0.3, 0.25))),
        legs=float(random.choice((0.75, 1.1, 2.0), p=(0.3, 0.2, 0.5))),
        long_hair=bool(random.random() < 0.35),
        bald=bool(random.random() < 0.1),
        striped=bool(random.random() < 0.4),
    )


def dyed(random: np.random.Generator, strength: tuple[float, float], light: tuple[float, float]) -> Colour:
    """Return a colour of any hue, with strength and lightness from the given ranges of 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(random.random(), random.uniform(*strength), random.uniform(*light))
    return blue * 255, green * 255, red * 255
