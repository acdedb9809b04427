"""The article of a page, as trafilatura finds it."""

import copy
import logging
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.scrape.blocks import text_of

# It warns of every page in which it finds no article.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Article:
    text: str
    markdown: str


def article_of(root: HtmlElement) -> Article | None:
    """None where there is none. `root` stays as it is."""
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
    # The Markdown is made last: that takes the tree apart.
    text = text_of(found.body)
    return Article(text, xmltotxt(found.body, include_formatting=True).strip()) if text else None
