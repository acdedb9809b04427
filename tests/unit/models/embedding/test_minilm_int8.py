"""all-MiniLM-L6-v2 in int8: the same vector in every batch, near the vector of float32, and only where it can run."""

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from models.embedding.capability import MINILM_INT8, embedder_of_labels
from models.embedding.embedder import DIMENSIONS, Vector
from models.embedding.minilm import MiniLm
from models.embedding.minilm_weights import embedding_remedy, int8_remedy
from models.extraction.network import ExtractionNetwork
from models.runtime import Runtime
from tasks.extraction.features import names_to_embed

NAMES = " ".join(name for names in names_to_embed().values() for name in names)
TEXTS = [
    *(NAMES[31 * at : 31 * at + 3 + 7 * (at % 30)] for at in range(90)),
    "",
    "12.50",
    "谢谢",
    "The invoice of the Danish shipping company was due on the third of March. " * 20,
]


@pytest.fixture(scope="module")
def int8() -> Iterator[MiniLm]:
    if remedy := int8_remedy():
        pytest.skip(f"needs the network in int8. {remedy}")
    engine = MiniLm(threads=2, is_int8=True)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def float32() -> Iterator[MiniLm]:
    if remedy := embedding_remedy():
        pytest.skip(f"needs the embedding engine. {remedy}")
    engine = MiniLm(threads=2)
    engine.load()
    yield engine
    engine.close()


def vectors(engine: MiniLm, texts: Sequence[str]) -> list[Vector]:
    return [vector for vector in engine.run(texts) if not isinstance(vector, Exception)]


@pytest.fixture(scope="module")
def alone(int8: MiniLm) -> list[Vector]:
    """The vectors of TEXTS, each from a batch of its own."""
    return [vectors(int8, [text])[0] for text in TEXTS]


@pytest.mark.parametrize("size", [2, 7, 32])
def test_a_text_has_the_same_bytes_in_every_batch(int8: MiniLm, alone: list[Vector], size: int) -> None:
    order = random.Random(size).sample(range(len(TEXTS)), len(TEXTS))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        for at, vector in zip(part, vectors(int8, [TEXTS[at] for at in part]), strict=True):
            np.testing.assert_array_equal(vector, alone[at])


def test_vectors_are_near_those_of_float32_and_of_length_one(alone: list[Vector], float32: MiniLm) -> None:
    for one, other in zip(alone, vectors(float32, TEXTS), strict=True):
        assert one.shape == (DIMENSIONS,)
        assert one.dtype == np.float32
        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
        assert one @ other > 0.99


@pytest.mark.accuracy
@pytest.mark.parametrize("engine", ["int8", "float32"])
def test_the_stored_meanings_of_concepts_belong_to_the_vectors_of_their_names(
    engine: str, request: pytest.FixtureRequest
) -> None:
    minilm, stored = request.getfixturevalue(engine), ExtractionNetwork().meanings
    for name, called in names_to_embed().items():
        if called:
            mean = np.mean(vectors(minilm, called), axis=0)
            # The extraction network compares labels with both, whichever of the two networks embeds them.
            assert mean @ stored[name] / np.linalg.norm(mean) > 0.995, name


def test_labels_are_embedded_in_int8_where_the_processor_has_it(
    int8: MiniLm, new_runtime: Callable[[], Runtime]
) -> None:
    runtime = new_runtime()
    assert embedder_of_labels(runtime) is not None
    assert {spec.name for spec, _ in runtime.parts()} == {MINILM_INT8.spec.name}
