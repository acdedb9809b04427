"""Reads RSS and Atom feeds as pages, with entries in the feed's order."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import html as lxml_html
from lxml.etree import ParserError

from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.inputs.text.text_file import decode_text
from tasks.scrape.main_part import text_of
from tasks.scrape.metadata import language_of
from tasks.scrape.parsing import Link, ParsedPage, joined
from tasks.scrape.visible import drop_unseen

MAX_ENTRIES = 500
_MAX_SUMMARY = 2000
_HEAD = 2048
_ROOTS = (b"<rss", b"<feed", b"<rdf:RDF")

Entry = Mapping[str, str]
"""An entry of a feed. Its keys are `title`, `url`, `date`, `author` and `summary`, as far as the feed states them."""


def is_feed(data: bytes) -> bool:
    """True if `data` begins like a feed. Its declared type is not considered, because the types of feeds are often
    wrong."""
    head = data[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"<") and any(root in head for root in _ROOTS)


def read_feed(blob: Blob, limits: MediaLimits, url: str) -> tuple[ParsedPage, list[Entry]]:
    """Read a feed as a page and its entries. Raises InputError if the data is not text or not a feed."""
    import feedparser  # type: ignore[import-untyped]

    text = decode_text(blob, limits)
    # feedparser would take bytes or a text for the name of a file or a URL to fetch, so it gets a stream.
    found = feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
        sanitize_html=False,
    )
    if not found.entries and not found.feed.get("title"):
        raise blob.error("looks like a feed but cannot be read as one.")
    entries = [_parse_entry(entry, url) for entry in found.entries[:MAX_ENTRIES]]
    lines = [line for entry in entries for line in _entry_lines(entry)]
    title = _plain_text(found.feed.get("title"))
    page = ParsedPage(
        title=title,
        description=_plain_text(found.feed.get("subtitle")),
        text="\n".join(lines),
        markdown="\n\n".join(_entry_markdown(entry) for entry in entries),
        links=[Link(entry.get("title", ""), entry["url"]) for entry in entries if "url" in entry],
        metadata={"feed": found.version or "unknown", "entries": len(found.entries)},
        language=language_of("\n".join(lines) or title, (found.feed.get("language") or "")[:2].lower() or None),
    )
    return page, entries


def _parse_entry(entry: Any, base: str) -> Entry:
    fields = {
        "title": _plain_text(entry.get("title")),
        "url": joined(base, entry.get("link") or "") or "",
        "date": entry.get("published") or entry.get("updated") or "",
        "author": _plain_text(entry.get("author")),
        "summary": _plain_text(entry.get("summary"))[:_MAX_SUMMARY],
    }
    return {name: text for name, text in fields.items() if text}


def _plain_text(html: str | None) -> str:
    """Return the plain text of a string that may be HTML."""
    if not html or not html.strip():
        return ""
    try:
        root = lxml_html.document_fromstring(f"<div>{html}</div>")
    except (ParserError, ValueError):
        return " ".join(html.split())
    drop_unseen(root)
    return " ".join(text_of(root).split())


def _entry_lines(entry: Entry) -> Iterator[str]:
    byline = " · ".join(entry[name] for name in ("date", "author") if name in entry)
    yield from filter(None, (entry.get("title"), byline, entry.get("summary")))


def _entry_markdown(entry: Entry) -> str:
    title = entry.get("title") or entry.get("url") or "(untitled)"
    title = title.replace("[", "(").replace("]", ")")
    heading = f"## [{title}]({entry['url']})" if "url" in entry else f"## {title}"
    return "\n\n".join([heading, *[line for line in _entry_lines(entry) if line != entry.get("title")]])
