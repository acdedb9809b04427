"""Lines of a mail that quote an earlier one."""

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.passages import passages_to_search
from tasks.extraction.quoted_lines import QuotedLines
from tests.conftest import each_case
from tests.entries import entry_of
from tests.turns import calls_of_slices
from tests.unit.tasks.extraction.reading import NUMBER, read_field

MOST_CALLS = 12_000
"""Largest number of functions that a slice may call, which take some milliseconds."""
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


def test_no_step_of_a_long_mail_is_long() -> None:
    text = "> Total: 99.00\nTotal: 4\n" * 2_000
    candidates = all_of(find_candidates(all_of(passages_to_search([entry_of("scraper", {"text": text})]))))
    assert max(calls_of_slices(QuotedLines(candidates).read())) <= MOST_CALLS
