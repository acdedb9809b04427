"""Lists that are filled from records which repeat on a page, whatever they are about."""

from tasks.extraction.repeated_records import MOST_RECORDS
from tests.lists_in_text import OR_NULL, TEXT, list_in

NUMBER = {"type": "number"}
DATE_OR_NULL = {"type": ["string", "null"], "format": "date"}
JOBS = """# Oona Marsh

## Work experience

### Kestrel Windows sp. z o.o., Derby

*Glazier*
04/2017 – today

- cut glass for forty shops

### Marlow & Sons, Leek

*Apprentice*
01/2011 – 03/2017

## Interests

chess
"""
PERMITS = """Oona Marsh

Certificates
- Forklift – valid until 14.05.2029
- First aid – valid until 01.02.2027
- Working at heights – valid until 30.06.2028

Hobbies
chess
"""


def test_headings_below_a_heading_begin_records() -> None:
    jobs = list_in(JOBS, "jobs", company=TEXT, city=OR_NULL, position=TEXT, **{"from": TEXT, "to": OR_NULL})
    assert [(one["company"], one["city"], one["position"], one["from"], one["to"]) for one in jobs] == [
        ("Kestrel Windows sp. z o.o.", "Derby", "Glazier", "04/2017", None),
        ("Marlow & Sons", "Leek", "Apprentice", "01/2011", "03/2017"),
    ]


def test_more_records_than_are_looked_at_fill_a_list_with_the_first() -> None:
    lines = [f"Item {at}        {at}        {at}.50        {at * 2}.00    {at}" for at in range(MOST_RECORDS + 30)]
    items = list_in("\n".join(lines), "items", description=TEXT, quantity=NUMBER, price=NUMBER, total=NUMBER)
    assert items[0]["description"] == "Item 0"


def test_what_all_records_say_is_a_label() -> None:
    found = list_in(PERMITS, "certificates", name=TEXT, valid_until=DATE_OR_NULL)
    assert [tuple(one.values()) for one in found] == [
        ("Forklift", "2029-05-14"),
        ("First aid", "2027-02-01"),
        ("Working at heights", "2028-06-30"),
    ]


def test_two_lines_without_a_heading_are_no_list() -> None:
    assert not list_in(
        "Dear Oona,\nthe lamp is here.\nYours, Tim\n", "certificates", name=TEXT, valid_until=DATE_OR_NULL
    )
