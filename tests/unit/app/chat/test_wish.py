"""What of a message asks, and for how much."""

import numpy as np
import pytest

from app.chat import wish
from app.chat.wish import Wish
from tasks.inputs.kinds import Kind
from tasks.wording.wishes import BUCKETS, LABELS, Label, WishModel
from tests.conftest import each_case

DOCUMENT = (
    "Minutes of 12 March 2026\nPresent: Ada Berg, Jonas Vik\nThe crane costs 48,200 euros.\nNext meeting: 9 April"
)


@each_case(
    ("message", "question"),
    [
        ("What is the total?\nAnswer the question using a single number.", "What is the total?"),
        ("Answer in one word: who is the cashier?", "who is the cashier?"),
        ("Who is the cashier? Your answer must be a single word.", "Who is the cashier?"),
        ("Wie lautet die Nummer? Nur die Zahl.", "Wie lautet die Nummer?"),
        ("Hey, I need some help. What's the total? Thanks!", "What's the total?"),
        ("Extract name and email: Hi, I am Imke Vos, write to imke@example.nl.", "Extract name and email:"),
        (f"What is the price?\n\n<context>\n{DOCUMENT}\n</context>", "What is the price?"),
    ],
)
async def test_the_question_has_no_words_on_how_to_answer(message: str, question: str) -> None:
    assert (await Wish.of(message, ("document",))).question == question


@pytest.mark.parametrize(
    ("message", "most"),
    [
        ("Sum it up in two sentences.", 2),
        ("Résume en une phrase.", 1),
        ("Fasse das in einem Satz zusammen.", 1),
        ("Vat dit in één zin samen.", 1),
        ("用一句话总结这份文件", 1),
        ("Sum it up in a few sentences", 3),
        ("TL;DR", 3),
    ],
)
async def test_a_summary_may_have_a_length(message: str, most: int) -> None:
    wish = await Wish.of(message, ("document",))
    assert (wish.labels - {"one_sentence"}, wish.most_sentences) == ({"summary"}, most)


async def test_a_pasted_paragraph_is_the_document_of_the_order_beside_it() -> None:
    pasted = "The hall will be repaired in June. The repair costs 90,000 pounds."
    for message in (f"Summarise this.\n\n{pasted}", f"{pasted}\n\nSummarise this."):
        wish = await Wish.of(message, ())
        assert (wish.labels, wish.question, wish.message.document) == ({"summary"}, "Summarise this.", pasted)
    asked = await Wish.of("Hello there!\n\nWhat is the capital of Peru? I need it for a quiz.", ())
    assert asked.message.document == ""


@each_case(
    ("message", "kind", "label"),
    [
        ("turn this timetable into records", "table", "value"),
        ("export with weights, in tonnes", "table", "value"),
        ("forecast the next quarter", "table", "forecast"),
        ("data of the loyalty card", "image", "value"),
        ("count the bicycles", "image", "detect"),
        ("Daten vom Typenschild", "image", "value"),
        ("translate the menu into German", "image", "translate"),
        ("crée une fiche à partir de ce mail", "document", "value"),
    ],
)
async def test_an_order_to_take_over_data_is_one_for_values(message: str, kind: Kind, label: Label) -> None:
    found = await Wish.of(message, (kind,))
    assert label in found.beside((kind,), has_schema=True).labels


@each_case(("probability", "label"), [(0.4, "value"), (0.6, "forecast")])
def test_a_forecast_that_is_only_guessed_fills_no_schema(probability: float, label: Label) -> None:
    weights = np.zeros((BUCKETS, len(LABELS)), np.float32)
    odds = np.full(len(LABELS), -9.0, np.float32)
    odds[LABELS.index("forecast")] = np.log(probability / (1 - probability))
    model = WishModel(weights, odds)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wish, "wish_model", lambda: model)
        alone = Wish.read("the sheet", ("table",))
        assert alone.labels == {"forecast"}
        assert alone.beside(("table",), has_schema=True).labels == {label}


async def test_an_input_without_words_is_read_out() -> None:
    assert (await Wish.of("", ("image",))).labels == {"read_out"}
    assert (await Wish.of(" ", ())).labels == {"other"}


async def test_a_long_message_wishes_what_its_ends_say() -> None:
    filler = "Lorem ipsum dolor sit amet.\n\n" * 400
    assert (await Wish.of(f"{filler}Translate it into French.", ())).labels == {"translate"}
    assert (await Wish.of(f"Translate it into French.\n\n{filler}", ())).labels == {"translate"}
    assert "translate" not in (await Wish.of(f"{filler}Translate it into French.\n\n{filler}", ())).labels
