"""Reads a fetched page in a decode process, where a hostile page costs no more than its time limit."""

import copy
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import html as lxml_html
from lxml.etree import _Element
from lxml.html import HtmlElement

from models.workers.pool import Workers
from tasks.inputs import media_types
from tasks.inputs.decode import decode
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.markdown_text import is_safe, markdown_form
from tasks.scrape.feed import is_feed, read_feed
from tasks.scrape.main_part import has_main, largest_share, main_part, size_of, size_within, text_of
from tasks.scrape.matching import RecordMatch, Row, match_records
from tasks.scrape.metadata import description_of, language_claimed, language_of, metadata_of, title_of
from tasks.scrape.parsing import ParsedPage, base_of, links_of, make_absolute, parsed
from tasks.scrape.visible import drop_unseen

# trafilatura warns about every page in which it finds no article.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
_MAX_ELEMENTS = 20_000
_MAX_CHARS = 1_000_000
"""Trafilatura is not used for a page with more characters than this, because it takes seconds for large pages that are
not articles."""
_ARTICLE_SHARE = 0.55
"""On a page with `main`, trafilatura's article is used only if it has at least this share of the text in `main`."""
_PROSE_SHARE = 0.4
"""On a page without `main`, trafilatura's article is used only if it has at least this share of the text outside
links."""
_FEW_CHARS = 250
"""If a page has fewer characters than this, trafilatura returns a single line (its setting MIN_EXTRACTED_SIZE)."""
_LIST_SHARE = 0.5
"""A page is a list if records of one kind have more than this share of its text. On such a page, an article may be only
a part of the list."""
_LIST_KEPT = 0.95
_SCRIPT = re.compile(r"|module|(?:text|application)/(?:x-)?(?:java|ecma)script\d*(?:\.\d+)?", re.IGNORECASE)
"""Types of scripts that a browser runs. Scripts of other types are templates or data, such as JSON-LD."""
_WAITING_CHARS = 400
"""A page with at most this many characters may still wait for its scripts, and show only a name, a menu or "Loading
…"."""
_EMPTY_CHARS = 40
_ROOTS = frozenset({"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "app-root", "main-app", "react-root"})
"""Ids of the element that React, Vue, Next, Nuxt, Gatsby and others fill."""
_NEEDS_SCRIPTS = re.compile(r"java\s?script", re.IGNORECASE)
_UNREAD = frozenset({"script", "style", "noscript", "template"})
_ENTITY = re.compile(r"&(?=#?\w{1,40};)")
_ENTRY = {"link": "url", "headline": "title", "name": "title", "published": "date", "description": "summary"}
"""Parts of a feed's entry, by the names of the fields for which they are used."""


@dataclass(frozen=True, slots=True)
class Article:
    text: str
    markdown: str


def article_of(root: HtmlElement) -> Article | None:
    """Return the article that trafilatura extracts, or None if it finds none. `root` is not changed."""
    from trafilatura import bare_extraction
    from trafilatura.xml import xmltotxt

    found = bare_extraction(
        copy.deepcopy(root),
        output_format="markdown",
        include_comments=False,
        include_formatting=True,
        include_links=True,
        include_tables=True,
    )
    if found is None or isinstance(found, dict) or found.body is None:
        return None
    # The Markdown is made last, because making it takes the tree apart.
    text = text_of(found.body)
    _escape(found.body)
    return Article(text, xmltotxt(found.body, include_formatting=True).strip()) if text else None


def _escape(body: _Element) -> None:
    """Escape the entities in the texts of an article, and remove addresses that are not safe to open.

    trafilatura escapes everything else, but replaces entities after that, so that `&lt;b>` would become markup.
    """
    for element in body.iter("*"):
        if element.text and element.tag != "code":
            element.text = _ENTITY.sub(r"\\&amp;", element.text)
        if element.tail:
            element.tail = _ENTITY.sub(r"\\&amp;", element.tail)
        if not is_safe(element.get("target", "http:")):
            del element.attrib["target"]


def read_page(root: HtmlElement, url: str) -> ParsedPage:
    """Read the page. `root` loses its invisible elements, and its links become absolute."""
    base = base_of(root, url)
    title, description, metadata = title_of(root), description_of(root), metadata_of(root, base)
    claimed = language_claimed(root)
    drop_unseen(root)
    make_absolute(root, base)
    text, markdown = _main_texts(root)
    return ParsedPage(
        title=title,
        description=description,
        text=text,
        markdown=markdown,
        links=links_of(root, url),
        metadata=metadata,
        language=language_of(text or title, claimed),
    )


def _main_texts(root: HtmlElement) -> tuple[str, str]:
    """Return text and Markdown of the main part. They come from trafilatura, which handles articles best, unless it
    omits too much."""
    region = main_part(root)
    text = text_of(region)
    if len(text) <= _MAX_CHARS and sum(1 for _ in root.iter()) <= _MAX_ELEMENTS:
        article = article_of(root)
        if article is not None and _is_complete(article.text, text, region, marked=has_main(root)):
            return article.text, article.markdown
    # Imported late, because its dependencies take a tenth of the server's start-up time and few pages need them.
    from tasks.inputs.text.html_text import html_to_markdown

    html = lxml_html.tostring(region, encoding="unicode", with_tail=False)
    return text, markdown_form(html_to_markdown(f"<html><body>{html}</body></html>", picture=lambda _: ""))


def _is_complete(article: str, text: str, region: HtmlElement, *, marked: bool) -> bool:
    if "\n" in text and "\n" not in article and len(text) < _FEW_CHARS:
        return False
    if largest_share(region) > _LIST_SHARE:
        # trafilatura turns a table within a table into a single line.
        return size_of(article) >= _LIST_KEPT * size_of(text) and region.find(".//table//table") is None
    if marked:
        return size_of(article) >= _ARTICLE_SHARE * size_of(text)
    linked = sum(size_within(link) for link in region.iter("a"))
    return size_of(article) >= _PROSE_SHARE * (size_of(text) - linked)


@dataclass(frozen=True, slots=True)
class PageReading:
    page: ParsedPage
    match: RecordMatch | None
    """Values of the requested fields that can be read from the page's structure."""
    has_scripts: bool
    """True if the page has scripts, which were not run."""
    waits: bool
    """True if the page seems to need its scripts to show its text."""


def read_bytes(blob: Blob, limits: MediaLimits, url: str, fields: Sequence[str] = ()) -> PageReading:
    """Read an HTML page or a feed, which came from `url`. Reading usually takes 5 to 50 ms. Broken HTML is always read.

    Raises InputError (`unsupported_media_type`) for bytes that are not text, InputTooLarge for more characters than
    `limits` allow or more than MAX_TAGS tags, and the errors of `read_feed`.
    """
    if blob.media_type != media_types.HTML and is_feed(blob.data):
        page, entries = read_feed(blob, limits, url)
        rows: list[Row] = [{field: entry.get(_ENTRY.get(field, field)) for field in fields} for entry in entries]
        missing = frozenset(field for field in fields if not any(row[field] for row in rows))
        match = RecordMatch(rows, missing) if len(missing) < len(fields) else None
        return PageReading(page, match, has_scripts=False, waits=False)
    root = parsed(blob, limits)
    types = (script.get("type", "").partition(";")[0].strip() for script in root.iter("script"))
    has_scripts, asks = any(map(_SCRIPT.fullmatch, types)), _asks_for_scripts(root)
    page = read_page(root, url)
    match = match_records(main_part(root), fields) if fields else None
    return PageReading(page, match, has_scripts, has_scripts and (asks or not page.text))


async def read_file(
    workers: Workers, blob: Blob, limits: MediaLimits, url: str, fields: Sequence[str] = ()
) -> PageReading:
    """Run `read_bytes` in a worker process."""
    return await decode(workers, blob, read_bytes, blob, limits, url, fields)


def _asks_for_scripts(root: HtmlElement) -> bool:
    """True if the unrendered page shows little text and either says that it needs scripts or has an element for them to
    fill."""
    body = root.find("body")
    shown = size_within(body) - sum(size_within(element) for element in body.iter() if element.tag in _UNREAD)
    if shown > _WAITING_CHARS:
        return False
    wanted = any(_NEEDS_SCRIPTS.search("".join(element.itertext())) for element in root.iter("noscript"))
    filled = (element for element in body.iter() if element.get("id", "") in _ROOTS or "-" in str(element.tag))
    return wanted or any(size_within(element) <= _EMPTY_CHARS for element in filled)
