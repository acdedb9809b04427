"""A web page's bytes to what it says: `extract_page`."""

from lxml import html as lxml_html
from lxml.html import HtmlElement

from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.text.html_text import html_to_markdown
from tasks.scrape.article import article_of
from tasks.scrape.blocks import size_of, size_within, text_of
from tasks.scrape.language import language_of
from tasks.scrape.links import base_of, links_of, make_absolute
from tasks.scrape.main_part import has_main, main_part
from tasks.scrape.metadata import description_of, language_claimed, metadata_of, title_of
from tasks.scrape.page import Page
from tasks.scrape.parsing import parsed
from tasks.scrape.records import largest_share
from tasks.scrape.visible import drop_unseen

_MOST_ELEMENTS = 20_000
_MOST_CHARS = 1_000_000
"""Beyond, a page is taken by its structure alone: what knows articles takes seconds for what is none."""
_ARTICLE_SHARE = 0.55
"""Of the text of a `main` element that an article in it has at least: else it is not what the page is about."""
_PROSE_SHARE = 0.4
"""The same of the text outside links, where a page does not mark its main part."""
_FEW_CHARS = 250
"""Of less, trafilatura makes a single line (its setting MIN_EXTRACTED_SIZE)."""
_LIST_SHARE = 0.5
"""Of a page's text that stands in records of one kind: then it is a list, of which an article would be a part."""
_LIST_KEPT = 0.95


def extract_page(data: bytes, url: str, charset: str | None, *, limits: MediaLimits | None = None) -> Page:
    """What the page `data`, fetched from `url` and declared to be in `charset`, says. Synchronous: 5 to 50 ms for most.

    Raises InputError (`unsupported_media_type`) for bytes that are no text, InputTooLarge for more than `limits` allow
    or 200,000 elements. HTML, however broken, is always read.
    """
    return read_page(parsed(Blob(data, "text/html", None, url, charset), limits or MediaLimits()), url)


def read_page(root: HtmlElement, url: str) -> Page:
    """Takes out of `root` what nobody sees, and makes its links absolute."""
    base = base_of(root, url)
    title, description, metadata = title_of(root), description_of(root), metadata_of(root, base)
    claimed = language_claimed(root)
    drop_unseen(root)
    make_absolute(root, base)
    text, markdown = _main(root)
    return Page(
        title=title,
        description=description,
        text=text,
        markdown=markdown,
        links=links_of(root, url),
        metadata=metadata,
        language=language_of(text or title, claimed),
    )


def _main(root: HtmlElement) -> tuple[str, str]:
    """Text and Markdown. By trafilatura, which knows articles best, unless what it leaves out is too much."""
    region = main_part(root)
    text = text_of(region)
    if len(text) <= _MOST_CHARS and sum(1 for _ in root.iter()) <= _MOST_ELEMENTS:
        article = article_of(root)
        if article is not None and _is_whole(article.text, text, region, marked=has_main(root)):
            return article.text, article.markdown
    html = lxml_html.tostring(region, encoding="unicode", with_tail=False)
    return text, html_to_markdown(f"<html><body>{html}</body></html>", picture=lambda _: "")


def _is_whole(article: str, text: str, region: HtmlElement, *, marked: bool) -> bool:
    if "\n" in text and "\n" not in article and len(text) < _FEW_CHARS:
        return False
    if largest_share(region) > _LIST_SHARE:
        # Of a table in a table, trafilatura makes a single line.
        return size_of(article) >= _LIST_KEPT * size_of(text) and region.find(".//table//table") is None
    if marked:
        return size_of(article) >= _ARTICLE_SHARE * size_of(text)
    linked = sum(size_within(link) for link in region.iter("a"))
    return size_of(article) >= _PROSE_SHARE * (size_of(text) - linked)
