"""The export keeps one of two graphs of a model."""

from __future__ import annotations

import pytest

pytest.importorskip("tensorflow")

from harstream.export.export_run import is_as_fast


@pytest.mark.parametrize(
    ("fused", "plain", "is_kept"), [(0.013, 0.02, True), (0.0140, 0.0134, True), (0.018, 0.0134, False)]
)
def test_the_graph_with_fewer_nodes_is_kept_unless_it_is_slower_by_more_than_noise(
    fused: float, plain: float, is_kept: bool
) -> None:
    assert is_as_fast(fused, plain) is is_kept
