"""HTML to a tree that any algorithm may walk: its size and depth are bounded."""

from dataclasses import replace

from bs4.dammit import EncodingDetector
from lxml import html as lxml_html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from tasks.errors import InputTooLarge
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.text.text_file import decode_text

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
