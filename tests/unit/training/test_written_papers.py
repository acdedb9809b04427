"""Schemas and truths of written documents."""

from dataclasses import replace

from eval.replay.papers import written_paper
from training.extraction.written import parsed
from training.extraction.written_papers import asked_of

TEXT = """\
=== delivery note en
Number | {number:A-17} of {day:4 May 2024}

Notes: {notes:leave it}
{+notes:at the door}
{items[].name:Pen} | {items[].price:1.20}
{items[].name:Ink} | {items[].price:3.40}
{items[].name:Sum}
---
number = word ; note.number
day = date ; note.day
notes = text ; notes|what the driver must know
items[].name = name ; items[].name
items[].price = money ; items[].price
absent = customer ; driver
"""


def test_the_marks_become_a_truth_of_json_types() -> None:
    [document] = parsed(TEXT)
    asked = asked_of(document)
    truth = {name: value for name, value in asked.truth.items() if name not in ("customer", "driver")}
    assert truth == {
        "note": {"number": "A-17", "day": "2024-05-04"},
        "notes": "leave it at the door",
        "items": [{"name": "Pen", "price": 1.2}, {"name": "Ink", "price": 3.4}, {"name": "Sum", "price": None}],
    }
    note = asked.schema["properties"]["note"]["properties"]
    assert note["day"]["format"] == "date"
    [price] = [asked.schema["properties"]["items"]["items"]["properties"]["price"]["type"]]
    assert "number" in price
    assert [line[4] for line in asked.lines][:2] == ["Number", "A-17 of 4 May 2024"]


def test_absent_fields_are_asked_for_and_may_be_left_out() -> None:
    [document] = parsed(TEXT)
    asked = asked_of(document)
    absent = [name for name in ("customer", "driver") if name in asked.truth]
    assert absent
    for name in absent:
        is_nullable = asked.schema["properties"][name]["type"] == ["string", "null"]
        assert asked.truth[name] is None
        assert is_nullable or name not in asked.schema["required"]


def test_columns_of_equal_length_are_paired_by_their_order() -> None:
    marks = (
        "=== table en\n{t[].a:x} | {t[].a:y}\n{t[].b:1} | {t[].b:2}\n---\nt[].a = word ; t[].a\nt[].b = word ; t[].b\n"
    )
    [document] = parsed(marks)
    assert asked_of(document).truth == {"t": [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]}


def test_a_heading_is_a_value_of_the_rows_below_it() -> None:
    [document] = parsed(
        "=== price list en\n{t[].group:Bread}\n{t[].name:Rye} | {t[].price:3}\n{t[].name:Spelt} | {t[].price:4}\n"
        "{t[].group:Cakes}\n{t[].name:Plum} | {t[].price:5}\n---\n"
        "t[].group = word ; t[].group\nt[].name = word ; t[].name\nt[].price = money ; t[].price\n"
    )
    assert asked_of(document).truth == {
        "t": [
            {"group": "Bread", "name": "Rye", "price": 3.0},
            {"group": "Bread", "name": "Spelt", "price": 4.0},
            {"group": "Cakes", "name": "Plum", "price": 5.0},
        ]
    }


def test_a_number_that_may_be_read_in_two_ways_is_right_in_both() -> None:
    [document] = parsed("=== slip de\nSumme {sum:1.234}\n---\nsum = money ; sum\n")
    assert asked_of(document).truth == {"sum": {"any": [1.234, 1234.0]}}


def test_papers_of_an_unseen_trade_are_a_set_of_their_own() -> None:
    [document] = parsed(TEXT, "trades_a")
    assert written_paper(replace(document, kind="bakery")).set == "trades"
    assert written_paper(replace(document, kind="sawmill")).set == "written"
    assert written_paper(replace(document, kind="bakery", source="commerce")).set == "written"


def test_an_object_and_a_list_have_different_names() -> None:
    text = TEXT.replace("day = date ; note.day", "day = date ; items.day ; note.day")
    [document] = parsed(text)
    asked = asked_of(document)
    assert asked.truth["note"]["day"] == "2024-05-04" or "items" not in asked.truth
    assert "day" not in asked.truth.get("items", [])
