"""The model that compares labels with names of fields."""

from pathlib import Path

import numpy as np
import pytest

from models.extraction.labels import GROUPS, MOST_LETTERS, LabelModel, groups_of, label_model
from tests.conftest import each_case


def test_a_text_is_its_words_and_their_groups_of_letters() -> None:
    # <tax>, and <ta, tax, ax>; <tax, tax>; <tax> once more as a group of five.
    assert len(groups_of("Tax")) == 1 + 3 + 2 + 1
    assert groups_of("TAX:") == groups_of("tax")
    assert groups_of("…") == []
    assert len(groups_of("合計")) > len(groups_of("ab"))
    assert groups_of("x" * MOST_LETTERS) == groups_of("x" * 10 * MOST_LETTERS)
    assert all(0 <= group < GROUPS for group in groups_of("Rechnungsbetrag 12"))


def test_vectors_have_length_one_or_are_zeros(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    file = tmp_path / "labels.npz"
    vectors = rng.integers(-127, 128, (GROUPS, 8)).astype(np.int8)
    np.savez(file, vectors=vectors, probability=np.array([4.0, -2.0], np.float32))
    model = LabelModel(file)
    found = model.vectors(["Total", "", "total due"])
    assert found.shape == (3, 8)
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 0, 1], abs=1e-5)
    assert model.probability(0.5) == pytest.approx(0.5)
    assert model.probability(1.0) == pytest.approx(1 / (1 + np.exp(-2)))


@each_case(
    ("name", "label", "others"),
    [
        ("items quantity", "Menge", ["Artikel", "Einzelpreis", "Betrag"]),
        ("invoice date", "Datum faktury", ["Termin płatności", "Razem", "Nabywca"]),
        ("total", "合計", ["日付", "担当者", "数量"]),
        ("customer name", "Kunde", ["Lieferant", "Summe", "Rechnungsdatum"]),
    ],
)
def test_the_label_of_a_field_is_nearest_in_other_languages(name: str, label: str, others: list[str]) -> None:
    field, *vectors = label_model().vectors([name, label, *others])
    cosines = [float(field @ vector) for vector in vectors]
    assert max(cosines) == cosines[0]
    assert label_model().probability(cosines[0]) > 0.5
