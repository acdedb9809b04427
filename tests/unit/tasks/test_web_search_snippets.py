"""Passages of pages, and which are nearest to a question."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.base import EngineFailed
from models.capability import EngineConfig
from models.embedding.capability import EMBEDDING, MINILM
from models.runtime import Runtime
from tasks.web_search import PASSAGE_CHARS, nearest, passages_of

PAGE = """About the sea

The sea covers most of the planet, and whales live in it. Many ships cross it every day of the year.
The gravity of the moon pulls the water towards it, so that its level rises and falls twice a day along the coast.
Fishermen sell what they catch in the harbour early in the morning, and the market closes before noon on most days."""


class Broken:
    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise EngineFailed("broken")


def test_a_heading_joins_the_line_after_it_and_long_lines_stay_apart() -> None:
    first, second, third = passages_of(PAGE)
    assert first.startswith("About the sea The sea covers")
    assert second.startswith("The gravity")
    assert third.startswith("Fishermen")


def test_a_long_line_is_cut_between_sentences() -> None:
    sentence = "Word " * 30 + "end."
    passages = passages_of(" ".join([sentence] * 4))
    assert passages == [f"{sentence} {sentence}"] * 2


@given(st.text(max_size=1500))
def test_passages_are_bounded_and_lose_nothing_but_white_space(text: str) -> None:
    passages = passages_of(text)
    assert all(0 < len(passage) <= PASSAGE_CHARS for passage in passages)
    assert "".join("".join(passages).split()) == "".join(text.split())


async def test_without_an_embedding_the_words_decide() -> None:
    [[best]] = await nearest("What closes before noon in the harbour?", [PAGE], None, count=1)
    assert best.startswith("Fishermen")


async def test_an_embedding_that_fails_leaves_it_to_the_words() -> None:
    [[best]] = await nearest("What closes before noon in the harbour?", [PAGE], Broken(), count=1)
    assert best.startswith("Fishermen")


async def test_meaning_decides_where_words_do_not() -> None:
    runtime = Runtime({"embedding": EMBEDDING}, EngineConfig(threads=1))
    embedder = runtime.find(EMBEDDING, MINILM)
    if embedder is None:
        pytest.skip("needs the weights of the embedding")
    try:
        one, none, two = await nearest("Why are there tides?", [PAGE, "", PAGE], embedder, count=2)
    finally:
        await runtime.close()
    assert one[0].startswith("The gravity of the moon")
    assert (len(one), none, two) == (2, [], one)
