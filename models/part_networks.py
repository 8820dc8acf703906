"""The networks that ship as parts of a model's rows. They were trained elsewhere; see NOTICE and the models' cards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harstream.models.catalogue import PART, TRAINED
from harstream.models.contract import RowPart


@dataclass(frozen=True)
class PartNetwork:
    """A network that makes numbers of larger pictures."""

    part: RowPart
    file: Path
    numbers: int
    """D, how many it adds to a row."""

    @property
    def name(self) -> str:
        return self.part.name

    def seen_in(self, rows: Any) -> Any:
        """Return what it saw (N, P, D) in windows of rows (N, T, F): their last D numbers in every n-th row.

        The last row is one of them. So each is a picture of its own, wherever in its cycle the window begins.
        """
        return rows[:, (rows.shape[1] - 1) % self.part.every :: self.part.every, -self.numbers :]


POSE = PartNetwork(RowPart("pose", 144, 192, every=2), TRAINED / "flow_pose" / PART.format("pose"), 51)
"""The joints of a person, four times a second: MoveNet. 4:3, as a view shows a person."""
LOOK = PartNetwork(
    RowPart("look", 112, 144, every=8, sees_place=True), TRAINED / "flow_pose_look" / PART.format("look"), 128
)
"""How the person, the things and the place look, once a second: EfficientNet-Lite0."""
PART_NETWORKS = {each.name: each for each in (POSE, LOOK)}
