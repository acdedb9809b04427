"""Parses HTML for BeautifulSoup, into the tree that browsers build."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bs4 import BeautifulSoup, Comment, Doctype
from bs4.builder import HTMLTreeBuilder

from tasks.inputs.text.html_tree import TreeEventKind, has_standard_doctype, is_affordable, tree_events

if TYPE_CHECKING:
    from bs4._typing import _RawMarkup


class Soup(NamedTuple):
    """A page as BeautifulSoup holds it."""

    tree: BeautifulSoup
    is_standard: bool
    """False if browsers may build another tree, because the page's elements are nested too deeply to build theirs, or
    if its document type is not usual."""


def soup_of(html: str) -> Soup:
    """Parse HTML into a tree that always has `html`, `head` and `body`, with the names of all elements and attributes
    in small letters. Surrogates are replaced by "?"."""
    html = html.encode(errors="replace").decode()
    if is_affordable(html):
        # BeautifulSoup would divide classes also at blanks at which browsers do not.
        soup = BeautifulSoup(html, builder=_StandardBuilder(multi_valued_attributes={}))
        has_doctype = any(isinstance(one, Doctype) for one in soup.contents)
        return Soup(soup, is_standard=not has_doctype or has_standard_doctype(html))
    return Soup(BeautifulSoup(html, "lxml"), is_standard=False)


class _StandardBuilder(HTMLTreeBuilder):
    """Hands the standard tree to BeautifulSoup."""

    def feed(self, markup: _RawMarkup) -> None:
        assert self.soup is not None
        assert isinstance(markup, str)
        for event in tree_events(markup):
            match event.kind:
                case TreeEventKind.START:
                    self.soup.handle_starttag(event.text, None, None, dict(event.attributes))
                case TreeEventKind.END:
                    self.soup.handle_endtag(event.text)
                case TreeEventKind.TEXT:
                    self.soup.handle_data(event.text)
                case TreeEventKind.COMMENT | TreeEventKind.DOCTYPE:
                    self.soup.endData()
                    self.soup.handle_data(event.text)
                    self.soup.endData(Comment if event.kind == TreeEventKind.COMMENT else Doctype)
