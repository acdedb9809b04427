"""all-MiniLM-L6-v2 against the numbers that its publisher shows, and against what is stored of its vectors."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from models.embedding import passages as cutting
from models.embedding.embedder import PassageEmbedder, Vector
from models.embedding.minilm import MAX_TOKENS, MiniLm, passages
from models.embedding.minilm_weights import SPEC, embedding_remedy
from models.embedding.passages import Passage
from models.extraction.network import ExtractionNetwork
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from tasks.extraction.features import names_to_embed

LONG = "The invoice of the Danish shipping company was due on the third of March. " * 40


@pytest.fixture(scope="module")
def root() -> Path:
    """The weights directory."""
    root = Path("weights")
    if remedy := embedding_remedy(root):
        pytest.skip(f"needs the embedding engine. {remedy}")
    return root


@pytest.fixture(scope="module")
def engine(root: Path) -> Iterator[MiniLm]:
    engine = MiniLm(root, threads=1)
    engine.load()
    yield engine
    engine.close()


def vectors(engine: MiniLm, *texts: str) -> list[Vector]:
    return [vector for vector in engine.run(texts) if not isinstance(vector, Exception)]


def test_the_model_card_example_has_the_published_vector(engine: MiniLm) -> None:
    [vector] = vectors(engine, "This is an example sentence")
    np.testing.assert_allclose(vector[:5], [0.0676569, 0.0634959, 0.0487131, 0.0793050, 0.0374480], atol=1e-5)


def test_what_follows_the_256th_token_is_cut_off(engine: MiniLm) -> None:
    words = " ".join(["word"] * (MAX_TOKENS - 2))
    whole, longer, shorter = vectors(engine, words, f"{words} and whales", words.removesuffix(" word"))
    np.testing.assert_allclose(longer, whole, atol=1e-6)
    assert np.abs(shorter - whole).max() > 1e-6


def in_passages(root: Path, text: str) -> list[Passage]:
    [of_text] = passages(root).of([text])
    return of_text


def each_in_passages(root: Path, texts: Sequence[str]) -> list[list[Passage]]:
    return passages(root).of(texts)


def test_a_short_text_is_one_passage_with_the_vector_of_the_text(engine: MiniLm, root: Path) -> None:
    for text in ("The weather is lovely today.", "谢谢", "", " "):
        [passage] = in_passages(root, text)
        [vector] = engine.run([passage])
        assert isinstance(vector, np.ndarray)
        np.testing.assert_allclose(vector, vectors(engine, text)[0], atol=1e-6)


def test_passages_hold_every_token_of_a_long_text_whatever_it_is_cut_into(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LONG + "谢谢" * 200 + " x" * 300 + " naïve-café (1,234.50€)" * 20
    whole = in_passages(root, text)
    assert all(len(passage) == MAX_TOKENS for passage in whole[:-1])
    assert all((passage[0], passage[-1]) == (whole[0][0], whole[0][-1]) for passage in whole)
    monkeypatch.setattr(cutting, "_PIECE_CHARS", 100)
    in_pieces = in_passages(root, text)
    assert in_pieces == whole


def test_texts_that_are_tokenized_together_have_the_passages_that_each_has_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["", "naïve-café", LONG, "谢谢", LONG[:700], " ", *(f"text {number}" for number in range(40))]
    alone = [in_passages(root, text) for text in texts]
    assert each_in_passages(root, texts) == alone
    monkeypatch.setattr(cutting, "_PIECE_CHARS", 100)
    assert each_in_passages(root, texts) == alone
    assert each_in_passages(root, []) == []


async def test_a_short_list_does_not_wait_for_all_of_a_long_one(root: Path) -> None:
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(root, threads=1), HostLimits(max_batch=16))
    embedder = PassageEmbedder(host, passages(root))
    ended: list[int] = []

    async def embed(count: int) -> None:
        await embedder.embed([f"{count} texts: {number}" for number in range(count)])
        ended.append(count)

    try:
        await asyncio.gather(embed(100), embed(2))
    finally:
        await host.close()
    assert ended == [2, 100]


async def test_a_short_text_that_comes_again_is_not_computed_again(engine: MiniLm, root: Path) -> None:
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(root, threads=1), HostLimits(max_batch=16))
    embedder = PassageEmbedder(host, passages(root))
    labels = ["Invoice number", "Total", "Invoice number"]
    try:
        first = await embedder.embed(labels)
        again = await embedder.embed([*labels, LONG])
        assert host.counters.batch_items.sum == 3
        await embedder.embed([LONG])
        assert host.counters.batch_items.sum == 4  # long texts are not remembered
    finally:
        await host.close()
    np.testing.assert_allclose(first, np.stack(vectors(engine, *labels)), atol=1e-5)
    np.testing.assert_array_equal(again[:3], first)


@pytest.mark.accuracy
def test_the_stored_meanings_of_concepts_belong_to_the_vectors_of_their_names(engine: MiniLm) -> None:
    stored = ExtractionNetwork().meanings
    for name, called in names_to_embed().items():
        if called:
            mean = np.mean(vectors(engine, *called), axis=0)
            assert mean @ stored[name] / np.linalg.norm(mean) > 0.995, name
