"""The site that `make docs` builds from docs/, looked at in a browser."""

import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import html

ROOT = Path(__file__).parents[2]
BUILDER = ROOT / ".venv-client" / "bin" / "zensical"


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
