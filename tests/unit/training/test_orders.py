"""Labelled orders, and the tagger that is fitted to them."""

import random
from pathlib import Path

import numpy as np
import pytest

from tasks.wording.order_parts import MODEL_FILE
from training.orders.fit import FOLDER, copies, fit, labelled_orders, save, tags_of


def test_every_part_stands_in_its_order() -> None:
    orders = labelled_orders()
    assert {one.language for one in orders} == {file.stem for file in FOLDER.glob("*.jsonl")}
    assert all(text for one in orders for part, _, _ in one.parts for text in one.of(part))


def test_an_order_without_the_words_of_its_part_is_named(tmp_path: Path) -> None:
    (tmp_path / "xx.jsonl").write_text('{"text": "Say yes", "task": "translate", "parts": {"text": ["no"]}}\n')
    with pytest.raises(ValueError, match="'Say yes' does not have 'no'"):
        labelled_orders(tmp_path)


def test_a_part_is_a_whole_word_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "xx.jsonl").write_text(
        '{"text": "is this is", "task": "translate", "parts": {"text": ["this", "is"]}}\n'
    )
    [order] = labelled_orders(tmp_path)
    assert order.parts == (("text", 0, 2), ("text", 3, 7))


def test_copies_keep_the_words_around_their_parts() -> None:
    orders = [one for one in labelled_orders() if one.language == "nl" and one.task == "translate"][:20]
    for order in copies(orders, random.Random(1)):
        places = {part: order.text[start:end] for part, start, end in order.parts}
        assert all(text.strip() for text in places.values())
        assert len(tags_of(order)) > 0


def test_a_fit_is_repeatable_and_has_the_form_of_the_shipped_tagger(tmp_path: Path) -> None:
    orders = [one for one in labelled_orders() if one.task == "translate" and one.is_one_clause][:30]
    for name in ("one.npz", "other.npz"):
        save(fit(orders), tmp_path / name)
    one, other, shipped = (np.load(path) for path in (tmp_path / "one.npz", tmp_path / "other.npz", MODEL_FILE))
    assert (one["weights"] == other["weights"]).all()
    assert one["weights"].shape == shipped["weights"].shape
    assert one["parts"].tolist() == shipped["parts"].tolist()
