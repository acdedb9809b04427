"""Who reviews gets what is doubtful, and what was corrected teaches the papers that look alike."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from app.extract.client import CannotAsk, PaperClient, PaperExample, Refused
from app.extract.papers import Paper, papers_of
from app.extract.state import JobState, Json, PaperResult, ReviewConflict
from app.review.table_review import CORRECTIONS_TO_LEARN, NotFitting, NotThere, TableReview
from tests.waiting import wait_until

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": ["string", "null"]},
        "total": {"$ref": "#/$defs/amount"},
        "lines": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/line"}, "maxItems": 2}, {"type": "null"}]},
    },
    "$defs": {
        "amount": {"type": ["number", "null"]},
        "line": {
            "type": "object",
            "properties": {"what": {"type": "string"}, "price": {"$ref": "#/$defs/amount"}, "note": {"type": "string"}},
            "required": ["what"],
        },
    },
}
PAPERS = 16
OTHER = "15.txt"
"""The paper of another sender."""


@dataclass
class FakeAsker:
    """Stands in for a server that answers with what the examples say, and refuses to read pictures of texts."""

    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    is_gone: bool = False
    has_asked: threading.Event = field(default_factory=threading.Event)

    def read(self, paper: Paper) -> Json:
        raise Refused("it is a text")

    def fill(self, paper: Paper, _: Json, examples: Sequence[PaperExample]) -> PaperResult:
        self.has_asked.set()
        if self.is_gone:
            raise CannotAsk("the server is gone")
        self.asked.append((paper.filename, [one.answer["name"] for one in examples]))
        return PaperResult({"name": "taught", "total": 1.0}, {"/name": {"probability": 0.99}})

    def stop(self) -> None:
        pass


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker()


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    (tmp_path / "in").mkdir()
    for number in range(PAPERS):
        (tmp_path / "in" / f"{number:02}.txt").write_text(f"Braeburn Joinery invoice for Ada{number} of day {number}")
    (tmp_path / "in" / OTHER).write_text("Something else entirely, from Miller")
    return [paper.name for paper in papers_of([str(tmp_path / "in")])]


@pytest.fixture
def desk(tmp_path: Path, names: list[str], asker: FakeAsker) -> Iterator[TableReview]:
    with closing(JobState(tmp_path / "out.jsonl.state")) as state:
        state.begin({"schema": SCHEMA})
        state.add([*papers_of([str(tmp_path / "in")])], 0)
        for name in names:
            evidence = {"/name": {"probability": 0.5}, "/total": {"probability": 0.95}}
            state.note(name, PaperResult({"name": "wrong", "total": 2.0}, evidence))
        with closing(TableReview(state, tmp_path / "out.jsonl", cast(PaperClient, asker), 0.9)) as desk:
            yield desk


def correct(desk: TableReview, name: str, value: Any, pointer: str = "/name") -> int:
    version = next(one["version"] for one in desk.paper(name)["fields"] if one["pointer"] == pointer)
    return desk.review(name, pointer, value, None, version)


def read_again(desk: TableReview) -> None:
    wait_until(lambda: desk.overview()["being_read"] is None)


def test_what_is_left_is_counted(desk: TableReview, names: list[str]) -> None:
    number = correct(desk, names[0], "Ada0")
    told = desk.overview()
    assert (told["papers"], told["papers_left"], told["doubtful"]) == (PAPERS, PAPERS - 1, PAPERS - 1)
    assert (told["fields"], told["fields_right"]) == (2 * PAPERS, PAPERS + 1)
    assert desk.undo(number) == (names[0], "/name", "value")
    assert desk.overview()["papers_left"] == PAPERS


def test_two_people_get_different_papers(desk: TableReview, names: list[str]) -> None:
    assert desk.next_paper("one", None) == names[0]
    assert desk.next_paper("two", None) == names[1]
    assert desk.next_paper("one", names[0]) == names[2]
    assert desk.next_paper("two", names[1], -1) == names[0]
    # They are accepted: after ten corrections the others would be read again meanwhile.
    for name in names[:-1]:
        correct(desk, name, "wrong")
    assert desk.next_paper("one", names[2]) == names[-1]
    assert desk.next_paper("two", names[0]) == names[-1], "the last one is for both"
    correct(desk, names[-1], "wrong")
    assert desk.next_paper("one", names[2]) is None


def test_corrected_papers_teach_those_that_look_alike(desk: TableReview, names: list[str], asker: FakeAsker) -> None:
    correct(desk, names[0], "wrong")  # accepted: no correction
    for number, name in enumerate(names[1 : CORRECTIONS_TO_LEARN + 1], 1):
        assert not asker.asked
        correct(desk, name, f"Ada{number}")
    read_again(desk)
    left = names[CORRECTIONS_TO_LEARN + 1 : -1]
    assert [name for name, _ in asker.asked] == [Path(name).name for name in left]
    for _, examples in asker.asked:
        assert len(examples) == 8
        assert set(examples) <= {f"Ada{number}" for number in range(1, CORRECTIONS_TO_LEARN + 1)}
    assert desk.paper(left[0])["answer"]["name"] == "taught"
    assert desk.paper(names[1])["answer"]["name"] == "Ada1"
    assert desk.paper(names[-1])["answer"]["name"] == "wrong", "the other sender's"
    assert desk.overview()["papers_left"] == 1


def test_a_paper_that_was_read_again_is_not_changed_unseen(desk: TableReview, names: list[str]) -> None:
    [seen, _] = desk.paper(names[1])["fields"]
    correct(desk, names[0], "Ada0")
    desk.read_unreviewed()
    read_again(desk)
    assert desk.paper(names[1])["answer"]["name"] == "taught"
    with pytest.raises(ReviewConflict):
        desk.review(names[1], "/name", "wrong", None, seen["version"])


def test_a_server_that_is_gone_is_told(desk: TableReview, names: list[str], asker: FakeAsker) -> None:
    asker.is_gone = True
    correct(desk, names[0], "Ada0")
    desk.read_unreviewed()
    assert asker.has_asked.wait(30)
    read_again(desk)
    assert desk.overview()["trouble"] == "the server is gone"


def test_only_what_fits_the_schema_is_kept(desk: TableReview, names: list[str]) -> None:
    with pytest.raises(NotFitting, match="number"):
        correct(desk, names[0], "much", "/total")
    with pytest.raises(NotFitting, match="at most 308 digits"):
        correct(desk, names[0], 10**399, "/total")
    correct(desk, names[0], None, "/total")
    with pytest.raises(NotThere):
        desk.review(names[0], "/colour", "red", None, "")
    with pytest.raises(NotThere):
        desk.paper("/etc/passwd")
    with pytest.raises(NotThere):
        desk.content("/etc/passwd")


def test_the_table_is_written_at_any_moment(desk: TableReview, names: list[str], tmp_path: Path) -> None:
    correct(desk, names[0], "Ada Nő")
    assert desk.export() == [tmp_path / "out.jsonl"]
    first, *_ = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert '"Ada Nő"' in first
    assert '"match": "reviewed"' in first


def test_a_file_that_is_gone_is_said(desk: TableReview, names: list[str]) -> None:
    Path(names[0]).unlink()
    with pytest.raises(NotThere, match=r"00\.txt"):
        desk.content(names[0])


@pytest.fixture
def paper(desk: TableReview, names: list[str]) -> str:
    """A paper whose list is empty."""
    desk._state.note(names[0], PaperResult({"name": "wrong", "total": 2.0, "lines": []}))
    return names[0]


def listed(desk: TableReview, name: str) -> Json:
    [found] = desk.paper(name)["lists"]
    return cast(Json, found)


def test_a_row_is_added_filled_and_removed(desk: TableReview, paper: str) -> None:
    assert listed(desk, paper)["rows"] == []
    number, pointer = desk.add_row(paper, "/lines", 0, listed(desk, paper)["version"])
    assert pointer == "/lines/0"
    assert desk.paper(paper)["answer"]["lines"] == [{"what": None, "price": None}]
    doubtful = [one["pointer"] for one in desk.paper(paper)["fields"] if one["is_doubtful"]]
    assert doubtful == ["/lines/0/what", "/lines/0/price"]
    with pytest.raises(NotFitting, match="string"):
        correct(desk, paper, None, "/lines/0/what")
    correct(desk, paper, "Bread", "/lines/0/what")
    correct(desk, paper, None, "/lines/0/price")
    assert not any(one["is_doubtful"] for one in desk.paper(paper)["fields"])
    with pytest.raises(ReviewConflict):
        desk.undo(number)
    removed = desk.remove_row(paper, "/lines/0", listed(desk, paper)["rows"][0])
    assert desk.paper(paper)["answer"]["lines"] == []
    assert desk.undo(removed) == (paper, "/lines/0", "removed")
    assert desk.paper(paper)["answer"]["lines"] == [{"what": "Bread", "price": None}]


def test_two_people_do_not_overwrite_each_others_rows(desk: TableReview, paper: str) -> None:
    seen = listed(desk, paper)["version"]
    desk.add_row(paper, "/lines", 0, seen)
    with pytest.raises(ReviewConflict):
        desk.add_row(paper, "/lines", 0, seen)
    [field, *_] = [one for one in desk.paper(paper)["fields"] if one["pointer"].startswith("/lines")]
    desk.remove_row(paper, "/lines/0", listed(desk, paper)["rows"][0])
    with pytest.raises(ReviewConflict, match="this list"):
        desk.review(paper, field["pointer"], "Bread", None, field["version"])
    with pytest.raises(ReviewConflict, match="this list"):
        desk.remove_row(paper, "/lines/0", "any")


def test_a_list_has_as_many_rows_as_the_schema_allows(desk: TableReview, paper: str) -> None:
    for _ in range(2):
        desk.add_row(paper, "/lines", 9, listed(desk, paper)["version"])
    with pytest.raises(NotFitting, match="at most 2 rows"):
        desk.add_row(paper, "/lines", 0, listed(desk, paper)["version"])
    with pytest.raises(NotThere, match="no list /name"):
        desk.add_row(paper, "/name", 0, "")


def test_a_list_that_is_null_can_get_a_row(desk: TableReview, paper: str) -> None:
    desk._state.note(paper, PaperResult({"name": "wrong", "total": 2.0, "lines": None}))
    desk.add_row(paper, "/lines", 0, listed(desk, paper)["version"])
    assert desk.paper(paper)["answer"]["lines"] == [{"what": None, "price": None}]
