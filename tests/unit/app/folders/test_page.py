"""What the page's server takes and refuses."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from app.folders.client import PaperClient
from app.folders.desk import TableReview
from app.folders.page import review_app
from app.folders.papers import papers_of
from app.folders.reviews import PaperResult
from app.folders.schemas import schema_of
from app.folders.state import JobState

CORNER = {"x": 10.5, "y": -1}
BOUNDS: dict[str, Any] = {
    "top_left": CORNER, "top_right": CORNER, "bottom_right": CORNER, "bottom_left": CORNER, "width": 0, "height": 3,
}  # fmt: skip
PLACE: dict[str, Any] = {"page": 1, "bounds": BOUNDS, "text": "A"}


@pytest.fixture
def paper(tmp_path: Path) -> str:
    file = tmp_path / "a.txt"
    file.write_text("INVOICE")
    return str(file)


@pytest.fixture
def desk(tmp_path: Path, paper: str) -> Iterator[TableReview]:
    schema = schema_of("number, date: date")
    with closing(JobState(tmp_path / "out.xlsx.state")) as state:
        state.begin({"schema": schema})
        state.add([*papers_of([paper])], 0)
        state.note(paper, PaperResult({"number": "A-1", "date": "2026-03-12"}))
        with closing(PaperClient("http://127.0.0.1:9", None)) as nobody:
            yield TableReview(state, tmp_path / "out.xlsx", nobody, 0.9)


@pytest.fixture
async def page(desk: TableReview, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(review_app(desk, "token", tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/review/token/api/") as client:
        yield client


async def corrected(
    page: httpx.AsyncClient, desk: TableReview, paper: str, pointer: str, value: Any, place: Any = None
) -> httpx.Response:
    version = desk.paper(paper)["version"]
    body = {"paper": paper, "pointer": pointer, "value": value, "place": place, "version": version}
    return await page.post("review", content=json.dumps(body), headers={"content-type": "application/json"})


async def test_a_correction_with_control_characters_leaves_the_table_writable(
    page: httpx.AsyncClient, desk: TableReview, paper: str, tmp_path: Path
) -> None:
    place = PLACE | {"text": "\u0000\uffff7"}
    assert (await corrected(page, desk, paper, "/number", "\u0000\u0001B\u000b\ufffe9", place)).status_code == 200
    assert (await page.post("export", json={})).json() == {"written": ["out.xlsx"]}
    assert openpyxl.load_workbook(tmp_path / "out.xlsx")["papers"]["B2"].value == "B9"


async def test_a_table_that_cannot_be_written_is_an_error_that_says_so(
    page: httpx.AsyncClient, desk: TableReview, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (await page.post("export", json={})).status_code == 200
    before = (tmp_path / "out.xlsx").read_bytes()
    properties = {f"f{number}": {"type": "string"} for number in range(18_300)}
    monkeypatch.setattr(desk, "schema", {"type": "object", "properties": properties})
    refused = await page.post("export", json={})
    assert refused.status_code == 422
    assert "out.xlsx cannot be written" in refused.json()["error"]["message"]
    assert (await page.get("overview")).status_code == 200
    assert (tmp_path / "out.xlsx").read_bytes() == before
