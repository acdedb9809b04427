"""The shares of requests that are planned right. Single messages are not asserted: the model of wishes learns them all
together, and one more example may cost another."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.chat.plan import Planner, with_inputs_asked_about
from tests.conftest import ROOT
from tests.kit.chats.plans import LATER, ROUTED, RULED, UNSEEN, Case, share_right, turn_of

_TRANSLATIONS = tomllib.loads((ROOT / "tests" / "data" / "translation_wishes.toml").read_text("utf-8"))["messages"]
TRANSLATED = [(one["message"], True) for one in _TRANSLATIONS if "targets" in one]
UNTRANSLATED = [(one["message"], False) for one in _TRANSLATIONS if "targets" not in one]
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


@pytest.mark.parametrize(
    ("cases", "least"), [((*RULED, *ROUTED, *LATER), 0.96), (UNSEEN, 0.93)], ids=["known", "unseen"]
)
async def test_nearly_all_requests_get_exactly_their_steps(cases: Sequence[Case], least: float) -> None:
    planner = Planner()
    got = [(case, sorted((await planner.plan(turn_of(case))).summary)) for case in cases]
    assert share_right(((case, steps, sorted(case.steps)) for case, steps in got)) >= least


@pytest.mark.parametrize(("texts", "is_about", "least"), [(ABOUT, True, 0.9), (BESIDE, False, 0.8)])
async def test_what_follows_an_input_is_about_it_or_not(texts: str, is_about: bool, least: float) -> None:
    turns = [replace(turn_of(Case(text, ("image",), ())), is_of_earlier=True) for text in texts.split("|")]
    got = [(turn.text, bool(with_inputs_asked_about(turn).sources)) for turn in turns]
    assert share_right(((text, kept, is_about) for text, kept in got)) >= least


@pytest.mark.parametrize(
    ("messages", "least"), [(TRANSLATED, 0.95), (UNTRANSLATED, 0.78)], ids=["translated", "untranslated"]
)
async def test_translations_are_told_from_other_wishes(messages: Sequence[tuple[str, bool]], least: float) -> None:
    got = [(text, (await Planner().plan(turn_of(Case(text, (), ())))).steps, wanted) for text, wanted in messages]
    tasks = [(text, {step.task for step in steps}, {"translate"} if wanted else set()) for text, steps, wanted in got]
    assert share_right(tasks) >= least
