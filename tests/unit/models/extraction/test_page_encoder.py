"""The encoder of pages on small pages, on both runtimes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from models.embedding.minilm_weights import embedding_remedy, embedding_weights
from models.embedding.passages import read_tokenizer
from models.extraction.page_encoder import (
    FIELDS_AT_ONCE,
    OVERLAP,
    SCORES,
    WINDOW,
    FieldReader,
    PageEncoder,
    Scores,
)
from models.extraction.page_tokens import Box, EncoderInput, PageTokens, Prompt, encoder_input, page_tokens
from models.hosts.host import EngineHost
from tests.kit.engines.parts import finished

NUMBER = Prompt("invoice number", "text", False)
DAY = Prompt("invoice date", "date", False)
CITY = Prompt("passport holder", "text", False)
LINES = ("Invoice number: 123", "Date: 4 May 2024", "Thank you for your order")


@pytest.fixture(scope="module", autouse=True)
def _weights() -> None:
    if remedy := embedding_remedy(Path("weights")):
        pytest.skip(f"needs the embedding engine. {remedy}")


@pytest.fixture(scope="module")
def engine() -> Iterator[PageEncoder]:
    engine = PageEncoder(threads=1)
    engine.load()
    yield engine
    engine.close()


def words_of(lines: Sequence[str]) -> tuple[list[str], list[Box]]:
    """The words of lines, each letter 10 pixels wide."""
    words: list[str] = []
    boxes: list[Box] = []
    for row, line in enumerate(lines):
        left = 0
        for word in line.split():
            words.append(word)
            boxes.append((left, 26 * row, left + 10 * len(word), 26 * row + 20))
            left += 10 * len(word) + 10
    return words, boxes


def tokenizer() -> Any:
    return read_tokenizer(embedding_weights()[1])


def given(*prompts: Prompt) -> EncoderInput:
    return encoder_input(tokenizer(), prompts, page_tokens(tokenizer(), *words_of(LINES)))


def scores_of(engine: PageEncoder, one: EncoderInput) -> Scores:
    [scores] = finished(engine, [one])
    assert not isinstance(scores, Exception)
    return scores


def test_the_values_of_fields_are_found(engine: PageEncoder) -> None:
    tokens = page_tokens(tokenizer(), *words_of(LINES))
    scores = scores_of(engine, given(NUMBER, DAY, CITY))
    assert scores.shape == (3, SCORES, len(tokens.ids))
    words, _ = words_of(LINES)
    number, day = ([words[tokens.words[ends.argmax()]] for ends in scores[field, :2]] for field in range(2))
    assert (number, day) == (["123", "123"], ["4", "2024"])
    assert (scores[:2, :2].max(axis=-1) > 0).all()
    # The page does not have the third.
    assert (scores[2, :2].max(axis=-1) < 0).all()


class CountingHost:
    """A host whose scores are the number of the run, and that keeps its inputs."""

    def __init__(self) -> None:
        self.given: list[EncoderInput] = []

    async def run(self, one: EncoderInput, *, wait: bool) -> Scores:
        self.given.append(one)
        count = len(one.ids) - one.page_start
        return np.full((len(one.listed), SCORES, count), len(self.given), np.float32)


def reader_of(host: CountingHost) -> FieldReader:
    return FieldReader(cast(EngineHost[EncoderInput, Scores], host))


def page_of(count: int) -> PageTokens:
    return PageTokens(*(np.arange(count, dtype=np.int32) for _ in range(7)), np.zeros(count, np.bool_))


async def test_a_long_page_is_read_in_parts_that_share_tokens() -> None:
    host = CountingHost()
    step, count = WINDOW - OVERLAP, 2 * WINDOW
    page = await reader_of(host).read(page_of(count), [NUMBER], most_runs=9)
    parts = [one.ids[one.page_start :].tolist() for one in host.given]
    assert parts == [
        list(range(WINDOW)),
        list(range(step, step + WINDOW)),
        list(range(2 * step, count)),
    ]
    assert page.runs == 3
    # Of a token in two parts, the higher score counts.
    assert page.scores[0, 0, [0, step - 1, step, 2 * step, count - 1]].tolist() == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(("most_runs", "fields", "runs", "tokens"), [
    (2, 1, 2, WINDOW + WINDOW - OVERLAP),
    (1, 1, 1, WINDOW),
    (5, FIELDS_AT_ONCE + 1, 4, WINDOW + WINDOW - OVERLAP),
    # Each field is read in the first part at least.
    (1, 2 * FIELDS_AT_ONCE + 1, 3, WINDOW),
])  # fmt: skip
async def test_no_more_runs_are_made_than_allowed(most_runs: int, fields: int, runs: int, tokens: int) -> None:
    host = CountingHost()
    page = await reader_of(host).read(page_of(9 * WINDOW), [NUMBER] * fields, most_runs)
    assert (page.runs, len(host.given), len(page.tokens.ids)) == (runs, runs, tokens)
    assert np.isfinite(page.scores).all()
    assert max(len(one.listed) for one in host.given) <= FIELDS_AT_ONCE
