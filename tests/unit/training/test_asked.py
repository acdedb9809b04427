"""Messages with asked names, and the model that is fitted to them."""

from pathlib import Path

import numpy as np
import pytest

from app.chat.planning.asked_names import FORMS, KINDS, MODEL_FILE, NameModel, tokens_of
from tests.conftest import each_case
from training.asked.fit import NamedMessage, fit, has_right_names, labelled_messages, save, split, swapped


def test_every_row_has_known_kinds_and_its_names() -> None:
    messages = labelled_messages()
    assert all(sum(kind in one.asked.values() for one in messages) >= 100 for kind in KINDS)
    assert all(sum(one.form == form for one in messages) >= 100 for form in FORMS)


@each_case(
    ("rows", "reason"),
    [
        ('{"text": "Total?", "form": "question", "asked": {"Total": "amount"}}', "xx.jsonl:1"),
        ('{"text": "Total?", "form": "ask", "asked": {"Total": "value"}}', "xx.jsonl:1"),
        ('{"text": "Total?", "form": "question", "asked": {"Date": "value"}}', "xx.jsonl:1"),
        ('{"text": "Total?", "form": "question", "asked": {"Tot": "value"}}', "xx.jsonl:1"),
        ('{"text": "A b", "form": "other", "asked": {}}\n{"text": "a  B", "form": "other", "asked": {}}', ":2"),
    ],
)
def test_a_wrong_row_is_named(rows: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "xx.jsonl").write_text(rows, "utf-8")
    with pytest.raises(ValueError, match=reason):
        labelled_messages(tmp_path)


def test_copies_have_the_names_of_other_messages_in_their_places() -> None:
    messages = [
        NamedMessage("What is the net weight?", "en", {"net weight": "value"}, "question"),
        NamedMessage("Give me the IBAN.", "en", {"IBAN": "value"}, "order"),
        NamedMessage("Is it paid?", "en", {"Is it paid": "open"}, "question"),
    ]
    copies = list(swapped(messages))
    assert {one.text for one in copies} <= {
        f"{before}{name}{after}"
        for before, after in (("What is the ", "?"), ("Give me the ", "."))
        for name in ("net weight", "IBAN")
    }
    assert all(len(one.tags(tokens_of(one.text))) == len(tokens_of(one.text)) for one in copies)


def test_the_same_messages_make_the_same_file(tmp_path: Path) -> None:
    messages = [one for one in labelled_messages() if one.language == "pt"][:60]
    for name in ("one.npz", "other.npz"):
        save(fit(messages), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    model = NameModel.load(tmp_path / "one.npz")
    assert np.mean([has_right_names(one, model.names_in(one.text)) for one in messages]) > 0.9


@pytest.mark.deep
def test_the_package_has_the_model_that_these_messages_make(tmp_path: Path) -> None:
    seen, held_out = split()
    assert {one.key for one in seen}.isdisjoint(one.key for one in held_out)
    save(fit(seen), tmp_path / "asked_names.npz")
    for name in ("weights", "steps", "forms"):
        made, shipped = (np.load(path)[name].astype(int) for path in (tmp_path / "asked_names.npz", MODEL_FILE))
        assert np.abs(made - shipped).max() <= 1
