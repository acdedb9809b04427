"""Rows that are read for a fit, and held out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.labelled import LabelledRow, in_bytes, read_rows, shares


@dataclass(frozen=True, slots=True)
class Coloured(LabelledRow):
    colour: str


def coloured(row: Mapping[str, Any], language: str) -> Coloured:
    if row["colour"] not in ("red", "blue"):
        raise ValueError("is not coloured")
    return Coloured(row["text"], language, row["colour"])


def read(folder: Path) -> list[Coloured]:
    return read_rows(folder, coloured, lambda row: row.colour)


def test_the_same_row_may_be_in_two_languages_with_one_label(tmp_path: Path) -> None:
    (tmp_path / "pl.jsonl").write_text('{"text": "Hej", "colour": "red"}\n', "utf-8")
    (tmp_path / "sv.jsonl").write_text('{"text": "hej ", "colour": "red"}\n', "utf-8")
    assert read(tmp_path) == [Coloured("Hej", "pl", "red")]
    (tmp_path / "sv.jsonl").write_text('{"text": "hej ", "colour": "blue"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"sv\.jsonl:1 'hej ' is in pl\.jsonl"):
        read(tmp_path)


def test_all_wrong_rows_are_named_at_once(tmp_path: Path) -> None:
    rows = ('{"text": "a", "colour": "green"}', '{"text": "b", "colour": "red"}', '{"text": "B", "colour": "red"}')
    (tmp_path / "xx.jsonl").write_text("\n".join(rows), "utf-8")
    with pytest.raises(ValueError, match=r"xx\.jsonl:1 is not coloured\nxx\.jsonl:3 'B' is in xx\.jsonl already"):
        read(tmp_path)


def test_a_row_is_held_out_by_its_folded_text() -> None:
    rows = [LabelledRow(f"Row {number}", "en") for number in range(1000)]
    held_out = [row for row in rows if row.is_held_out]
    assert 150 < len(held_out) < 250
    assert all(LabelledRow(f" {row.text.upper()}", "de").is_held_out for row in held_out)
    # What is held out says nothing of the other draws.
    assert {row.drawn(5) for row in held_out} == set(range(5))


def test_shares_are_counted_by_language() -> None:
    english, german = LabelledRow("a", "en"), LabelledRow("b", "de")
    assert shares([(english, True), (german, False), (english, True), (german, True)]) == {
        "all": (4, 0.75),
        "de": (2, 0.5),
        "en": (2, 1.0),
    }


def test_weights_of_a_byte_are_nearly_those_that_were_stored() -> None:
    weights = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]], np.float32)
    for axis in (None, 1):
        numbers, scale = in_bytes(weights, axis)
        assert numbers.dtype == np.int8
        assert np.abs(numbers * scale - weights).max() <= 2 / 254
