"""Who reviews gets what is doubtful, and what was corrected teaches the papers that look alike."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from app.folders.answers import Json
from app.folders.client import PaperClient, PaperExample, Refused
from app.folders.desk import CORRECTIONS_TO_LEARN, TableReview
from app.folders.failures import Failed, Rejected
from app.folders.papers import Paper, papers_of
from app.folders.reviews import PaperResult
from app.folders.state import JobState
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
    """Stands in for a server that answers with what the examples say, and reads texts."""

    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    is_gone: bool = False
    has_asked: threading.Event = field(default_factory=threading.Event)

    def read(self, paper: Paper) -> Json:
        if paper.read is None:
            raise Refused("it is an address")
        return {"extracted_text": paper.read().decode(), "sections": []}

    def fill(self, paper: Paper, _: Json, examples: Sequence[PaperExample]) -> PaperResult:
        self.has_asked.set()
        if self.is_gone:
            raise Failed("the server is gone")
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
    number = desk.review(name, pointer, desk.paper(name)["version"], value)["number"]
    return cast(int, number)


def read_again(desk: TableReview) -> None:
    wait_until(lambda: desk.overview()["being_read"] is None)


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
    seen = desk.paper(names[1])["version"]
    correct(desk, names[0], "Ada0")
    desk.read_unreviewed()
    read_again(desk)
    assert desk.paper(names[1])["answer"]["name"] == "taught"
    with pytest.raises(Rejected):
        desk.review(names[1], "/name", seen, "wrong")


def test_a_server_that_is_gone_is_told(desk: TableReview, names: list[str], asker: FakeAsker) -> None:
    asker.is_gone = True
    correct(desk, names[0], "Ada0")
    desk.read_unreviewed()
    assert asker.has_asked.wait(30)
    read_again(desk)
    assert desk.overview()["trouble"] == "the server is gone"


def test_only_what_fits_the_schema_is_kept(desk: TableReview, names: list[str]) -> None:
    with pytest.raises(Rejected, match="number"):
        correct(desk, names[0], "much", "/total")
    with pytest.raises(Rejected, match="at most 308 digits"):
        correct(desk, names[0], 10**399, "/total")
    correct(desk, names[0], None, "/total")
    with pytest.raises(Rejected):
        desk.review(names[0], "/colour", desk.paper(names[0])["version"], "red")
    with pytest.raises(Rejected):
        desk.paper("/etc/passwd")
    with pytest.raises(Rejected):
        desk.content("/etc/passwd")


@pytest.fixture
def paper(desk: TableReview, names: list[str]) -> str:
    """A paper whose list is empty."""
    desk._state.note(names[0], PaperResult({"name": "wrong", "total": 2.0, "lines": []}))
    return names[0]


def rows_of(desk: TableReview, name: str) -> int:
    [found] = desk.paper(name)["lists"]
    return cast(int, found["rows"])


def add(desk: TableReview, name: str, at: int) -> Json:
    return desk.add_row(name, "/lines", desk.paper(name)["version"], at)


def test_a_row_is_added_filled_and_removed(desk: TableReview, paper: str) -> None:
    assert rows_of(desk, paper) == 0
    added = add(desk, paper, 0)
    assert added["pointer"] == "/lines/0"
    assert desk.paper(paper)["answer"]["lines"] == [{"what": None, "price": None}]
    doubtful = [one["pointer"] for one in desk.paper(paper)["fields"] if one["is_doubtful"]]
    assert doubtful == ["/lines/0/what", "/lines/0/price"]
    with pytest.raises(Rejected, match="string"):
        correct(desk, paper, None, "/lines/0/what")
    correct(desk, paper, "Bread", "/lines/0/what")
    correct(desk, paper, None, "/lines/0/price")
    assert not any(one["is_doubtful"] for one in desk.paper(paper)["fields"])
    with pytest.raises(Rejected):
        desk.undo(added["number"])
    removed = desk.remove_row(paper, "/lines/0", desk.paper(paper)["version"])
    assert desk.paper(paper)["answer"]["lines"] == []
    assert desk.undo(removed["number"]) == {"paper": paper, "pointer": "/lines/0", "change": "removed"}
    assert desk.paper(paper)["answer"]["lines"] == [{"what": "Bread", "price": None}]


def test_a_list_has_as_many_rows_as_the_schema_allows(desk: TableReview, paper: str) -> None:
    for _ in range(2):
        add(desk, paper, 9)
    with pytest.raises(Rejected, match="at most 2 rows"):
        add(desk, paper, 0)
    with pytest.raises(Rejected, match="no list"):
        desk.add_row(paper, "/name", desk.paper(paper)["version"], 0)
