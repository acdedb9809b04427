"""Samples for the training of the encoder of pages: the answers are at the right tokens."""

import random

import numpy as np

from tests.kit.engines.letters import LETTERS, letter_tokenizer
from training.extraction.documents import documents
from training.extraction.encoder_samples import EncoderSample, collated, page_of, sample_of
from training.extraction.written import AskedField, Page


def sample(page: Page, window: int = 704) -> EncoderSample:
    found = sample_of(page, letter_tokenizer(), random.Random(1), window)
    assert found is not None
    return found


def text_of(one: EncoderSample, first: int, last: int) -> str:
    """The letters of tokens, without spaces."""
    return "".join(LETTERS[(number - 1) % 100] for number in one.given.ids[first : last + 1].tolist())


def page(*lines: str, fields: list[AskedField]) -> Page:
    boxes = [(0.0, 26.0 * row, 10.0 * len(line), 26.0 * row + 20) for row, line in enumerate(lines)]
    return Page(list(lines), boxes, fields)


def test_answers_are_the_first_and_last_tokens_of_values_without_signs_around_them() -> None:
    fields = [
        AskedField("absent", "", False),
        AskedField("number", "word", False, ((0, 8, 0, 14),)),
        AskedField("place", "text", False, ((0, 15, 1, 5),)),
        AskedField("items[].x", "text", True, ((0, 0, 0, 6), (1, 6, 1, 9))),
    ]
    one = sample(page("number: (a-17) over", "there now", fields=fields))
    assert [(field, text_of(one, first, last)) for field, first, last in one.answers] == [
        (1, "a-17"),
        (2, "overthere"),
        (3, "number"),
        (3, "now"),
    ]
    assert one.given.listed.tolist() == [False, False, False, True]


def test_of_a_long_page_a_part_with_an_answer_is_kept() -> None:
    lines = [*["abcdefghij"] * 100, "value", *["abcdefghij"] * 100]
    one = sample(page(*lines, fields=[AskedField("v", "word", False, ((100, 0, 100, 5),))]), window=150)
    assert len(one.given.ids) - one.given.page_start == 150
    [(_, first, last)] = one.answers
    assert text_of(one, first, last) == "value"


def test_generated_documents_have_their_values_at_the_answers() -> None:
    rng = random.Random(2)
    for made in documents(5, 10, split="train"):
        shown = page_of(made, rng)
        found = sample_of(shown, letter_tokenizer(), rng, 10**6)
        assert found is not None
        for field, first, last in found.answers:
            spans = shown.fields[field].spans
            values = [shown.lines[line][start:end].casefold() for line, start, other, end in spans if line == other]
            if len(values) == len(spans) and all(map(str.isascii, values)):
                assert text_of(found, first, last) in "\n".join(values).replace(" ", "")


def test_a_batch_has_flags_at_the_answers_and_padding_elsewhere() -> None:
    one = sample(page("ab cd", fields=[AskedField("x", "word", False, ((0, 3, 0, 5),))]))
    long = sample(page("a" * 90, fields=[AskedField("x", "", False), AskedField("items[].y", "", True)]))
    found = collated([one, long])
    count = len(one.given.ids)
    assert found["ids"].shape == (2, 128)
    assert found["token"].sum(axis=1).tolist() == [count, len(long.given.ids)]
    assert found["page"].sum(axis=1).tolist() == [4, 90]
    assert found["field"].tolist() == [[True, False], [True, True]]
    assert found["listed"].tolist() == [[False, False], [False, True]]
    assert np.argwhere(found["first"]).tolist() == [[0, 0, count - 2]]
    assert np.argwhere(found["last"]).tolist() == [[0, 0, count - 1]]
    assert int(found["inside"].sum()) == 2
