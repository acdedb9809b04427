"""Spans scored, and found, by an encoder of pages."""

from collections.abc import Mapping, Sequence

import numpy as np

from models.extraction.page_encoder import SCORES, ReadPage
from models.extraction.page_tokens import Box, PageTokens, Prompt, page_tokens
from tasks.extraction.candidates import Candidates, CandidateSpan, find_candidates
from tasks.extraction.page_reading import (
    INSIDE,
    UNREAD,
    Readings,
    add_spans,
    read_pages,
    span_scores,
)
from tasks.extraction.passages import passages_to_search
from tasks.schema.awaited import in_thread
from tests.kit.engines.letters import letter_tokenizer
from tests.kit.papers.read_pages import ocr

PROMPTS = [Prompt("number", "text", False), Prompt("city", "text", False)]


class FakeReader:
    """A FieldReader that finds the given words for each prompt. The network runs once for each page."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = answers
        self.allowed: list[int] = []
        self._words: Sequence[str] = ()

    def tokens_of(self, words: Sequence[str], boxes: Sequence[Box]) -> PageTokens:
        self._words = words
        return page_tokens(letter_tokenizer(), words, boxes)

    async def read(self, tokens: PageTokens, prompts: Sequence[Prompt], most_runs: int) -> ReadPage:
        self.allowed.append(most_runs)
        scores = np.full((len(prompts), SCORES, len(tokens.ids)), -5.0, np.float32)
        for row, prompt in enumerate(prompts):
            wanted = self.answers.get(prompt.text, "").split()
            for at in range(len(self._words)):
                if wanted and self._words[at : at + len(wanted)] == wanted:
                    own = np.flatnonzero((tokens.words >= at) & (tokens.words < at + len(wanted)) & ~tokens.signs)
                    scores[row, 0, own[0]] = scores[row, 1, own[-1]] = 4.0
                    scores[row, 2, own] = 2.0
        return ReadPage(tokens, scores, 1)


async def read(
    rows: Sequence[str], answers: Mapping[str, str], most_runs: int = 9
) -> tuple[Candidates, Readings, FakeReader]:
    entries = [ocr(*one.split("\n")) for one in rows]
    candidates = find_candidates(passages_to_search(entries))
    reader = FakeReader(answers)
    readings = await in_thread(read_pages, candidates.passages, PROMPTS, reader, most_runs)
    return candidates, readings, reader


def texts(spans: Sequence[CandidateSpan]) -> list[str]:
    return [span.text for span in spans]


async def test_the_span_that_the_reader_finds_has_the_highest_score() -> None:
    candidates, readings, _ = await read(["Number: 123 456\nParis"], {"number": "123 456", "city": "Paris"})
    scores = span_scores(candidates, readings, 2)
    assert scores.shape == (2, len(candidates.spans))
    assert [candidates.spans[row.argmax()].text for row in scores] == ["123 456", "Paris"]
    assert scores.max() == 4.0 + 4.0 + INSIDE * 2.0
    assert scores.min() < UNREAD


async def test_a_span_of_a_page_that_was_not_read_has_the_same_score_for_each_field() -> None:
    candidates, readings, _ = await read(["Number: 123", "City: Paris"], {"number": "123"}, most_runs=1)
    scores = span_scores(candidates, readings, 2)
    unread = [id(span.passage) not in readings for span in candidates.spans]
    assert any(unread)
    assert not all(unread)
    assert (scores[:, unread] == UNREAD).all()
    assert (scores[:, np.logical_not(unread)] != UNREAD).all()


async def test_a_value_that_is_not_a_candidate_yet_becomes_one() -> None:
    line = "we have sold the blue wooden chair with arms to our neighbour in town"
    value = "blue wooden chair with arms"
    candidates, readings, _ = await read([line], {"number": value})
    assert value not in texts(candidates.spans)
    before = list(candidates.spans)
    add_spans(candidates, readings, [1])
    assert candidates.spans == before
    add_spans(candidates, readings, [0])
    assert texts(candidates.spans[len(before) :]) == [value]
    scores = span_scores(candidates, readings, 2)
    assert scores[0].argmax() == len(before)
