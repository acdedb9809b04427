"""A head that is fitted to some of the data knows the rest: the training works, and the data is worth something."""

import numpy as np
import pytest

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.language.capability import EMBEDDING, MINILM
from models.runtime import Runtime
from models.safety.text.head import head_of, load_head
from tests.conftest import SHARED
from training.guard.contrasts import contrasts
from training.guard.data import examples
from training.guard.fit import fit

SETS = SHARED / "data" / "guard"


# It embeds all of the sets.
@pytest.mark.timeout(2400)
@pytest.mark.deep
@pytest.mark.shared
async def test_a_head_catches_what_it_has_not_seen_and_leaves_themes_alone_that_it_has_not_seen() -> None:
    if not SETS.is_dir():
        pytest.skip("the sets to train on are not beside this checkout")
    found = examples(SETS)
    themes = np.random.default_rng(0).permutation(sorted({example.group for example in found}))
    # With half of the themes it is worse than the head in the package, which has seen all of them.
    fitted = set(themes[::2].tolist())
    runtime = Runtime(CATALOG, EngineConfig(max_queue=10_000))
    embedder = runtime.find(EMBEDDING, MINILM)
    assert embedder is not None
    try:
        vectors = await embedder.embed([example.text for example in found])
    finally:
        await runtime.close()
    seen = [at for at, example in enumerate(found) if example.group in fitted]
    held = [at for at, example in enumerate(found) if example.group not in fitted]
    head = head_of(fit([found[at] for at in seen], vectors[seen], seed=0))

    meanings = head.meanings_of(vectors[held])
    caught = [
        head.unsafe(head.words_of(found[at].text), meaning) >= head.threshold
        for at, meaning in zip(held, meanings.tolist(), strict=True)
    ]
    unsafe = np.array([found[at].unsafe for at in held])
    assert np.array(caught)[unsafe].mean() > 0.7
    # Harmless texts that only sound unsafe, on themes that it has not seen, are hard: it flags 17 % of all.
    assert np.array(caught)[~unsafe].mean() < 0.2


@pytest.mark.shared
def test_the_head_in_the_package_was_made_from_this_data() -> None:
    if not SETS.is_dir():
        pytest.skip("the sets to train on are not beside this checkout")
    found = examples(SETS)
    unsafe = sum(example.unsafe for example in found)
    assert load_head().about["examples"] == {"unsafe": unsafe, "harmless": len(found) - unsafe}


@pytest.mark.shared
def test_the_data_has_look_alikes_of_every_code_in_many_languages() -> None:
    if not SETS.is_dir():
        pytest.skip("the sets to train on are not beside this checkout")
    alike = [example for example in examples(SETS) if example.source.startswith("look_alikes/")]
    for number in range(1, 15):
        own = [example for example in alike if example.source == f"look_alikes/S{number}"]
        assert len(own) >= 40
        assert len({example.language for example in own}) >= 6


def test_contrasts_put_what_is_unsafe_and_what_is_not_into_the_same_forms() -> None:
    made = list(contrasts())
    assert made == list(contrasts())
    safe = {text for text, code, _ in made if code is None}
    unsafe = {text for text, code, _ in made if code is not None}
    assert not safe & unsafe
    assert {code for _, code, _ in made} == {None, *(f"S{number}" for number in range(1, 14))}
    assert not [text for text in safe | unsafe if "{" in text]
    for some, others in ((safe, unsafe), (unsafe, safe)):
        beginnings = {text.split()[0] for text in others}
        assert sum(text.split()[0] in beginnings for text in some) > 0.85 * len(some)
