"""Reads a page's machine-readable metadata: JSON-LD, OpenGraph, microdata, and its `meta` and `link` elements."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pydantic_core
from lxml.html import HtmlElement

from models.translation.languages import detected
from tasks.scrape.parsing import joined

Json = Any

_LEAST_CHARS = 40
"""The language of a text can be detected if it has at least this many characters."""
_LEAST_SCORE = 0.5
"""A detected language counts if its score is at least this. With a lower score, the declared language of the page is
more reliable."""
_SAMPLE = 2000
"""The language of a text is detected from at most this many of its characters."""
MAX_BYTES = 64 * 1024
"""Each kind of structured data has at most about this many bytes as JSON. Further items are omitted."""
MAX_DEPTH = 12
_MAX_TEXT = 2000
_MAX_LD_CHARS = 500_000
_MAX_ITEMS = 1000
"""If a page has more microdata items than this, none is read, because the parser compares each with all items inside
it."""
_MAX_FEEDS = 20
_FEEDS = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})


def language_of(text: str, claimed: str | None) -> str | None:
    """Return the detected language of `text` (ISO 639), or else `claimed`. The claim comes second, because many
    templates declare English for every page."""
    sample = " ".join(text[:_SAMPLE].split())
    if len(sample) < _LEAST_CHARS:
        return claimed
    return next((code for code, score in detected(sample) if score >= _LEAST_SCORE), claimed)


def title_of(root: HtmlElement) -> str:
    """Return the page's title: the `title` element, or else OpenGraph's, or else the first heading."""
    for text in (
        root.findtext(".//title"),
        _meta_content(root, "og:title"),
        *(" ".join(heading.itertext()) for heading in root.iter("h1")),
    ):
        if text and text.strip():
            return _one_line(text)
    return ""


def description_of(root: HtmlElement) -> str:
    return _one_line(_meta_content(root, "description") or _meta_content(root, "og:description") or "")


def language_claimed(root: HtmlElement) -> str | None:
    """Return the language that the page declares, such as `de` for `<html lang="de-AT">`, or None if it declares no
    valid one."""
    declared = (
        root.get("lang")
        or root.get("{http://www.w3.org/XML/1998/namespace}lang")
        or _meta_content(root, "content-language")
    )
    code = (declared or "").replace("_", "-").partition("-")[0].strip().lower()
    return code if code.isascii() and code.isalpha() and len(code) in (2, 3) else None


def metadata_of(root: HtmlElement, url: str) -> dict[str, Json]:
    """Return the value of `ParsedPage.metadata`. `root` must still contain the invisible elements that hold the
    metadata."""
    found: dict[str, Json] = {**_basic_metadata(root, url), "feeds": _feed_urls(root, url)}
    if root.find(".//script[@type='application/ld+json']") is not None:
        found["json_ld"] = _fit_items(_json_ld(root))
    if root.find(".//meta[@property]") is not None:
        found["opengraph"] = _fit_properties(_opengraph(root))
    if root.find(".//*[@itemscope]") is not None:
        found["microdata"] = _fit_items(_microdata(root, url))
    return {name: value for name, value in found.items() if value}


def _basic_metadata(root: HtmlElement, url: str) -> dict[str, Json]:
    canonical = root.find(".//link[@rel='canonical']")
    texts = {
        "author": _meta_content(root, "author") or _meta_content(root, "article:author"),
        "date": _meta_content(root, "article:published_time")
        or _meta_content(root, "date")
        or next((time.get("datetime") for time in root.iterfind(".//time[@datetime]")), None),
        "site_name": _meta_content(root, "og:site_name") or _meta_content(root, "application-name"),
        "canonical": joined(url, canonical.get("href", "")) if canonical is not None else None,
    }
    return {name: _one_line(text) for name, text in texts.items() if text}


def _feed_urls(root: HtmlElement, url: str) -> list[str]:
    links = (link for link in root.iter("link") if link.get("type", "").lower() in _FEEDS)
    found = (joined(url, link.get("href", "")) for link in links)
    return list(dict.fromkeys(filter(None, found)))[:_MAX_FEEDS]


def _meta_content(root: HtmlElement, name: str) -> str | None:
    for meta in root.iter("meta"):
        if name in (key.lower() for key in (meta.get("name"), meta.get("property"), meta.get("http-equiv")) if key):
            return str(meta.get("content") or "") or None
    return None


def _json_ld(root: HtmlElement) -> Iterator[Json]:
    from extruct.jsonld import JsonLdExtractor

    # Each script is parsed separately, so that a broken one does not affect the others.
    for script in root.iterfind(".//script[@type='application/ld+json']"):
        if len(script.text or "") <= _MAX_LD_CHARS:
            yield from _extract_or_nothing(partial(JsonLdExtractor().extract_items, script))


def _opengraph(root: HtmlElement) -> Iterator[tuple[str, str]]:
    from extruct.opengraph import OpenGraphExtractor

    for item in _extract_or_nothing(partial(OpenGraphExtractor().extract_items, root)):
        yield from item["properties"]


def _microdata(root: HtmlElement, url: str) -> list[Json]:
    from extruct.w3cmicrodata import MicrodataExtractor

    if sum(1 for _ in root.iterfind(".//*[@itemscope]")) > _MAX_ITEMS:
        return []
    return _extract_or_nothing(partial(MicrodataExtractor().extract_items, root, base_url=url))


def _extract_or_nothing(extract: Callable[[], Iterable[Json]]) -> list[Json]:
    """Return the extracted items, or none if the data is broken, because the page is readable without them."""
    try:
        return list(extract())
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError):
        return []


def _fit_properties(properties: Iterator[tuple[str, str]]) -> dict[str, Json]:
    """Collect properties within MAX_BYTES. OpenGraph writes an array as a repeated property, so the values of such a
    property become a list."""
    found: dict[str, Json] = {}
    left = MAX_BYTES
    for name, value in properties:
        name, value = name[:100], value[:_MAX_TEXT]
        left -= len(name) + len(value)
        if left < 0:
            break
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _fit_items(items: Iterable[Json]) -> list[Json]:
    """Return the first items that fit into MAX_BYTES together. Parts that are too deep or too long are cut."""
    kept: list[Json] = []
    left = MAX_BYTES
    for item in items:
        cut = _cut_depth(item, MAX_DEPTH)
        left -= len(pydantic_core.to_json(cut, inf_nan_mode="null"))
        if left < 0:
            break
        kept.append(cut)
    return kept


def _cut_depth(value: Json, depth: int) -> Json:
    match value:
        case dict():
            pairs = value.items() if depth else ()
            return {_encodable(str(key)[:100]): _cut_depth(child, depth - 1) for key, child in pairs}
        case list() | tuple():
            return [_cut_depth(child, depth - 1) for child in value] if depth else []
        case str():
            return _encodable(value[:_MAX_TEXT])
        case float() if value != value or value in (float("inf"), float("-inf")):
            return None
        case _:
            return value


def _encodable(text: str) -> str:
    """Return the text with a question mark for each half of a surrogate pair, which JSON can escape."""
    return text.encode(errors="replace").decode()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_TEXT]
