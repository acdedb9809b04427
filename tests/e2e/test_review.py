"""`openfaze review` in a real browser: the keyboard does all, corrections are kept at once, and teach."""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import KEY, needs_browser
from tests.e2e.test_cli import ENVIRONMENT, openfaze_here
from tests.kit.clients.playground import found_by_axe, watched
from tests.kit.papers.pages import Canvas, typeface_of
from tests.kit.processes.forked import stem
from tests.kit.servers.server import IMPORTS, REMEMBERING, SERVE, Server, serving

FIELDS = "number, date, total: number, buyer"
BUYERS = (
    "Ada Bell", "Carl Dunn", "Edith Frey", "Gus Hale", "Ida Jones", "Karl Lund", "Mona Nash", "Olga Pace",
    "Petra Quist", "Rosa Stein", "Tom Udal", "Vera Wood",
)  # fmt: skip
PAPERS = 12


@dataclass(frozen=True)
class ReviewSession:
    page: Page
    folder: Path
    url: str

    def state(self) -> dict[str, Any]:
        told = httpx.get(f"{self.url}api/overview", trust_env=False).json()
        assert isinstance(told, dict)
        return told

    def settled(self) -> None:
        """Wait until the paper's words are known."""
        self.page.locator('.overlay polygon[data-kind="word"]').first.wait_for(state="attached")

    def chosen(self, but: tuple[str, str] = ("", "")) -> tuple[str, str]:
        """The paper and the field that are looked at, once there is a field and both are not `but`.

        Both are read at one moment: a new paper's name is shown before one of its fields is chosen.
        """
        paper, pointer = self.page.wait_for_function(
            """but => {
                const pressed = document.querySelector('#fields [aria-pressed="true"]');
                if (!pressed) return null;
                const chosen = [document.querySelector('#paper').innerText, pressed.dataset.pointer];
                return chosen.join() === but.join() ? null : chosen;
            }""",
            arg=list(but),
        ).json_value()
        return paper, pointer


def number_of(number: int) -> str:
    return f"BJ-{4100 + 7 * number}"


def invoice(number: int) -> bytes:
    canvas = Canvas(620, 420, "white")
    large, plain = typeface_of("sans", 30), typeface_of("sans", 19)
    canvas.line(["Braeburn", "Joinery"], 40, 70, large, "black")
    lines = [
        f"Invoice number: {number_of(number)}",
        f"Date: 2026-03-{10 + number}",
        f"Buyer: {BUYERS[number]}",
        f"Oak boards    {40 + number}.00",
        f"Total: {112 + 3 * number}.50 EUR",
    ]
    for place, line in enumerate(lines):
        canvas.line(line.split(), 40, 140 + 50 * place, plain, "black")
    return canvas.page().encoded()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("review") / "log", REMEMBERING, api_keys=KEY, preload="ocr") as running:
        yield running


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Path:
    """With a table of PAPERS papers, or as many as the test says."""
    make_table(tmp_path, server, getattr(request, "param", PAPERS), FIELDS)
    return tmp_path


def make_table(folder: Path, server: Server, papers: int, fields: str) -> None:
    (folder / "in").mkdir()
    for number in range(papers):
        (folder / "in" / f"{number:02}.png").write_bytes(invoice(number))
    command = ("extract", "in", "--schema", fields, "--out", "out.xlsx", "--url", server.base_url)
    done = openfaze_here(*command, folder=folder, OPENFAZE_API_KEY=KEY)
    assert done.returncode == 0, done.stderr


def is_up(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False


@contextlib.contextmanager
def serving_review(folder: Path, server: Server, table: str = "out.xlsx", below: str = "1") -> Iterator[str]:
    """Run the command, with all but certain fields doubtful, and provide the page's URL."""
    log = folder / "review.log"
    with log.open("w") as out, Path("/dev/null").open() as nothing:
        command = ("review", table, "--url", server.base_url, "--below", below)
        env = {**ENVIRONMENT, "OPENFAZE_API_KEY": KEY, "PYTHONUNBUFFERED": "1"}
        running = stem(IMPORTS).start(SERVE, *command, env=env, cwd=folder, stdin=nothing, stdout=out, stderr=out)
        try:
            while not (found := re.search(r"at (http://\S+)", log.read_text())):
                assert running.poll() is None, log.read_text()
                time.sleep(0.02)
            url = found[1]
            with httpx.Client(trust_env=False, verify=False) as client:
                while not is_up(client, url):
                    time.sleep(0.02)
            yield url
            running.terminate()
            assert running.wait(60) is not None
        finally:
            if running.poll() is None:
                running.kill()


@pytest.fixture
def review(browser: Browser, folder: Path, server: Server) -> Iterator[ReviewSession]:
    with (
        serving_review(folder, server) as url,
        watched(browser, url, viewport={"width": 1360, "height": 860}) as page,
    ):
        page.goto(url)
        made = ReviewSession(page, folder, url)
        made.settled()
        yield made


@pytest.mark.browser
@needs_browser
def test_thirty_fields_are_reviewed_by_the_keyboard_in_three_actions_at_most(review: ReviewSession) -> None:
    page, told = review.page, page_told(review)
    fields = review.state()["doubtful"]
    assert fields >= 30
    actions = []
    chosen = ("", "")
    for done in range(fields):
        chosen = paper, pointer = review.chosen(but=chosen)
        number = int(paper.split("/")[-1][:2])
        match number % 3, pointer:
            case 1, "/number":  # taken from the page by its words
                keys = ("f", number_of(number), "Enter")
            case 2, "/number":  # typed
                keys = ("t", f"{number_of(number)}/2026", "Enter")
            case _:
                keys = ("Enter",)
        for key in keys:
            page.keyboard.type(key) if len(key) > 5 else page.keyboard.press(key)
        actions.append(len(keys))
        if done < fields - 1:
            expect(page.locator("#counts")).to_contain_text(f"Fields to check{fields - done - 1}")
    expect(told).to_have_text("Nothing is left to check.")
    assert len(actions) >= 30
    assert max(actions) == 3
    assert actions.count(3) == 8, "four numbers were taken from the page, and four typed"
    state = review.state()
    assert (state["papers_left"], state["doubtful"], state["fields_right"]) == (0, 0, state["fields"])
    page.keyboard.press("s")
    expect(told).to_have_text("Written: out.xlsx")
    sheet = openpyxl.load_workbook(review.folder / "out.xlsx")["papers"]
    colours = [cell.fill.fgColor.rgb for row in sheet.iter_rows(min_row=2) for cell in row]
    assert colours.count("FFD9E4FB") == fields, "reviewed cells are blue"
    assert sheet["B2"].value == number_of(0)


def page_told(review: ReviewSession) -> Any:
    return review.page.get_by_test_id("told")


@pytest.mark.browser
@needs_browser
def test_a_field_is_taken_from_the_page_typed_and_undone(review: ReviewSession) -> None:
    page, told = review.page, page_told(review)
    choose(page, "/buyer")
    page.keyboard.press("f")
    page.keyboard.type("braeburn j")
    page.keyboard.press("Enter")
    expect(told).to_have_text("buyer is Braeburn Joinery.")
    kept = httpx.get(f"{review.url}api/paper", params={"name": "in/00.png"}, trust_env=False).json()
    assert kept["answer"]["buyer"] == "Braeburn Joinery"
    place = kept["evidence"]["/buyer"]
    assert (place["match"], place["text"]) == ("reviewed", "Braeburn Joinery")
    assert place["bounds"]["top_left"]["y"] < 80
    choose(page, "/total")
    page.keyboard.press("t")
    page.keyboard.type("a lot")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is a number.")).to_be_visible()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("1.234,50")
    page.keyboard.press("Enter")
    expect(told).to_have_text("total is 1234.5.")
    for expected in ("total is as it was.", "buyer is as it was.", "There is nothing to undo."):
        page.keyboard.press("u")
        expect(told).to_have_text(expected)
    assert not found_by_axe(page)


@pytest.mark.browser
@needs_browser
def test_empty_fields_are_offered_and_a_key_leads_to_them(browser: Browser, server: Server, tmp_path: Path) -> None:
    make_table(tmp_path, server, 2, "number, swift_code, iban")
    with (
        serving_review(tmp_path, server, below="0") as url,
        watched(browser, url, viewport={"width": 1280, "height": 900}) as page,
    ):
        page.goto(url)
        review = ReviewSession(page, tmp_path, url)
        review.settled()
        assert review.state()["doubtful"] == 4
        assert review.chosen() == ("in/00.png", "/swift_code")
        assert page.locator('#fields [aria-pressed="true"]').inner_text().split() == ["swift_code", "—", "empty"]
        page.keyboard.press("ArrowUp")
        assert review.chosen(but=("in/00.png", "/swift_code")) == ("in/00.png", "/number")
        frame, place = page.locator(".frame.source"), page.locator('[data-kind="evidence"]')
        assert place.evaluate("one => getComputedStyle(one).stroke") == "none"
        assert frame.evaluate("one => getComputedStyle(one).fill") == "none"
        left = "one => one.getBoundingClientRect().left"
        assert frame.evaluate(left) < place.evaluate(left) - 2, "the frame is beside the number"
        seen = [("in/00.png", "/number")]
        for expected in [(f"in/0{paper}.png", pointer) for paper in (0, 1) for pointer in ("/swift_code", "/iban")]:
            page.keyboard.press("e")
            seen.append(review.chosen(but=seen[-1]))
            assert seen[-1] == expected
        page.keyboard.press("Enter")
        assert review.chosen(but=seen[-1]) == ("in/01.png", "/swift_code")
        expect(page_told(review)).to_have_text("iban is empty.")
        assert review.state()["doubtful"] == 3
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == width
        assert not found_by_axe(page)


def choose(page: Page, pointer: str) -> None:
    """Go to a field of the first paper with the arrow keys."""
    button = page.locator(f'#fields [data-pointer="{pointer}"]')
    fields = page.locator("#fields [data-pointer]").count()
    for key in [*["ArrowUp"] * fields, *["ArrowDown"] * fields]:
        if button.get_attribute("aria-pressed") == "true":
            return
        page.keyboard.press(key)
    expect(button).to_have_attribute("aria-pressed", "true")


def change(url: str, paper: str, pointer: str, value: Any) -> httpx.Response:
    told = httpx.get(f"{url}api/paper", params={"name": paper}, trust_env=False).json()
    body = {"paper": paper, "pointer": pointer, "value": value, "version": told["version"]}
    return httpx.post(f"{url}api/review", json=body, trust_env=False)


@pytest.mark.parametrize("folder", [1], indirect=True)
def test_other_pages_of_the_browser_reach_nothing(folder: Path, server: Server) -> None:
    with serving_review(folder, server, "out.xlsx.state") as url, httpx.Client(trust_env=False) as client:
        base, _, _ = url.partition("/review/")
        assert client.get(base).status_code == 404
        assert client.get(f"{base}/review/guessed/").status_code == 404
        assert client.get(url, headers={"host": "attacker.example"}).status_code == 400
        form = {"content-type": "text/plain"}
        assert client.post(f"{url}api/undo", content=json.dumps({"number": 1}), headers=form).status_code == 400
        assert client.get(f"{url}api/content", params={"name": "/etc/passwd"}).status_code == 404
        refused = change(url, "in/00.png", "/total", "no number")
        assert refused.status_code == 422
        assert client.post(f"{url}api/undo", json={"number": 99}).status_code == 409
        version = client.get(f"{url}api/paper", params={"name": "in/00.png"}).json()["version"]
        row = {"paper": "in/00.png", "pointer": "/lines", "version": version}
        assert client.post(f"{url}api/add-row", json=row | {"at": -1}).status_code == 400
        assert client.post(f"{url}api/add-row", json=row | {"at": 0}).status_code == 404
        assert client.post(f"{url}api/remove-row", json=row | {"pointer": "/total/0"}).status_code == 404
        for value in ("1e999", "-1e999", "NaN", '"\\ud800"', "[" * 10_000):
            body = f'{{"paper":"in/00.png","pointer":"/total","value":{value},"version":""}}'
            typed = {"content-type": "application/json"}
            assert client.post(f"{url}api/review", content=body, headers=typed).status_code == 400, value
        assert client.get(f"{url}api/paper", params={"name": "in/00.png"}).status_code == 200
        page = client.get(url)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        content = client.get(f"{url}api/content", params={"name": "in/00.png"})
        assert content.headers["content-security-policy"] == "sandbox"
