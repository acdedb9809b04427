"""The part of a page that it is there for, without what stands round it on every page of its site."""

import copy
import re

from lxml.html import HtmlElement

from tasks.scrape.blocks import size_within

_AROUND = frozenset({"nav", "footer", "aside", "menu", "dialog", "button", "select", "fieldset"})
_ROLES = frozenset(
    {"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu", "menubar"}
)
_AROUND_WORDS = (
    "ad ads advert advertisement adsense banner breadcrumb breadcrumbs byline-share consent cookie cookies "
    "footer gdpr masthead menu nav navbar navigation newsletter pager pagination paginator popup promo "
    "recommended related share sharing sidebar skip social sponsor sponsored subscribe topbar toolbar toc "
    "trending widget"
)
_SAYS_AROUND = frozenset(_AROUND_WORDS.split())
"""Words of a class or id by which authors call what stands round the main part."""
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MAX_SHARE = 0.5
"""Of a page's text: what has more is no menu, whatever its class says."""


def main_part(root: HtmlElement) -> HtmlElement:
    """A copy: the `main` element, a sole `article` or the body, without menus, sidebars, footers and the like."""
    body = copy.deepcopy(root.find("body"))
    explicit = [element for element in body.iter("main", "div", "section") if _is_main(element)]
    region = max(explicit, key=size_within, default=None)
    if region is None or not size_within(region):
        region = body
        articles = [element for element in body.iter("article") if element.getparent().tag != "article"]
        if len(articles) == 1 and size_within(articles[0]) > size_within(body) / 4:
            region = articles[0]
    _drop_around(region)
    return region


def has_main(root: HtmlElement) -> bool:
    """Whether the page itself says what its main part is."""
    return any(_is_main(element) for element in root.iter("main", "div", "section"))


def _is_main(element: HtmlElement) -> bool:
    return bool(element.tag == "main" or element.get("role", "").lower() == "main")


def _drop_around(region: HtmlElement) -> None:
    most = size_within(region) * _MAX_SHARE
    for element in list(region.iter()):
        if element is region or not isinstance(element.tag, str) or element.getparent() is None:
            continue
        if _stands_around(element, region) and element.find(".//h1") is None and size_within(element) <= most:
            element.drop_tree()


def _stands_around(element: HtmlElement, region: HtmlElement) -> bool:
    if element.tag in _AROUND or element.get("role", "").lower() in _ROLES:
        return True
    if element.tag == "header":  # of the page, not of an article in it
        return region.tag == "body" and element.getparent().tag in {"body", "div"} and not _within_article(element)
    named = f"{element.get('class', '')} {element.get('id', '')}"
    return bool(named.strip()) and not _SAYS_AROUND.isdisjoint(part.lower() for part in _PARTS.findall(named))


def _within_article(element: HtmlElement) -> bool:
    return any(parent.tag in {"article", "main", "section"} for parent in element.iterancestors())
