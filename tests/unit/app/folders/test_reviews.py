"""What a person says of fields and rows is laid over what was read, and can be undone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.folders.failures import Failed, Rejected
from app.folders.papers import Paper
from app.folders.reviews import PaperResult, with_field, with_row, without_blank_rows, without_row
from app.folders.state import JobState, Row

SCHEMA = {"type": "object", "properties": {"number": {"type": ["string", "null"]}}}
PLACE = {"page": 2, "text": "A-18"}
READ = PaperResult({"number": "A-17", "a/b": None}, {"/number": {"probability": 0.5, "page": 1}}, ["/number"])
LISTED = PaperResult(
    {"lines": [{"price": 1.0}, {"price": 2.0}, {"price": 3.0}], "sums": None},
    {f"/lines/{number}/price": {"probability": 0.5 + number / 10} for number in range(3)},
    ["/lines/2/price"],
)


def prices(result: PaperResult) -> list[Any]:
    return [one["price"] for one in result.answer["lines"]]


def test_a_field_has_its_value_and_its_place() -> None:
    revised = with_field(with_field(READ, "/number", "A-18", PLACE), "/a~1b", "new", {})
    assert revised.answer == {"number": "A-18", "a/b": "new"}
    assert revised.evidence["/number"] == {"page": 2, "text": "A-18", "probability": 1.0, "match": "reviewed"}
    assert revised.unsupported == []
    assert READ.answer == {"number": "A-17", "a/b": None}


def test_rows_are_added_and_removed_and_the_evidence_of_others_moves_along() -> None:
    added = with_row(LISTED, "/lines", 1, {"price": None})
    assert prices(added) == [1.0, None, 2.0, 3.0]
    assert added.unsupported == ["/lines/3/price", "/lines/1/price"], "the new row is open"
    filled = with_field(added, "/lines/1/price", 1.5, PLACE)
    assert filled.unsupported == ["/lines/3/price"]
    removed = without_row(filled, "/lines/0")
    assert prices(removed) == [1.5, 2.0, 3.0]
    assert removed.evidence.keys() == {"/lines/0/price", "/lines/1/price", "/lines/2/price"}
    assert removed.evidence["/lines/0/price"]["match"] == "reviewed"
    assert removed.evidence["/lines/1/price"] == {"probability": 0.6}
    assert removed.unsupported == ["/lines/2/price"]


def test_a_list_that_was_null_gets_a_row() -> None:
    added = with_row(LISTED, "/sums", 0, None)
    assert added.answer["sums"] == [None]
    assert added.unsupported == ["/lines/2/price", "/sums/0"]


def test_rows_without_a_value_are_left_out() -> None:
    added = with_row(with_row(LISTED, "/lines", 0, {"price": None}), "/lines", 4, {"price": None})
    written = without_blank_rows(with_field(added, "/lines/4/price", 4.0, PLACE))
    assert prices(written) == [1.0, 2.0, 3.0, 4.0]
    assert written.evidence["/lines/3/price"]["match"] == "reviewed"
    assert written.unsupported == ["/lines/2/price"]


def paper(name: str, fingerprint: str = "1") -> Paper:
    return Paper(name, name, name, fingerprint, lambda: b"")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "out.xlsx.state"


@pytest.fixture
def state(file: Path) -> Iterator[JobState]:
    with closing(JobState(file)) as state:
        state.begin({"schema": SCHEMA})
        state.add([paper("a"), paper("b")], 0)
        state.note("a", LISTED)
        state.note("b", READ)
        yield state


def row(state: JobState, name: str = "a") -> Row:
    found = state.row(name)
    assert found is not None
    return found


def test_a_review_outlives_its_program_and_is_undone_in_turn(state: JobState, file: Path) -> None:
    first = state.revise("a", "value", "/lines/0/price", with_field(LISTED, "/lines/0/price", 9.0, {}))
    added = with_row(with_field(LISTED, "/lines/0/price", 9.0, {}), "/lines", 3, {"price": None})
    second = state.revise("a", "added", "/lines/3", added)
    assert (row(state).version, row(state).is_corrected, row(state).result) == (second, True, added)
    assert row(state, "b") == Row("b", str(Path.cwd() / "b"), READ)
    state.close()
    with closing(JobState(file)) as again:
        with pytest.raises(Rejected) as told:
            again.undo(first)
        assert told.value.status == 409
        assert again.undo(second) == ("a", "/lines", "added")
        assert row(again).is_reviewed("/lines/0/price")
        assert again.undo(first) == ("a", "/lines/0/price", "value")
        assert row(again) == Row("a", str(Path.cwd() / "a"), LISTED)
        with pytest.raises(Rejected):
            again.undo(first)


def test_a_row_that_nobody_filled_is_not_written_and_its_paper_teaches_nothing(state: JobState) -> None:
    state.revise("a", "added", "/lines/1", with_row(LISTED, "/lines", 1, {"price": None}))
    written = next(state.rows())
    assert written.result is not None
    assert (prices(written.result), written.is_corrected) == ([1.0, 2.0, 3.0], False)


def test_what_a_person_reviewed_is_not_asked_again(state: JobState) -> None:
    number = state.revise("a", "value", "/lines/0/price", LISTED, is_correction=False)
    assert not row(state).is_corrected
    assert state.begin({"schema": SCHEMA, "examples": ["another"]}), "the paper that nobody reviewed"
    assert (state.is_done("a"), state.is_done("b")) == (True, False)
    state.note("b", READ)
    state.forget(only_errors=False)
    assert (state.is_done("a"), state.is_done("b")) == (True, False)
    state.undo(number)
    state.forget(only_errors=False)
    assert not state.is_done("a")


def test_reviews_are_not_lost_by_another_schema_but_by_another_paper(state: JobState) -> None:
    state.revise("a", "removed", "/lines/0", without_row(LISTED, "/lines/0"))
    with pytest.raises(Failed):
        state.begin({"schema": {"type": "object", "properties": {}}})
    state.add([paper("a", "2")], 0)
    assert row(state).result is None
