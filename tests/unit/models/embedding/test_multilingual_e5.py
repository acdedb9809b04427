"""multilingual-e5-small by files of its kind with random weights: prefixes, parts, pooling, and whose engine it is."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.embedding import passages as cutting
from models.embedding.capability import EMBEDDING, MINILM, MULTILINGUAL_E5, EmbeddingSettings
from models.embedding.embedder import Vector
from models.embedding.minilm_weights import embedding_remedy
from models.embedding.multilingual_e5 import MAX_TOKENS, WEIGHTS, MultilingualE5, passages
from models.embedding.passages import Passage, Role
from models.runtime import Runtime
from models.safety.text.capability import OWN, TEXT_GUARD
from tests.kit.engines.e5_model import random_e5, random_tokenizer

LONG = "die Rechnung " * 900
TEXTS = ["die Rechnung", "请求退款", "вода", "", " ", LONG, "the invoice, 25 agua", "a"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    random_e5(folder)
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Iterator[MultilingualE5]:
    engine = MultilingualE5(root, threads=1)
    engine.load()
    yield engine
    engine.close()


def vectors(engine: MultilingualE5, *items: str | Passage) -> list[Vector]:
    return [vector for vector in engine.run(items) if not isinstance(vector, Exception)]


def in_passages(root: Path, text: str, role: Role = "query") -> list[Passage]:
    [of_text] = passages(root).of([text], role)
    return of_text


def as_published(text: str) -> list[int]:
    """The tokens of a text with its prefix, all of it."""
    tokenizer = random_tokenizer()
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ids: list[int] = tokenizer.encode(text).ids
    return ids


def test_a_vector_is_the_mean_of_the_states_of_the_text_with_its_prefix(root: Path, engine: MultilingualE5) -> None:
    session = ort.InferenceSession(root / WEIGHTS.files[0].path)
    for text in TEXTS[:4]:
        ids = np.array([as_published(f"query: {text}")])
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        mean = session.run(None, given)[0][0].mean(axis=0)
        [vector] = vectors(engine, text)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("role", ["query", "passage"])
def test_a_passage_is_the_text_behind_the_word_of_its_role(root: Path, role: Role) -> None:
    for text in ("die Rechnung", "请求退款", "", " the  invoice"):
        assert in_passages(root, text, role) == [as_published(f"{role}: {text}")]


def test_every_part_of_a_long_text_has_marks_and_prefix_and_together_they_have_all_of_it(
    root: Path, engine: MultilingualE5, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, frame = in_passages(root, LONG, "passage"), passages(root).frame("passage")
    whole = as_published(f"passage: {LONG}")
    assert frame == 4  # <s> ▁passage : … </s>
    assert all(len(part) == MAX_TOKENS for part in parts[:-1])
    assert all([*part[:3], part[-1]] == [*whole[:3], whole[-1]] for part in parts)
    assert [token for part in parts for token in part[3:-1]] == whole[3:-1]
    # Alone, as much of a text is read as of its first part.
    [first], [cut] = vectors(engine, in_passages(root, LONG)[0]), vectors(engine, LONG)
    np.testing.assert_allclose(cut, first, atol=1e-5)
    monkeypatch.setattr(cutting, "_PIECE_CHARS", 100)
    assert in_passages(root, LONG, "passage") == parts


def runtime(root: Path, choice: str) -> Runtime:
    own = [EmbeddingSettings(embedding=choice)]
    return Runtime(CATALOG, EngineConfig(weights_dir=root, threads=1, device="cpu", own=own), {"embedding": choice})


def test_it_serves_who_names_it_and_no_part_of_openfaze_itself(root: Path) -> None:
    if remedy := embedding_remedy(Path("weights")):
        pytest.skip(f"needs the embedding engine. {remedy}")
    engines = runtime(root, MULTILINGUAL_E5.spec.name)
    assert engines.choose("embedding") is MULTILINGUAL_E5
    own = engines.use(EMBEDDING, MINILM)
    assert own is not engines.use(EMBEDDING)
    assert own is runtime_of_its_own(engines)
    assert runtime(root, "auto").choose("embedding") is MINILM


def runtime_of_its_own(engines: Runtime) -> object:
    """What the guard reads by."""
    guards = engines.use_all(TEXT_GUARD)
    assert [spec.name for spec, _ in engines.parts()].count(MINILM.spec.name) == 1
    assert OWN.by is MINILM
    return vars(guards[-1])["_embedder"]


def test_switched_off_no_engine_embeds(root: Path) -> None:
    engines = runtime(root, "off")
    assert engines.find(EMBEDDING) is engines.find(EMBEDDING, MINILM) is None
    with pytest.raises(EngineUnavailable, match="OPENFAZE_EMBEDDING=off"):
        engines.use(EMBEDDING, MINILM)
