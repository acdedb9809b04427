"""A head that is fitted to some of the data knows the rest: the training works, and the data is worth something."""

import numpy as np
import pytest

from eval.guard_requests import requests_of
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.embedding.capability import EMBEDDING, MINILM
from models.runtime import Runtime
from models.safety.text.head import head_of, load_head
from tests.conftest import SHARED
from training.guard.contrasts import contrasts
from training.guard.data import REQUESTS, LabelledText, examples
from training.guard.data import SETS as NAMES
from training.guard.fit import best_threshold, fit
from training.guard.measure import Judged, tables
from training.guard.requests import requests

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

    meanings = head.log_odds_by_meaning(vectors[held])
    caught = [
        head.unsafe(head.log_odds_by_words(found[at].text), meaning) >= head.threshold
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


def test_prompts_within_a_long_text_are_compared_with_the_same_prompts_alone() -> None:
    def judged(text: str, score: float, source: str = "prompts", is_within: bool = False) -> Judged:
        return Judged(LabelledText(text, score > 0, "S1", text, "en", source), {"S1": score}, 0.5, source, is_within)

    others = [judged("kill her", 0.9, name) for name in NAMES] + [judged("knit", 0.0, name) for name in NAMES]
    drawn = [judged("kill him", 0.9), judged("kill him", 0.1, is_within=True)]
    missed = judged("kill them", 0.1)
    found = tables([*others, *drawn, missed])
    assert "Of 1 unsafe texts: 100.0% caught alone, 0.0% within" in found


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


def test_ordinary_requests_are_made_the_same_each_time_in_eight_languages_and_have_no_gaps_left() -> None:
    made = list(requests())
    assert made == list(requests())
    assert {language for _, language, _ in made} == {"en", "de", "fr", "es", "it", "pt", "nl", "pl"}
    assert not [text for text, _, _ in made if "{" in text or "}" in text]


def test_ordinary_requests_are_none_that_the_guard_is_measured_on() -> None:
    measured = {text for name in ("ordinary", "alarming", "unsafe") for text, _ in requests_of(name)}
    assert not measured & {text for text, _, _ in requests()}


def test_a_blocked_request_costs_more_than_an_unsafe_text_that_passes() -> None:
    def example(source: str, *, unsafe: bool) -> LabelledText:
        return LabelledText("", unsafe, None, "", "en", source)

    requested = [example(REQUESTS, unsafe=False)] * 10
    found = [example("everyday", unsafe=False), *[example(NAMES[0], unsafe=True)] * 10, *requested]
    odds = np.array([0.0, *[0.9] * 8, *[0.4] * 2, *[0.1] * 9, 0.5])
    assert 0.5 < best_threshold(found, odds) <= 0.9
    odds[-1] = 0.1
    assert 0.1 < best_threshold(found, odds) <= 0.4
