"""Which subjects a text may speak of, by one pass: never fewer than Python's `re` finds."""

import asyncio
import random
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.plan import Planner
from app.chat.planning.prose import WORDS
from tasks.wording import phrasebook
from tasks.wording.phrasebook import Phrasebook, image, pieces
from tasks.wording.phrases import compiled
from tests import routing
from tests.conftest import each_case
from tests.plans import ALL_TEXTS, Case, turn_of

TEXTS = sorted({*ALL_TEXTS, *routing.SEARCHED, *routing.ANSWERED, *routing.SEEN, *routing.READ})

said = sorted(
    {
        part
        for phrases in WORDS.phrases.values()
        for phrase in phrases
        for part in re.split(r"\\.|[()|^$?]+:?|\[[^\]]*\]|\.?[*+]|\.?\{[^}]*\}", phrase)
        if part.strip()
    }
)
"""What the phrases are made of."""
odd = list("ſİıKßéÉ中訳ЖжйЙґאظ²½٣_'’❝“”\n\t\xa0\x0b\x1c\u3000!?？。.,，:：;;🔗0\ud800\u0301😀")
fragments = st.one_of(
    st.sampled_from(said),
    st.sampled_from(said).map(str.upper),
    st.sampled_from(odd),
    st.sampled_from([" ", ". ", ", "]),
)
requests = st.one_of(
    st.lists(fragments, max_size=14).map("".join),
    st.lists(fragments, max_size=14).map(" ".join),
    st.lists(st.sampled_from(TEXTS), max_size=3).map(". ".join),
    st.text(max_size=60),
)


def assert_nothing_is_missed(text: str) -> None:
    """In what stands alone and in one line of several."""
    for found, lines in (
        (WORDS.expressions_in(text), [text]),
        (WORDS.expressions_in("x", *text.split("\n")), text.split("\n")),
    ):
        for subject, whole in WORDS.wholes.items():
            for line in lines:
                expected = spans(whole, line)
                assert spans(found[subject], line) == expected if subject in found else not expected, (subject, line)


def spans(pattern: str, text: str) -> list[tuple[int, int]]:
    return [match.span() for match in compiled(pattern).finditer(text)]


@pytest.mark.deep
@each_case("text", TEXTS)
def test_nothing_is_missed_in_the_tables_of_requests(text: str) -> None:
    assert_nothing_is_missed(text)
    assert_nothing_is_missed(text.upper())


@given(requests)
def test_nothing_is_missed_in_any_text(text: str) -> None:
    assert_nothing_is_missed(text)


@pytest.mark.deep
@each_case("media", [(), ("image",), ("mp3",)])
async def test_plans_are_those_of_looking_for_everything(media: tuple[str, ...]) -> None:
    turns = [turn_of(Case(text, media, ())) for text in TEXTS if text or media]
    plans = [await Planner().plan(turn) for turn in turns]
    with pytest.MonkeyPatch.context() as patched:
        look_for_everything(patched)
        for turn, plan in zip(turns, plans, strict=True):
            assert plan == await Planner().plan(turn), turn.text


@given(requests.filter(str.strip), st.sampled_from([(), ("image",), ("mp3",)]))
def test_any_plan_is_that_of_looking_for_everything(text: str, media: tuple[str, ...]) -> None:
    turn = turn_of(Case(text.encode(errors="replace").decode(), media, ()))
    with pytest.MonkeyPatch.context() as patched:
        look_for_everything(patched)
        everything = asyncio.run(Planner().plan(turn))
    assert asyncio.run(Planner().plan(turn)) == everything


def look_for_everything(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(Phrasebook, "expressions_in", lambda self, *_texts: dict(self.wholes))


@each_case(
    ("kind", "of_image"),
    [(r"\d", r"[0-9]+"), (r"[^\W\d]", r"[a-zA-Z0-9_]+"), (r"\s", r"[ \t-\r\x1c-\x1f]+"), (r"[^\w\s]", r"[^\w\s]+")],
)
def test_a_letter_remains_what_it_is(kind: str, of_image: str) -> None:
    letters = re.findall(kind, "".join(map(chr, range(0x20000))))
    assert len(letters) > 20
    assert re.fullmatch(of_image, image("".join(letters)), re.ASCII)


def test_letters_that_re_takes_for_one_are_one() -> None:
    cased = "".join(
        letter for letter in map(chr, range(sys.maxunicode)) if {letter.lower(), letter.upper()} != {letter}
    )
    assert {"ſ", "K", "İ", "ı", "ẞ", "ς", "\u0345"} <= set(cased)
    for letter in cased:
        ((pattern,),) = pieces(letter)
        for other in re.findall(letter, cased, re.IGNORECASE):
            assert re.fullmatch(pattern, image(other)), (letter, other)


@each_case(
    ("pattern", "parts"),
    [
        ("Foo|b.r", [["foo"], ["b", "r"]]),
        (r"\bput\b.{0,40}?\binto\b", [[r"\bput\b", r"\binto\b"]]),
        ("(?<!x)a++(?=b(c))(?:d|e.*f)", [["a+(?:d|e(?s:..?)*f)"]]),
        ("a{2,3}b{0,4}c{,2}d{5}?", [["a+b*c*d+"]]),
        ("^x$", [["(?m:^)x(?m:$)"]]),
        (".*", [[""]]),
        ("[^a][b-d]", [["(?s:..?)(?s:..?)"]]),
        (r"\.\?", [[r"\.\?"]]),
        ("é?ж", [["(?:e)?(?:PM)"]]),
        ("(?P<n>[tд-])", [["(?:(?:t|(?:PK)|\\-))"]]),
    ],
)
def test_parts_of_a_pattern(pattern: str, parts: list[list[str]]) -> None:
    assert pieces(pattern) == parts


@each_case("pattern", [r"(a)\1", "(?i)a", "(?P<n>a)(?P=n)", r"\N{DIGIT ONE}", r"\x41", "(a)?(?(1)b|c)"])
def test_what_has_no_image_is_told(pattern: str) -> None:
    with pytest.raises(ValueError, match="is not supported"):
        pieces(pattern)


def test_one_language_is_looked_for_where_only_that_is_spoken() -> None:
    book = Phrasebook({"day": ["today|tonight", "heute|abends"], "sea": ["sea"]})
    assert book.expressions_in("What is on TONIGHT?") == {"day": "today|tonight"}
    assert book.expressions_in("today or heute") == {"day": "today|tonight|heute|abends"}
    assert book.expressions_in("nothing", "the sea") == {"sea": "sea"}
    assert book.expressions_in() == {}


def test_the_same_is_found_with_hardly_any_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrasebook, "AUTOMATON_BYTES", 6 << 18)
    small = Phrasebook(WORDS.phrases)
    drawn = random.Random(4)
    for _ in range(200):
        text = " ".join(drawn.choices(said, k=40))
        assert small.expressions_in(text) == WORDS.expressions_in(text)
