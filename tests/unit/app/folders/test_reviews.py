"""What a person says of fields is kept at once, over what was read; who comes second is told; all can be undone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.folders.answers import steps_of, value_at
from app.folders.failures import Failed, Rejected
from app.folders.papers import Paper
from app.folders.reviews import PaperResult
from app.folders.state import JobState, Row

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


def version_of(state: JobState) -> str:
    return state.reviewed("a").version


def review(state: JobState, pointer: str, value: Any, version: str = "") -> int:
    reviewed = state.reviewed("a", version or None)
    is_correction = value != value_at(reviewed.answer, steps_of(pointer))
    stable = reviewed.stable_pointer(pointer)
    return state.add_review("a", "value", stable, value, PLACE, is_correction=is_correction)


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


def test_the_second_of_two_people_gets_a_conflict(state: JobState) -> None:
    seen = version_of(state)
    review(state, "/number", "first", seen)
    with pytest.raises(Rejected, match="somebody else has changed") as told:
        review(state, "/number", "second", seen)
    assert told.value.status == 409
    assert result(state).answer["number"] == "first"


def test_a_paper_read_again_is_a_conflict_where_its_answer_is_another(state: JobState) -> None:
    seen = version_of(state)
    assert state.note_unless_reviewed("a", answer())
    assert version_of(state) == seen
    assert state.note_unless_reviewed("a", PaperResult({"number": "B", "lines": [{"price": 2.5}]}))
    with pytest.raises(Rejected):
        review(state, "/number", "A-18", seen)


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
    with pytest.raises(Failed, match="1 fields that were reviewed under a different schema"):
        state.begin({"schema": {"type": "object", "properties": {}}})
    assert result(state).answer["number"] == "A-18"


LINES = {"lines": [{"price": 1.0}, {"price": 2.0}, {"price": 3.0}]}
BLANK = {"price": None}


@pytest.fixture
def listed(state: JobState) -> JobState:
    evidence = {f"/lines/{number}/price": {"probability": 0.5 + number / 10} for number in range(3)}
    state.note("a", PaperResult(LINES, evidence, ["/lines/2/price"]))
    return state


def add(state: JobState, at: int, pointer: str = "/lines", content: Any = BLANK) -> int:
    added, previous = state.reviewed("a").new_row(pointer, at)
    return state.add_review("a", "added", added, {"row": content, "after": previous})


def remove(state: JobState, pointer: str) -> int:
    return state.add_review("a", "removed", state.reviewed("a").stable_pointer(pointer))


def prices(state: JobState) -> list[Any]:
    return [one["price"] for one in result(state).answer["lines"]]


def test_rows_are_added_and_removed_and_the_evidence_of_others_moves_along(listed: JobState, file: Path) -> None:
    add(listed, 1)
    review(listed, "/lines/1/price", 1.5)
    remove(listed, "/lines/0")
    listed.close()
    with closing(JobState(file)) as again:
        assert prices(again) == [1.5, 2.0, 3.0]
        kept = result(again)
        assert kept.evidence.keys() == {"/lines/0/price", "/lines/1/price", "/lines/2/price"}
        assert kept.evidence["/lines/0/price"]["match"] == "reviewed"
        assert kept.evidence["/lines/1/price"] == {"probability": 0.6}
        assert kept.unsupported == ["/lines/2/price"]
        assert row(again).is_corrected


def test_an_added_row_is_open_until_each_of_its_fields_is_reviewed(listed: JobState) -> None:
    add(listed, 3)
    assert result(listed).unsupported == ["/lines/2/price", "/lines/3/price"]
    assert not row(listed).is_corrected, "a paper with an open row teaches nothing"
    review(listed, "/lines/3/price", 4.0)
    assert result(listed).unsupported == ["/lines/2/price"]
    assert row(listed).is_corrected


def test_changes_of_rows_are_undone_in_any_order(listed: JobState) -> None:
    removed, added = remove(listed, "/lines/0"), add(listed, 0)
    second = add(listed, 1)
    review(listed, "/lines/1/price", 9.0)
    corrected = review(listed, "/lines/3/price", 3.5)
    assert prices(listed) == [None, 9.0, 2.0, 3.5]
    assert listed.undo_review(removed) == ("a", "/lines/2", "removed")
    assert prices(listed) == [None, 9.0, 1.0, 2.0, 3.5]
    assert listed.undo_review(added) == ("a", "/lines", "added")
    assert prices(listed) == [9.0, 1.0, 2.0, 3.5], "the row that was added behind it is still there"
    with pytest.raises(Rejected, match="somebody else"):
        listed.undo_review(second)
    assert listed.undo_review(corrected)[1:] == ("/lines/3/price", "value")
    assert prices(listed) == [9.0, 1.0, 2.0, 3.0]


def test_an_added_row_without_a_value_is_not_written(listed: JobState) -> None:
    add(listed, 1)
    add(listed, 4)
    review(listed, "/lines/4/price", 4.0)
    assert prices(listed) == [1.0, None, 2.0, 3.0, 4.0]
    [written, _] = [one.result for one in listed.rows()]
    assert written is not None
    assert written.answer == {"lines": [{"price": price} for price in (1.0, 2.0, 3.0, 4.0)]}
    assert written.evidence["/lines/3/price"]["match"] == "reviewed"
    assert written.unsupported == ["/lines/2/price"]
    assert not row(listed).is_corrected, "the blank row waits for somebody"
