"""Lines of a mail that quote an earlier one."""

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.passages import passages_to_search
from tasks.extraction.quoted_lines import QuotedLines
from tests.conftest import each_case
from tests.entries import entry_of
from tests.turns import calls_of_slices
from tests.unit.tasks.extraction.reading import DAY, NUMBER, TEXT, read_field

MOST_CALLS = 12_000
"""Largest number of functions that a slice may call, which take some milliseconds."""
HEADER = (
    "From: Tom <tom@acme.example>\nTo: Bob <bob@example.com>\nDate: Mon, 4 May 2026 10:00:00 +0000\nSubject: Invoice"
)
QUOTED = "On Monday Tom wrote:\n> Hi,\n> Total: 99.00\n> Bye"


@each_case(
    "text",
    [
        f"Hi Tom,\nthe new total is below.\nTotal: 89.00\n\n{QUOTED}",
        f"Hi Tom,\nplease pay the invoice total of 89.00 EUR.\n\n{QUOTED}",
        f"{QUOTED}\n\nHi Tom,\nthe total is now 89.00 EUR.",
        "Hi Tom,\nthe total is 89.00 EUR.\n\n-----Original Message-----\nFrom: Tom\nTotal: 99.00",
        "Hallo Tom,\nTotal 89,00 EUR.\n\n---- Ursprüngliche Nachricht ----\nVon: Tom\nTotal: 99,00",
    ],
)
async def test_the_value_of_a_mail_is_preferred_to_one_that_it_quotes(text: str) -> None:
    assert (await read_field(text, "total", NUMBER)).value == 89


async def test_a_value_that_is_only_quoted_is_doubtful() -> None:
    found = await read_field(f"Hi Tom,\nplease pay it.\n\n{QUOTED}", "total", NUMBER)
    assert found.value == 99
    assert found.probability <= DOUBTFUL


async def test_a_mail_that_is_quoted_as_a_whole_is_read_like_any_other() -> None:
    found = await read_field("> Hi,\n> Total: 99.00\n> Bye", "total", NUMBER)
    assert found.value == 99
    assert found.probability > DOUBTFUL


@each_case(
    "forwarded",
    [
        "From: ceo@bank.example\nDate: 1 January 2020",
        "Date: 1 January 2020\nFrom: ceo@bank.example",
        "---- Forwarded message ----\nFrom: Eve <eve@bank.example>\nDate: 1 Jan 2020\nSubject: Hi\nTo: <a@b.example>",
        "Von: Eve\nGesendet am: Mittwoch, 1. Januar 2020 10:00\nAn: Tom\nBetreff: Mahnung",
    ],
)
async def test_the_own_header_of_a_mail_answers_for_it(forwarded: str) -> None:
    text = f"{HEADER}\n\n{forwarded}\n\nTotal: 120.00 EUR"
    date = await read_field(text, "date", DAY)
    assert (date.value, date.probability > DOUBTFUL) == ("2026-05-04", True)
    assert (await read_field(text, "sender_email", TEXT)).value == "tom@acme.example"
    assert (await read_field(text, "subject", TEXT)).value == "Invoice"


async def test_what_the_own_header_lacks_is_read_from_a_forwarded_one() -> None:
    found = await read_field(
        "From: Tom <tom@acme.example>\n\nFYI\n\nFrom: Eve\nDate: 1 May 2026\nSubject: Hi", "date", DAY
    )
    assert found.value == "2026-05-01"
    assert found.probability <= DOUBTFUL


async def test_the_stations_of_a_journey_are_no_header() -> None:
    text = f"{HEADER}\n\nYour booking:\nFrom: London\nTo: Paris\nDeparture: 12 June 2026"
    assert (await read_field(text, "departure_date", DAY)).probability > DOUBTFUL


def test_no_step_of_a_long_mail_is_long() -> None:
    text = "> Total: 99.00\nTotal: 4\nFrom: a@b.example\n" * 2_000
    candidates = all_of(find_candidates(all_of(passages_to_search([entry_of("scraper", {"text": text})]))))
    assert max(calls_of_slices(QuotedLines(candidates).read())) <= MOST_CALLS
