"""README.md and docs/: every link leads somewhere, every picture is there, and the site's menu has every page once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.conftest import ROOT, each_case

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"(!?)\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6} (.+?)(?: #+)?$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z]+:")


@dataclass(frozen=True)
class Link:
    is_picture: bool
    target: str

    @property
    def path(self) -> str:
        return self.target.partition("#")[0]

    @property
    def anchor(self) -> str:
        return self.target.partition("#")[2]


def links(text: str) -> Iterator[Link]:
    """Those to files and headings beside it; what stands in code is none."""
    for sign, target in _LINK.findall(_CODE.sub("", _FENCE.sub("", text))):
        if not _ELSEWHERE.match(target):
            yield Link(bool(sign), target)


@cache
def anchors(path: Path) -> frozenset[str]:
    """What GitHub makes of the headings."""
    found: list[str] = []
    for heading in _HEADING.findall(_FENCE.sub("", path.read_text("utf-8"))):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return frozenset(found)


def fault(page: Path, link: Link) -> str | None:
    target = (page.parent / link.path).resolve() if link.path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return f"{link.target}: no such file"
    if page.is_relative_to(DOCS) and not target.is_relative_to(DOCS):
        return f"{link.target}: the site of docs/ does not have it"
    if link.is_picture and target.suffix not in (".png", ".svg"):
        return f"{link.target}: no picture"
    if link.anchor and link.anchor not in anchors(target):
        return f"{link.target}: no such heading"
    return None


@each_case("page", [path.relative_to(ROOT).as_posix() for path in TEXTS])
def test_every_link_leads_somewhere(page: str) -> None:
    path = ROOT / page
    assert [said for link in links(path.read_text("utf-8")) if (said := fault(path, link))] == []


def named(entries: list[object]) -> Iterator[str]:
    """The pages of a menu, in its order."""
    for entry in entries:
        match entry:
            case str():
                yield entry
            case dict():
                for value in entry.values():
                    yield from named(value if isinstance(value, list) else [value])


def test_every_page_is_in_the_menu_once() -> None:
    assert sorted(named(SITE["nav"])) == [path.relative_to(DOCS).as_posix() for path in PAGES]


def test_a_newcomer_reads_6000_words_at_most() -> None:
    """The README and the pages of Start; everything else is to look up."""
    [start] = [entry["Start"] for entry in SITE["nav"] if "Start" in entry]
    path = [ROOT / "README.md", *(DOCS / name for name in named(start))]
    assert sum(len(page.read_text("utf-8").split()) for page in path) <= 6_000
    # The order is the same on the site, on its first page and in the README.
    for page in (DOCS / "index.md", ROOT / "README.md"):
        part = page.read_text("utf-8").partition("all that a newcomer needs")[2]
        assert [Path(link.path).name for link in links(part)][: len(path) - 2] == [path.name for path in path[2:]]


def test_every_picture_is_shown_somewhere() -> None:
    shown = {
        (path.parent / link.path).resolve()
        for path in TEXTS
        for link in links(path.read_text("utf-8"))
        if link.is_picture
    }
    assert sorted(path for path in (DOCS / "images").iterdir() if path not in shown) == []
