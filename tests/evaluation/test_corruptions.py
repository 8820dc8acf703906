"""A model is measured on changed pictures, kind by kind, beside the pictures as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from harstream.clips.corruptions import KINDS
from harstream.clips.listing import Clip, ListingError
from harstream.evaluation import clip_runner
from harstream.evaluation.clip_runner import most_certain
from harstream.evaluation.corruptions import measure
from harstream.evaluation.corruptions.measure import KindFigures, Share, kind_figures, measure_corruptions
from harstream.evaluation.corruptions.report import corruption_table, write_corruptions
from harstream.evaluation.labelled_scores import LabelledScores
from harstream.models.box import Box
from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.wire.values import Activity, Notice, Scores, Subject, Warming

CONTRACT = ModelContract(
    "m", "1", ("dark", "light", "nobody"), background=("nobody",), frames=2, height=8, width=8, rate=10.0,
    unknown_threshold=0.7,
)  # fmt: skip


def test_windows_are_counted_clip_by_clip(predictions: LabelledScores) -> None:
    # Activities: clip a has windows sit (0.8) and walk for sit, clip b walk (0.9) for walk. Background: clip c is taken
    # for sit in one of three windows, with 0.5.
    found = kind_figures("small", predictions, threshold=0.5)
    assert found.right is not None
    assert found.sure is not None
    assert found.false is not None
    assert (found.right.value, found.sure.value) == (0.75, 0.75)  # (1/2 + 1) / 2
    assert found.false.value == pytest.approx(1 / 3)
    assert kind_figures("small", predictions, threshold=0.85).sure == Share(0.5, 0.5, 0.5)  # only clip b, one cluster


def test_the_interval_spans_the_clusters() -> None:
    rights = np.array([1, 1, 0, 0])  # one window a clip, each clip its own cluster
    scores = np.array([[0.9, 0.1] if right else [0.1, 0.9] for right in rights], np.float32)
    found = LabelledScores(
        ("a", "b"), (), ("1", "2", "3", "4"), ("g1", "g2", "g3", "g4"), np.zeros(4, dtype=np.intp), scores
    )
    share = kind_figures("clean", found, threshold=0.5).right
    assert share is not None
    assert share.value == 0.5
    assert (share.low, share.high) == (0.0, 1.0)  # four wrong clips are drawn in 6 % of samples, as are four right ones
    assert kind_figures("clean", found, threshold=0.5).false is None


class Light:
    """Recognizes light and dark pictures, and grey ones as nobody. The row of a picture is its mean level."""

    contract = CONTRACT
    row_shape, row_dtype, lookback, parts = (1,), np.dtype(np.float32), 0, ()

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return frames.reshape(len(frames), -1).mean(axis=1, keepdims=True, dtype=np.float32)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        levels = [float(window.mean()) for window in windows]
        chosen = [0 if level < 40 else 1 if level > 180 else 2 for level in levels]
        return np.array([[0.8 if index == each else 0.1 for index in range(3)] for each in chosen], np.float32)


def clips() -> list[Clip]:
    found = [
        Clip(Path(f"{label}/{label}{number}.mp4"), label, f"g{number}")
        for label in ("dark", "light")
        for number in (1, 2)
    ]
    return found + [Clip(Path(f"x/{name}.mp4"), "nobody", f"{name}:g9", fine_label=name) for name in ("sit", "stand")]


@pytest.fixture(autouse=True)
def _films(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every file a film of four flat pictures, whose level its name says."""
    levels = {"dark": 10, "light": 250, "sit": 110, "stand": 110}

    def pictures(path: Path) -> Sequence[tuple[float, BgrPicture]]:
        level = levels[path.stem.rstrip("0123456789")]
        return [(number / 10, BgrPicture(np.full((40, 60, 3), level, np.uint8))) for number in range(4)]

    monkeypatch.setattr(measure, "pictures", pictures)


def test_every_kind_is_measured_and_clean_comes_first() -> None:
    figures, skipped = measure_corruptions(clips(), Light())  # type: ignore[arg-type]
    assert [each.kind for each in figures] == ["clean", *KINDS]
    assert skipped == []
    right = {each.kind: each.right.value for each in figures if each.right}
    assert right["clean"] == 1.0
    assert right["dark"] == 0.5  # light pictures are dark now
    assert right["small"] == 0.0  # grey around the picture: 88 and 148 in the mean
    assert {each.false.value for each in figures if each.false and each.kind in ("clean", "two")} == {0.0}


def test_the_second_clip_is_of_another_class_and_fits_the_truth() -> None:
    found = clips()
    for clip in found:
        for kind in ("two", "bystander", "television"):
            other = measure._beside(kind, clip, found, CONTRACT)
            assert other.class_name != clip.class_name
            assert (other.label == "nobody") == (kind == "bystander" or clip.label == "nobody")


def test_a_bystander_needs_clips_of_background() -> None:
    activities = [clip for clip in clips() if clip.label != "nobody"]
    with pytest.raises(ListingError, match=r"a second clip to put beside .* for bystander, found none: give --backg"):
        measure_corruptions(activities, Light())  # type: ignore[arg-type]


def test_the_table_and_the_file_have_the_same_figures(tmp_path: Path) -> None:
    figures = [KindFigures("clean", Share(0.8, 0.7, 0.9), Share(0.5, 0.4, 0.6), None)]
    console = Console(width=160, record=True)
    console.print(corruption_table("m 1", "motion", figures, 0.85))
    text = console.export_text()
    assert "m 1 on changed pictures, view motion" in text
    row = next(line for line in text.splitlines() if "clean" in line)
    cells = [cell.strip().replace("\xa0", " ") for cell in row.split("│")[1:-1]]
    assert cells == ["clean", "80.0 % (70 to 90)", "50.0 % (40 to 60)", "–"]
    write_corruptions(tmp_path / "c.json", figures, 0.85, {"date": "now"})
    assert json.loads((tmp_path / "c.json").read_text()) == {
        "schema": "harstream.corruptions/1",
        "provenance": {"date": "now"},
        "threshold": 0.85,
        "kinds": [
            {
                "kind": "clean",
                "right": {"value": 0.8, "low": 0.7, "high": 0.9},
                "sure": {"value": 0.5, "low": 0.4, "high": 0.6},
                "false": None,
            }
        ],
    }


def test_of_two_people_the_one_on_the_left_is_asked_for() -> None:
    """The clip whose activity is the right answer is on the left. The other person may be the more certain one."""
    left, right = (
        Scores(np.array(values, np.float32), 1.0, 0.1, CONTRACT.labels)
        for values in ([0.6, 0.2, 0.2], [0.05, 0.9, 0.05])
    )
    activity = Activity("light", 0.0, 0.9)
    people = [
        Subject(1, Box(0.6, 0.2, 0.9, 1.0), activity, (), right),
        Subject(2, Box(0.1, 0.2, 0.4, 1.0), activity, (), left),
    ]
    notice = Notice("hall", 1.0, activity, Warming(2, 2), scores=right, subjects=tuple(people))
    assert measure.on_the_left(notice) is left
    assert most_certain(notice) is right
    assert measure.on_the_left(replace(notice, subjects=(people[1]._replace(scores=None), people[0]))) is None


def test_only_two_people_are_asked_for_by_their_side(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Any]()

    def predictions(*arguments: Any, whose: Any, **options: Any) -> Any:
        asked.append(whose)
        return clip_runner.predictions(*arguments, whose=whose, **options)

    monkeypatch.setattr(measure, "predictions", predictions)
    measure_corruptions(clips(), Light())  # type: ignore[arg-type]
    of_kind = dict(zip(("clean", *KINDS), asked, strict=True))
    assert [kind for kind, whose in of_kind.items() if whose is measure.on_the_left] == ["two"]
    assert sum(whose is most_certain for whose in asked) == len(asked) - 1
