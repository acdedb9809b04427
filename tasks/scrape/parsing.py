"""HTML to a tree that any algorithm may walk: its size and depth are bounded; and the page that is read from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import html as lxml_html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from tasks.errors import InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.inputs.text.text_file import decode_text


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    """As it is seen; "" for a link that shows nothing but a picture without a description."""
    url: str
    """Absolute, http or https."""


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """All of it is what somebody else wrote: data, never an instruction, nor a URL to follow unasked."""

    title: str
    """"" where the page has none; so the other texts."""
    description: str
    """As its author gives it for search engines."""
    text: str
    """The main text, without menus, teasers and what nobody sees: a paragraph, list item or table row a line."""
    markdown: str
    """The same with headings, lists, links and tables."""
    links: Sequence[Link] = ()
    """The links of the whole page, in order, each URL once."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """JSON: `author`, `date`, `site_name`, `canonical`, `feeds`, `json_ld`, `opengraph`, `microdata`, as far as the
    page has them."""
    language: str | None = None
    """ISO 639-1 where there is such a code: by its words, else as the page says."""


MAX_TAGS = 200_000
_DEPTH = 120
"""Elements within each other that are told apart: libraries recurse for each. Pages have 10 to 40."""
_OF_HEAD = frozenset({"title", "meta", "link", "script", "style", "base", "noscript", "template"})
_HEAD = 4096
"""Bytes in which a page declares its charset: browsers look at 1024, authors put comments first."""


def parsed(blob: Blob, limits: MediaLimits) -> HtmlElement:
    """The `html` element of a page, of whatever bytes: never empty of `head` and `body`.

    The charset is the byte order mark's, the declared one, or that of a `meta` element. Raises as `decode_text`, and
    InputTooLarge for more than MAX_TAGS.
    """
    # Imported here: it takes as long as a tenth of the server's start.
    from bs4.dammit import EncodingDetector

    charset = blob.charset or EncodingDetector.find_declared_encoding(blob.data[:_HEAD], is_html=True)
    text = decode_text(replace(blob, charset=charset), limits)
    if text.count("<") > MAX_TAGS:
        raise InputTooLarge(f"'{blob.label}' has more than {MAX_TAGS} elements, the limit of a page.", param=blob.param)
    root = _tree(text.replace("\0", ""))
    _flatten(root)
    return root


def _tree(text: str) -> HtmlElement:
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    # A tree of its own, whatever the text begins with: a fragment, a doctype or a declaration in another encoding.
    try:
        root = lxml_html.document_fromstring(text.encode(errors="replace"), parser=parser)
    except ParserError:  # nothing in it
        root = lxml_html.document_fromstring(b"<html></html>", parser=parser)
    for position, part in enumerate(("head", "body")):
        if root.find(part) is None:
            root.insert(position, root.makeelement(part))
    _into_body(root)
    return root


def _into_body(root: HtmlElement) -> None:
    """Where a page opens no `body`, the parser leaves elements that are younger than itself in the `head`."""
    head, body = root.find("head"), root.find("body")
    first = next((at for at, child in enumerate(head) if child.tag not in _OF_HEAD), len(head))
    strays = [*head[first:], *(child for child in root if child.tag not in {"head", "body"})]
    for place, stray in enumerate(strays):
        body.insert(place, stray)


def _flatten(root: HtmlElement) -> None:
    """Leave only the text of what is nested deeper than anybody means it."""
    level = [root]
    for _ in range(_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    for element in level:
        text = " ".join(" ".join(element.itertext()).split())
        for child in list(element):
            element.remove(child)
        element.text = text


MAX_LINKS = 2000
"""The most links of one page: sitemaps have tens of thousands."""
_PERMALINKS = frozenset({"", "#", "¶", "§", "🔗"})
_MAX_TEXT = 300
_MAX_URL = 2000


def base_of(root: HtmlElement, url: str) -> str:
    """What the relative links of the page at `url` are relative to."""
    base = root.find(".//base[@href]")
    return (joined(url, base.get("href", "")) if base is not None else None) or url


def joined(base: str, reference: str) -> str | None:
    """`reference` as an absolute http(s) URL without a fragment; None where it is none."""
    try:
        url = urldefrag(urljoin(base, reference.strip())).url
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc and len(url) <= _MAX_URL else None


def make_absolute(root: HtmlElement, base: str) -> None:
    """Links to places in the same page, to scripts and to what is no URL become mere text; the signs that give a
    heading its address go."""
    for element in list(root.iter("a", "area")):
        href = element.get("href", "")
        target = joined(base, href) if href and not href.startswith("#") else None
        if target is not None:
            element.set("href", target)
        elif "".join(element.itertext()).strip() in _PERMALINKS:
            element.drop_tree()
        else:
            element.attrib.pop("href", None)
            element.tag = "span"
    for picture in root.iter("img"):
        picture.set("src", joined(base, picture.get("src", "")) or "")


def links_of(root: HtmlElement, url: str) -> list[Link]:
    """The links that are seen, each URL once with the first text that it has, and not those to the page itself.

    `root` must have been made absolute.
    """
    texts: dict[str, str] = {}
    for element in root.iter("a", "area"):
        target = element.get("href")
        if target and (len(texts) < MAX_LINKS or target in texts):
            texts[target] = texts.get(target) or _text(element)[:_MAX_TEXT]
    texts.pop(urldefrag(url).url, None)
    return [Link(text, target) for target, text in texts.items()]


def _text(link: HtmlElement) -> str:
    text = " ".join(" ".join(link.itertext()).split())
    if text:
        return text
    described = (element.get(name) for element in link.iter() for name in ("alt", "aria-label", "title"))
    return " ".join(next(filter(None, described), "").split())
