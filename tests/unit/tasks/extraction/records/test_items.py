"""Which records of a run are items of a list."""

from typing import Any

from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.records.record_lists import fillings_of
from tests.entries import entry_of

COURSES_AND_JOBS = """## Education

### Leek College

*Diploma in glass*
09/2004 – 06/2006
Subtotal\t120

### Derby College

*Certificate in lead*
09/2006 – 06/2007
Subtotal\t60

## Work experience

### Kestrel Windows

*Glazier*
04/2017 – today
cut glass for forty shops

### Marlow & Sons

*Apprentice*
01/2011 – 03/2017
cut lead for two shops
"""


def items_of_headings(text: str) -> list[int]:
    """Return the items among the records that begin with the headings below the two sections."""
    text_schema: dict[str, Any] = {"type": "string"}
    fields = [
        WantedField(("jobs", name), text_schema, names_of((name,), text_schema), lambda _: True, in_list=True)
        for name in ("company", "position", "from")
    ]
    fillings = fillings_of([entry_of("scraper", {"text": text})], {("jobs",): fields})
    return next(
        list(filling.items)
        for filling in fillings[("jobs",)]
        if filling.table.run.sections
        and [record[0].text[:5] for record in filling.table.run.records] == ["### L", "### D", "### K", "### M"]
    )


def test_a_sum_before_the_first_item_does_not_end_the_items() -> None:
    assert items_of_headings(COURSES_AND_JOBS) == [2, 3]


def test_a_sum_within_an_item_ends_the_items_after_it() -> None:
    text = COURSES_AND_JOBS.replace("cut glass for forty shops", "Subtotal\t40")
    assert items_of_headings(text) == [2]
