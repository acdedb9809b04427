"""Where the links of a page lead."""

from collections.abc import Iterator
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml.html import HtmlElement

from tasks.scrape.page import Link

MAX_LINKS = 2000
"""Of one page: sitemaps have tens of thousands."""
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
    for target, text in _links(root):
        if len(texts) >= MAX_LINKS and target not in texts:
            continue
        texts[target] = texts.get(target) or text
    texts.pop(urldefrag(url).url, None)
    return [Link(text, target) for target, text in texts.items()]


def _links(root: HtmlElement) -> Iterator[tuple[str, str]]:
    for element in root.iter("a", "area"):
        target = element.get("href")
        if target:
            yield target, _text(element)[:_MAX_TEXT]


def _text(link: HtmlElement) -> str:
    text = " ".join(" ".join(link.itertext()).split())
    if text:
        return text
    described = (element.get(name) for element in link.iter() for name in ("alt", "aria-label", "title"))
    return " ".join(next(filter(None, described), "").split())
