"""What a job keeps of its answers: nothing is asked twice, nothing old is taken for new."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.folders.failures import Failed
from app.folders.papers import Paper
from app.folders.reviews import PaperResult
from app.folders.state import JobState


def paper(name: str, fingerprint: str = "1") -> Paper:
    return Paper(name, name, name, fingerprint, lambda: b"")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "out.xlsx.state"


@pytest.fixture
def state(file: Path) -> Iterator[JobState]:
    with closing(JobState(file)) as state:
        state.begin({"schema": 1})
        state.add([paper("a"), paper("b"), paper("c")], 0)
        state.note("a", PaperResult({"x": 1}, {"/x": {"probability": 0.5}}))
        state.note("b", PaperResult(error="damaged"))
        yield state


def results(state: JobState) -> dict[str, PaperResult | None]:
    return {row.name: row.result for row in state.rows()}


def test_answers_are_there_when_the_job_is_opened_again(state: JobState, file: Path) -> None:
    state.close()
    with closing(JobState(file)) as again:
        assert not again.begin({"schema": 1})
        again.add([paper("c"), paper("a")], 0)
        assert results(again) == {"c": None, "a": PaperResult({"x": 1}, {"/x": {"probability": 0.5}})}
        assert again.counts() == (2, 1, 0)


def test_another_schema_forgets_the_answers(state: JobState) -> None:
    assert state.begin({"schema": 2})
    assert not state.begin({"schema": 3}), "there is nothing left to forget"
    state.add([paper("a"), paper("b")], 0)
    assert results(state) == {"a": None, "b": None}


def test_errors_are_asked_about_anew_on_demand(state: JobState) -> None:
    assert state.counts() == (3, 2, 1)
    assert state.is_done("b")
    state.forget(only_errors=True)
    assert not state.is_done("b")
    assert state.is_done("a")


def test_two_jobs_do_not_write_the_same_table(state: JobState, file: Path) -> None:
    with pytest.raises(Failed, match="another `openfaze extract` or `openfaze review` is working on"):
        JobState(file)


def test_a_state_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "damaged.state").write_text("no database" * 100)
    with pytest.raises(Failed, match="delete it to start over"):
        JobState(tmp_path / "damaged.state")
    with pytest.raises(Failed, match="does its folder exist"):
        JobState(tmp_path / "nowhere" / "x.state")
