"""The documents that extraction is trained and measured with: their fields stand where they say."""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal

import numpy as np
import pytest

from training.extraction.documents import (
    SPLITS,
    MadeColumn,
    MadeDocument,
    MadeField,
    MadeTable,
    Split,
    documents,
    draw,
)
from training.extraction.marked import Marked


def _fields(document: MadeDocument) -> Iterator[MadeField]:
    yield from document.fields
    for table in document.tables:
        for row in table.rows:
            yield from row


def _read(document: MadeDocument, field: MadeField) -> str:
    return " ".join(document.lines[one.line].text[one.start : one.end] for one in field.sources)


def _keys(document: MadeDocument) -> Iterator[str]:
    named: list[MadeField | MadeTable | MadeColumn] = [*_fields(document), *document.absent, *document.tables]
    named += [column for table in document.tables for column in table.columns]
    for one in named:
        yield from (name.partition("|")[0] for name in one.names)


@pytest.fixture(scope="module")
def made() -> dict[Split, list[MadeDocument]]:
    return {split: list(documents(5, 250, split=split)) for split in SPLITS}


@pytest.mark.parametrize("split", SPLITS)
def test_what_stands_at_a_fields_sources_is_its_value(made: dict[Split, list[MadeDocument]], split: Split) -> None:
    for document in made[split]:
        for field in _fields(document):
            said = _read(document, field)
            assert said, field
            if field.type == "date":
                assert str(date.fromisoformat(field.value).day) in said
            elif field.type == "time":
                assert f"{time.fromisoformat(field.value).minute:02}" in said
            elif field.type in ("number", "integer"):
                digits = Decimal("".join(one for one in said if one.isdigit()))
                assert abs(field.value) in (digits, digits / 10, digits / 100)
            elif field.type == "enum":
                assert field.value in field.enum
            elif field.type != "boolean":
                assert said == field.value


def test_the_splits_share_neither_templates_nor_names(made: dict[Split, list[MadeDocument]]) -> None:
    for place in (lambda document: [document.template], _keys):
        train, validate, test = ({one for document in made[split] for one in place(document)} for split in SPLITS)
        assert not train & validate
        assert not train & test
        assert not validate & test


def test_a_drawing_has_ink_where_the_lines_are() -> None:
    for document in documents(2, 12, split="test"):
        picture = draw(document).convert("L")
        for line in document.lines:
            if line.page == 1:
                assert (np.asarray(picture.crop(line.box)) < 128).any(), line


def test_marks_stay_on_what_they_mark() -> None:
    text = Marked("Total: 12,00 EUR", ((7, 12, "total"),))
    assert text.replaced(6, 7, "") == Marked("Total:12,00 EUR", ((6, 11, "total"),))
    assert text.replaced(7, 7, " ") == Marked("Total:  12,00 EUR", ((8, 13, "total"),))
    assert text.replaced(8, 9, "Zx").marks == ((7, 13, "total"),)
    assert text.cut(9, 16) == Marked(",00 EUR", ((0, 3, "total"),))
    assert (Marked("x ") + text).marks == ((9, 14, "total"),)
