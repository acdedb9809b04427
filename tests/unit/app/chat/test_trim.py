"""What stays of long results when the context is short."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.chat.trim import trim as trim_in_threads
from app.chat.trim import word_overlap, words
from models.embedding.embedder import Embedder
from models.language.llm import estimate_tokens
from tasks.ocr_result import document_result, page_section
from tasks.precontext import Entry
from tests.kit.chats.entries import entry_of, text_line
from tests.kit.papers.pages import prose

NEEDLE = "The warranty of the garden hose ends on 4 March 2031."


async def trim(
    entries: Sequence[Entry],
    question: str,
    budget: int,
    count: Callable[[str], int],
    embedder: Embedder | None = None,
) -> list[str]:
    return await trim_in_threads(entries, question, budget, count, embedder)


def transcript(lines: Sequence[str]) -> Entry:
    chunks = [{"timestamp": [at, at + 1], "text": line} for at, line in enumerate(lines)]
    return entry_of("stt", {"text": " ".join(lines), "chunks": chunks})


def web_page(text: str) -> Entry:
    return entry_of("scraper", {"url": "https://a.example/", "title": "T", "description": "", "markdown": text})


@cache
def page_of_prose(page: int, has_needle: bool) -> dict[str, Any]:
    """A page of 40 paragraphs of a line as `ocr` answers it, which no test may change."""
    said = prose(page, 400)
    lines = [" ".join(said[start : start + 10]) for start in range(0, 400, 10)]
    if has_needle:
        lines[17] = NEEDLE
    read = [text_line(line, 40, 40 + 60 * number) for number, line in enumerate(lines)]
    return page_section(read, page, 1400, 2500)


def pages_of_prose(pages: int, at: int = -1) -> Entry:
    """A document of pages of prose, with the needle on page `at`."""
    sections = [page_of_prose(page, page == at) for page in range(1, pages + 1)]
    return Entry("ocr", document_result([section["text"] for section in sections], sections, pages))


async def shortened(entry: Entry, question: str, budget: int) -> str:
    (text,) = await trim([entry], question, budget, estimate_tokens)
    assert estimate_tokens(text) <= budget
    return text


@pytest.mark.parametrize(
    ("page", "pages"), [(15, 30), *(pytest.param(page, 100, marks=pytest.mark.deep) for page in (1, 50, 100))]
)
async def test_the_needle_in_many_pages_survives_with_its_page_and_neighbours(page: int, pages: int) -> None:
    entry = pages_of_prose(pages, at=page)
    text = await shortened(entry, "When does the warranty on the hose end?", 500)
    lines = list(filter(None, text.splitlines()))
    at = lines.index(NEEDLE)
    section = entry.result.data["sections"][page - 1]["lines"]
    assert (lines[at - 1], lines[at + 1]) == (section[16]["text"], section[18]["text"])
    assert f"[page {page}]" in lines[:at]


async def test_the_beginning_stays_and_gaps_are_marked() -> None:
    entry = pages_of_prose(20, at=15)
    lines = (await shortened(entry, "When does the warranty end?", 300)).splitlines()
    assert lines[:2] == ["[page 1]", entry.result.data["sections"][0]["lines"][0]["text"]]
    assert "[…]" in lines


async def test_a_question_about_all_of_it_gets_pieces_from_everywhere() -> None:
    entry = transcript([f"{number} {' '.join(prose(number, 8))}" for number in range(400)])
    kept = await shortened(entry, "Zusammenfassung?", 600)
    starts = [int(line[1:].split("–")[0]) for line in kept.splitlines() if line != "[…]"]
    assert all(any(low <= start < low + 100 for start in starts) for low in range(0, 400, 100))


async def test_a_line_too_long_is_cut_between_sentences() -> None:
    sentences = [" ".join(prose(number, 20)).replace(".", "") + "." for number in range(200)]
    sentences[120] = NEEDLE
    kept = await shortened(web_page(" ".join(sentences)), "When does the warranty end?", 300)
    assert NEEDLE in kept
    assert kept.startswith("T <https://a.example/>")


class ByTopic:
    """An embedder that knows which words mean the same; only the tests' words."""

    TOPICS = ({"guarantee", "warranty"}, {"price", "cost"})

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(len(texts))
        topics = [[float(bool(topic & set(words(text)))) for topic in self.TOPICS] for text in texts]
        vectors = np.array([[*row, 0.1] for row in topics], np.float32)
        lengths: NDArray[np.float32] = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
        return vectors / lengths


async def test_with_an_embedder_meaning_counts_too() -> None:
    embedder = ByTopic()
    entry = transcript(
        [*(f"remark {number}" for number in range(400)), "the guarantee", *(f"note {n}" for n in range(300))]
    )
    (text,) = await trim([entry], "warranty", 60, estimate_tokens, embedder)
    assert "the guarantee" in text
    assert "the guarantee" not in await shortened(entry, "warranty", 60)


# Which pieces of a text have most to do with a question.


def best(question: str, *pieces: str) -> int:
    scores = word_overlap(question, pieces)
    return scores.index(max(scores))


def test_rare_words_count_more_than_common_ones() -> None:
    assert (
        best("what is the warranty of the lamp", "the lamp is on the table", "the warranty ends", "the lamp is new")
        == 1
    )


def test_case_and_a_plural_do_not_matter() -> None:
    assert best("Which WARRANTIES, lamps?", "chairs", "One lamp", "tables") == 1


def test_a_short_piece_is_more_to_the_point_than_a_long_one() -> None:
    assert best("total", "the total of many other words that say little", "total 9") == 1


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert words("合計はABCいくら") == ["合", "計", "は", "abc", "い", "く", "ら"]
    assert best("合計はいくらですか", "店名 東京書店", "合計 900円", "日付") == 1


def test_a_question_counts_by_its_ends_however_long_it_is() -> None:
    question = " ".join(f"w{number}" for number in range(100_000)) + " where is the warranty"
    assert best(question, "w50000", "the warranty") == 1
