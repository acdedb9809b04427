"""Labelled messages, and the model of wishes that is fitted to them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.wording import message_language
from tasks.wording.message_language import LanguageClassifier
from tasks.wording.wishes import LABELS, MODEL_FILE, WishModel
from tests.conftest import each_case
from training.wishes.fit import (
    FOLDER,
    LabelledMessage,
    beside_schema,
    fit,
    fit_languages,
    labelled_messages,
    save,
    save_languages,
    split,
)

FEW = 12
"""So many messages a label are enough to fit a small model."""


def few_of_each_label() -> list[LabelledMessage]:
    messages = labelled_messages()
    chosen = [[one for one in messages if label in one.wishes][:FEW] for label in LABELS]
    return list({one.key: one for some in chosen for one in some}.values())


def test_every_row_has_known_labels_and_media_and_is_there_once() -> None:
    messages = labelled_messages()
    assert {one.language for one in messages} == {file.stem for file in FOLDER.glob("*.jsonl")}
    assert all(sum(label in one.wishes for one in messages) >= 100 for label in LABELS)


@each_case(
    ("rows", "reason"),
    [
        ('{"text": "Read", "media": ["image"], "wishes": ["reading"]}', "xx.jsonl:1"),
        ('{"text": "Read", "media": ["scan"], "wishes": ["read_out"]}', "xx.jsonl:1"),
        ('{"text": "Read", "media": ["image"], "wishes": []}', "xx.jsonl:1"),
        (
            '{"text": "Hi", "media": [], "wishes": ["other"]}\n{"text": "hi ", "media": [], "wishes": ["greeting"]}',
            ":2",
        ),
    ],
)
def test_a_wrong_row_is_named(rows: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "xx.jsonl").write_text(rows, "utf-8")
    with pytest.raises(ValueError, match=reason):
        labelled_messages(tmp_path)


def test_a_message_with_a_schema_is_another_than_the_same_one_without(tmp_path: Path) -> None:
    row = '{"text": "Count", "media": ["image"], %s"wishes": ["detect"]}'
    (tmp_path / "xx.jsonl").write_text("\n".join((row % "", row % '"schema": true, ')), "utf-8")
    assert [one.has_schema for one in labelled_messages(tmp_path)] == [False, True]


def test_copies_beside_a_schema_wish_the_same() -> None:
    messages = [one for one in labelled_messages() if one.media]
    copies = list(beside_schema(messages))
    assert {replace(one, has_schema=False) for one in copies} <= set(messages)
    assert all(one.has_schema for one in copies)
    assert {label for one in copies for label in one.wishes} >= {"value", "detect", "forecast", "translate", "gui"}


def test_the_same_messages_make_the_same_file(tmp_path: Path) -> None:
    messages = few_of_each_label()
    for name in ("one.npz", "other.npz"):
        save(fit(messages), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    assert WishModel.load(tmp_path / "one.npz").weights.any(axis=0).all()


def test_a_model_of_languages_is_the_same_in_its_file(tmp_path: Path) -> None:
    made = fit_languages(labelled_messages()[::50])
    save_languages(made, tmp_path / "languages.npz")
    stored = LanguageClassifier.load(tmp_path / "languages.npz")
    assert stored.languages == made.languages
    assert np.abs(stored.weights - made.weights).max() <= np.abs(made.weights).max() / 254 * 1.01


@pytest.mark.deep
def test_the_package_has_the_model_that_these_messages_make(tmp_path: Path) -> None:
    seen, held_out = split()
    assert {one.key for one in seen}.isdisjoint(one.key for one in held_out)
    save(fit(seen), tmp_path / "wishes.npz")
    save_languages(fit_languages(seen), tmp_path / "languages.npz")
    for name, file in (("wishes.npz", MODEL_FILE), ("languages.npz", message_language.MODEL_FILE)):
        made, shipped = (np.load(path)["weights"].astype(int) for path in (tmp_path / name, file))
        assert np.abs(made - shipped).max() <= 1
