"""What a person says of fields is kept at once, over what was read; who comes second is told; all can be undone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.extract.files import write
from app.extract.papers import Paper
from app.extract.state import CannotOpen, JobState, PaperResult, ReviewConflict, Row

SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": ["string", "null"]},
        "a/b": {"type": ["string", "null"]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
    },
}
PLACE = {"page": 2, "text": "A-18"}


def paper(name: str, fingerprint: str = "1") -> Paper:
    return Paper(name, name, name, fingerprint, lambda: b"")


def answer() -> PaperResult:
    evidence = {"/number": {"probability": 0.5, "page": 1}, "/lines/0/price": {"probability": 0.95}}
    return PaperResult({"number": "A-17", "a/b": None, "lines": [{"price": 2.5}]}, evidence, ["/number"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "out.xlsx.state"


@pytest.fixture
def state(file: Path) -> Iterator[JobState]:
    with closing(JobState(file)) as state:
        state.begin({"schema": SCHEMA})
        state.add([paper("a"), paper("b")], 0)
        state.note("a", answer())
        state.note("b", answer())
        yield state


def row(state: JobState, name: str = "a") -> Row:
    found = state.row(name)
    assert found is not None
    return found


def result(state: JobState, name: str = "a") -> PaperResult:
    found = row(state, name).result
    assert found is not None
    return found


def review(state: JobState, pointer: str, value: Any, version: str = "") -> int:
    return state.review("a", pointer, value, PLACE, version or state.version(row(state), pointer))


def test_a_correction_is_laid_over_what_was_read(state: JobState, file: Path) -> None:
    review(state, "/number", "A-18")
    review(state, "/a~1b", "new")
    review(state, "/lines/0/price", 3)
    state.close()
    with closing(JobState(file)) as again:
        kept = result(again)
        assert kept.answer == {"number": "A-18", "a/b": "new", "lines": [{"price": 3}]}
        assert kept.evidence["/number"] == {"page": 2, "text": "A-18", "probability": 1.0, "match": "reviewed"}
        assert kept.unsupported == []
        assert row(again).is_corrected
        assert row(again).is_reviewed("/number")
        assert result(again, "b") == answer(), "the other paper is as it was"


def test_accepting_is_no_correction(state: JobState) -> None:
    review(state, "/number", "A-17")
    assert row(state).is_reviewed("/number")
    assert not row(state).is_corrected


def test_the_second_of_two_people_gets_a_conflict(state: JobState) -> None:
    seen = state.version(row(state), "/number")
    review(state, "/number", "first", seen)
    with pytest.raises(ReviewConflict, match="somebody else has changed"):
        review(state, "/number", "second", seen)
    assert result(state).answer["number"] == "first"
    other = state.version(row(state), "/lines/0/price")
    review(state, "/lines/0/price", 4.0, other)


def test_a_version_does_not_come_back_by_undoing(state: JobState) -> None:
    seen = state.version(row(state), "/number")
    state.undo_review(review(state, "/number", "first"))
    with pytest.raises(ReviewConflict):
        review(state, "/number", "second", seen)


def test_a_paper_read_again_is_a_conflict_where_the_field_is_another(state: JobState) -> None:
    seen = {pointer: state.version(row(state), pointer) for pointer in ("/number", "/lines/0/price")}
    assert state.note_unless_reviewed("a", PaperResult({"number": "B", "lines": [{"price": 2.5}]}))
    with pytest.raises(ReviewConflict):
        review(state, "/number", "A-18", seen["/number"])
    review(state, "/lines/0/price", 3, seen["/lines/0/price"])


def test_reviews_are_undone_one_by_one_from_the_last(state: JobState) -> None:
    first, second = review(state, "/number", "first"), review(state, "/number", "second")
    with pytest.raises(ReviewConflict, match="since"):
        state.undo_review(first)
    assert state.undo_review(second) == ("a", "/number")
    assert result(state).answer["number"] == "first"
    with pytest.raises(ReviewConflict, match="undone"):
        state.undo_review(second)
    state.undo_review(first)
    assert result(state) == answer()


def test_what_a_person_reviewed_is_not_read_again(state: JobState) -> None:
    number = review(state, "/number", "A-18")
    assert not state.note_unless_reviewed("a", PaperResult({"number": "B"}))
    assert state.begin({"schema": SCHEMA, "examples": ["another"]}), "the paper that nobody reviewed"
    assert state.is_done("a")
    assert not state.is_done("b")
    state.undo_review(number)
    assert state.note_unless_reviewed("a", PaperResult({"number": "B"}))


def test_reviews_are_not_lost_by_another_schema(state: JobState) -> None:
    review(state, "/number", "A-18")
    with pytest.raises(CannotOpen, match="1 reviewed fields of another schema"):
        state.begin({"schema": {"type": "object", "properties": {}}})
    assert result(state).answer["number"] == "A-18"


def test_a_file_that_changed_loses_its_reviews(state: JobState) -> None:
    review(state, "/number", "A-18")
    state.add([paper("a", "2")], 0)
    state.note("a", answer())
    assert result(state) == answer()


def test_the_table_has_what_was_reviewed_in_blue(state: JobState, tmp_path: Path) -> None:
    review(state, "/number", "=A18")
    review(state, "/lines/0/price", 3)
    [file] = write(tmp_path / "out.xlsx", SCHEMA, state.rows)
    book = openpyxl.load_workbook(file)
    cells = [book["papers"]["B2"], book["lines"]["C2"]]
    assert [cell.value for cell in cells] == ["=A18", 3]
    assert {cell.fill.fgColor.rgb for cell in cells} == {"FFD9E4FB"}
    assert cells[0].data_type == "s", "no formula"
    assert book["papers"]["B3"].fill.fgColor.rgb == "FFFBDDDD"
