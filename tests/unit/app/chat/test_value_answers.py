"""Answers with printed values: the value with its line, the row that a question names, and what is said of the rest."""

from typing import Any

import pytest

from app.chat.value_answers import LEAST_CERTAIN
from tasks.inputs.loader import MediaLoader
from tests.kit.chats.answers import GivenTasks, answer, chat_of, own_answers
from tests.kit.engines.scripted_llm import ScriptedLlm
from tests.kit.papers.read_pages import ocr
from tests.unit.app.chat.test_inputs import PIXEL, image, text

INVOICE = (
    "Invoice no: 4711\nVendor: Acme GmbH\nDate: 2026-03-01\nDue date: 2026-03-31\nTotal: 99.50 EUR\nPets: not allowed\n"
)
FARES = ocr(
    "Harbour Ferries",
    ("To", "Leaves", "Fare"),
    ("Coll", "10:40", "14.20"),
    ("Mull", "08:15", "9.80"),
    ("Tiree", "12:05", "16.50"),
)


@pytest.fixture
def ask(loader: MediaLoader) -> Any:
    async def ask(question: str, document: str | None = INVOICE) -> str:
        """Return the answer to a question about a pasted document, or without one about the picture of FARES."""
        tasks = GivenTasks({"ocr": FARES.result.data})
        content: Any = f"{question}\n\n{document}" if document else [text(question), image(PIXEL)]
        request = chat_of({"role": "user", "content": content})
        found = await answer(own_answers(loader, tasks), ScriptedLlm(is_capable=False), request, tasks)
        return found.text

    return ask


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the total?", "99.50\n\n> Total: 99.50 EUR"),
        ("What is the total? Answer with a single number.", "99.50"),
        (
            "What are the vendor and the total?",
            "vendor: Acme GmbH\n\n> Vendor: Acme GmbH\n\ntotal: 99.50\n\n> Total: 99.50 EUR",
        ),
        ("When do I have to pay?", "2026-03-31\n\n> Due date: 2026-03-31"),
    ],
)
async def test_a_value_has_its_line(ask: Any, question: str, answer: str) -> None:
    assert await ask(question) == answer


@pytest.mark.parametrize(("place", "fare"), [("Coll", "14.20"), ("Mull", "9.80"), ("Tiree", "16.50")])
async def test_a_place_in_the_question_chooses_the_row(ask: Any, place: str, fare: str) -> None:
    found = await ask(f"How much is the fare to {place}?", None)
    others = {"14.20", "9.80", "16.50"} - {fare}
    assert fare in found
    if not found.startswith("These passages"):
        assert not any(other in found for other in others)


async def test_a_word_that_names_the_paper_chooses_no_row(ask: Any) -> None:
    assert (await ask("When do I have to pay this invoice?")).startswith("2026-03-31")


async def test_a_missing_value_is_said_to_be_missing(ask: Any) -> None:
    assert "'IBAN'" in await ask("What is the IBAN?")
    both = await ask("What are the total and the IBAN?")
    assert both.startswith("total: 99.50")
    assert "'IBAN'" in both


async def test_a_part_that_names_no_value_has_the_lines_with_its_words(ask: Any) -> None:
    found = await ask("What is the total, and are pets allowed?")
    assert found.startswith("99.50")
    assert "> Pets: not allowed" in found


async def test_an_uncertain_value_says_how_probable_it_is(ask: Any) -> None:
    found = await ask("Who is the customer?", f"{INVOICE}Bill to: Sheila Norton, 19 Elm Grove, York YO1 7HU\n")
    percent = [int(word) for word in found.split() if word.isdigit()][-1]
    assert found.endswith(f"{percent} %.")
    assert 0 < percent < 100 * LEAST_CERTAIN


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Find all dates in this text:", "- 3 May 2024\n- 7 June 2024"),
        ("List the email addresses:", "- ann@example.com"),
    ],
)
async def test_values_with_a_form_are_listed(ask: Any, question: str, answer: str) -> None:
    assert await ask(question, "We met on 3 May 2024 and on 7 June 2024.\nWrite to ann@example.com.\nBye!") == answer
