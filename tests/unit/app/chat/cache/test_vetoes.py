"""What tells two questions apart, on pairs that were written for it: tests/data/questions.

Each line of its files is what was changed, or "same", and two questions. The vetoes and their words were chosen with
the first file in view; of the second nothing but hits were counted.
"""

import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.chat.cache import questions, vetoes
from app.chat.cache.plain_questions import is_known_language
from app.chat.cache.questions import parse_question, share_of_english, stem
from app.chat.cache.verification import MAX_ERROR, Observation, Observations, decide
from app.chat.cache.vetoes import _ENDINGS, MAX_CHARS, _is_kin, _root, find_veto, gist
from bench import cache_simulation
from models.embedding.minilm import MiniLm
from models.embedding.minilm_weights import embedding_remedy
from tests.conftest import ROOT, each_case

QUESTIONS = ROOT / "tests" / "data/questions"
HALVES = ("first", "second")


def pairs(half: str) -> list[tuple[str, str, str]]:
    lines = (QUESTIONS / f"{half}.tsv").read_text("utf-8").splitlines()
    return [(kind, one, other) for kind, one, other in (line.split("\t") for line in lines)]


@pytest.fixture(scope="module")
def similarities() -> Iterator[dict[str, NDArray[np.float32]]]:
    if remedy := embedding_remedy():
        pytest.skip(f"needs the embedding engine. {remedy}")
    engine = MiniLm(threads=1)
    engine.load()
    found = {}
    for half in HALVES:
        vectors = np.stack(
            [np.asarray(each) for each in engine.run([text for _, *both in pairs(half) for text in both])]
        )
        found[half] = np.einsum("nd,nd->n", vectors[::2], vectors[1::2])
    yield found
    engine.close()


KNOWN_WELL = Observations().added(*(Observation(0.7 + 0.001 * number, correct=True) for number in range(250)))
"""What was seen of an entry whose answer was right for all questions down to a similarity of 0.7."""


@pytest.mark.accuracy
@pytest.mark.parametrize("half", HALVES)
def test_of_near_misses_hardly_one_is_hit_and_of_paraphrases_most(
    half: str, similarities: dict[str, NDArray[np.float32]]
) -> None:
    hits: Counter[bool] = Counter()
    asked: Counter[bool] = Counter()
    for (kind, one, other), similarity in zip(pairs(half), similarities[half], strict=True):
        asked[kind == "same"] += 1
        given = find_veto(one, other) is None and decide(KNOWN_WELL, float(similarity), MAX_ERROR, 0.999) == "exploit"
        hits[kind == "same"] += given
    assert asked[False] >= 110
    assert asked[True] >= 110
    assert hits[False] <= 0.01 * asked[False]
    assert hits[True] >= 0.6 * asked[True]


@pytest.mark.accuracy
def test_similarity_alone_would_let_most_near_misses_pass(similarities: dict[str, NDArray[np.float32]]) -> None:
    alike = [
        similarity
        for half in HALVES
        for (kind, *_), similarity in zip(pairs(half), similarities[half], strict=True)
        if kind != "same"
    ]
    assert np.mean(np.array(alike) > 0.8) > 0.5


def test_pairs_are_their_own_and_no_half_repeats_the_other() -> None:
    questions = [{one for _, *both in pairs(half) for one in both} for half in HALVES]
    assert not questions[0] & questions[1]
    for half in HALVES:
        assert len({(one, other) for _, one, other in pairs(half)}) == len(pairs(half))


def test_a_veto_is_the_same_in_both_directions() -> None:
    for half in HALVES:
        for _, one, other in pairs(half):
            assert (find_veto(one, other) is None) == (find_veto(other, one) is None), (one, other)


@each_case(
    "one, other, reason",
    [
        # What users of other caches complain of.
        ("How do I disable 2FA?", "How do I enable 2FA?", "opposite"),
        ("How do I turn off 2FA?", "How do I switch on two-factor authentication?", "opposite"),
        ("Is Java faster than Python?", "Is Python faster than Java?", "direction"),
        ("Does Anna owe Ben money?", "Does Ben owe Anna money?", "order"),
        ("Who killed Caesar?", "Who did Caesar kill?", "order"),
        ("What eats mice?", "What do mice eat?", "order"),
        ("Did Rome conquer Greece?", "Was Rome conquered by Greece?", "order"),
        ("Can I replace butter with oil?", "Can I replace oil with butter?", "order"),
        ("Is A the cause of B?", "Is B the cause of A?", "order"),
        ("Flights from Paris to London", "Flights from London to Paris", "direction"),
        ("A flight to Paris", "A flight from Paris", "direction"),
        ("Convert kilometres to miles", "Convert miles to kilometres", "direction"),
        ("Can I take ibuprofen with alcohol?", "Can I take ibuprofen without alcohol?", "negation"),
        ("Is it safe to eat raw eggs?", "Is it unsafe to eat raw eggs?", "negation"),
        ("Why can I log in?", "Why can't I log in?", "negation"),
        ("What is 15% of 80?", "What is 15% of 90?", "number"),
        ("Is 1.5 more than 15?", "Is 15 more than 1.5?", "number"),
        ("What is 3 + 4?", "What is 3 * 4?", "code"),
        ("What are five cups in ml?", "What are six cups in ml?", "number"),
        ("Is 5 mg too much?", "Is 5 g too much?", "unit"),
        ("Is 5% of 10 much?", "Is 5 of 10 much?", "unit"),
        ("Which weekday was 3 March 2024?", "Which weekday was 4 March 2024?", "date"),
        ("Is it closed on Monday?", "Is it closed on Tuesday?", "date"),
        ("Delete the first row", "Delete the last row", "date"),
        ("What is in report.pdf?", "What is in report.docx?", "code"),
        ("What is C?", "What is C++?", "code"),
        ("What is the difference between = and ==?", "What is the difference between == and ===?", "code"),
        ("What does the ?: operator do?", "What does the ?? operator do?", "code"),
        ("What does ++ do in C?", "What does -- do in C?", "code"),
        ("How do I use ** in Python?", "How do I use * in Python?", "code"),
        ("What is :: in Ruby?", "What is : in Ruby?", "code"),
        ("What does a==b compare?", "What does a=b compare?", "code"),
        ('What does "yes" mean?', 'What does "no" mean?', "quotation"),
        ("What does `ls -l` do?", "What does `ls -a` do?", "quotation"),
        ("What is on https://example.com/a?", "What is on https://example.com/b?", "address"),
        ("Who has ann@example.com?", "Who has bob@example.com?", "address"),
        ("Who painted the Mona Lisa?", "When was the Mona Lisa painted?", "question"),
        ("Can I tip in Japan?", "Must I tip in Japan?", "question"),
        ("Does the app support Linux?", "How does the app support Linux?", "question"),
        ("Who is the head of Intel?", "Who was the head of Intel?", "time"),
        ("What is my name?", "What is your name?", "person"),
        ("Do you trust me?", "Do I trust you?", "person"),
        ("How do I cook rice?", "How do I cook quinoa?", "words"),
        ("How do I get coffee?", "How do I make coffee?", "words"),
        ("When does the US tax year end?", "When does the UK tax year end?", "name"),
        ("Where is the train station?", "¿Dónde está la estación de tren?", "language"),
        ("What is the refund policy?", "What is the refund policy for digital goods?", "words"),
    ],
)
def test_what_changes_an_answer_is_named(one: str, other: str, reason: str) -> None:
    assert find_veto(one, other) == reason


@each_case(
    "one, other",
    [
        ("How do I reset my password?", "What are the steps to reset a password?"),
        ("How do I delete my account?", "What do I need to do to remove my account?"),
        ("What is the capital of France?", "France's capital is what?"),
        ("How do I convert PDF to Word?", "What's the best way to turn a PDF into Word?"),
        ("What is the difference between TCP and UDP?", "What's the difference between UDP and TCP?"),
        ("Which weekday was 3 March 2024?", "Which weekday was March 3, 2024?"),
        ("What are two cups in ml?", "What are 2 cups in millilitres?"),
        ("What are 1,000 metres in miles?", "what are 1000 m in miles"),
        ("How tall is the Eiffel Tower?", "What is the height of the Eiffel Tower?"),
        ("Why can't I log in?", "Why am I unable to sign in?"),
        ("Why is the sky blue ?", "Why is the sky blue?!"),
        ("Who invented dynamite?", "Who was the inventor of dynamite?"),
        ("Do I need a visa for the United States?", "Is a visa required for the USA?"),
    ],
)
def test_other_words_for_the_same_are_no_reason(one: str, other: str) -> None:
    assert find_veto(one, other) is None


def test_every_kind_of_near_miss_has_a_reason_of_its_own() -> None:
    reasons: dict[str, Counter[str | None]] = {}
    for half in HALVES:
        for kind, one, other in pairs(half):
            reasons.setdefault(kind, Counter())[find_veto(one, other)] += 1
    named = {kind: counted.most_common(1)[0][0] for kind, counted in reasons.items()}
    assert named["digit"] == "number"
    assert named["direction"] == "direction"
    assert named["unit"] == "unit"
    assert named["date"] == "date"
    assert named["question"] == "question"
    assert named["file"] == "code"
    assert named["person"] == named["place"] == "name"
    assert reasons["negation"]["negation"] + reasons["negation"]["opposite"] > 20


def test_texts_that_may_ask_the_same_have_one_gist() -> None:
    both = [(one, other) for half in HALVES for _, one, other in pairs(half)]
    agreeing = [find_veto(*each) is None for each in both]
    assert sum(agreeing) > 140
    alike = [gist(one) == gist(other) for one, other in both]
    assert not [each for each, agree, is_alike in zip(both, agreeing, alike, strict=True) if agree and not is_alike]
    # Hardly another is found under it.
    assert sum(alike) < 1.3 * sum(agreeing)


@pytest.mark.deep
def test_no_two_of_many_questions_agree_without_one_gist() -> None:
    asked = [one for half in HALVES for _, *both in pairs(half) for one in both]
    asked += [each.question for each in cache_simulation.questions(300)]
    asked += [varied(one, random.Random(place)) for place, one in enumerate(asked)]
    gists = {one: gist(one) for one in asked}
    # Those whose words are alike stand beside each other.
    asked = sorted(gists, key=lambda one: sorted(parse_question(one).content))
    agreeing = [
        (one, other)
        for place, one in enumerate(asked)
        for other in asked[place + 1 : place + 20]
        if find_veto(one, other) is None
    ]
    assert len(agreeing) > 500
    assert not [(one, other) for one, other in agreeing if gists[one] != gists[other]]


def varied(question: str, drawn: random.Random) -> str:
    """With other words of the sets that its words are in, and with other endings."""

    def other(word: str) -> str:
        its_sets = [each for each in SYNONYMS if word.lower() in each]
        if drawn.random() < 0.5 or not word.isalpha():
            return word
        return drawn.choice(drawn.choice(its_sets)) if its_sets else word + drawn.choice(("", "s", "er", "ing", "ion"))

    return re.sub(r"\w+", lambda word: other(word.group()), question)


SYNONYMS = [
    each.split(", ")
    for each in tomllib.loads(Path(questions.__file__).with_suffix(".toml").read_text("utf-8"))["synonyms"]["sets"]
]


def test_kin_have_one_root() -> None:
    bases = ("direct", "invent", "relat", "situat", "habitu", "condit", "finance", "translation", "governor", "circu")
    words = [f"{base}{ending}" for base in bases for ending in _ENDINGS]
    kin = [(one, other) for one in words for other in words if _is_kin(one, other)]
    assert len(kin) > len(bases) * len(_ENDINGS)
    assert all(_root(one) == _root(other) for one, other in kin)
    assert _root("direct") != _root("divert")


@each_case(
    "one, other",
    [
        ("What is 1.234 divided by 2?", "What is 2 by 1,234 divided?"),
        ("Is 12% of 50 much?", "Is 12 % of 50.0 much?"),
        ("Which weekday was 03/04/2005?", "Which weekday was 4 March 2005?"),
        ("Which weekday was 03/04/05?", "Which weekday was 2003-04-05?"),
    ],
)
def test_what_can_be_read_in_several_ways_has_one_gist_with_each(one: str, other: str) -> None:
    assert gist(one) == gist(other)


def test_a_long_text_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "How do I " + "really " * MAX_CHARS

    def parse_question(_text: str) -> None:
        raise AssertionError("a long text was read")

    monkeypatch.setattr(vetoes, "parse_question", parse_question)
    assert find_veto(text, text) == "length"
    assert find_veto("How?", text) == "length"


@each_case(
    "ones",
    [
        ("cancel", "cancels", "cancelled", "cancelling"),
        ("battery", "batteries"),
        ("make", "making", "makes"),
        ("process", "processes", "processed"),
        ("safe", "safely"),
    ],
)
def test_the_forms_of_a_word_have_one_stem(ones: tuple[str, ...]) -> None:
    assert len(set(map(stem, ones))) == 1


@each_case("one, other", [("import", "export"), ("employer", "employee"), ("bus", "business"), ("contact", "contract")])
def test_different_words_keep_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)
    assert find_veto(f"What is the {one} for?", f"What is the {other} for?")


def test_every_list_of_the_table_is_read() -> None:
    table = tomllib.loads(Path(questions.__file__).with_suffix(".toml").read_text("utf-8"))
    assert set(table) == {"phrases", "words", "synonyms", "opposites", "units"}
    for pair in table["opposites"]["pairs"]:
        one, other = (word.strip() for word in pair.split(","))
        assert find_veto(f"Say how to {one} it", f"Say how to {other} it"), pair
    for said in table["units"].values():
        assert len(set(said.split(", "))) == len(said.split(", ")), said


def test_questions_of_both_halves_are_known_to_be_english() -> None:
    english = [one for half in HALVES for kind, one, _ in pairs(half) if kind == "same"]
    assert sum(map(is_known_language, english)) >= 0.98 * len(english)
    for other in (
        "Wie setze ich mein Passwort zurück?",
        "¿Dónde está la estación de tren?",
        "今日の天気は？",
        "Posso pagare con la carta?",
    ):
        assert not is_known_language(other), other
    assert share_of_english("") == 0
