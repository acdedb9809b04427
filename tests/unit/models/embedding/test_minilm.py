"""all-MiniLM-L6-v2 against the numbers that its publisher shows, on both runtimes."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from models.base import EngineUnavailable
from models.embedding import minilm_weights as weights
from models.embedding import passages as cutting
from models.embedding.embedder import DIMENSIONS, LONGEST_TEXT, HostedEmbedder, Vector
from models.embedding.minilm import MAX_TOKENS, MiniLm, passages
from models.embedding.minilm_weights import SPEC, embedding_remedy, embedding_weights, read_safetensors
from models.embedding.passages import Passage
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits

LONG = "The invoice of the Danish shipping company was due on the third of March. " * 40
MIXED = ["hi", "The weather is lovely today.", LONG, "How many people live in Berlin?", "", "谢谢", LONG[:300], "a"]


@pytest.fixture(scope="module")
def folder() -> Path:
    if remedy := embedding_remedy():
        pytest.skip(f"needs the embedding engine. {remedy}")
    found = embedding_weights()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[MiniLm]:
    engine = MiniLm(folder, threads=1)
    engine.load()
    yield engine
    engine.close()


def vectors(engine: MiniLm, *texts: str) -> list[Vector]:
    return [vector for vector in engine.run(texts) if not isinstance(vector, Exception)]


def cosine(engine: MiniLm, one: str, other: str) -> float:
    first, second = vectors(engine, one, other)
    return float(first @ second)


def test_the_model_card_example_has_the_published_vector(engine: MiniLm) -> None:
    [vector] = vectors(engine, "This is an example sentence")
    np.testing.assert_allclose(vector[:5], [0.0676569, 0.0634959, 0.0487131, 0.0793050, 0.0374480], atol=1e-5)


@pytest.mark.parametrize(
    ("other", "published"),
    [("That is a very happy person", 0.943), ("That is a happy dog", 0.695), ("Today is a sunny day", 0.257)],
)
def test_sentences_are_as_similar_as_published(engine: MiniLm, other: str, published: float) -> None:
    assert cosine(engine, "That is a happy person", other) == pytest.approx(published, abs=5e-4)


def test_paraphrases_are_near_and_strangers_far(engine: MiniLm) -> None:
    assert cosine(engine, "How do I reset my password?", "I forgot my password, how can I change it?") > 0.7
    assert abs(cosine(engine, "How do I reset my password?", "Whales are the largest mammals.")) < 0.1


def test_vectors_are_384_floats_of_length_one(engine: MiniLm) -> None:
    for vector in vectors(engine, *MIXED):
        assert vector.shape == (DIMENSIONS,)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_letter_case_does_not_matter(engine: MiniLm) -> None:
    assert cosine(engine, "THE TOTAL IS DUE", "the total is due") == pytest.approx(1, abs=1e-6)


def test_a_vector_does_not_depend_on_its_company(engine: MiniLm) -> None:
    alone = [vectors(engine, text)[0] for text in MIXED]
    order = random.Random(1).sample(range(len(MIXED)), len(MIXED))
    together = vectors(engine, *(MIXED[index] for index in order))
    for index, vector in zip(order, together, strict=True):
        np.testing.assert_allclose(vector, alone[index], atol=1e-5)


def test_what_follows_the_256th_token_is_cut_off(engine: MiniLm) -> None:
    words = " ".join(["word"] * (MAX_TOKENS - 2))
    whole, longer, shorter = vectors(engine, words, f"{words} and whales", words.removesuffix(" word"))
    np.testing.assert_allclose(longer, whole, atol=1e-6)
    assert np.abs(shorter - whole).max() > 1e-6


def test_an_engine_loads_again_after_it_was_closed(folder: Path) -> None:
    engine = MiniLm(folder, threads=1)
    engine.load()
    [before] = vectors(engine, "again")
    engine.close()
    engine.load()
    np.testing.assert_array_equal(vectors(engine, "again")[0], before)


async def test_a_host_embeds_long_lists_in_order(engine: MiniLm, folder: Path) -> None:
    host = EngineHost[str | Passage, Vector](
        SPEC, lambda: MiniLm(folder, threads=1), HostLimits(max_batch=16, max_queue=4)
    )
    texts = [f"sentence number {number}" for number in range(40)]
    try:
        matrix = await HostedEmbedder(host, passages(folder)).embed(texts)
    finally:
        await host.close()
    assert matrix.shape == (40, DIMENSIONS)
    np.testing.assert_allclose(matrix, np.stack(vectors(engine, *texts)), atol=1e-5)


def in_passages(folder: Path, text: str) -> list[Passage]:
    [of_text] = passages(folder).of([text])
    return of_text


def each_in_passages(folder: Path, texts: Sequence[str]) -> list[list[Passage]]:
    return passages(folder).of(texts)


def test_a_short_text_is_one_passage_with_the_vector_of_the_text(engine: MiniLm, folder: Path) -> None:
    for text in ("The weather is lovely today.", "谢谢", "", " "):
        [passage] = in_passages(folder, text)
        [vector] = engine.run([passage])
        assert isinstance(vector, np.ndarray)
        np.testing.assert_allclose(vector, vectors(engine, text)[0], atol=1e-6)


def test_passages_hold_every_token_of_a_long_text_whatever_it_is_cut_into(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LONG + "谢谢" * 200 + " x" * 300 + " naïve-café (1,234.50€)" * 20
    whole = in_passages(folder, text)
    assert all(len(passage) == MAX_TOKENS for passage in whole[:-1])
    assert all((passage[0], passage[-1]) == (whole[0][0], whole[0][-1]) for passage in whole)
    monkeypatch.setattr(cutting, "_CHARS_AT_ONCE", 100)
    in_pieces = in_passages(folder, text)
    assert in_pieces == whole


@pytest.mark.parametrize("text", ["", "naïve-café (1,234.50€)", "谢谢 [SEP]\n x", "ß" * 999, LONG[:990]])
def test_tokens_are_the_same_whether_other_threads_run_meanwhile_or_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    alone = in_passages(folder, text)
    monkeypatch.setattr(cutting, "_SHORT_CHARS", -1)
    together = in_passages(folder, text)
    assert alone == together


def test_texts_that_are_tokenized_together_have_the_passages_that_each_has_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["", "naïve-café", LONG, "谢谢", LONG[:700], " ", *(f"text {number}" for number in range(40))]
    alone = [in_passages(folder, text) for text in texts]
    assert each_in_passages(folder, texts) == alone
    monkeypatch.setattr(cutting, "_CHARS_AT_ONCE", 100)
    assert each_in_passages(folder, texts) == alone
    assert each_in_passages(folder, []) == []


@pytest.mark.deep
async def test_few_passages_wait_together_and_many_a_batch_after_the_other(engine: MiniLm, folder: Path) -> None:
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(folder, threads=1), HostLimits(max_batch=16))
    embedder = HostedEmbedder(host, passages(folder))
    texts = [f"{word} and {other}" for word in LONG.split()[:8] for other in ("a", "b", "c", "d", "e")]
    each = [in_passages(folder, text)[0] for text in texts]
    expected = np.stack(vectors(engine, *texts))
    try:
        few = await embedder.embed_passages(each[:16])
        assert host.counters.batch_items.count == 1
        many = await embedder.embed_passages(each)
    finally:
        await host.close()
    np.testing.assert_allclose(few, expected[:16], atol=1e-5)
    np.testing.assert_allclose(many, expected, atol=1e-5)


async def test_a_short_list_does_not_wait_for_all_of_a_long_one(folder: Path) -> None:
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(folder, threads=1), HostLimits(max_batch=16))
    embedder = HostedEmbedder(host, passages(folder))
    ended: list[int] = []

    async def embed(count: int) -> None:
        await embedder.embed([f"{count} texts: {number}" for number in range(count)])
        ended.append(count)

    try:
        await asyncio.gather(embed(100), embed(2))
    finally:
        await host.close()
    assert ended == [2, 100]


@pytest.mark.deep
async def test_passages_and_texts_share_batches(engine: MiniLm, folder: Path) -> None:
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(folder, threads=1), HostLimits(max_batch=16))
    embedder = HostedEmbedder(host, passages(folder))
    parts = in_passages(folder, LONG)
    assert len(parts) > 2
    try:
        rows, [text] = await asyncio.gather(embedder.embed_passages(parts), embedder.embed([LONG]))
    finally:
        await host.close()
    np.testing.assert_allclose(rows[0], text, atol=1e-5)  # what does not fit is cut off of a text
    assert abs(float(rows[-1] @ text)) < 0.999


async def test_a_short_text_that_comes_again_is_not_computed_again(engine: MiniLm, folder: Path) -> None:
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(folder, threads=1), HostLimits(max_batch=16))
    embedder = HostedEmbedder(host, passages(folder))
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


async def test_an_engine_gets_the_beginning_of_a_long_text_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    run = MiniLm.run

    def noted(engine: MiniLm, batch: Sequence[str | Passage]) -> Sequence[Vector | Exception]:
        lengths.extend(map(len, batch))
        return run(engine, batch)

    monkeypatch.setattr(MiniLm, "run", noted)
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(folder, threads=1), HostLimits(max_batch=1))
    embedder = HostedEmbedder(host, passages(folder))
    try:
        [first] = await embedder.embed(["word " * 1_000_000])
        [second] = await embedder.embed(["word " * 2 * MAX_TOKENS])
    finally:
        await host.close()
    assert lengths == [LONGEST_TEXT, 10 * MAX_TOKENS]
    np.testing.assert_array_equal(first, second)


async def test_embedding_nothing_gives_no_rows(folder: Path) -> None:
    host = EngineHost[str | Passage, Vector](SPEC, lambda: MiniLm(folder, threads=1))
    try:
        assert (await HostedEmbedder(host, passages(folder)).embed([])).shape == (0, DIMENSIONS)
    finally:
        await host.close()


def test_missing_weights_name_their_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    assert embedding_weights() is None
    assert embedding_remedy() == "Run `openfaze install weights`."


def test_an_engine_without_weights_says_what_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match="openfaze install weights"):
        MiniLm().load()


def test_a_safetensors_file_is_read_without_its_library(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"format": "pt"},
        "ids": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
        "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [8, 24]},
    }
    head = json.dumps(header).encode().ljust(160)
    numbers = np.array([[1, 2], [3, 4]], np.float32)
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(8) + numbers.tobytes())
    tensors = read_safetensors(path)
    assert list(tensors) == ["w"]
    np.testing.assert_array_equal(tensors["w"], numbers)
