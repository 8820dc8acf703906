"""A label has one learned class or several."""

from __future__ import annotations

from pathlib import Path

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract
from harstream.training.learned_classes import LearnedClasses

CONTRACT = ModelContract("m", "1", ("Jump", "Walk", "background"), background=("background",))


def clip(label: str, fine_label: str = "", part: str = "train") -> Clip:
    return Clip(Path(f"{label}{fine_label}.avi"), label, "g1", part, fine_label)


CLIPS = [clip("background", "Surfing"), clip("Walk"), clip("background"), clip("Jump"), clip("background", "Walk")]


def test_classes_follow_the_labels_and_then_their_names() -> None:
    targets = LearnedClasses.of(CLIPS, CONTRACT)
    assert targets.classes == (
        ("Jump", ""), ("Walk", ""), ("background", "Surfing"), ("background", "Walk"), ("background", ""),
    )  # fmt: skip
    assert targets.label_of == (0, 1, 2, 2, 2)
    assert [targets.index(each) for each in CLIPS] == [2, 1, 4, 0, 3]


def test_classes_without_a_clip_are_named() -> None:
    targets = LearnedClasses.of(CLIPS, CONTRACT)
    assert targets.missing_in([clip("Walk"), clip("background"), clip("Jump", part="val")], "train") == [
        "Jump", "Surfing", "Walk",
    ]  # fmt: skip


def test_still_pictures_are_a_class_that_needs_no_clip() -> None:
    targets = LearnedClasses.of(CLIPS, CONTRACT, still=("background", "still"))
    assert targets.classes[-1] == ("background", "still")
    assert targets.label_of == (0, 1, 2, 2, 2, 2)
    assert "still" not in targets.missing_in([], "train")
