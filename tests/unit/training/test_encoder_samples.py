"""Samples for the training of the encoder of pages: the answers are at the right tokens."""

import random

import numpy as np

from tests.letters import LETTERS, letter_tokenizer
from training.extraction.documents import documents
from training.extraction.encoder_samples import EncoderSample, batches, collated, page_of, prompt_of, sample_of
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


def test_a_page_without_words_is_no_sample() -> None:
    assert sample_of(page(fields=[AskedField("a", "", False)]), letter_tokenizer(), random.Random(1)) is None


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


def test_a_form_is_stated_by_some_schemas() -> None:
    rng = random.Random(3)
    kinds = {type_: {prompt_of("a", type_, False, rng).kind for _ in range(50)} for type_ in ("money", "date", "text")}
    assert kinds == {"money": {"number", "text"}, "date": {"date", "text"}, "text": {"text"}}
    assert prompt_of("order.items[].unit_price|net", "money", True, rng).text == "order items unit price: net"


def test_batches_have_all_samples_and_no_more_tokens_than_allowed() -> None:
    samples = [sample(page("a" * length, fields=[AskedField("v", "word", False)])) for length in range(1, 60)]
    found = list(batches(iter(samples), 200))
    assert sorted(len(one.given.ids) for batch in found for one in batch) == [len(one.given.ids) for one in samples]
    assert all(len(batch) * max(len(one.given.ids) for one in batch) <= 200 for batch in found)


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
