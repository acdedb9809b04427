"""The model of asked names: its features, its file and what it finds."""

from pathlib import Path

import numpy as np
import pytest

from app.chat.planning.asked_names import (
    BUCKETS,
    KINDS,
    TAGS,
    NameModel,
    allowed_steps,
    features_of,
    name_model,
    tokens_of,
)
from tasks.wording.viterbi import best_tags
from tests.conftest import each_case


@each_case(
    ("text", "tokens"),
    [
        ("What's l'IBAN?", ["What", "'", "s", "l", "'", "IBAN", "?"]),
        ("合計 total2", ["合", "計", "total2"]),
        ("合計total", ["合", "計", "total"]),
        ("कुल राशि\nheight_m", ["कुल", "राशि", "\n", "height_m"]),
        (" \t", []),
    ],
)
def test_words_characters_and_signs_are_tokens(text: str, tokens: list[str]) -> None:
    assert [token.text for token in tokens_of(text)] == tokens
    assert all(text[token.begin : token.end] == token.text for token in tokens_of(text))


def test_features_are_the_same_each_time() -> None:
    features, again = (features_of(tokens_of("What is the total?")) for _ in range(2))
    assert all(map(np.array_equal, features, again))
    assert max(buckets.max() for buckets in features) < BUCKETS
    # A process with another seed for Python's hashes must find the same buckets, so some are pinned.
    assert features_of(tokens_of("Hi"))[0].tolist()[:4] == [1220, 3032, 3189, 4188]


def test_the_inside_of_a_name_is_only_behind_a_word_of_the_same_kind() -> None:
    scores = np.zeros((3, TAGS), np.float32)
    scores[:, 2 * KINDS.index("total") + 2] = 5
    scores[0, 2 * KINDS.index("date") + 1] = 4
    begin, *rest = best_tags(scores, allowed_steps()[0], allowed_steps())
    assert begin == 2 * KINDS.index("total") + 1
    assert set(rest) == {2 * KINDS.index("total") + 2}


def test_names_have_their_places() -> None:
    text = "What is the invoice number, and who is the seller?"
    names = name_model().names_in(text)
    assert [(name.text, name.kind) for name in names] == [("invoice number", "value"), ("seller", "value")]
    assert all(text[name.begin : name.end] == name.text for name in names)


@each_case("text", ["", " ", "\ud800", "?" * 300, "a" * 100_000])
def test_any_text_can_be_searched(text: str) -> None:
    assert name_model().form(text) in ("question", "order", "other")
    assert all(text[name.begin : name.end] == name.text for name in name_model().names_in(text))


def test_a_file_with_other_kinds_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "names.npz", kinds=np.array(["value"]), form_names=np.array(["question"]))
    with pytest.raises(ValueError, match="training.asked.fit"):
        NameModel.load(tmp_path / "names.npz")
