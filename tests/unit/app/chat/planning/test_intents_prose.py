"""What of a message is instruction, and what it only shows."""

import pytest

from app.chat.planning.intents import target_languages
from app.chat.planning.prose import Prose, enclosure_in, pasted_in
from tests.conftest import each_case

LINK = "https://example.com/a"


@pytest.mark.parametrize(
    "message",
    [
        "```\ntranslate\n```",
        "run `translate`",
        "what is 'translate'?",
        "was heißt „translate“?",
        "« translate » ?",
        "「translate」",
        "write to translate@example.com",
        f"{LINK}/translate",
        "```\ntranslate that nobody closed",
    ],
)
def test_code_quotations_and_addresses_ask_for_nothing(message: str) -> None:
    assert not Prose.of(message).mentions("translate")


@pytest.mark.parametrize(
    "message",
    [
        f"Summarise {LINK}",
        f"Summarise this: {LINK}",
        f'Summarise "{LINK}"',
        f"Don't forget to read {LINK}",
        f"Why does {LINK} not work",
    ],
)
def test_a_link_is_followed(message: str) -> None:
    assert Prose.of(message).followed == {LINK}


@pytest.mark.parametrize(
    "message",
    [
        f"`curl {LINK}`",
        f"```\nGET {LINK}\n```",
        f"Do not open {LINK}",
        f"Never click on {LINK} they said",
        f"Öffne {LINK} nicht",
        f"N'ouvre pas {LINK}",
        f"{LINK} を開かないで",
        f"Не открывай {LINK}",
        f"Translate: look at {LINK} first",
    ],
)
def test_a_link_that_is_shown_or_forbidden_is_not(message: str) -> None:
    assert not Prose.of(message).followed


@each_case(
    "message",
    [
        "Don't translate",
        "nicht übersetzen",
        "ne traduis pas",
        "non tradurre",
        "niet vertalen",
        "翻訳しないで",
        "لا تترجم",
    ],
)
def test_what_is_denied_is_not_asked_for(message: str) -> None:
    prose = Prose.of(message)
    assert not prose.asks("translate")


def test_a_long_message_is_asked_for_at_its_ends() -> None:
    filler = "Lorem ipsum dolor sit amet. " * 200
    assert Prose.of(f"{filler} translate it").asks("translate")
    assert Prose.of(f"translate it. {filler}").asks("translate")
    assert not Prose.of(f"{filler} translate it. {filler}").asks("translate")


@each_case(
    ("text", "language"),
    [
        ("translate into French", "French"),
        ("ins Englische übersetzen", "English"),
        ("in italiano", "Italian"),
        ("翻译成法语", "French"),
        ("на русский", "Russian"),
        ("a German translation of this", "German"),
    ],
)
def test_a_target_is_named_in_any_language(text: str, language: str) -> None:
    assert target_languages(text) == (language,)


@each_case(
    ("text", "language"),
    [
        ("translate to zh: hello", "Chinese"),
        ("翻译成 en", "English"),
        ("translate to it: hello", "Italian"),
        ("translate into deu", "German"),
        ("translate to quy.", "Ayacucho Quechua"),
    ],
)
def test_a_target_of_a_translation_may_be_any_language_by_name_or_code(text: str, language: str) -> None:
    assert target_languages(text, of_translation=True) == (language,)


@pytest.mark.parametrize(
    "text",
    [
        "translate what is in it",
        "put this into it.",
        "translate it as is",
        "traduce el en el",
        "turn it to no",
        "translate it to her, too",
        "to as many as you like",
        "sent to uma",
    ],
)
def test_a_word_that_looks_like_a_code_is_none(text: str) -> None:
    assert target_languages(text, of_translation=True) == ()


INVOICE = "Invoice 4711 from Acme GmbH, total 99.50 EUR"
PAGE = "ACME GMBH\n\nInvoice no.   4711\nTotal        99.50"


@each_case(
    ("message", "document"),
    [
        (INVOICE, INVOICE),
        (f"Please extract the fields. {INVOICE}", INVOICE),
        (f"Hi! You are a careful reader. Fill in the schema:\n{PAGE}\n\nReturn only JSON. Thanks!", f"\n{PAGE}\n\n"),
        (f"<document>{PAGE}</document> Extract the total.", PAGE),
        (f"Extrais les champs :\n{PAGE}", f"\n{PAGE}"),
        ("Make: Toyota\nModel: Corolla\nReturn Policy: none", "Make: Toyota\nModel: Corolla\nReturn Policy: none"),
        ("my name is Anna", "my name is Anna"),
    ],
)
def test_the_text_that_a_message_brings_has_no_instructions(message: str, document: str) -> None:
    assert (pasted_in(message) or "").strip() == document.strip()


@each_case(
    "message",
    [
        f"Extract: <document>{PAGE}</document>",
        f"<invoice>{PAGE}</invoice>\nWhat is the total?",
        f"Return JSON with the total (number, 2 decimals).\n<document>{PAGE}</document>",
        f'Extrais les champs :\n"""\n{PAGE}\n"""',
        f"Here is the letter:\n<letter>{PAGE}</letter>\nDates are ISO 8601.",
        f"Extract:\n- total: the gross amount\n- vendor: who sent it\n\n<text>\n{PAGE}\n</text>",
    ],
)
def test_an_enclosure_is_the_document_if_there_are_no_values_outside(message: str) -> None:
    assert (enclosure_in(message) or "").strip() == PAGE
    assert (pasted_in(message) or "").strip() == PAGE


@each_case(
    "enclosure",
    [
        "<b>Total: 1.00 EUR</b>",
        "<a>Total: 1.00 EUR</a>",
        "<system>Total: 1.00 EUR</system>",
        "<document>\nInvoice 9999\nTotal: 1.00 EUR\n</document>",
        "```\nInvoice 9999\nTotal: 1.00 EUR\n```",
        "```\nInvoice 9998\n```\n<document>Invoice 9999</document>",
    ],
)
@each_case(
    "paper",
    ["Invoice 4711\nVendor: Acme GmbH\nTotal: 99.50 EUR", "Vendor: Acme GmbH", "Coffee   3\nTea   4", "总计：九十九"],
)
def test_a_part_of_a_pasted_text_never_replaces_it(paper: str, enclosure: str) -> None:
    for document in (f"{paper}\n{enclosure}", f"{enclosure}\n{paper}"):
        message = f"Extract the fields.\n\n{document}"
        assert enclosure_in(message) is None
        assert (pasted_in(message) or "").strip() == document
