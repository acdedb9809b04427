"""The site that `make docs` builds from docs/, looked at in a browser."""

import functools
import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import html
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import needs_browser
from tests.playground import WAIT_MS, watched

ROOT = Path(__file__).parents[2]
BUILDER = ROOT / ".venv-client" / "bin" / "zensical"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *told: object) -> None:
        """Prints nothing."""


def built(folder: Path) -> subprocess.CompletedProcess[str]:
    if not BUILDER.exists():
        pytest.skip("needs the environment that builds the site, which `make docs` creates")
    return subprocess.run(
        [BUILDER, "build", "--strict"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    return folder


@pytest.fixture(scope="module")
def site(sources: Path) -> Path:
    result = built(sources)
    assert result.returncode == 0, result.stdout + result.stderr
    return sources / "site"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with watched(browser, address) as page:
        yield page


def test_every_page_is_there_and_names_no_other_host(site: Path) -> None:
    pages = sorted((ROOT / "docs").rglob("*.md"))
    for source in pages:
        name = source.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        page = html.fromstring((site / name).read_text("utf-8"))
        title = source.read_text("utf-8").partition("\n")[0].removeprefix("# ").replace("`", "")
        assert title in page.find(".//h1").text_content(), name
        prose = [part.text_content() for part in page.iterfind(".//article/*") if part.find(".//pre") is None]
        assert prose, name
        assert "```" not in "".join(prose), f"{name}: a fence is not seen as one"
        assert not page.xpath("//*[contains(@class, 'mermaid')]"), "drawn by a program of another host, or not at all"
        loaded = page.xpath("//link[not(@rel='canonical')]/@href | //@src | //form/@action")
        assert len(loaded) > 5, name
        assert not [address for address in loaded if "//" in address], name
    assert len(pages) > 30
    assert html.parse(site / "architecture.html").xpath("//article//img[contains(@src, 'architecture.svg')]")


@needs_browser
@pytest.mark.parametrize(
    "name",
    [
        "index",
        *(pytest.param(one, marks=pytest.mark.browser) for one in ("api", "playground", "extraction", "architecture")),
    ],
)
def test_a_page_asks_no_other_host(page: Page, address: str, name: str) -> None:
    """As what stands on all of them does, and their styles and programs."""
    answer = page.goto(f"{address}/{name}.html")
    assert answer is not None
    assert answer.ok
    expect(page.locator("article h1")).to_be_visible(timeout=WAIT_MS)


def test_a_dead_link_fails_the_build(sources: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(sources, folder, ignore=shutil.ignore_patterns("site", ".cache"))
    with (folder / "docs" / "api.md").open("a") as text:
        text.write("\n[Nowhere](nowhere.md), [no heading](errors.md#nowhere)\n")
    result = built(folder)
    assert result.returncode != 0
    assert "page does not exist" in result.stdout + result.stderr
    assert "2 issues" in result.stdout + result.stderr
