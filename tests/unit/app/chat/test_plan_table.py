"""The table of requests, against the rules alone and against rules and router."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from app.chat.plan import Planner
from models.embedding.embedder import Embedder
from models.embedding.minilm import MiniLm
from models.embedding.minilm_weights import embedding_remedy
from tests.plans import LATER, ROUTED, RULED, UNSEEN, Case, turn_of

ALL = (*RULED, *ROUTED, *LATER, *UNSEEN)


class InProcess:
    """The real engine without a host."""

    def __init__(self) -> None:
        self._engine = MiniLm(threads=1)
        self._engine.load()

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = self._engine.run(texts)
        return np.stack([vector for vector in vectors if not isinstance(vector, Exception)])


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    if remedy := embedding_remedy():
        pytest.skip(f"needs the embedding engine. {remedy}")
    return InProcess()


@pytest.fixture(scope="module")
async def routed(embedder: Embedder) -> dict[Case, list[str]]:
    """What rules and router plan for each."""
    return await plans(Planner(embedder), ALL)


async def plans(planner: Planner, cases: Sequence[Case]) -> dict[Case, list[str]]:
    return {case: sorted((await planner.plan(turn_of(case))).summary) for case in cases}


def share_right(planned: dict[Case, list[str]], cases: Sequence[Case]) -> float:
    """The share of `cases` with exactly the wanted steps; prints the others."""
    right = 0
    for case in cases:
        got = planned[case]
        if got == sorted(case.steps):
            right += 1
        else:
            print(f"{case.text!r} {case.media}: wanted {sorted(case.steps)}, got {got}")
    print(f"{right} of {len(cases)} right")
    return right / len(cases)


@pytest.mark.parametrize(
    ("cases", "least"), [(RULED, 0.97), (UNSEEN, 0.75), (ALL, 0.9)], ids=["ruled", "unseen", "all"]
)
async def test_the_rules_alone_plan_most_requests(cases: Sequence[Case], least: float) -> None:
    assert share_right(await plans(Planner(), cases), cases) >= least


@pytest.mark.parametrize(
    ("cases", "least"),
    [(RULED, 0.97), (ROUTED, 0.9), (LATER, 0.95), (UNSEEN, 0.8), (ALL, 0.95)],
    ids=["ruled", "routed", "later", "unseen", "all"],
)
def test_rules_and_router_plan_nearly_all_requests(
    routed: dict[Case, list[str]], cases: Sequence[Case], least: float
) -> None:
    assert share_right(routed, cases) >= least


ABOUT = (
    "total?|and the vat|Which platform?|Is it red?|What's the merchant's name?|How many pages does it have?|"
    "who is the buyer|list the line items|can you give me the IBAN|What does the sign say?|who is speaking|"
    "what was decided in the meeting|as JSON please|And in French?|Why?|the second one|describe it|Who is the author?|"
    "What are the main findings?|Does he recommend the film?|What is the weather like in the photo?|"
    "What is the price of the soup?|How old is the patient?|Wie hoch ist die Summe?|Was ist die Rechnungsnummer?"
)
BESIDE = (
    "Great, thank you very much|awesome, that works|Wonderful, thanks for your help|ok great|good night|Hello|"
    "What is the capital of France?|Tell me a joke|What is the population of Brazil?|Vielen Dank, das hilft"
)


@pytest.mark.parametrize(("texts", "is_about", "least"), [(ABOUT, True, 0.95), (BESIDE, False, 0.8)])
async def test_what_follows_an_input_is_about_it_or_not(
    embedder: Embedder, texts: str, is_about: bool, least: float
) -> None:
    planner, right = Planner(embedder), 0
    for text in texts.split("|"):
        turn = await planner.with_inputs_asked_about(replace(turn_of(Case(text, ("image",), ())), is_of_earlier=True))
        right += bool(turn.sources) is is_about
    assert right >= least * len(texts.split("|"))
