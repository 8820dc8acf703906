"""The table of models that can be fetched, and the map from the labels of Kinetics to activities of a home."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

from harstream.models.fetchable.table import BACKGROUND, fetchable, home_activities

LABELS_SHA256 = "8dfca4202520ea8291ce0242ef33b006d0a0772b409663c090a2876bc1978dcf"
"""Of kinetics_600_labels.txt, which Google publishes beside MoViNet: a label a line, in the order of the outputs."""


def test_the_labels_are_those_of_kinetics_600_in_googles_order() -> None:
    text = "".join(f"{label}\n" for label in home_activities())
    assert hashlib.sha256(text.encode()).hexdigest() == LABELS_SHA256


def test_some_sixty_activities_of_a_home_stand_for_a_third_of_the_labels() -> None:
    counts = Counter(home_activities().values())
    assert counts.pop(BACKGROUND) == 384
    assert len(counts) == 67
    assert counts.total() == 216


def test_labels_count_for_the_activity_that_a_person_would_name() -> None:
    found = home_activities()
    assert [found[label] for label in ("reading newspaper", "eating cake", "vacuuming floor", "skydiving")] == [
        "Reading", "Eating", "Vacuuming", BACKGROUND,
    ]  # fmt: skip


def test_the_contract_sums_the_outputs_of_each_activity() -> None:
    contract = fetchable()["movinet-a0-stream"].contract
    assert contract.causal is not None
    reading = contract.labels.index("Reading")
    counting = zip(home_activities(), contract.causal.outputs, strict=True)
    summed = [label for label, counts_for in counting if counts_for == reading]
    assert summed == ["reading book", "reading newspaper"]
    assert contract.background == (BACKGROUND,)
    assert len(contract.activities) == 67
    assert (contract.height, contract.width, contract.rate) == (172, 172, 5.0)


def test_each_model_has_addresses_a_hash_and_a_card() -> None:
    for name, model in fetchable().items():
        assert all(address.startswith("https://") for address in model.addresses)
        assert re.fullmatch("[0-9a-f]{64}", model.sha256)
        assert model.card.read_text(encoding="utf-8").startswith(f"# {name}\n")
        assert model.contract.name == name
