"""Written documents with marks, and their variations."""

import random
import re

import pytest

from training.extraction import written
from training.extraction.written import (
    Page,
    Span,
    Variations,
    parsed,
)

TEXT = """\
=== delivery note en
Number | {number:A-17} of {day:2024-05-04}

Notes: {notes:leave it}
{+notes:at the door}
Pen | {items[].price:1.20}
Ink | {items[].price:3.40}
---
number = word ; noteNumber ; no|number of the note
day = date ; day
notes = text ; notes
items[].price = money ; items[].price
absent = customer ; driver|who drives
"""


def value_at(page: Page, span: Span) -> tuple[str, str]:
    """The text from the start of a value, and that up to its end."""
    first, start, last, end = span
    if first == last:
        return page.lines[first][start:end], page.lines[first][start:end]
    return page.lines[first][start:], page.lines[last][:end]


def test_a_file_is_parsed_into_documents() -> None:
    one, other = parsed(TEXT + TEXT.replace("delivery note en", "slip de"), "trade")
    assert (one.kind, one.language, other.kind, other.language) == ("delivery note", "en", "slip", "de")
    assert [len(line) for line in one.lines] == [2, 1, 1, 1, 2, 2]
    assert one.lines[1] == ((),)
    assert [(piece.text, piece.key) for piece in one.lines[0][1]] == [
        ("A-17", "number"),
        (" of ", ""),
        ("2024-05-04", "day"),
    ]
    assert [(piece.text, piece.continues) for piece in one.lines[3][0]] == [("at the door", True)]
    assert (one.fields["number"].type, one.fields["number"].names) == ("word", ("noteNumber", "no|number of the note"))
    assert one.absent == ("customer", "driver|who drives")
    assert one.source == "trade"


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("a | b", ["a", "b"]),
        ("a | | b", ["a", "", "b"]),
        ("a | | | b", ["a", "", "", "b"]),
        ("a |  | {no:b} |", ["a", "", "b", ""]),
        ("| a", ["", "a"]),
        ("a | {_:} | b", ["a", "", "b"]),
        ("a|b | c", ["a|b", "c"]),
    ],
)
def test_a_line_has_empty_cells(line: str, cells: list[str]) -> None:
    [document] = parsed(f"=== memo en\n{line}\n---\nno = word ; no\n")
    assert ["".join(piece.text for piece in cell) for cell in document.lines[0]] == cells


@pytest.mark.parametrize(
    ("day", "form"),
    [
        ("2026年6月8日", r"(?:19|20)\d\d年([1-9]|1[0-2])月([1-9]|1\d|2[0-8])日"),
        ("2026年06月08日", r"(?:19|20)\d\d年(0[1-9]|1[0-2])月(0[1-9]|1\d|2[0-8])日"),
        ("令和8年6月8日", r"令和8年([1-9]|1[0-2])月([1-9]|1\d|2[0-8])日"),
        ("2026/05/18", r"(?:19|20)\d\d/(0[1-9]|1[0-2])/(0[1-9]|1\d|2[0-8])"),
        ("2026. 5. 18.", r"(?:19|20)\d\d\. ([1-9]|1[0-2])\. ([1-9]|1\d|2[0-8])\."),
        ("2026-05-18", r"(?:19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"),
        ("18.05.2026", r"(0[1-9]|1\d|2[0-8])\.(0[1-9]|1[0-2])\.(?:19|20)\d\d"),
    ],
)
def test_a_varied_day_is_a_day(day: str, form: str) -> None:
    [document] = parsed(f"=== memo zh\n日 | {{day:{day}}}\n---\nday = date ; day\n")
    variations = Variations([document])
    found = {
        piece.text
        for seed in range(60)
        for piece in variations._with_other_values(document, list(document.lines), random.Random(seed))[0][1]
    }
    assert len(found) > 5
    assert [one for one in found if not re.fullmatch(form, one)] == []


def test_marks_keep_their_places_in_all_variations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "NOISES", (0,))
    [document] = parsed(TEXT)
    variations = Variations([document])
    seen = set()
    for seed in range(100):
        page = variations.page(document, random.Random(seed))
        assert len(page.lines) == len(page.boxes)
        for asked in page.fields:
            key = asked.name.partition("|")[0]
            values = [value_at(page, span) for span in asked.spans]
            if key in ("noteNumber", "no"):
                assert values == [("A-17", "A-17")]
            elif key == "day":
                assert re.fullmatch(r"\d{4}-\d\d-\d\d", values[0][0])
            elif key == "notes":
                assert values == [("leave it", "at the door")]
            elif asked.in_list:
                assert len(values) == 2
                assert all(re.fullmatch(r"\d\.\d\d", value) for value, _ in values)
            else:
                assert key in ("customer", "driver")
                assert values == []
            seen.add((key, *values))
    assert len({one for one in seen if one[0] == "day"}) > 5


def test_noise_changes_a_value_and_its_mark_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "NOISES", (1.0,))
    [document] = parsed("=== memo en\nSee {name:some memo} now\n---\nname = word ; name\n")
    page = Variations([document]).page(document, random.Random(1))
    [span] = page.fields[0].spans
    assert value_at(page, span)[0] == "sornc rncrno"


def test_a_document_is_held_out_by_its_own_text() -> None:
    documents = [
        *parsed(TEXT, "commerce"),
        *(one for n in range(600) for one in parsed(TEXT.replace("A-17", f"B-{n}"))),
    ]
    held_out = [one for one in documents if one.is_held_out]
    assert 30 < len(held_out) < 70
    assert [one for one in documents[300:] if one.is_held_out] == [one for one in held_out if one in documents[300:]]
    assert documents[0].text.startswith("Number | A-17 of 2024-05-04")


def test_half_of_the_trades_are_held_out_whole() -> None:
    kinds = [f"trade {n}" for n in range(200)]
    texts = [TEXT.replace("delivery note", kind).replace("A-17", f"A-{n}") for kind in kinds for n in range(3)]
    documents = [one for text in texts for one in parsed(text, "trades_a")]
    unseen = {one.kind for one in documents if one.is_of_unseen_trade}
    assert 70 < len(unseen) < 130
    assert all(one.is_held_out for one in documents if one.kind in unseen)
    assert not any(one.is_of_unseen_trade for text in texts for one in parsed(text, "commerce"))
