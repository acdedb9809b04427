"""Who reviews gets what is doubtful, and says what is right."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from app.folders.answers import Json
from app.folders.client import PaperClient
from app.folders.desk import TableReview
from app.folders.failures import Rejected
from app.folders.papers import papers_of
from app.folders.reviews import PaperResult
from app.folders.state import JobState

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
PAPERS = 4


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    (tmp_path / "in").mkdir()
    for number in range(PAPERS):
        (tmp_path / "in" / f"{number:02}.txt").write_text(f"Braeburn Joinery invoice for Ada{number}")
    return [paper.name for paper in papers_of([str(tmp_path / "in")])]


@pytest.fixture
def desk(tmp_path: Path, names: list[str]) -> Iterator[TableReview]:
    with closing(JobState(tmp_path / "out.jsonl.state")) as state:
        state.begin({"schema": SCHEMA})
        state.add([*papers_of([str(tmp_path / "in")])], 0)
        for name in names:
            evidence = {"/name": {"probability": 0.5}, "/total": {"probability": 0.95}}
            state.note(name, PaperResult({"name": "wrong", "total": 2.0}, evidence))
        with closing(PaperClient("http://127.0.0.1:9", None)) as nobody:
            yield TableReview(state, tmp_path / "out.jsonl", nobody, 0.9)


def correct(desk: TableReview, name: str, value: Any, pointer: str = "/name") -> int:
    number = desk.review(name, pointer, desk.paper(name)["version"], value)["number"]
    return cast(int, number)


def test_doubtful_papers_are_offered_and_counted(desk: TableReview, names: list[str]) -> None:
    assert desk.overview()["papers_left"] == len(names)
    assert desk.next_paper("one") == {"name": names[0]}
    assert desk.next_paper("two") == {"name": names[1]}
    correct(desk, names[0], "wrong")
    correct(desk, names[1], "Ada1")
    assert desk.next_paper("one") == {"name": names[2]}
    assert desk.overview()["papers_left"] == len(names) - 2


def test_an_empty_field_is_offered_until_somebody_accepts_it(desk: TableReview, names: list[str]) -> None:
    answer = {"name": "Ada1", "total": None, "lines": [{"what": "Bread", "price": None}]}
    desk._state.note(names[1], PaperResult(answer, {"/name": {"probability": 0.95}}, ["/lines/0/what"]))
    desk._count(names[1])
    fields = desk.paper(names[1])["fields"]
    doubtful = [one["pointer"] for one in fields if one["is_doubtful"]]
    assert doubtful == ["/total", "/lines/0/what", "/lines/0/price"]
    assert desk.next_paper("one", empty=True) == {"name": names[1]}
    for pointer in ("/total", "/lines/0/price"):
        correct(desk, names[1], None, pointer)
    assert desk.next_paper("one", empty=True) == {"name": None}
    assert desk.overview()["doubtful"] == PAPERS


def test_that_a_paper_has_no_value_is_accepted_even_where_the_schema_requires_one(
    desk: TableReview, names: list[str]
) -> None:
    desk._state.note(names[0], PaperResult({"lines": [{"what": None}]}))
    correct(desk, names[0], None, "/lines/0/what")
    assert desk.paper(names[0])["evidence"]["/lines/0/what"]["match"] == "reviewed"


def test_a_value_that_nothing_supports_is_doubtful_only_by_its_probability(desk: TableReview, names: list[str]) -> None:
    evidence = {"/name": {"probability": 0.95}, "/total": {"probability": 0.85}}
    desk._state.note(names[0], PaperResult({"name": "a", "total": 1.0}, evidence, ["/name", "/total"]))
    doubtful = [one["pointer"] for one in desk.paper(names[0])["fields"] if one["is_doubtful"]]
    assert doubtful == ["/total"]


def test_the_second_of_two_people_gets_a_conflict(desk: TableReview, names: list[str]) -> None:
    seen = desk.paper(names[0])["version"]
    correct(desk, names[0], "Ada0")
    with pytest.raises(Rejected) as told:
        desk.review(names[0], "/name", seen, "wrong")
    assert told.value.status == 409
    assert desk.paper(names[0])["answer"]["name"] == "Ada0"


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


def test_papers_are_found_from_the_folder_in_which_the_job_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "job" / "in").mkdir(parents=True)
    (tmp_path / "job" / "in" / "a.txt").write_text("of the job")
    with (
        closing(JobState(tmp_path / "out.jsonl.state")) as state,
        closing(PaperClient("http://127.0.0.1:9", None)) as nobody,
    ):
        monkeypatch.chdir(tmp_path / "job")
        state.begin({"schema": SCHEMA})
        state.add([*papers_of(["in"])], 0)
        monkeypatch.chdir(tmp_path)
        desk = TableReview(state, tmp_path / "out.jsonl", nobody, 0.9)
        assert desk.content("in/a.txt") == ("a.txt", b"of the job")
        assert Path.cwd() == tmp_path
